/*
 * Senders elsewhere reserve room in the backlog of the entry first, then post the message; the loop queues it and takes
 * the reservation back for what really waits then. A sender that finds no room leaves a mark before it looks
 * again, so that either it finds room or the loop finds the mark and tells the drain.
 */
#include "proto/session_send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/session_internal.h"
#include "proto/ws_client.h"

/* A message for some connections of one loop. */
struct delivery {
    struct rtn_mail mail;
    struct rtn_http1 *http;
    struct rtn_parcel *parcel;
    size_t count;
    uint64_t ids[];
};

/* An order to close: in order, or for the backlog. */
struct closing {
    struct rtn_mail mail;
    struct rtn_http1 *http;
    uint64_t id;
    bool overflow;
    int code;
    size_t length;
    char reason[RTN_WS_REASON_MOST];
};

static struct rtn_entry *entry_of(struct rtn_http1 *http, uint64_t id)
{
    return rtn_directory_at(&http->directory, rtn_directory_slot_of(id));
}

/* [loop] */
static struct rtn_session *session_of(struct rtn_http1 *http, uint64_t id)
{
    const struct rtn_connection *connection =
        rtn_directory_seat(&http->directory, rtn_directory_slot_of(id))->connection;
    return connection != NULL ? connection->session : NULL;
}

static bool is_open(const struct rtn_entry *entry, unsigned kinds, uint64_t id)
{
    return entry != NULL && atomic_load_explicit(&entry->open_id, memory_order_acquire) == id &&
           (atomic_load_explicit(&entry->kind, memory_order_relaxed) & kinds) != 0;
}

/* Why a message to a connection that is not open is not taken. */
static int why_gone(const struct rtn_entry *entry, unsigned kinds, uint64_t id)
{
    bool client = (kinds & RTN_SESSION_WS) != 0 && entry != NULL &&
                  atomic_load_explicit(&entry->client_id, memory_order_acquire) == id;
    return client ? -ENOTCONN : -ENOENT;
}

bool rtn_session_is_open(struct rtn_http1 *http, unsigned kinds, uint64_t id)
{
    return is_open(entry_of(http, id), kinds, id);
}

struct rtn_session *rtn_session_find(struct rtn_http1 *http, uint64_t id)
{
    return is_open(entry_of(http, id), RTN_SESSION_ANY, id) ? session_of(http, id) : NULL;
}

static void overflow(struct rtn_session *session)
{
    session->overflowed = true;
    atomic_store_explicit(&session->connection->entry->open_id, 0, memory_order_release);
    rtn_session_mark_unsent(session);
}

/* It did not fit into the backlog. Any thread */
static void count_refused(const struct rtn_http1 *http, bool line)
{
    rtn_stats_add(http->stats, line ? RTN_STATS_LINE_DROPPED : RTN_STATS_WS_DROPPED, 1);
}

void rtn_session_refuse_message(struct rtn_session *session)
{
    count_refused(session->connection->http, session->wire->kind == RTN_SESSION_LINE);
    if (session->policy->drop)
        atomic_store(&session->connection->entry->drain_due, true);
    else
        overflow(session);
}

/* Here */

/* As reserve() says it: whoever heeds it never finds the backlog full. */
static int is_slow(struct rtn_entry *entry, int64_t limit)
{
    bool slow = atomic_load_explicit(&entry->waits, memory_order_relaxed) || rtn_entry_backlog(entry) > limit / 2;
    if (slow)
        atomic_store_explicit(&entry->drain_due, true, memory_order_relaxed);
    return slow;
}

static int send_here(struct rtn_http1 *http, unsigned kinds, uint64_t id, enum rtn_ws_opcode type,
                     struct rtn_str content)
{
    struct rtn_entry *entry = entry_of(http, id);
    if (!is_open(entry, kinds, id))
        return why_gone(entry, kinds, id);
    struct rtn_session *session = session_of(http, id);
    if (!rtn_session_has_room(session)) {
        rtn_session_refuse_message(session);
        return -ENOBUFS;
    }
    int r = session->wire->queue(session, type, content);
    return r < 0 ? r : is_slow(entry, session->policy->backlog_limit);
}

static int share_here(struct rtn_http1 *http, unsigned kinds, uint64_t id, struct rtn_mailing *mailing)
{
    const struct rtn_entry *entry = entry_of(http, id);
    if (!is_open(entry, kinds, id))
        return why_gone(entry, kinds, id);
    struct rtn_session *session = session_of(http, id);
    if (rtn_session_has_room(session)) {
        session->wire->queue_mailing(session, mailing);
        return 0;
    }
    rtn_session_refuse_message(session);
    return -ENOBUFS;
}

