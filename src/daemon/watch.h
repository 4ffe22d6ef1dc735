/* With daemon.watch: loads the configuration again when its files or those of its modules change. [main] */
#ifndef RTN_DAEMON_WATCH_H
#define RTN_DAEMON_WATCH_H

struct rtn_daemon;
struct rtn_watch_files;

/* Watches what the generation in force is made of, or nothing; to be called when there is another one. */
void rtn_watch_update(struct rtn_daemon *daemon);

void rtn_watch_done(struct rtn_daemon *daemon);

#endif
