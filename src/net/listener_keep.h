/*
 * Listening sockets that outlive the process: the service manager keeps copies, and hands them to the daemon that it
 * starts next, after a crash as after a restart (activation.h). Clients wait meanwhile, none is refused. [main]
 */
#ifndef RTN_NET_LISTENER_KEEP_H
#define RTN_NET_LISTENER_KEEP_H

#include "net/listener.h"

struct rtn_fdstore {
    /* A listener that is closed is gone for good. False while starting and stopping: then kept ones are left. */
    bool serving;
    int (*keep)(int fd, const char *name); /* 0 or -errno */
    void (*forget)(const char *name); /* all sockets of that name */
};

/*
 * The store keeps the sockets, from now on until the listener is stopped or closed while the store is serving. Nothing
 * happens when it keeps them already, or when they are the service manager's own. 0 or -errno.
 */
int rtn_listener_keep(struct rtn_listener *listener, const struct rtn_fdstore *store);

/* The sockets are gone for good, unless they are left to the next daemon: then true. For listener.c */
bool rtn_listener_leave(struct rtn_listener *listener);

#endif
