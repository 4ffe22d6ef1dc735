/* Whether the log could be opened, without opening it: -n must not leave a file that belongs to who ran it. [main] */
#ifndef RTN_DAEMON_LOG_CHECK_H
#define RTN_DAEMON_LOG_CHECK_H

#include "config/config.h"

/* 0, or the -errno that opening would fail with. */
int rtn_log_check(const struct rtn_config_log *config);

#endif
