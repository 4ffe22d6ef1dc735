/* What protocols use of session.h: session.c (from the start to the end, and reading), session_write.c (sending,
 * deadlines). [loop] */
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

/* session_write.c */

/* Bytes that were added to the queue count as its backlog, and leave at the end of the iteration. */
void rtn_session_count_sent(struct rtn_session *session, size_t length);

/* Room in the queue for bytes that the caller writes now. NULL when memory is out. */
void *rtn_session_reserve(struct rtn_session *session, size_t length);

/* Queues bytes of the parcel, from where they are if that pays. 0 or -ENOMEM. */
int rtn_session_queue_shared(struct rtn_session *session, struct rtn_parcel *parcel, struct rtn_str bytes);

/* The socket has room. */
void rtn_session_on_writable(struct ev_loop *ev, struct ev_io *watcher, int events);

/* Files the connection under the earliest of its deadlines. */
void rtn_session_file_deadline(struct rtn_session *session);

bool rtn_session_has_passed(const struct rtn_session *session, int64_t deadline);

/* The peer has not taken anything for too long. True: the connection was closed. */
bool rtn_session_write_has_passed(struct rtn_session *session);

#endif
