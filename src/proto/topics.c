/*
 * A hash table from names to lists of subscriptions; each subscription is also in the list of its connection, which is
 * short. A topic
 * is there as long as somebody has subscribed to it.
 *
 * Who publishes asks `interest` first, which a subscription on its way has raised already: a thread that subscribes and
 * then publishes reaches itself.
 */
#include "proto/topics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http1.h"
#include "proto/session_send.h"

#define FIRST_BUCKETS 64

struct rtn_topic {
    struct rtn_topic *next; /* in the bucket */
    uint64_t hash;
    struct rtn_list subscriptions;
    size_t length;
    char name[];
};

struct rtn_subscription {
    struct rtn_list of_topic;
    struct rtn_subscription *next; /* of the session */
    struct rtn_topic *topic;
    struct rtn_session *session;
};

/* What somebody elsewhere wants done with a topic on this loop. */
struct order {
    struct rtn_mail mail;
    struct rtn_http1 *http;
    uint64_t id; /* of the connection; of a publication, the one that is left out */
    struct rtn_parcel *parcel;
    size_t length;
    char name[];
};

void rtn_topics_init(struct rtn_topics *topics)
{
    rtn_siphash_choose_key(&topics->key);
    atomic_init(&topics->interest, 0);
}

void rtn_topics_done(struct rtn_topics *topics)
{
    free(topics->buckets);
    topics->buckets = NULL;
    topics->bucket_count = 0;
}

/* The table */

static struct rtn_topic **bucket_of(const struct rtn_topics *topics, uint64_t hash)
{
    return &topics->buckets[hash & (topics->bucket_count - 1)];
}

static struct rtn_topic *find(const struct rtn_topics *topics, struct rtn_str name, uint64_t hash)
{
    if (topics->bucket_count == 0)
        return NULL;
    struct rtn_topic *topic = *bucket_of(topics, hash);
    while (topic != NULL &&
           (topic->hash != hash || !rtn_str_equal(name, (struct rtn_str){ topic->name, topic->length })))
        topic = topic->next;
    return topic;
}

static int grow(struct rtn_topics *topics)
{
    size_t count = RTN_MAX((size_t) FIRST_BUCKETS, topics->bucket_count * 2);
    struct rtn_topics larger = { .buckets = calloc(count, sizeof(struct rtn_topic *)), .bucket_count = count };
    if (larger.buckets == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < topics->bucket_count; i++) {
        struct rtn_topic *topic = topics->buckets[i];
        while (topic != NULL) {
            struct rtn_topic *next = topic->next;
            struct rtn_topic **bucket = bucket_of(&larger, topic->hash);
            topic->next = *bucket;
            *bucket = topic;
            topic = next;
        }
    }
    free(topics->buckets);
    topics->buckets = larger.buckets;
    topics->bucket_count = count;
    return 0;
}

static struct rtn_topic *make(struct rtn_topics *topics, struct rtn_str name, uint64_t hash)
{
    if (topics->count >= topics->bucket_count && grow(topics) < 0)
        return NULL;
    struct rtn_topic *topic = malloc(sizeof(*topic) + name.length);
    if (topic == NULL)
        return NULL;
    struct rtn_topic **bucket = bucket_of(topics, hash);
    *topic = (struct rtn_topic){ .next = *bucket, .hash = hash, .length = name.length };
    memcpy(topic->name, name.data, name.length);
    rtn_list_init(&topic->subscriptions);
    *bucket = topic;
    topics->count++;
    return topic;
}

static void drop_when_empty(struct rtn_topics *topics, struct rtn_topic *topic)
{
    if (!rtn_list_empty(&topic->subscriptions))
        return;
    struct rtn_topic **at = bucket_of(topics, topic->hash);
    while (*at != topic)
        at = &(*at)->next;
    *at = topic->next;
    topics->count--;
    free(topic);
}

/* `at` is where the list of the session names it. */
static void unsubscribe(struct rtn_topics *topics, struct rtn_subscription **at)
{
    struct rtn_subscription *subscription = *at;
    struct rtn_topic *topic = subscription->topic;
    *at = subscription->next;
    rtn_list_remove(&subscription->of_topic);
    free(subscription);
    drop_when_empty(topics, topic);
    atomic_fetch_sub_explicit(&topics->interest, 1, memory_order_relaxed);
}

void rtn_topics_leave_all(struct rtn_topics *topics, struct rtn_session *session)
{
    while (session->topics != NULL)
        unsubscribe(topics, &session->topics);
}

/* Where the list of the session names it, or ends. */
static struct rtn_subscription **find_subscription(struct rtn_session *session, const struct rtn_topic *topic)
{
    struct rtn_subscription **at = &session->topics;
    while (*at != NULL && (*at)->topic != topic)
        at = &(*at)->next;
    return at;
}

