/*
 * Sending to a connection that takes messages by its number. `here`: the caller is on the loop of `http`; what it sends
 * is queued at once. From elsewhere it goes by mail; how much is on its way to a connection is counted in its entry, so
 * that the sender hears at once whether it was taken. A connection that is not of one of `kinds` is not found. [any],
 * while `http` exists
 */
#ifndef RTN_PROTO_SESSION_SEND_H
#define RTN_PROTO_SESSION_SEND_H

#include "proto/http1.h"

/* 1 when the peer is slow, else 0; -ENOENT, -ENOTCONN, -ENOBUFS, -ENOMEM: see <retinue/websocket.h>. */
int rtn_session_send_one(struct rtn_http1 *http, bool here, unsigned kinds, uint64_t id, enum rtn_ws_opcode type,
                         struct rtn_str content);

/*
 * The same message to several connections of the loop: `ids` are all of its. Fills `failed` with those that did not
 * take it; returns how many, or -ENOMEM when none did.
 */
int64_t rtn_session_send_shared(struct rtn_http1 *http, bool here, unsigned kinds, const uint64_t *ids, size_t count,
                                struct rtn_parcel *parcel, uint64_t *failed);

/*
 * Closes behind what was sent, for the handler, telling a WebSocket code and reason; an outgoing connection is not made
 * again. 0, -ENOENT, -ENOMEM.
 */
int rtn_session_close_one(struct rtn_http1 *http, bool here, unsigned kinds, uint64_t id, int code,
                          struct rtn_str reason);

/* The open session of that id; NULL: none. [loop] */
struct rtn_session *rtn_session_find(struct rtn_http1 *http, uint64_t id);

/* True when the session takes one more message, after sending what waits if that helps. [loop] */
bool rtn_session_has_room(struct rtn_session *session);

/* A message was not taken: what backlog_policy says becomes of the connection. [loop] */
void rtn_session_refuse_message(struct rtn_session *session);

/* True while messages can be sent to it. */
bool rtn_session_is_open(struct rtn_http1 *http, unsigned kinds, uint64_t id);

/* Numbers of the open connections: accepted ones, outgoing ones, or both. Fills at most `capacity`; how many there are.
 */
size_t rtn_session_list(struct rtn_http1 *http, unsigned kinds, bool accepted, bool outgoing, uint64_t *ids,
                        size_t capacity);

/* How many open connections of those kinds the owner has. */
size_t rtn_session_count_of(struct rtn_http1 *http, unsigned kinds, const void *owner);

#endif
