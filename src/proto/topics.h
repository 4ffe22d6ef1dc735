/*
 * The topics of one loop: which of its connections have subscribed to what. [loop] unless a function says otherwise
 */
#ifndef RTN_PROTO_TOPICS_H
#define RTN_PROTO_TOPICS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/siphash.h"
#include "base/str.h"

#define RTN_TOPIC_MOST 255 /* bytes of a name */

struct rtn_http1;
struct rtn_parcel;
struct rtn_topic;
struct rtn_session;

struct rtn_topics {
    struct rtn_topic **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
    struct rtn_siphash_key key; /* names may come from the network */
    atomic_size_t interest; /* subscriptions, and those on their way: 0 means that publishing reaches nobody */
};

void rtn_topics_init(struct rtn_topics *topics);
void rtn_topics_done(struct rtn_topics *topics);

/* The connection's subscriptions end. */
void rtn_topics_leave_all(struct rtn_topics *topics, struct rtn_session *session);

/* Whether publishing on this loop may reach anybody. Any thread. */
static inline bool rtn_topics_have_subscribers(const struct rtn_topics *topics)
{
    return atomic_load_explicit(&topics->interest, memory_order_relaxed) > 0;
}

/*
 * By number, from any thread while `http` exists; `here` as in session_send.h. 0 (for those elsewhere: on its way),
 * -ENOENT, -ENOMEM.
 */
int rtn_topics_subscribe(struct rtn_http1 *http, bool here, uint64_t id, struct rtn_str name);
int rtn_topics_unsubscribe(struct rtn_http1 *http, bool here, uint64_t id, struct rtn_str name);

/* To all subscribers on the loop but `except`. 0 or -ENOMEM. Any thread. */
int rtn_topics_publish(struct rtn_http1 *http, bool here, struct rtn_str name, struct rtn_parcel *parcel,
                       uint64_t except);

#endif
