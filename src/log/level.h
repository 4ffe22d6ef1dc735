/* Names of log levels. [any] */
#ifndef RTN_LOG_LEVEL_H
#define RTN_LOG_LEVEL_H

#include <retinue/types.h>

#include "base/str.h"

/* "trace" ... "none". */
const char *rtn_log_level_name(enum rtn_log_level level);

/* 0 or -EINVAL. Lower case only. */
int rtn_log_level_parse(struct rtn_str s, enum rtn_log_level *ret);

#endif
