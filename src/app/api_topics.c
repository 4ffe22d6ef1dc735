/* Bodies of the public functions about topics, which WebSockets and line connections have in common. */
#include <retinue/module.h>

#include <errno.h>
#include <string.h>

#include "app/dispatch.h"
#include "app/loops.h"
#include "app/sessions.h"
#include "app/ws_content.h"

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
    struct rtn_sessions_target target = rtn_sessions_hold(connection);
    r = target.http != NULL ? change(target.http, target.here, connection, name) : -ENOENT;
    rtn_sessions_release(target);
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
        r = rtn_ws_content_check(type, data, length);
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

rtn_server *rtn_connection_server(const rtn_connection *connection)
{
    return rtn_site_of(connection->http)->server;
}