/* From elsewhere */

/* Room for `size` more bytes: 1 when the peer is slow, else 0; or why not. */
static int reserve(struct rtn_entry *entry, unsigned kinds, uint64_t id, int64_t size)
{
    for (;;) {
        if (!is_open(entry, kinds, id))
            return why_gone(entry, kinds, id);
        int64_t limit = atomic_load_explicit(&entry->backlog_limit, memory_order_relaxed);
        int64_t before = atomic_fetch_add(&entry->mailed, size); /* first, as in rtn_entry_backlog() */
        before += atomic_load(&entry->queued);
        bool slow = atomic_load(&entry->waits) || before > limit / 2;
        if (before < limit && slow)
            atomic_store(&entry->drain_due, true);
        if (before < limit)
            return slow;
        atomic_fetch_sub(&entry->mailed, size);
        atomic_store(&entry->drain_due, true);
        if (rtn_entry_backlog(entry) >= limit)
            return -ENOBUFS;
    }
}

static void run_closing(struct closing *closing)
{
    struct rtn_http1 *http = closing->http;
    const struct rtn_entry *entry = entry_of(http, closing->id);
    if (rtn_directory_seat(&http->directory, rtn_directory_slot_of(closing->id))->id != closing->id)
        return;
    struct rtn_session *session = session_of(http, closing->id);
    bool opened = session != NULL && session->opened;
    if (closing->overflow) {
        if (opened)
            overflow(session);
        return;
    }
    if (entry->client != NULL)
        rtn_ws_client_stop(entry->client);
    if (!opened)
        return;
    const struct rtn_session_end end = { .cause = RTN_CLOSE_NORMAL,
                                         .code = closing->code,
                                         .reason = { closing->reason, closing->length },
                                         .detail = "closed by the handler" };
    session->wire->begin_close(session, &end);
}

static void on_closing(struct rtn_mail *mail)
{
    struct closing *closing = RTN_CONTAINER_OF(mail, struct closing, mail);
    run_closing(closing);
    free(closing);
}

static struct closing *closing_new(const struct closing *what)
{
    struct closing *closing = malloc(sizeof(*closing));
    if (closing == NULL)
        return NULL;
    *closing = *what;
    closing->mail.deliver = on_closing;
    return closing;
}

/* The peer holds up so much that its connection is to be closed. The first who finds out says so. */
static void report_overflow(struct rtn_http1 *http, struct rtn_entry *entry, uint64_t id)
{
    if (atomic_load(&entry->drops) || !atomic_load(&entry->waits))
        return;
    struct closing *closing = closing_new(&(struct closing){ .http = http, .id = id, .overflow = true });
    uint64_t open_id = id;
    if (closing != NULL && atomic_compare_exchange_strong(&entry->open_id, &open_id, 0))
        rtn_loop_post(http->loop, &closing->mail);
    else
        free(closing);
}

static void deliver_to(const struct delivery *delivery, uint64_t id, struct rtn_mailing *mailing)
{
    struct rtn_session *session = rtn_session_find(delivery->http, id);
    if (session != NULL)
        session->wire->queue_mailing(session, mailing);
    int64_t reserved = (int64_t) rtn_parcel_frame(delivery->parcel).length;
    atomic_fetch_sub(&entry_of(delivery->http, id)->mailed, reserved);
}

static void on_delivery(struct rtn_mail *mail)
{
    struct delivery *delivery = RTN_CONTAINER_OF(mail, struct delivery, mail);
    struct rtn_mailing mailing = { .parcel = delivery->parcel, .single = delivery->count == 1 };
    for (size_t i = 0; i < delivery->count; i++)
        deliver_to(delivery, delivery->ids[i], &mailing);
    rtn_mailing_done(&mailing);
    rtn_parcel_unref(delivery->parcel);
    free(delivery);
}

static struct delivery *delivery_new(struct rtn_http1 *http, struct rtn_parcel *parcel, size_t count)
{
    struct delivery *delivery = malloc(sizeof(*delivery) + count * sizeof(uint64_t));
    if (delivery == NULL)
        return NULL;
    *delivery = (struct delivery){ .mail = { .deliver = on_delivery }, .http = http, .parcel = parcel };
    rtn_parcel_ref(parcel);
    return delivery;
}

/* Reserves for one of them. As reserve(), or why it does not get it. */
static int add_receiver(struct delivery *delivery, unsigned kinds, uint64_t id)
{
    struct rtn_entry *entry = entry_of(delivery->http, id);
    int r = reserve(entry, kinds, id, (int64_t) rtn_parcel_frame(delivery->parcel).length);
    if (r >= 0)
        delivery->ids[delivery->count++] = id;
    if (r == -ENOBUFS) {
        count_refused(delivery->http, atomic_load_explicit(&entry->kind, memory_order_relaxed) == RTN_SESSION_LINE);
        report_overflow(delivery->http, entry, id);
    }
    return r;
}

