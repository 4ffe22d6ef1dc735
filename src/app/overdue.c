/*
 * Two counts, of the lines that were written and of the requests that had none, for a second that begins when there is
 * something to count. The timer stops when a second has passed without any.
 */
#include "app/overdue.h"

#include <string.h>

#include "base/macros.h"
#include "log/log.h"

#define SECONDS 1.

static unsigned count_untold(const struct rtn_overdue *overdue)
{
    unsigned count = 0;
    for (size_t i = 0; i < RTN_OVERDUE_ENDS; i++)
        count += overdue->untold[i];
    return count;
}

static void tell(struct rtn_overdue *overdue)
{
    unsigned *untold = overdue->untold;
    unsigned count = count_untold(overdue);
    if (count > 0)
        rtn_log(RTN_LOG_WARN, "%u more request%s ran out of time (timeouts.handler): %u got 504, %u were cut off",
                count, count > 1 ? "s" : "", untold[RTN_OVERDUE_ANSWERED], untold[RTN_OVERDUE_CUT]);
    overdue->told = 0;
    memset(overdue->untold, 0, sizeof(overdue->untold));
}

static void on_second(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    struct rtn_overdue *overdue = RTN_CONTAINER_OF(timer, struct rtn_overdue, second);
    if (overdue->told == 0)
        ev_timer_stop(ev, timer);
    tell(overdue);
}

void rtn_overdue_init(struct rtn_overdue *overdue, struct ev_loop *ev)
{
    *overdue = (struct rtn_overdue){ .ev = ev };
    ev_timer_init(&overdue->second, on_second, 0., SECONDS);
}

void rtn_overdue_done(struct rtn_overdue *overdue)
{
    ev_timer_stop(overdue->ev, &overdue->second);
    tell(overdue);
}

bool rtn_overdue_note(struct rtn_overdue *overdue, enum rtn_overdue_end end)
{
    if (!ev_is_active(&overdue->second))
        ev_timer_again(overdue->ev, &overdue->second);
    if (overdue->told < RTN_OVERDUE_MOST) {
        overdue->told++;
        return true;
    }
    overdue->untold[end]++;
    return false;
}
