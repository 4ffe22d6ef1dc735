/* What protocols use of session.h: session.c (from the start to the end, and reading), session_queue.c (what is
 * to be sent), session_write.c (sending, deadlines). [loop] */
#ifndef RTN_PROTO_SESSION_INTERNAL_H
#define RTN_PROTO_SESSION_INTERNAL_H

#include "proto/http1_internal.h"
#include "proto/session.h"

/* session.c */

/* From now on these hold for it. */
void rtn_session_take_terms(struct rtn_session *session, struct rtn_terms *terms);
void rtn_session_release_terms(struct rtn_session *session);

/* Goes on with another policy: struct rtn_ws_policy or rtn_line_policy, by its kind. */
void rtn_session_tune(struct rtn_session *session, const void *policy);

/* The session can be used: publishes it, tells the layer above, and reads what was kept. */
void rtn_session_open(struct rtn_session *session);

/* Reads again, unless something keeps it from reading. */
void rtn_session_watch_input(struct rtn_session *session);

/* What kept it from reading is over. */
void rtn_session_go_on_reading(struct rtn_session *session);

/* These bytes came, and are read when nothing keeps it from reading. 0 or -ENOMEM. */
int rtn_session_keep_unread(struct rtn_session *session, const void *data, size_t length);

/* Nothing can be sent any more: nobody finds it, and this is why it ends. */
void rtn_session_begin_closing(struct rtn_session *session, enum rtn_close_cause cause, const char *detail);

/* session_queue.c: what is put there counts as backlog, and leaves at the end of the iteration */

/* Room in the queue for bytes that the caller writes now. NULL when memory is out. */
void *rtn_session_reserve(struct rtn_session *session, size_t length);

/* Queues bytes of the parcel, `mailing`'s own or one made of it. 0 or -ENOMEM. */
int rtn_session_queue_shared(struct rtn_session *session, struct rtn_mailing *mailing, struct rtn_parcel *parcel,
                             struct rtn_str bytes);

/* True for a message that is better sent than queued: it is large, and nothing before it has to wait. */
bool rtn_session_sends_at_once(const struct rtn_session *session, size_t length);

/* Sends such a message behind what stands in the round; what the socket does not take is queued. */
void rtn_session_send_at_once(struct rtn_session *session, struct rtn_str header, struct rtn_str content);

/* Sends all that waits, as far as the socket takes it. 0: all; -EAGAIN; -errno, -ENOMEM: some of it is lost. */
int rtn_session_send_round(struct rtn_session *session);

/* Tells senders elsewhere how much waits here. */
static inline void rtn_session_publish_queued(const struct rtn_session *session, memory_order order)
{
    atomic_store_explicit(&session->connection->entry->queued, (int64_t) rtn_session_queued(session), order);
}

/* session_write.c */

/* The socket is full: it tells when it has room. Calls nobody. `progress`: it has taken something. */
void rtn_session_wait_for_room(struct rtn_session *session, bool progress);

/* The socket has room. */
void rtn_session_on_writable(struct rtn_connection *connection);

/* Files the connection under the earliest of its deadlines. */
void rtn_session_file_deadline(struct rtn_session *session);

bool rtn_session_has_passed(const struct rtn_session *session, int64_t deadline);

/* The peer has not taken anything for too long. True: the connection was closed. */
bool rtn_session_write_has_passed(struct rtn_session *session);

#endif
