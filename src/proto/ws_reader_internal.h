/* What the files of the WebSocket reader share: ws_reader.c, ws_reader_header.c, ws_reader_content.c. [loop] */
#ifndef RTN_PROTO_WS_READER_INTERNAL_H
#define RTN_PROTO_WS_READER_INTERNAL_H

#include "proto/ws_reader.h"

/* How it goes on; or a negative errno. */
enum { RTN_WS_READER_ON = 0, RTN_WS_READER_STOP = 1 };

/* What is being fed. */
struct rtn_ws_input {
    unsigned char *data;
    size_t length;
    size_t at; /* bytes that are used */
};

/* -EPROTO, for the caller to return. */
int rtn_ws_reader_fail(struct rtn_ws_reader *reader, int code, const char *text);

/* ws_reader_header.c */

/* Takes what there is of a frame's header; with the last byte of it in_frame is set, and frame_left. 0 or -EPROTO. */
int rtn_ws_reader_header(struct rtn_ws_reader *reader, struct rtn_ws_input *input);

/* ws_reader_content.c */

/*
 * Content of a frame, unmasked; frame_left is what is to come behind it. Hands on what is complete, or, streamed, all
 * of it. `ascii`: these bytes are known to be.
 */
int rtn_ws_reader_data(struct rtn_ws_reader *reader, unsigned char *data, size_t length, bool ascii);
int rtn_ws_reader_control(struct rtn_ws_reader *reader, unsigned char *data, size_t length);

static inline unsigned rtn_ws_reader_opcode(const struct rtn_ws_reader *reader)
{
    return reader->header[0] & 0x0fu;
}

static inline bool rtn_ws_reader_is_control(const struct rtn_ws_reader *reader)
{
    return (reader->header[0] & RTN_WS_CONTROL) != 0;
}

/*
 * How many more bytes a message of `length` may have. It may be longer than the limit, which became lower while it
 * came: what there is of it, and the frame that had begun, stay allowed.
 */
static inline uint64_t rtn_ws_reader_room(const struct rtn_ws_reader *reader, uint64_t length)
{
    return length < reader->limit ? reader->limit - length : 0;
}

/* The end of a message lies in this frame. */
static inline bool rtn_ws_reader_is_final(const struct rtn_ws_reader *reader)
{
    return (reader->header[0] & RTN_WS_FIN) != 0;
}

#endif
