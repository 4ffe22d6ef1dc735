/*
 * A libev watcher for each, on its loop. ready() and end() are errands, one at a time: while ready() is under way on a
 * worker the watcher is stopped, since the descriptor stays ready until it has been read or written. From the table a
 * watch goes when it is cancelled; then, with nothing of it under way, end() is called and the watch freed.
 *
 * Whether a descriptor is watched already must be known to any thread, at once: that is what the list of all watches
 * is for. libev takes files that epoll refuses for always ready, so epoll is asked first.
 */
#include "app/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <retinue/module.h>

#include "app/errand.h"
#include "app/loops.h"

#define CHAINS 256

struct watch {
    struct rtn_pending pending;
    struct rtn_watch_spec spec;
    struct rtn_errand errand;
    struct rtn_mail mail; /* from the thread that begins it */
    struct ev_io ev;
    struct watch *next; /* in its chain */
    unsigned seen; /* RTN_WATCH_ bits for ready() */
    bool busy; /* ready() is under way */
    bool over; /* it is not in the table any more */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct watch *chains[CHAINS]; /* of all loops, by descriptor; guarded by the mutex */

static struct rtn_site *site_of(const struct watch *watch)
{
    return watch->errand.site;
}

static void watch_free(struct watch *watch)
{
    rtn_instance_over(watch->errand.instance);
    free(watch);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* The list of all watches */

static struct watch **chain_of(int fd)
{
    return &chains[(unsigned) fd % CHAINS];
}

/* With the mutex held. */
static bool is_watched(const struct rtn_site *site, int fd)
{
    for (const struct watch *watch = *chain_of(fd); watch != NULL; watch = watch->next) {
        if (watch->spec.fd == fd && site_of(watch) == site)
            return true;
    }
    return false;
}

/* 0 or -EEXIST. */
static int enlist(struct watch *watch)
{
    struct watch **chain = chain_of(watch->spec.fd);
    pthread_mutex_lock(&mutex);
    bool watched = is_watched(site_of(watch), watch->spec.fd);
    if (!watched) {
        watch->next = *chain;
        *chain = watch;
    }
    pthread_mutex_unlock(&mutex);
    return watched ? -EEXIST : 0;
}

static void delist(struct watch *watch)
{
    pthread_mutex_lock(&mutex);
    struct watch **at = chain_of(watch->spec.fd);
    while (*at != watch)
        at = &(*at)->next;
    *at = watch->next;
    pthread_mutex_unlock(&mutex);
}

/* On the loop */

static void go(struct watch *watch, void (*run)(struct rtn_errand *errand), void (*done)(struct rtn_errand *errand))
{
    watch->errand.run = run;
    watch->errand.done = done;
    rtn_errand_go(&watch->errand);
}

static void run_end(struct rtn_errand *errand)
{
    const struct watch *watch = RTN_CONTAINER_OF(errand, struct watch, errand);
    watch->spec.end(watch->spec.data);
}

static void on_ended(struct rtn_errand *errand)
{
    watch_free(RTN_CONTAINER_OF(errand, struct watch, errand));
}

/* Nothing of it is under way. In end() the descriptor may be closed, and its number watched again. */
static void conclude(struct watch *watch)
{
    delist(watch);
    if (watch->spec.end != NULL)
        go(watch, run_end, on_ended);
    else
        watch_free(watch);
}

/* It is out of the table. */
static void stop(struct watch *watch)
{
    ev_io_stop(site_of(watch)->http->loop->ev, &watch->ev);
    watch->over = true;
    if (!watch->busy)
        conclude(watch);
}

static void on_cancel(struct rtn_pending *pending)
{
    stop(RTN_CONTAINER_OF(pending, struct watch, pending));
}

/* It is still in the table. */
static void fail(struct watch *watch)
{
    rtn_log(RTN_LOG_ERROR, "%s: descriptor %d cannot be watched any more; was it closed?",
            watch->errand.instance->place.text, watch->spec.fd);
    rtn_pendings_remove(&site_of(watch)->pendings, &watch->pending);
    stop(watch);
}

/* libev, as Debian builds it, aborts when it is given one that is closed. */
static void wait_for_it(struct watch *watch)
{
    if (is_open(watch->spec.fd))
        ev_io_start(site_of(watch)->http->loop->ev, &watch->ev);
    else
        fail(watch);
}

static void run_ready(struct rtn_errand *errand)
{
    const struct watch *watch = RTN_CONTAINER_OF(errand, struct watch, errand);
    watch->spec.ready(watch->spec.fd, watch->seen, watch->spec.data);
}

static void on_told(struct rtn_errand *errand)
{
    struct watch *watch = RTN_CONTAINER_OF(errand, struct watch, errand);
    watch->busy = false;
    if (watch->over)
        conclude(watch);
    else if (!ev_is_active(&watch->ev))
        wait_for_it(watch);
}

static void on_event(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    struct watch *watch = RTN_CONTAINER_OF(watcher, struct watch, ev);
    if ((events & EV_ERROR) != 0) {
        fail(watch);
        return;
    }
    watch->seen = ((events & EV_READ) != 0 ? RTN_WATCH_READ : 0) | ((events & EV_WRITE) != 0 ? RTN_WATCH_WRITE : 0);
    watch->busy = true;
    if (watch->errand.instance->threads != RTN_THREADS_LOOP)
        ev_io_stop(ev, &watch->ev);
    go(watch, run_ready, on_told);
}

static int begin(struct watch *watch)
{
    int r = rtn_pendings_add(&site_of(watch)->pendings, &watch->pending);
    if (r == 0)
        wait_for_it(watch);
    return r;
}

static void on_begin(struct rtn_mail *mail)
{
    struct watch *watch = RTN_CONTAINER_OF(mail, struct watch, mail);
    if (begin(watch) < 0)
        conclude(watch);
}

/* On any thread */

/* First whether there is one at all: its number might be that of the new descriptor. */
static int ask_epoll(int fd)
{
    if (!is_open(fd))
        return -EBADF;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return -errno;
    struct epoll_event event = { .events = EPOLLIN };
    int r = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
    (void) close(epoll);
    return r;
}

static struct watch *make(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_watch_spec *spec)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return NULL;
    watch->pending = (struct rtn_pending){ .number = rtn_pendings_number(&site->pendings),
                                           .instance = instance,
                                           .cancel = on_cancel };
    watch->spec = *spec;
    watch->errand = (struct rtn_errand){ .site = site, .instance = instance, .what = "watch" };
    watch->mail.deliver = on_begin;
    int events =
        ((spec->events & RTN_WATCH_READ) != 0 ? EV_READ : 0) | ((spec->events & RTN_WATCH_WRITE) != 0 ? EV_WRITE : 0);
    ev_io_init(&watch->ev, on_event, spec->fd, events);
    return watch;
}

static int enter(struct watch *watch)
{
    struct rtn_site *site = site_of(watch);
    int r = enlist(watch);
    if (r < 0)
        return r;
    bool here = rtn_loops_here() == site->http;
    r = here ? begin(watch) : rtn_pendings_bring(&site->pendings, site->http->loop, &watch->pending, &watch->mail);
    if (r < 0)
        delist(watch);
    return r;
}

int rtn_watch_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_watch_spec *spec,
                    uint64_t *number)
{
    if (atomic_load(&site->pendings.ended))
        return -ECANCELED;
    int r = ask_epoll(spec->fd);
    if (r < 0)
        return r;
    if (!rtn_instance_begin(instance))
        return -ECANCELED;
    struct watch *watch = make(site, instance, spec);
    if (watch == NULL) {
        rtn_instance_over(instance);
        return -ENOMEM;
    }
    uint64_t before = number != NULL ? *number : 0;
    if (number != NULL)
        *number = watch->pending.number;
    r = enter(watch);
    if (r == 0)
        return 0;
    watch_free(watch);
    if (number != NULL)
        *number = before;
    return r;
}
