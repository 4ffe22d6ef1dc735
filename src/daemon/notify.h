/* Messages to the service manager (sd_notify(3)). Nothing happens when there is none. [main] */
#ifndef RTN_DAEMON_NOTIFY_H
#define RTN_DAEMON_NOTIFY_H

#include "base/macros.h"

/* Lines of NAME=value: "READY=1\nSTATUS=...". */
void rtn_notify(const char *format, ...) RTN_PRINTF(1, 2);

#endif
