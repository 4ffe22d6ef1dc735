/*
 * One block of memory for all. The header is written to end where the content begins, since its length
 * is known only with that of the content.
 */
#include "proto/parcel.h"

#include <stdlib.h>
#include <string.h>

struct rtn_parcel *rtn_parcel_new(enum rtn_ws_opcode opcode, const void *data, size_t length)
{
    unsigned char header[RTN_WS_HEADER_MOST];
    size_t overhead = sizeof(struct rtn_parcel) + RTN_PARCEL_HEADER + RTN_PARCEL_TAIL;

    if (length > SIZE_MAX - overhead)
        return NULL;
    struct rtn_parcel *parcel = malloc(overhead + length);
    if (parcel == NULL)
        return NULL;
    atomic_init(&parcel->references, 1);
    parcel->opcode = opcode;
    parcel->header_length = (unsigned) rtn_ws_header_write(header, RTN_WS_FIN | opcode, length, NULL);
    parcel->length = length;
    memcpy(parcel->bytes + RTN_PARCEL_HEADER - parcel->header_length, header, parcel->header_length);
    if (length > 0)
        memcpy(parcel->bytes + RTN_PARCEL_HEADER, data, length);
    parcel->bytes[RTN_PARCEL_HEADER + length] = '\r';
    parcel->bytes[RTN_PARCEL_HEADER + length + 1] = '\n';
    return parcel;
}

void rtn_parcel_set_compressed(struct rtn_parcel *parcel)
{
    parcel->bytes[RTN_PARCEL_HEADER - parcel->header_length] |= RTN_WS_RSV1;
}

void rtn_parcel_ref(struct rtn_parcel *parcel)
{
    atomic_fetch_add_explicit(&parcel->references, 1, memory_order_relaxed);
}

void rtn_parcel_unref(void *reference)
{
    struct rtn_parcel *parcel = reference;
    if (atomic_fetch_sub_explicit(&parcel->references, 1, memory_order_acq_rel) == 1)
        free(parcel);
}
