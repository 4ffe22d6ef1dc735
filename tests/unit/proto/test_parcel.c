#include <pthread.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/parcel.h"

static const size_t lengths[] = { 0, 1, 125, 126, 65535, 65536, 100000 };

Test(parcel, frame_stands_before_the_content)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(lengths); i++) {
        size_t length = lengths[i];
        unsigned char *data = calloc(1, length + 1);
        cr_assert_not_null(data);
        memset(data, 'x', length);
        struct rtn_parcel *parcel = rtn_parcel_new(RTN_WS_OP_BINARY, data, length);
        cr_assert_not_null(parcel);
        data[0] = 'y'; /* it has its own copy */

        unsigned char header[RTN_WS_HEADER_MOST];
        size_t header_length = rtn_ws_header_write(header, RTN_WS_FIN | RTN_WS_OP_BINARY, length, NULL);
        struct rtn_str frame = rtn_parcel_frame(parcel), content = rtn_parcel_content(parcel);
        cr_assert_eq(parcel->opcode, RTN_WS_OP_BINARY);
        cr_assert_eq(content.length, length);
        cr_assert_eq(frame.length, header_length + length);
        cr_assert_eq(frame.data + header_length, content.data);
        cr_assert_eq(memcmp(frame.data, header, header_length), 0);
        for (size_t k = 0; k < length; k++)
            cr_assert_eq(content.data[k], 'x');
        rtn_parcel_unref(parcel);
        free(data);
    }
}

Test(parcel, end_of_a_line_stands_behind_the_content)
{
    struct rtn_parcel *parcel = rtn_parcel_new(RTN_WS_OP_TEXT, "hello", 5);
    cr_assert_not_null(parcel);
    cr_assert(rtn_str_equal(rtn_parcel_line(parcel), RTN_STR("hello\r\n")));
    cr_assert_eq(rtn_parcel_line(parcel).data, rtn_parcel_content(parcel).data);
    rtn_parcel_unref(parcel);
}

Test(parcel, without_content)
{
    struct rtn_parcel *parcel = rtn_parcel_new(RTN_WS_OP_PING, NULL, 0);
    cr_assert_not_null(parcel);
    cr_assert(rtn_str_equal(rtn_parcel_frame(parcel), RTN_STR("\x89\x00")));
    rtn_parcel_unref(parcel);
}

Test(parcel, too_long_for_memory)
{
    cr_assert_null(rtn_parcel_new(RTN_WS_OP_BINARY, "", SIZE_MAX));
    cr_assert_null(rtn_parcel_new(RTN_WS_OP_BINARY, "", SIZE_MAX - sizeof(struct rtn_parcel)));
}

enum { THREADS = 4, ROUNDS = 10000 };

static void *use(void *data)
{
    struct rtn_parcel *parcel = data;
    for (int i = 0; i < ROUNDS; i++) {
        rtn_parcel_ref(parcel);
        rtn_parcel_unref(parcel);
    }
    rtn_parcel_unref(parcel);
    return NULL;
}

Test(parcel, shared_by_threads)
{
    pthread_t threads[THREADS];
    struct rtn_parcel *parcel = rtn_parcel_new(RTN_WS_OP_TEXT, "hello", 5);
    cr_assert_not_null(parcel);
    for (int i = 0; i < THREADS; i++) {
        rtn_parcel_ref(parcel);
        cr_assert_eq(pthread_create(&threads[i], NULL, use, parcel), 0);
    }
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_assert_eq(atomic_load(&parcel->references), 1);
    cr_assert(rtn_str_equal(rtn_parcel_content(parcel), RTN_STR("hello")));
    rtn_parcel_unref(parcel);
}
