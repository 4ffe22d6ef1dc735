/* What the files of ws.h share: ws.c (what comes, the table for session.h), ws_write.c (frames to be sent), ws_share.c
 * (to many), ws_close.c (the closing handshake and deadlines), ws_client_handshake.c (outgoing connections). [loop] */
#ifndef RTN_PROTO_WS_INTERNAL_H
#define RTN_PROTO_WS_INTERNAL_H

#include "proto/session_internal.h"
#include "proto/ws.h"

/* ws.c */

/* It is the connection's from now on. */
void rtn_ws_attach(struct rtn_ws *ws, struct rtn_connection *connection);

/* Compression as agreed upon. 0 or -ENOMEM. */
int rtn_ws_set_compression(struct rtn_ws *ws, const struct rtn_ws_deflate_terms *terms);

/* ws_write.c */

/* A message is on its way. */
static inline void rtn_ws_count_sent(size_t length)
{
    rtn_stats_count(RTN_STATS_WS_OUT, 1);
    rtn_stats_count(RTN_STATS_WS_OUT_BYTES, length);
}

/* Queues a message, or a control frame. 0 or -ENOMEM. */
int rtn_ws_queue(struct rtn_session *session, enum rtn_ws_opcode type, struct rtn_str content);

/* Queues a control frame; without memory the connection cannot go on. */
void rtn_ws_queue_control(struct rtn_ws *ws, enum rtn_ws_opcode type, const void *data, size_t length);

/* Whether a message of that length is to be compressed. */
bool rtn_ws_is_compressed(const struct rtn_ws *ws, size_t length);

/* After compressing into http->ws_scratch: does not keep much. */
void rtn_ws_trim_scratch(struct rtn_http1 *http);

/* ws_share.c */

void rtn_ws_queue_mailing(struct rtn_session *session, struct rtn_mailing *mailing);

/* ws_close.c */

/* A close frame follows what is queued; then the closing handshake. Code 0: a frame without one. */
void rtn_ws_begin_close(struct rtn_session *session, const struct rtn_session_end *end);

/* The peer broke the protocol or a limit: a close frame with that code, and nothing is read any more. */
void rtn_ws_fail(struct rtn_ws *ws, enum rtn_close_cause cause, int code, const char *detail);

/* The peer's close frame: content was checked. */
void rtn_ws_on_close_frame(struct rtn_ws *ws, const unsigned char *data, size_t length);

void rtn_ws_on_end_of_input(struct rtn_session *session);
bool rtn_ws_end_when_due(struct rtn_session *session);

/* Of the closing handshake, of a ping, or of the answer to one. */
int64_t rtn_ws_deadline(struct rtn_session *session);

void rtn_ws_on_timeout(struct rtn_session *session);

#endif
