/* What the files of ws.h share: ws.c (from the start to the end, and reading), ws_write.c (sending), ws_share.c (to
 * many), ws_close.c (the closing handshake and deadlines), ws_client_handshake.c (outgoing connections). [loop] */
#ifndef RTN_PROTO_WS_INTERNAL_H
#define RTN_PROTO_WS_INTERNAL_H

#include "proto/http1_internal.h"

/* ws.c */

/* Reads again, unless something keeps it from reading. */
void rtn_ws_watch_input(struct rtn_ws *ws);

/* What kept it from reading is over. */
void rtn_ws_go_on_reading(struct rtn_ws *ws);

/* These bytes came, and are read when nothing keeps it from reading. 0 or -ENOMEM. */
int rtn_ws_keep_unread(struct rtn_ws *ws, const void *data, size_t length);

/* The session can be used: publishes it, tells the layer above, and reads what was kept. */
void rtn_ws_open(struct rtn_ws *ws);

/* Compression as agreed upon. 0 or -ENOMEM. */
int rtn_ws_set_compression(struct rtn_ws *ws, const struct rtn_ws_deflate_terms *terms);

/* ws_write.c */

/* Bytes that were added to the queue count as its backlog. */
void rtn_ws_count(const struct rtn_ws *ws, size_t length);

/* Whether a message of that length is to be compressed. */
bool rtn_ws_is_compressed(const struct rtn_ws *ws, size_t length);

/* After compressing into http->ws_scratch: does not keep much. */
void rtn_ws_trim_scratch(struct rtn_http1 *http);

/* Queues a control frame. */
void rtn_ws_queue_control(struct rtn_ws *ws, enum rtn_ws_opcode type, const void *data, size_t length);

/* The peer has to take in some of what it is sent from now on. The caller files the deadline. */
void rtn_ws_begin_write_timeout(struct rtn_ws *ws);

/* The socket has room. */
void rtn_ws_on_writable(struct ev_loop *ev, struct ev_io *watcher, int events);

/* ws_close.c */

/* The peer broke the protocol or a limit: a close frame with that code, and nothing is read any more. */
void rtn_ws_fail(struct rtn_ws *ws, enum rtn_close_cause cause, int code, const char *detail);

/* The peer's close frame: content was checked. */
void rtn_ws_on_close_frame(struct rtn_ws *ws, const unsigned char *data, size_t length);

/* The peer has ended its side. */
void rtn_ws_on_end_of_input(struct rtn_ws *ws);

/* All that was queued has left. True when that ended the connection. */
bool rtn_ws_end_when_due(struct rtn_ws *ws);

/* Files the connection under the earliest of its deadlines. */
void rtn_ws_file_deadline(struct rtn_ws *ws);

#endif
