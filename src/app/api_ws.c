/*
 * Bodies of the public functions about sending to WebSocket connections and about topics. What belongs to the loop that
 * calls is done at once, without a lock; the rest goes to the loops by mail.
 */
#include <retinue/module.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/dispatch.h"
#include "app/loops.h"
#include "base/utf8.h"
#include "proto/ws_send.h"

#define GROUPS (RTN_LOOPS_MOST + 1) /* the last is of ids without a loop */

static int check_content(enum rtn_ws_type type, const void *data, size_t length)
{
    if ((type != RTN_WS_TEXT && type != RTN_WS_BINARY) || (data == NULL && length > 0))
        return -EINVAL;
    return type == RTN_WS_TEXT && !rtn_utf8_valid((struct rtn_str){ data, length }) ? -EILSEQ : 0;
}

/* A loop, for as long as it takes to tell it something. */
struct target {
    struct rtn_http1 *http; /* NULL: there is no such loop */
    bool here; /* it is the caller */
};

static struct target hold(unsigned loop)
{
    struct rtn_http1 *here = rtn_loops_here();
    if (here != NULL && here->loop_index == loop)
        return (struct target){ here, true };
    rtn_loops_lock();
    return (struct target){ rtn_loops_at(loop), false };
}

static void release(struct target target)
{
    if (!target.here)
        rtn_loops_unlock();
}

static int send_one(uint64_t id, enum rtn_ws_opcode type, struct rtn_str content)
{
    struct target target = hold(rtn_http1_loop_of(id));
    int r = target.http != NULL ? rtn_ws_send_one(target.http, target.here, id, type, content) : -ENOENT;
    release(target);
    return r;
}

int rtn_ws_send(uint64_t connection, enum rtn_ws_type type, const void *data, size_t length)
{
    int r = check_content(type, data, length);
    return r < 0 ? r : send_one(connection, (enum rtn_ws_opcode) type, (struct rtn_str){ data, length });
}

int rtn_ws_send_text(uint64_t connection, const char *text)
{
    return text != NULL ? rtn_ws_send(connection, RTN_WS_TEXT, text, strlen(text)) : -EINVAL;
}

int rtn_ws_ping(uint64_t connection, const void *data, size_t length)
{
    if (length > RTN_WS_CONTROL_MOST)
        return -EMSGSIZE;
    return data == NULL && length > 0 ? -EINVAL
                                      : send_one(connection, RTN_WS_OP_PING, (struct rtn_str){ data, length });
}

int rtn_ws_close(uint64_t connection, int code, const char *reason)
{
    struct rtn_str words = rtn_str_of(reason != NULL ? reason : "");
    if ((code != 0 && !rtn_ws_code_is_valid(code)) || (code == 0 && words.length > 0) ||
        words.length > RTN_WS_REASON_MOST || !rtn_utf8_valid(words))
        return -EINVAL;
    struct target target = hold(rtn_http1_loop_of(connection));
    int r = target.http != NULL ? rtn_ws_close_one(target.http, target.here, connection, code, words) : -ENOENT;
    release(target);
    return r;
}

