/* What the files of ws_client.h share: ws_client.c (attempts, and the pauses between them) and ws_client_handshake.c.
 * [loop] */
#ifndef RTN_PROTO_WS_CLIENT_INTERNAL_H
#define RTN_PROTO_WS_CLIENT_INTERNAL_H

#include "proto/http1_internal.h"
#include "proto/ws_client.h"

/* ws_client.c: the attempt comes to nothing. Copies `text`. */
void rtn_ws_client_fail(struct rtn_ws_client *client, enum rtn_close_cause cause, const char *text);

/* ws_client_handshake.c: the socket is connected. Ends in rtn_session_open() or rtn_ws_client_fail(). */
void rtn_ws_client_begin_handshake(struct rtn_ws_client *client, int fd, const struct sockaddr *peer, socklen_t length);

#endif
