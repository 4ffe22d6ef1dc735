/* Log levels and their names: one table, read in both directions. */
#include "log/level.h"

#include <errno.h>

#include "base/macros.h"

static const char *const names[] = {
    [RTN_LOG_TRACE] = "trace", [RTN_LOG_DEBUG] = "debug", [RTN_LOG_INFO] = "info",   [RTN_LOG_NOTICE] = "notice",
    [RTN_LOG_WARN] = "warn",   [RTN_LOG_ERROR] = "error", [RTN_LOG_FATAL] = "fatal", [RTN_LOG_NONE] = "none",
};

const char *rtn_log_level_name(enum rtn_log_level level)
{
    return names[level];
}

int rtn_log_level_parse(struct rtn_str s, enum rtn_log_level *ret)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        if (rtn_str_equal(s, rtn_str_of(names[i]))) {
            *ret = (enum rtn_log_level) i;
            return 0;
        }
    }
    return -EINVAL;
}
