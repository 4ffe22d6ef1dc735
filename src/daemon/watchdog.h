/* The service manager is told that all goes on, as often as it wants to hear that, and only while it is so. [main] */
#ifndef RTN_DAEMON_WATCHDOG_H
#define RTN_DAEMON_WATCHDOG_H

struct rtn_daemon;

/* Nothing happens when the manager does not want to hear it. */
void rtn_watchdog_start(struct rtn_daemon *daemon);

void rtn_watchdog_stop(struct rtn_daemon *daemon);

#endif
