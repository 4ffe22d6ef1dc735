/*
 * Sending to a WebSocket by its number. `here`: the caller is on the loop of `http`; what it sends is queued at once.
 * From elsewhere it goes by mail; how much is on its way to a connection is counted in its entry, so that the sender
 * hears at once whether it was taken. [any], while `http` exists
 */
#ifndef RTN_PROTO_WS_SEND_H
#define RTN_PROTO_WS_SEND_H

#include "proto/http1.h"

/* 1 when the peer is slow, else 0; -ENOENT, -ENOTCONN, -ENOBUFS, -ENOMEM: see <retinue/websocket.h>. */
int rtn_ws_send_one(struct rtn_http1 *http, bool here, uint64_t id, enum rtn_ws_opcode type, struct rtn_str content);

/*
 * The same message to several connections of the loop: `ids` are all of its. Fills `failed` with those that did not
 * take it; returns how many, or -ENOMEM when none did.
 */
int64_t rtn_ws_send_shared(struct rtn_http1 *http, bool here, const uint64_t *ids, size_t count,
                           struct rtn_parcel *parcel, uint64_t *failed);

/* A close frame behind what was sent; an outgoing connection is not made again. 0, -ENOENT, -ENOMEM. */
int rtn_ws_close_one(struct rtn_http1 *http, bool here, uint64_t id, int code, struct rtn_str reason);

/* The open session of that id; NULL: none. [loop] */
struct rtn_ws *rtn_ws_find(struct rtn_http1 *http, uint64_t id);

/* True when the session takes one more message, after sending what waits if that helps. [loop] */
bool rtn_ws_has_room(struct rtn_ws *ws);

/* A message was not taken: what backlog_policy says becomes of the connection. [loop] */
void rtn_ws_refuse_message(struct rtn_ws *ws);

/* True while messages can be sent to it. */
bool rtn_ws_is_open_here(struct rtn_http1 *http, uint64_t id);

/* Numbers of the open connections: accepted ones, outgoing ones, or both. Fills at most `capacity`; how many there are.
 */
size_t rtn_ws_list(struct rtn_http1 *http, bool accepted, bool outgoing, uint64_t *ids, size_t capacity);

#endif
