/*
 * permessage-deflate (RFC 7692) by zlib: negotiation on both sides, and the two streams. [any]: one thread at a time
 * for one object
 *
 * zlib cannot write raw streams with a window of 2^8 bytes: an offer that demands a server window of 8 is declined. As
 * a client we take what the server demands, and then compress runs of one byte only.
 */
#ifndef RTN_PROTO_WS_DEFLATE_H
#define RTN_PROTO_WS_DEFLATE_H

#include "base/buf.h"
#include "base/str.h"
#include "config/config.h"

/* What was agreed upon. */
struct rtn_ws_deflate_terms {
    int server_bits; /* of the window that the server compresses with: 8 to 15, where we are the server 9 to 15 */
    int client_bits; /* 8 to 15 */
    bool server_forgets; /* server_no_context_takeover */
    bool client_forgets;
};

/* Whether a field Sec-WebSocket-Extensions has the form that RFC 6455, 9.1 gives it, whatever it names. */
bool rtn_ws_extensions_are_sound(struct rtn_str list);

/*
 * Server: the first offer of `offers` (all Sec-WebSocket-Extensions fields, joined by commas) that can be accepted
 * under `config`. True: *terms is filled and the value for the answer appended to `out`. False: none, or malformed
 * ones; the connection goes without.
 */
bool rtn_ws_deflate_accept(const struct rtn_config_deflate *config, struct rtn_str offers,
                           struct rtn_ws_deflate_terms *terms, struct rtn_buf *out);

/* Client: appends what is offered under `config`. */
void rtn_ws_deflate_offer(const struct rtn_config_deflate *config, struct rtn_buf *out);

/*
 * Client: what the server's answer means; `answer` empty or absent: without compression. 1: with, *terms is filled; 0:
 * without; -EPROTO: it is not an answer to what was offered.
 */
int rtn_ws_deflate_confirm(const struct rtn_config_deflate *config, struct rtn_str answer,
                           struct rtn_ws_deflate_terms *terms);

/*
 * The receiving stream. Memory is taken with the first compressed message: at most 2^bits bytes and 8 KiB, 40 KiB for
 * 15 bits, however long the messages are. Forgetful ones give it back after each. NULL: memory is out.
 */
struct rtn_ws_inflate;
struct rtn_ws_inflate *rtn_ws_inflate_new(int bits, bool forgets);
void rtn_ws_inflate_free(struct rtn_ws_inflate *stream); /* accepts NULL */

/*
 * Decompresses more of a message; `last` with the end of it (its four bytes 00 00 ff ff are added here). Hands on what
 * comes out, in pieces of at most 16 KiB, as it comes, so that a bomb ends at the caller's limit: piece() returns 0, or
 * a negative errno that is returned at once. -EPROTO: no deflate stream; -ENOMEM. After an error it can only be freed.
 */
int rtn_ws_inflate_feed(struct rtn_ws_inflate *stream, const unsigned char *data, size_t length, bool last,
                        int (*piece)(void *owner, unsigned char *data, size_t length), void *owner);

/*
 * The sending stream. Memory is taken with the first message: at most 2^(bits + 2) + 2^(memory_level + 9) bytes and 8
 * KiB, 264 KiB for 15 bits and level 8. Forgetful ones give it back after each. NULL: memory is out.
 */
struct rtn_ws_compress;
struct rtn_ws_compress *rtn_ws_compress_new(int bits, bool forgets, const struct rtn_config_deflate *config);
void rtn_ws_compress_free(struct rtn_ws_compress *stream); /* accepts NULL */

/*
 * Appends the message, compressed, without its last four bytes (RFC 7692, 7.2.1). 0, or -ENOMEM: `out` is as before.
 * What was appended must be sent, and in that order: later messages may refer to it.
 */
int rtn_ws_compress_message(struct rtn_ws_compress *stream, const void *data, size_t length, struct rtn_buf *out);

/*
 * The next message refers to nothing before it. So it can be sent on other connections too, whose windows are at least
 * as large, if their streams forget as well.
 */
void rtn_ws_compress_forget(struct rtn_ws_compress *stream);

/* The same, and its memory is given back until the next message. */
void rtn_ws_compress_rest(struct rtn_ws_compress *stream);

/* Of its window. */
int rtn_ws_compress_bits(const struct rtn_ws_compress *stream);

#endif