static void post_delivery(struct delivery *delivery)
{
    if (delivery->count > 0)
        rtn_loop_post(delivery->http->loop, &delivery->mail);
    else
        on_delivery(&delivery->mail);
}

static int send_there(struct rtn_http1 *http, unsigned kinds, uint64_t id, enum rtn_ws_opcode type,
                      struct rtn_str content)
{
    const struct rtn_entry *entry = entry_of(http, id);
    if (!is_open(entry, kinds, id)) /* before anything is copied */
        return why_gone(entry, kinds, id);
    struct rtn_parcel *parcel = rtn_parcel_new(type, content.data, content.length);
    if (parcel == NULL)
        return -ENOMEM;
    struct delivery *delivery = delivery_new(http, parcel, 1);
    rtn_parcel_unref(parcel);
    if (delivery == NULL)
        return -ENOMEM;
    int r = add_receiver(delivery, kinds, id);
    post_delivery(delivery);
    return r;
}

int rtn_session_send_one(struct rtn_http1 *http, bool here, unsigned kinds, uint64_t id, enum rtn_ws_opcode type,
                         struct rtn_str content)
{
    return here ? send_here(http, kinds, id, type, content) : send_there(http, kinds, id, type, content);
}

int64_t rtn_session_send_shared(struct rtn_http1 *http, bool here, unsigned kinds, const uint64_t *ids, size_t count,
                                struct rtn_parcel *parcel, uint64_t *failed)
{
    struct delivery *delivery = here ? NULL : delivery_new(http, parcel, count);
    if (!here && delivery == NULL)
        return -ENOMEM;
    struct rtn_mailing mailing = { .parcel = parcel, .single = count == 1 };
    int64_t failures = 0;
    for (size_t i = 0; i < count; i++) {
        int r = here ? share_here(http, kinds, ids[i], &mailing) : add_receiver(delivery, kinds, ids[i]);
        if (r < 0)
            failed[failures++] = ids[i];
    }
    rtn_mailing_done(&mailing);
    if (!here)
        post_delivery(delivery);
    return failures;
}

int rtn_session_close_one(struct rtn_http1 *http, bool here, unsigned kinds, uint64_t id, int code,
                          struct rtn_str reason)
{
    const struct rtn_entry *entry = entry_of(http, id);
    if (!is_open(entry, kinds, id) && why_gone(entry, kinds, id) == -ENOENT)
        return -ENOENT;
    struct closing what = { .http = http, .id = id, .code = code };
    what.length = RTN_MIN(reason.length, sizeof(what.reason));
    if (what.length > 0)
        memcpy(what.reason, reason.data, what.length);
    if (here) {
        run_closing(&what);
        return 0;
    }
    struct closing *closing = closing_new(&what);
    if (closing == NULL)
        return -ENOMEM;
    rtn_loop_post(http->loop, &closing->mail);
    return 0;
}

size_t rtn_session_list(struct rtn_http1 *http, unsigned kinds, bool accepted, bool outgoing, uint64_t *ids,
                        size_t capacity)
{
    size_t found = 0;
    unsigned size = rtn_directory_size(&http->directory);
    for (unsigned slot = 0; slot < size; slot++) {
        const struct rtn_entry *entry = rtn_directory_at(&http->directory, slot);
        uint64_t id = atomic_load_explicit(&entry->open_id, memory_order_acquire);
        bool client = atomic_load_explicit(&entry->client_id, memory_order_acquire) == id;
        bool wanted = (atomic_load_explicit(&entry->kind, memory_order_relaxed) & kinds) != 0;
        if (id == 0 || !wanted || !(client ? outgoing : accepted))
            continue;
        if (found < capacity)
            ids[found] = id;
        found++;
    }
    return found;
}

size_t rtn_session_count_of(struct rtn_http1 *http, unsigned kinds, const void *owner)
{
    size_t found = 0;
    unsigned size = rtn_directory_size(&http->directory);
    for (unsigned slot = 0; slot < size; slot++) {
        const struct rtn_entry *entry = rtn_directory_at(&http->directory, slot);
        bool open = atomic_load_explicit(&entry->open_id, memory_order_acquire) != 0;
        bool wanted = (atomic_load_explicit(&entry->kind, memory_order_relaxed) & kinds) != 0;
        found += open && wanted && atomic_load_explicit(&entry->owner, memory_order_relaxed) == owner;
    }
    return found;
}
