/*
 * What waits to be sent to a session. Messages of an iteration stand in the round of the loop (session_round.h), which
 * takes no memory of their own; what leaves no trace there, since something waits already or the session's bytes do not
 * stand together, is in the queue of its stream. So there is a stretch only while that queue is empty.
 *
 * A large frame to one peer does not wait at all, unless it is masked: it is sent from where it is, behind
 * what is there.
 *
 * A message for many that is not small is sent from where it is; small ones that wait are copied, since a reference
 * would weigh more than is counted.
 */
#include <errno.h>
#include <string.h>

#include "proto/session_internal.h"

#define ROUND_MOST ((size_t) 16384) /* bytes of a message that stands in the round; a larger one does not */
#define SHARED_MOST ((size_t) 4096) /* the same of one for many; a larger one is referred to */
#define COPIED_MOST ((size_t) 512) /* bytes of one for many, behind what waits already */

static struct rtn_round *round_of(const struct rtn_session *session)
{
    return &session->connection->http->round;
}

/* Bytes were added: they count as its backlog, and leave at the end of the iteration. */
static void count(struct rtn_session *session)
{
    rtn_session_publish_queued(session, memory_order_relaxed);
    rtn_session_mark_unsent(session);
}

/* What is in the round goes to the queue, since the next does not stand behind it. 0 or -ENOMEM. */
static int leave_round(struct rtn_session *session)
{
    const struct rtn_stretch stretch = session->stretch;
    if (stretch.length == 0)
        return 0;
    void *at = rtn_stream_reserve(&session->connection->stream, stretch.length);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, round_of(session)->bytes + stretch.start, stretch.length);
    session->stretch.length = 0;
    return 0;
}

/* Whether bytes that stand at `start` of the round can be its next. */
static bool may_refer_to(const struct rtn_session *session, size_t start)
{
    return !rtn_stream_pending(&session->connection->stream) && rtn_stretch_reaches(&session->stretch, start);
}

static void *reserve_in_queue(struct rtn_session *session, size_t length)
{
    return leave_round(session) == 0 ? rtn_stream_reserve(&session->connection->stream, length) : NULL;
}

void *rtn_session_reserve(struct rtn_session *session, size_t length)
{
    struct rtn_round *round = round_of(session);
    void *at;
    if (length <= ROUND_MOST && may_refer_to(session, round->length) && rtn_round_has_room(round, length)) {
        rtn_stretch_extend(&session->stretch, round->length, length);
        at = rtn_round_take(round, length);
    } else {
        at = reserve_in_queue(session, length);
    }
    if (at != NULL)
        count(session);
    return at;
}

/* For many */

static int queue_reference(struct rtn_session *session, struct rtn_parcel *parcel, struct rtn_str bytes)
{
    const struct rtn_piece piece = {
        .data = bytes.data, .length = bytes.length, .release = rtn_parcel_unref, .release_data = parcel
    };
    int r = leave_round(session);
    if (r < 0)
        return r;
    rtn_parcel_ref(parcel);
    return rtn_stream_queue(&session->connection->stream, &piece);
}

static int queue_copy(struct rtn_session *session, struct rtn_str bytes)
{
    void *at = reserve_in_queue(session, bytes.length);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, bytes.data, bytes.length);
    return 0;
}

/* True when the bytes stand in the round, where the first who gets them puts them. */
static bool is_placed(struct rtn_round *round, struct rtn_mailing *mailing, struct rtn_str bytes)
{
    if (mailing->placed == bytes.data)
        return true;
    if (bytes.length > SHARED_MOST || !rtn_round_has_room(round, bytes.length))
        return false;
    mailing->placed = bytes.data;
    mailing->place = round->length;
    memcpy(rtn_round_take(round, bytes.length), bytes.data, bytes.length);
    return true;
}

/*
 * True when the bytes stand in the round where the session can refer to them. Asked in this order, so that one that has
 * something in its queue takes no room of the round.
 */
static bool stands_in_round(const struct rtn_session *session, struct rtn_mailing *mailing, struct rtn_str bytes)
{
    struct rtn_round *round = round_of(session);
    size_t place = mailing->placed == bytes.data ? mailing->place : round->length;
    return may_refer_to(session, place) && is_placed(round, mailing, bytes);
}

static int queue_behind(struct rtn_session *session, struct rtn_parcel *parcel, struct rtn_str bytes)
{
    bool waits = session->stretch.length > 0 || rtn_stream_pending(&session->connection->stream);
    return waits && bytes.length <= COPIED_MOST ? queue_copy(session, bytes) : queue_reference(session, parcel, bytes);
}

int rtn_session_queue_shared(struct rtn_session *session, struct rtn_mailing *mailing, struct rtn_parcel *parcel,
                             struct rtn_str bytes)
{
    int r = 0;
    if (stands_in_round(session, mailing, bytes))
        rtn_stretch_extend(&session->stretch, mailing->place, bytes.length);
    else
        r = queue_behind(session, parcel, bytes);
    if (r == 0)
        count(session);
    return r;
}

/* At once */

bool rtn_session_sends_at_once(const struct rtn_session *session, size_t length)
{
    const struct rtn_connection *connection = session->connection;
    return length > ROUND_MOST && session->opened && connection->broken == 0 &&
           !rtn_stream_pending(&connection->stream);
}

/* A stretch leaves with the rest, whatever becomes of it. */
static struct rtn_piece take_stretch(struct rtn_session *session)
{
    if (session->stretch.length == 0)
        return (struct rtn_piece){ 0 };
    const struct rtn_piece piece = { .data = round_of(session)->bytes + session->stretch.start,
                                     .length = session->stretch.length };
    session->stretch.length = 0;
    return piece;
}

int rtn_session_send_round(struct rtn_session *session)
{
    struct rtn_stream *stream = &session->connection->stream;
    if (session->stretch.length == 0)
        return rtn_stream_flush(stream);
    const struct rtn_piece piece = take_stretch(session);
    int r = rtn_stream_send(stream, &piece, 1);
    return r == 0 && rtn_stream_pending(stream) ? -EAGAIN : r;
}

void rtn_session_send_at_once(struct rtn_session *session, struct rtn_str header, struct rtn_str content)
{
    struct rtn_connection *connection = session->connection;
    const struct rtn_piece pieces[] = { take_stretch(session),
                                        { .data = header.data, .length = header.length },
                                        { .data = content.data, .length = content.length } };
    int r = rtn_stream_send(&connection->stream, pieces, RTN_ARRAY_LENGTH(pieces));
    rtn_session_publish_queued(session, memory_order_seq_cst);
    if (r < 0)
        connection->broken = r;
    else if (rtn_stream_pending(&connection->stream))
        rtn_session_wait_for_room(session, true);
    rtn_session_mark_unsent(session);
}
