/*
 * Content codings (RFC 9110, 8.4.1): one interface to zlib, brotli and zstd. Memory is bounded whatever the length of
 * the content: 0.3 MiB for gzip, up to 5 MiB for the others, by effort. [owner's thread]: one thread at a time
 */
#ifndef RTN_PROTO_ENCODER_H
#define RTN_PROTO_ENCODER_H

#include <stdint.h>

#include "base/str.h"
#include "config/config.h"

struct rtn_encoder;

enum rtn_encoder_op {
    RTN_ENCODER_GO_ON, /* take the input; output may be held back */
    RTN_ENCODER_FLUSH, /* and give out so much that all input so far can be decoded */
    RTN_ENCODER_END /* and end; nothing may follow */
};

/* What is encoded and where to; both move on. */
struct rtn_encoder_io {
    struct rtn_str in;
    char *out;
    size_t room;
};

/* The name of the coding in Content-Encoding and Accept-Encoding. */
struct rtn_str rtn_encoder_coding(enum rtn_config_encoding encoding);

/* `length` of the content is a promise; -1: not known. `effort` is enum rtn_config_effort. NULL: memory is out. */
struct rtn_encoder *rtn_encoder_new(enum rtn_config_encoding encoding, int effort, int64_t length);

/* Accepts NULL. Threads keep some encoders for their next replies, until they end. */
void rtn_encoder_free(struct rtn_encoder *encoder);

enum rtn_config_encoding rtn_encoder_encoding(const struct rtn_encoder *encoder);

/*
 * The room must be 16 bytes or more. 1: done. 0: the room is used up; to be called again with the same op, more room
 * and the input that is left. -ENOMEM, or -EIO when the content is not as long as was promised: the encoder can only be
 * freed then.
 */
int rtn_encoder_run(struct rtn_encoder *encoder, enum rtn_encoder_op op, struct rtn_encoder_io *io);

#endif
