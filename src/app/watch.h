/* Descriptors that modules have watched. [any] */
#ifndef RTN_APP_WATCH_H
#define RTN_APP_WATCH_H

#include "app/dispatch.h"

/* As rtn_watch_start() in <retinue/task.h>, which says what these are. */
struct rtn_watch_spec {
    int fd;
    unsigned events;
    void (*ready)(int fd, unsigned events, void *data);
    void (*end)(void *data);
    void *data;
};

/*
 * On the loop of the site. *number, when not NULL, is set before anything is called. 0, -ECANCELED, -ENOMEM, -EEXIST,
 * or what epoll_ctl(2) says of the descriptor.
 */
int rtn_watch_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_watch_spec *spec,
                    uint64_t *number);

#endif
