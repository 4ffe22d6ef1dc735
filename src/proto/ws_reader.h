/*
 * The receiving side of a WebSocket: from bytes, cut anywhere, to messages and control frames. Checks everything that
 * RFC 6455 demands, at the first byte that shows it. No sockets, no timers. [loop]
 *
 * A message that lies whole in what is fed is handed on in place, unmasked there; only what is cut is copied. What is
 * not fragmented, not compressed, and complete costs no memory at all.
 */
#ifndef RTN_PROTO_WS_READER_H
#define RTN_PROTO_WS_READER_H

#include "base/buf.h"
#include "base/utf8.h"
#include "proto/ws_deflate.h"
#include "proto/ws_frame.h"

#define RTN_WS_READER_SLICE 512 /* compressed bytes */

/*
 * Upward calls. Both return false to stop reading: what was fed and not used is fed again later. A stop takes effect at
 * once, with one exception: of a compressed message that is streamed, pieces come until RTN_WS_READER_SLICE bytes are
 * inflated, which make about half a MiB at the most.
 */
struct rtn_ws_reader_events {
    /*
     * With `streamed`, pieces: last is true with the final one, which may be empty, and only then. A piece of a text
     * may be cut inside of a character; all of them together are UTF-8, as far as they have come. Else whole messages,
     * always with last. data is never NULL, is valid during the call, and may be written to. What had to be kept is in
     * reader->message (data is its data then), and may be taken from there by rtn_buf_steal().
     */
    bool (*message)(void *owner, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last);
    /* Ping, pong, close (its content was checked). */
    bool (*control)(void *owner, enum rtn_ws_opcode type, const unsigned char *data, size_t length);
};

struct rtn_ws_reader {
    /* Set before the first byte. */
    const struct rtn_ws_reader_events *events;
    void *owner;
    bool from_server; /* frames must not be masked; else they must be */
    bool streamed;
    uint64_t limit; /* most bytes of one message, after decompression; may be changed at any time */
    struct rtn_ws_inflate *inflate; /* NULL: RSV1 is an error */

    /* What is wrong, once feed returned -EPROTO: a code for the close frame and words for the log. */
    int error_code;
    const char *error_text;

    /* Its own. */
    uint64_t frame_left; /* content bytes of the frame still to come */
    uint64_t message_length; /* so far, after decompression */
    struct rtn_buf message; /* what was kept of a cut message; its memory goes with it */
    unsigned char *control; /* what was kept of a cut control frame; NULL: nothing */
    unsigned char control_length;
    unsigned char header[RTN_WS_HEADER_MOST];
    unsigned char header_length; /* bytes of it that are there; 0 between frames */
    unsigned char mask_at; /* where in the mask the next byte of content stands */
    struct rtn_utf8_state utf8;
    bool in_frame; /* the header is complete, content follows */
    bool in_message; /* data frames of a message have come, the last has not */
    bool compressed; /* the message is */
    bool stopped; /* by a callback, while something is being inflated */
    unsigned char type; /* enum rtn_ws_opcode of the message */
};

/*
 * Reads `length` bytes, which it unmasks in place. *used: how many of them; less than all when a callback stopped it or
 * on an error. 0, -EPROTO (error_code and error_text say why; also for a message that is too long, 1009) or -ENOMEM.
 * After an error nothing may be fed. Frames behind a close frame are read as any others: its callback stops them.
 */
int rtn_ws_reader_feed(struct rtn_ws_reader *reader, unsigned char *data, size_t length, size_t *used);

/* True between two frames that are not of one message: no bytes are owed or kept. */
bool rtn_ws_reader_is_idle(const struct rtn_ws_reader *reader);

/* Frees what was kept, not `inflate`. Safe on an all-zero reader. */
void rtn_ws_reader_done(struct rtn_ws_reader *reader);

#endif
