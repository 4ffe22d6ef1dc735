/* What the files of response.h share. [owner's thread] */
#ifndef RTN_PROTO_RESPONSE_INTERNAL_H
#define RTN_PROTO_RESPONSE_INTERNAL_H

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "proto/connection.h"
#include "proto/encoder.h"
#include "proto/http1_internal.h"
#include "proto/response.h"
#include "proto/sink.h"

#define RTN_CHUNK_ROOM 32 /* everything that frames a chunk, and the last chunk */
#define RTN_NO_CHUNK SIZE_MAX
#define RTN_HEAD_ROOM 512 /* for everything in a head but the handler's fields */
#define RTN_PLAIN_TEXT "text/plain; charset=utf-8"

static inline char *rtn_response_put(char *at, struct rtn_str s)
{
    if (s.length > 0)
        memcpy(at, s.data, s.length);
    return at + s.length;
}

static inline size_t rtn_sink_room(const struct rtn_sink *sink)
{
    return sizeof(sink->data) - sink->length;
}

static inline void rtn_sink_put(struct rtn_sink *sink, struct rtn_str bytes)
{
    rtn_response_put(sink->data + sink->length, bytes);
    sink->length += bytes.length;
}

static inline void rtn_piece_release(const struct rtn_piece *piece)
{
    if (piece->release != NULL)
        piece->release(piece->release_data);
}

/* Why nothing more of the reply can be sent; 0: it can. A worker learns here that its client was taken away. */
static inline int rtn_response_refusal(const struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    if (connection->broken == 0 && rtn_http1_is_taken(connection))
        connection->broken = -ETIMEDOUT;
    return connection->broken;
}

/* response_head.c: everything is decided. Takes at most RTN_HEAD_ROOM and the length of the fields. Its length. */
size_t rtn_response_write_head(const struct rtn_request *request, char *start);

/* response_content.c */

/* What the sink holds and at most 2 pieces behind it leave at once. */
int rtn_response_send(struct rtn_request *request, const struct rtn_piece *pieces, unsigned count);

/* The open chunk, if any, and all that the sink holds leave. 0, or -errno when the connection is broken. */
int rtn_response_push(struct rtn_request *request);

/* What follows in the sink is content; ends by close, which leaves nothing of a chunk without content. */
void rtn_response_open_chunk(struct rtn_request *request);
void rtn_response_close_chunk(struct rtn_request *request);

/* response_encode.c */

/* Whether the layer above may want content to be encoded at all. */
static inline bool rtn_response_may_encode(const struct rtn_request *request)
{
    return request->terms->config->compression.encodings != 0;
}

/* Chooses the encoder of a reply that is about to begin, and changes its fields. */
void rtn_response_choose_encoder(struct rtn_request *request, int status, int64_t length);

/* The same for content that is all there: encodes it, unless that makes it no smaller, and replaces the piece. */
void rtn_response_encode_whole(struct rtn_request *request, int status, struct rtn_piece *content);

/* Encodes content into the sink. 0, or -errno: the connection is broken, or the reply was given up. */
int rtn_response_encode(struct rtn_request *request, enum rtn_encoder_op op, struct rtn_str content);

#endif
