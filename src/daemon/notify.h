/* Messages to the service manager (sd_notify(3)). Nothing happens when there is none. [main] */
#ifndef RTN_DAEMON_NOTIFY_H
#define RTN_DAEMON_NOTIFY_H

#include <stdint.h>

#include "base/macros.h"

/* Lines of NAME=value: "READY=1\nSTATUS=...". */
void rtn_notify(const char *format, ...) RTN_PRINTF(1, 2);

/* A reload begins. READY=1 has to follow on every path, whatever comes of it. */
void rtn_notify_reloading(void);

/* The same, with a descriptor that the service manager gets a copy of. 0 or -errno; -ENOTCONN: there is no manager. */
int rtn_notify_fd(int fd, const char *format, ...) RTN_PRINTF(2, 3);

/* How often the manager wants to hear WATCHDOG=1 at least, in microseconds; 0: not at all. */
int64_t rtn_notify_watchdog_us(void);

#endif
