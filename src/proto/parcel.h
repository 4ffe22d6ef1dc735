/*
 * A message on its way to one connection or to many: built once, shared by all that send it, freed by the last. The
 * frame header of a server stands before the content and the end of a line behind it, so that most connections send it
 * as it is. [any]; frozen once built
 */
#ifndef RTN_PROTO_PARCEL_H
#define RTN_PROTO_PARCEL_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/str.h"
#include "proto/ws_frame.h"

#define RTN_PARCEL_HEADER 10 /* bytes of the longest header without a mask */
#define RTN_PARCEL_TAIL 2 /* CR LF */

struct rtn_parcel {
    atomic_uint references;
    enum rtn_ws_opcode opcode;
    unsigned header_length;
    size_t length; /* of the content */
    unsigned char bytes[]; /* RTN_PARCEL_HEADER bytes, of which the last header_length count, then the content, CR LF */
};

/* One reference, the caller's; the content is copied. NULL when memory is out. */
struct rtn_parcel *rtn_parcel_new(enum rtn_ws_opcode opcode, const void *data, size_t length);

/* Before it is shared: the content is compressed (RFC 7692, 6). */
void rtn_parcel_set_compressed(struct rtn_parcel *parcel);

void rtn_parcel_ref(struct rtn_parcel *parcel);

/* Takes a void pointer so that it can be a release. */
void rtn_parcel_unref(void *reference);

static inline struct rtn_str rtn_parcel_content(const struct rtn_parcel *parcel)
{
    return (struct rtn_str){ (const char *) parcel->bytes + RTN_PARCEL_HEADER, parcel->length };
}

/* The same with CR LF behind it. */
static inline struct rtn_str rtn_parcel_line(const struct rtn_parcel *parcel)
{
    return (struct rtn_str){ (const char *) parcel->bytes + RTN_PARCEL_HEADER, parcel->length + RTN_PARCEL_TAIL };
}

/* The frame as a server sends it. */
static inline struct rtn_str rtn_parcel_frame(const struct rtn_parcel *parcel)
{
    size_t skip = RTN_PARCEL_HEADER - parcel->header_length;
    return (struct rtn_str){ (const char *) parcel->bytes + skip, parcel->header_length + parcel->length };
}

#endif
