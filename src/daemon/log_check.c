/*
 * A log that is no file is opened and closed again, which leaves no trace. Of a file only the permissions are looked
 * at.
 */
#include "daemon/log_check.h"

#include "log/log.h"
#include "log/log_file.h"

int rtn_log_check(const struct rtn_config_log *config)
{
    if (config->to == RTN_LOG_TO_FILE)
        return rtn_log_file_check(config->path);
    const struct rtn_log_options options = { .to = (enum rtn_log_to) config->to,
                                             .format = (enum rtn_log_format) config->format };
    struct rtn_log *log = NULL;
    int r = rtn_log_new(&options, &log);
    rtn_log_free(log);
    return r;
}