bool rtn_ws_is_open(uint64_t connection)
{
    struct target target = hold(rtn_http1_loop_of(connection));
    bool open = target.http != NULL && rtn_ws_is_open_here(target.http, connection);
    release(target);
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
    size_t *at = ret->starts;
    ret->ids = malloc(RTN_MAX(count, (size_t) 1) * sizeof(uint64_t));
    if (ret->ids == NULL)
        return -ENOMEM;
    memset(at, 0, sizeof(ret->starts));
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

/* Those of one loop. How many failed. */
static size_t send_group(unsigned loop, const uint64_t *ids, size_t count, struct rtn_parcel *parcel, uint64_t *failed)
{
    struct target target = hold(loop);
    int64_t r = -ENOENT;
    if (target.http != NULL)
        r = rtn_ws_send_shared(target.http, target.here, ids, count, parcel, failed);
    release(target);
    if (r >= 0)
        return (size_t) r;
    memcpy(failed, ids, count * sizeof(uint64_t));
    return count;
}

static int64_t send_sorted(const struct sorted *sorted, struct rtn_parcel *parcel, uint64_t *failed)
{
    size_t failures = 0;
    for (unsigned loop = 0; loop < GROUPS; loop++) {
        size_t count = sorted->starts[loop + 1] - sorted->starts[loop];
        if (count > 0)
            failures += send_group(loop, sorted->ids + sorted->starts[loop], count, parcel, failed + failures);
    }
    return (int64_t) failures;
}

int64_t rtn_ws_send_many(const uint64_t *connections, size_t count, enum rtn_ws_type type, const void *data,
                         size_t length, uint64_t *failed)
{
    int r = connections != NULL || count == 0 ? check_content(type, data, length) : -EINVAL;
    if (r < 0)
        return r;
    struct sorted sorted;
    r = sort_by_loop(connections, count, &sorted);
    if (r < 0)
        return r;
    uint64_t *own = failed == NULL ? malloc(RTN_MAX(count, (size_t) 1) * sizeof(uint64_t)) : NULL;
    struct rtn_parcel *parcel = rtn_parcel_new((enum rtn_ws_opcode) type, data, length);
    int64_t failures = -ENOMEM;
    if (parcel != NULL && (failed != NULL || own != NULL))
        failures = send_sorted(&sorted, parcel, failed != NULL ? failed : own);
    if (parcel != NULL)
        rtn_parcel_unref(parcel);
    free(own);
    free(sorted.ids);
    return failures;
}

/* Topics */

static int read_topic(const char *topic, struct rtn_str *ret)
{
    *ret = rtn_str_of(topic);
    return ret->length == 0 || ret->length > RTN_TOPIC_MOST ? -EINVAL : 0;
}

typedef int (*subscription_call)(struct rtn_http1 *http, bool here, uint64_t id, struct rtn_str name);

static int change_subscription(uint64_t connection, const char *topic, subscription_call change)
{
    struct rtn_str name;
    int r = read_topic(topic, &name);
    if (r < 0)
        return r;
    struct target target = hold(rtn_http1_loop_of(connection));
    r = target.http != NULL ? change(target.http, target.here, connection, name) : -ENOENT;
    release(target);
    return r;
}

int rtn_subscribe(uint64_t connection, const char *topic)
{
    return change_subscription(connection, topic, rtn_topics_subscribe);
}

int rtn_unsubscribe(uint64_t connection, const char *topic)
{
    return change_subscription(connection, topic, rtn_topics_unsubscribe);
}

/* On all loops but the caller's own. */
static int publish_elsewhere(struct rtn_str topic, struct rtn_parcel *parcel, uint64_t except)
{
    const struct rtn_http1 *here = rtn_loops_here();
    int result = 0;
    rtn_loops_lock();
    for (unsigned i = 0; i < rtn_loops_count(); i++) {
        struct rtn_http1 *http = rtn_loops_at(i);
        int r = http != NULL && http != here ? rtn_topics_publish(http, false, topic, parcel, except) : 0;
        result = r < 0 ? r : result;
    }
    rtn_loops_unlock();
    return result;
}

int rtn_publish(const char *topic, enum rtn_ws_type type, const void *data, size_t length, uint64_t except)
{
    struct rtn_str name;
    int r = read_topic(topic, &name);
    if (r == 0)
        r = check_content(type, data, length);
    if (r < 0)
        return r;
    struct rtn_parcel *parcel = rtn_parcel_new((enum rtn_ws_opcode) type, data, length);
    if (parcel == NULL)
        return -ENOMEM;
    struct rtn_http1 *here = rtn_loops_here();
    r = publish_elsewhere(name, parcel, except);
    if (here != NULL && r == 0)
        r = rtn_topics_publish(here, true, name, parcel, except);
    rtn_parcel_unref(parcel);
    return r;
}

/* The connection */

const char *rtn_ws_protocol(const rtn_connection *connection)
{
    return connection->ws != NULL && connection->ws->protocol != NULL ? connection->ws->protocol : "";
}

rtn_server *rtn_connection_server(const rtn_connection *connection)
{
    return rtn_site_of(connection->http)->server;
}