/* On the loop. Raises interest by one when there is a new subscription; then 0, else -EALREADY, -ENOENT or -ENOMEM. */
static int subscribe_here(struct rtn_http1 *http, uint64_t id, struct rtn_str name)
{
    struct rtn_topics *topics = &http->topics;
    struct rtn_session *session = rtn_session_find(http, id);
    if (session == NULL)
        return -ENOENT;
    uint64_t hash = rtn_siphash(&topics->key, name);
    struct rtn_topic *topic = find(topics, name, hash);
    if (topic != NULL && *find_subscription(session, topic) != NULL)
        return -EALREADY;
    if (topic == NULL)
        topic = make(topics, name, hash);
    struct rtn_subscription *subscription = topic != NULL ? malloc(sizeof(*subscription)) : NULL;
    if (subscription == NULL) {
        if (topic != NULL)
            drop_when_empty(topics, topic);
        return -ENOMEM;
    }
    *subscription = (struct rtn_subscription){ .next = session->topics, .topic = topic, .session = session };
    session->topics = subscription;
    rtn_list_append(&topic->subscriptions, &subscription->of_topic);
    atomic_fetch_add_explicit(&topics->interest, 1, memory_order_relaxed);
    return 0;
}

static int unsubscribe_here(struct rtn_http1 *http, uint64_t id, struct rtn_str name)
{
    struct rtn_topics *topics = &http->topics;
    struct rtn_session *session = rtn_session_find(http, id);
    if (session == NULL)
        return -ENOENT;
    const struct rtn_topic *topic = find(topics, name, rtn_siphash(&topics->key, name));
    struct rtn_subscription **at = topic != NULL ? find_subscription(session, topic) : NULL;
    if (at != NULL && *at != NULL)
        unsubscribe(topics, at);
    return 0;
}

static bool takes(const struct rtn_session *session, const struct rtn_parcel *parcel)
{
    return !session->closing && !session->overflowed && (session->wire->types >> parcel->opcode & 1) != 0;
}

static void publish_here(struct rtn_http1 *http, struct rtn_str name, struct rtn_parcel *parcel, uint64_t except)
{
    const struct rtn_topic *topic = find(&http->topics, name, rtn_siphash(&http->topics.key, name));
    struct rtn_mailing mailing = { .parcel = parcel };
    if (topic == NULL)
        return;
    RTN_LIST_FOREACH (node, &topic->subscriptions) {
        struct rtn_session *session = RTN_CONTAINER_OF(node, struct rtn_subscription, of_topic)->session;
        if (session->connection->id == except || !takes(session, parcel))
            continue;
        if (rtn_session_has_room(session))
            session->wire->queue_mailing(session, &mailing);
        else
            rtn_session_refuse_message(session);
    }
    rtn_mailing_done(&mailing);
}

/* From elsewhere */

static struct rtn_str name_of(const struct order *order)
{
    return (struct rtn_str){ order->name, order->length };
}

static void on_subscribe(struct rtn_mail *mail)
{
    struct order *order = RTN_CONTAINER_OF(mail, struct order, mail);
    if (subscribe_here(order->http, order->id, name_of(order)) == -ENOMEM)
        rtn_log(RTN_LOG_ERROR, "a connection cannot be subscribed to \"%.*s\": memory is out",
                RTN_STR_ARG(name_of(order)));
    atomic_fetch_sub_explicit(&order->http->topics.interest, 1, memory_order_relaxed);
    free(order);
}

static void on_unsubscribe(struct rtn_mail *mail)
{
    struct order *order = RTN_CONTAINER_OF(mail, struct order, mail);
    (void) unsubscribe_here(order->http, order->id, name_of(order));
    free(order);
}

static void on_publish(struct rtn_mail *mail)
{
    struct order *order = RTN_CONTAINER_OF(mail, struct order, mail);
    publish_here(order->http, name_of(order), order->parcel, order->id);
    rtn_parcel_unref(order->parcel);
    free(order);
}

static int post(struct rtn_http1 *http, void (*deliver)(struct rtn_mail *mail), uint64_t id, struct rtn_str name,
                struct rtn_parcel *parcel)
{
    struct order *order = malloc(sizeof(*order) + name.length);
    if (order == NULL)
        return -ENOMEM;
    *order = (struct order){
        .mail = { .deliver = deliver }, .http = http, .id = id, .parcel = parcel, .length = name.length
    };
    memcpy(order->name, name.data, name.length);
    if (parcel != NULL)
        rtn_parcel_ref(parcel);
    rtn_loop_post(http->loop, &order->mail);
    return 0;
}

int rtn_topics_subscribe(struct rtn_http1 *http, bool here, uint64_t id, struct rtn_str name)
{
    if (here) {
        int r = subscribe_here(http, id, name);
        return r == -EALREADY ? 0 : r;
    }
    if (!rtn_session_is_open(http, RTN_SESSION_ANY, id))
        return -ENOENT;
    atomic_fetch_add_explicit(&http->topics.interest, 1, memory_order_relaxed);
    int r = post(http, on_subscribe, id, name, NULL);
    if (r < 0)
        atomic_fetch_sub_explicit(&http->topics.interest, 1, memory_order_relaxed);
    return r;
}

int rtn_topics_unsubscribe(struct rtn_http1 *http, bool here, uint64_t id, struct rtn_str name)
{
    if (here)
        return unsubscribe_here(http, id, name);
    return rtn_session_is_open(http, RTN_SESSION_ANY, id) ? post(http, on_unsubscribe, id, name, NULL) : -ENOENT;
}

int rtn_topics_publish(struct rtn_http1 *http, bool here, struct rtn_str name, struct rtn_parcel *parcel,
                       uint64_t except)
{
    if (!rtn_topics_have_subscribers(&http->topics))
        return 0;
    if (!here)
        return post(http, on_publish, except, name, parcel);
    publish_here(http, name, parcel, except);
    return 0;
}
