/* From a number to the loop that has the connection; of many numbers, those of one loop together. */
#include "app/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/loops.h"
#include "proto/session_send.h"

#define GROUPS (RTN_LOOPS_MOST + 1) /* the last is of ids without a loop */

static struct rtn_sessions_target hold(unsigned loop)
{
    struct rtn_http1 *here = rtn_loops_here();
    if (here != NULL && here->loop_index == loop)
        return (struct rtn_sessions_target){ here, true };
    rtn_loops_lock();
    return (struct rtn_sessions_target){ rtn_loops_at(loop), false };
}

struct rtn_sessions_target rtn_sessions_hold(uint64_t id)
{
    return hold(rtn_http1_loop_of(id));
}

void rtn_sessions_release(struct rtn_sessions_target target)
{
    if (!target.here)
        rtn_loops_unlock();
}

/* To one */

int rtn_sessions_send(unsigned kinds, uint64_t id, enum rtn_ws_opcode type, struct rtn_str content)
{
    struct rtn_sessions_target target = rtn_sessions_hold(id);
    int r = -ENOENT;
    if (target.http != NULL)
        r = rtn_session_send_one(target.http, target.here, kinds, id, type, content);
    rtn_sessions_release(target);
    return r;
}

int rtn_sessions_close(unsigned kinds, uint64_t id, int code, struct rtn_str reason)
{
    struct rtn_sessions_target target = rtn_sessions_hold(id);
    int r = -ENOENT;
    if (target.http != NULL)
        r = rtn_session_close_one(target.http, target.here, kinds, id, code, reason);
    rtn_sessions_release(target);
    return r;
}

bool rtn_sessions_is_open(unsigned kinds, uint64_t id)
{
    struct rtn_sessions_target target = rtn_sessions_hold(id);
    bool open = target.http != NULL && rtn_session_is_open(target.http, kinds, id);
    rtn_sessions_release(target);
    return open;
}

/* To many */

/* The numbers by loop: those of one loop stand together, in the order they came. */
struct sorted {
    uint64_t *ids;
    size_t starts[GROUPS + 1];
};

static unsigned group_of(uint64_t id)
{
    return RTN_MIN(rtn_http1_loop_of(id), RTN_LOOPS_MOST);
}

static int sort_by_loop(const uint64_t *ids, size_t count, struct sorted *ret)
{
    memset(ret->starts, 0, sizeof(ret->starts));
    ret->ids = malloc(RTN_MAX(count, (size_t) 1) * sizeof(uint64_t));
    if (ret->ids == NULL)
        return -ENOMEM;
    size_t *at = ret->starts;
    for (size_t i = 0; i < count; i++)
        at[group_of(ids[i]) + 1]++;
    for (unsigned i = 0; i < GROUPS; i++)
        at[i + 1] += at[i];
    size_t next[GROUPS];
    memcpy(next, at, sizeof(next));
    for (size_t i = 0; i < count; i++)
        ret->ids[next[group_of(ids[i])]++] = ids[i];
    return 0;
}

/* The message, and where it goes. */
struct order {
    unsigned kinds;
    struct rtn_parcel *parcel;
};

/* Those of one loop. How many failed. */
static size_t send_group(const struct order *order, unsigned loop, const uint64_t *ids, size_t count, uint64_t *failed)
{
    struct rtn_sessions_target target = hold(loop);
    int64_t r = -ENOENT;
    if (target.http != NULL)
        r = rtn_session_send_shared(target.http, target.here, order->kinds, ids, count, order->parcel, failed);
    rtn_sessions_release(target);
    if (r >= 0)
        return (size_t) r;
    memcpy(failed, ids, count * sizeof(uint64_t));
    return count;
}

static int64_t send_sorted(const struct order *order, const struct sorted *sorted, uint64_t *failed)
{
    size_t failures = 0;
    for (unsigned loop = 0; loop < GROUPS; loop++) {
        size_t count = sorted->starts[loop + 1] - sorted->starts[loop];
        if (count > 0)
            failures += send_group(order, loop, sorted->ids + sorted->starts[loop], count, failed + failures);
    }
    return (int64_t) failures;
}

int64_t rtn_sessions_send_many(unsigned kinds, const uint64_t *ids, size_t count, enum rtn_ws_opcode type,
                               struct rtn_str content, uint64_t *failed)
{
    struct sorted sorted;
    int r = sort_by_loop(ids, count, &sorted);
    if (r < 0)
        return r;
    uint64_t *own = failed == NULL ? malloc(RTN_MAX(count, (size_t) 1) * sizeof(uint64_t)) : NULL;
    const struct order order = { kinds, rtn_parcel_new(type, content.data, content.length) };
    int64_t failures = -ENOMEM;
    if (order.parcel != NULL && (failed != NULL || own != NULL))
        failures = send_sorted(&order, &sorted, failed != NULL ? failed : own);
    if (order.parcel != NULL)
        rtn_parcel_unref(order.parcel);
    free(own);
    free(sorted.ids);
    return failures;
}
