/*
 * A libev timer for each, on its loop. fire() and end() are errands, one at a time: a turn that comes while fire()
 * still waits for a worker, or runs there, is left out. From the table a timer goes when it is cancelled or has fired
 * for the last time; then, with nothing of it under way, end() is called and the timer freed.
 */
#include "app/timer.h"

#include <errno.h>
#include <stdlib.h>

#include "app/errand.h"
#include "app/loops.h"
#include "base/clock.h"

#define MOST_MS (INT64_C(1) << 40) /* what is longer means never */

struct timer {
    struct rtn_pending pending;
    struct rtn_timer_spec spec;
    struct rtn_errand errand;
    struct rtn_mail mail; /* from the thread that begins it */
    struct ev_timer ev;
    int64_t due_us; /* the first time */
    bool busy; /* fire() is under way */
    bool over; /* it is not in the table any more */
};

static struct rtn_site *site_of(const struct timer *timer)
{
    return timer->errand.site;
}

static void timer_free(struct timer *timer)
{
    rtn_instance_over(timer->errand.instance);
    free(timer);
}

static void go(struct timer *timer, void (*run)(struct rtn_errand *errand), void (*done)(struct rtn_errand *errand))
{
    timer->errand.run = run;
    timer->errand.done = done;
    rtn_errand_go(&timer->errand);
}

static void run_end(struct rtn_errand *errand)
{
    const struct timer *timer = RTN_CONTAINER_OF(errand, struct timer, errand);
    timer->spec.end(timer->spec.data);
}

static void on_ended(struct rtn_errand *errand)
{
    timer_free(RTN_CONTAINER_OF(errand, struct timer, errand));
}

/* It is out of the table. */
static void conclude(struct timer *timer)
{
    ev_timer_stop(site_of(timer)->http->loop->ev, &timer->ev);
    timer->over = true;
    if (timer->busy)
        return;
    if (timer->spec.end != NULL)
        go(timer, run_end, on_ended);
    else
        timer_free(timer);
}

static void on_cancel(struct rtn_pending *pending)
{
    conclude(RTN_CONTAINER_OF(pending, struct timer, pending));
}

static void run_fire(struct rtn_errand *errand)
{
    const struct timer *timer = RTN_CONTAINER_OF(errand, struct timer, errand);
    timer->spec.fire(timer->spec.data);
}

static void on_fired(struct rtn_errand *errand)
{
    struct timer *timer = RTN_CONTAINER_OF(errand, struct timer, errand);
    timer->busy = false;
    if (!timer->over && timer->spec.every > 0)
        return;
    if (!timer->over)
        rtn_pendings_remove(&site_of(timer)->pendings, &timer->pending);
    conclude(timer);
}

static void on_time(struct ev_loop *ev, struct ev_timer *watcher, int events)
{
    (void) ev;
    (void) events;
    struct timer *timer = RTN_CONTAINER_OF(watcher, struct timer, ev);
    if (timer->busy)
        return;
    timer->busy = true;
    go(timer, run_fire, on_fired);
}

/* The time of libev is that of the iteration, which may have taken long already: the timer would come early. [loop] */
static int begin(struct timer *timer)
{
    struct ev_loop *ev = site_of(timer)->http->loop->ev;
    int r = rtn_pendings_add(&site_of(timer)->pendings, &timer->pending);
    if (r < 0)
        return r;
    int64_t left_us = RTN_MAX(timer->due_us - rtn_clock_us(), 0);
    ev_now_update(ev);
    ev_timer_set(&timer->ev, (double) left_us / 1e6, (double) timer->spec.every / 1e3);
    ev_timer_start(ev, &timer->ev);
    return 0;
}

static void on_begin(struct rtn_mail *mail)
{
    struct timer *timer = RTN_CONTAINER_OF(mail, struct timer, mail);
    if (begin(timer) < 0)
        conclude(timer);
}

static struct timer *make(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_timer_spec *spec)
{
    struct timer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    timer->pending = (struct rtn_pending){ .number = rtn_pendings_number(&site->pendings),
                                           .instance = instance,
                                           .cancel = on_cancel };
    timer->spec = *spec;
    timer->spec.every = RTN_MIN(spec->every, MOST_MS);
    timer->errand = (struct rtn_errand){ .site = site, .instance = instance, .what = "timer" };
    timer->mail.deliver = on_begin;
    timer->due_us = rtn_clock_us() + RTN_MIN(spec->after, MOST_MS) * 1000;
    ev_init(&timer->ev, on_time);
    return timer;
}

int rtn_timer_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_timer_spec *spec,
                    uint64_t *number)
{
    if (atomic_load(&site->pendings.ended) || !rtn_instance_begin(instance))
        return -ECANCELED;
    struct timer *timer = make(site, instance, spec);
    if (timer == NULL) {
        rtn_instance_over(instance);
        return -ENOMEM;
    }
    uint64_t before = number != NULL ? *number : 0;
    if (number != NULL)
        *number = timer->pending.number;
    bool here = rtn_loops_here() == site->http;
    int r = here ? begin(timer) : rtn_pendings_bring(&site->pendings, site->http->loop, &timer->pending, &timer->mail);
    if (r == 0)
        return 0;
    timer_free(timer);
    if (number != NULL)
        *number = before;
    return r;
}
