/* The last line of a process that dies of a fault: in which callback of which module it was. [main] */
#ifndef RTN_DAEMON_CRASH_H
#define RTN_DAEMON_CRASH_H

/* Once, before threads are started. Nothing with a sanitizer, which has its own. */
void rtn_crash_watch(void);

#endif
