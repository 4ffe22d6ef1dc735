/* Replies that are encoded: framing, fields, and what becomes of the encoder. */
#include "support.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <zlib.h>

#include "base/macros.h"
#include "proto/encoder.h"
#include "proto/response.h"

static struct rtn_sink sink;
static struct rtn_connection connection;
static struct rtn_hold hold; /* the sink is a worker's */
static struct rtn_request *request;
static int peer;
static unsigned asked; /* how often the layer above was */
static int64_t asked_length;
static bool refuses;

static struct rtn_encoder *choose(struct rtn_request *of, int status, int64_t length)
{
    (void) of;
    (void) status;
    asked++;
    asked_length = length;
    return refuses ? NULL : rtn_encoder_new(RTN_ENCODING_GZIP, RTN_EFFORT_DEFAULT, length);
}

static const struct rtn_http1_handler handler = { .encode = choose };

static void begin(void)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    connection = (struct rtn_connection){ .http = &http, .stream = { .fd = fds[0] }, .hold = &hold };
    peer = fds[1];
    sink.length = 0;
    asked = 0;
    refuses = false;
    config.compression.encodings = RTN_ENCODING_GZIP;
    http.handler = &handler;
    request = new_request();
    request->connection = &connection;
    request->sink = &sink;
    request->version = 11;
    request->keep_alive = true;
    request->stage = RTN_REQUEST_COMPLETE;
    request->method = RTN_METHOD_GET;
}

static void end(void)
{
    rtn_request_free(request);
    rtn_stream_close(&connection.stream);
    (void) close(peer);
}

TestSuite(response_encode, .init = begin, .fini = end);

static struct rtn_piece text(const char *content)
{
    return (struct rtn_piece){ .data = content, .length = strlen(content) };
}

/* What has not left yet. */
static const char *sunk(void)
{
    sink.data[sink.length] = '\0';
    return sink.data;
}

/* What came out of the socket and is in the sink. */
static void receive(struct rtn_buf *out)
{
    char bytes[65536];
    ssize_t n;
    while ((n = recv(peer, bytes, sizeof(bytes), 0)) > 0)
        rtn_buf_append(out, bytes, (size_t) n);
    rtn_buf_append(out, sink.data, sink.length);
}

/* The content of the chunks behind the head; *ended: there was the last one. */
static void unchunk(const struct rtn_buf *all, struct rtn_buf *out, bool *ended)
{
    const char *at = strstr(all->data, "\r\n\r\n") + 4;
    *ended = false;
    while (at < all->data + all->length) {
        char *behind;
        size_t size = strtoul(at, &behind, 16);
        cr_assert(strncmp(behind, "\r\n", 2) == 0);
        *ended = size == 0;
        rtn_buf_append(out, behind + 2, size);
        at = behind + 2 + size + 2;
    }
    cr_assert(at == all->data + all->length);
}

static void expect_gunzip(const struct rtn_buf *in, const char *content, bool wants_end)
{
    static char out[1000];
    z_stream stream = { .next_in = (Bytef *) in->data,
                        .avail_in = (uInt) in->length,
                        .next_out = (Bytef *) out,
                        .avail_out = sizeof(out) - 1 };
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    int r = inflate(&stream, Z_SYNC_FLUSH);
    out[stream.total_out] = '\0';
    (void) inflateEnd(&stream);
    cr_expect_str_eq(out, content);
    cr_expect_eq(r == Z_STREAM_END, wants_end);
}

static void write_text(const char *content)
{
    const struct rtn_piece piece = text(content);
    cr_assert_eq(rtn_response_write(request, &piece), 0);
}

Test(response_encode, pieces_become_chunks)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 };
    bool ended;
    cr_assert_eq(rtn_response_begin(request, 200, 10), 0);
    cr_expect_eq(asked_length, 10);
    write_text("first");
    write_text("last!");
    cr_expect_eq(rtn_response_write(request, &(struct rtn_piece){ .data = "x", .length = 1 }), -EMSGSIZE);
    cr_assert_eq(rtn_response_end(request), 0);
    cr_expect_null(request->response.encoder);
    receive(&all);
    cr_expect_not_null(strstr(all.data, "\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"));
    cr_expect_null(strstr(all.data, "Content-Length"));
    unchunk(&all, &content, &ended);
    cr_expect(ended);
    cr_expect_eq(request->response.length, content.length);
    expect_gunzip(&content, "firstlast!", true);
}

Test(response_encode, flush_sends_what_the_encoder_holds)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 };
    bool ended;
    cr_assert_eq(rtn_response_begin(request, 200, -1), 0);
    cr_assert_eq(rtn_response_flush(request), 0);
    write_text("first");
    cr_assert_eq(rtn_response_flush(request), 0);
    cr_assert_eq(rtn_response_flush(request), 0);
    cr_expect_eq(sink.length, 0);
    receive(&all);
    unchunk(&all, &content, &ended);
    cr_expect_not(ended, "an empty chunk");
    expect_gunzip(&content, "first", false);
}

/* A write that the encoder holds back leaves no chunk behind, which would be the last one. */
Test(response_encode, no_chunk_is_empty)
{
    char noise[300];
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char) (i * 7919 % 251);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 };
    bool ended;
    cr_assert_eq(rtn_response_begin(request, 200, -1), 0);
    for (unsigned i = 0; i < 2000; i++) {
        cr_assert_eq(rtn_response_write(request, &(struct rtn_piece){ .data = noise, .length = i % 300 }), 0);
        if (i % 50 == 0)
            cr_assert_eq(rtn_response_flush(request), 0);
    }
    cr_assert_eq(rtn_response_flush(request), 0);
    receive(&all);
    unchunk(&all, &content, &ended);
    cr_expect_not(ended);
}

Test(response_encode, whole_content_has_a_length)
{
    char expected[100];
    static char zeros[5000];
    memset(zeros, '0', sizeof(zeros));
    unsigned released = 0;
    const struct rtn_piece piece = { .data = zeros, .length = sizeof(zeros) };
    cr_expect_eq(rtn_response_field(request, RTN_STR("ETag"), RTN_STR("\"a\"")), 0);
    cr_assert_eq(rtn_response_give(request, 200, &piece), 0);
    cr_expect_eq(asked_length, sizeof(zeros));
    (void) snprintf(expected, sizeof(expected),
                    "\r\nETag: W/\"a\"\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n",
                    (size_t) request->response.length);
    cr_expect_not_null(strstr(sunk(), expected), "%s", sunk());
    cr_expect_lt(request->response.length, 100);
    cr_expect_eq(released, 0);
}

static void count(void *data)
{
    ++*(unsigned *) data;
}

/* At once when it was replaced; with what it was when not. */
Test(response_encode, content_is_released_once)
{
    static char zeros[50000];
    static const struct {
        size_t length;
        bool refused;
        unsigned method;
    } table[] = {
        { 50000, false, RTN_METHOD_GET }, { 10, false, RTN_METHOD_GET },     { 0, false, RTN_METHOD_GET },
        { 100, true, RTN_METHOD_GET },    { 50000, false, RTN_METHOD_HEAD }, { 10, false, RTN_METHOD_HEAD },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        unsigned released = 0;
        refuses = table[i].refused;
        rtn_request_clear(request);
        request->version = 11;
        request->method = table[i].method;
        sink.length = 0;
        const struct rtn_piece piece = {
            .data = zeros, .length = table[i].length, .release = count, .release_data = &released
        };
        cr_expect_eq(rtn_response_give(request, 200, &piece), 0);
        cr_expect_eq(released, 1, "row %zu", i);
        cr_expect_eq(strstr(sunk(), "Content-Encoding") != NULL, table[i].length == 50000, "row %zu", i);
    }
}

Test(response_encode, files_are_not_asked_about)
{
    unsigned released = 0;
    const struct rtn_piece file = { .file = true, .fd = -1, .length = 0, .release = count, .release_data = &released };
    cr_expect_eq(rtn_response_give(request, 200, &file), 0);
    cr_expect_eq(asked, 0);
    rtn_request_clear(request);
    cr_assert_eq(rtn_response_begin(request, 200, -1), 0);
    cr_expect_eq(rtn_response_write(request, &file), -EINVAL);
    cr_expect_eq(released, 2);
}

Test(response_encode, is_not_asked_without_compression_or_for_what_is_refused)
{
    cr_expect_eq(rtn_response_begin(request, 100, -1), -EINVAL);
    cr_expect_eq(asked, 0);
    config.compression.encodings = 0;
    cr_expect_eq(rtn_response_begin(request, 200, -1), 0);
    cr_expect_eq(asked, 0);
    cr_expect_eq(rtn_response_begin(request, 200, -1), -EALREADY);
}

/* A leak checker would tell of an encoder that stays. */
Test(response_encode, an_end_of_any_kind_frees_the_encoder)
{
    cr_assert_eq(rtn_response_begin(request, 200, -1), 0);
    write_text("some");
    rtn_response_abort(request);
    cr_expect_null(request->response.encoder);
    connection.broken = 0;
    rtn_request_clear(request);
    cr_assert_eq(rtn_response_begin(request, 200, 10), 0);
    write_text("some");
    cr_expect_eq(rtn_response_end(request), -EMSGSIZE);
    cr_expect_null(request->response.encoder);
    connection.broken = 0;
    rtn_request_clear(request);
    cr_assert_eq(rtn_response_begin(request, 200, -1), 0);
    connection.broken = -EPIPE;
    cr_expect_eq(rtn_response_end(request), -EPIPE);
    cr_expect_null(request->response.encoder);
    connection.broken = 0;
    rtn_request_clear(request);
    cr_assert_eq(rtn_response_begin(request, 200, -1), 0);
}

Test(response_encode, fields_can_be_found_and_taken_out)
{
    struct rtn_str value;
    size_t at = 0;
    cr_expect_not(rtn_response_next_field(request, RTN_STR("a"), &at, &value));
    cr_assert_eq(rtn_response_field(request, RTN_STR("A"), RTN_STR("1: x")), 0);
    cr_assert_eq(rtn_response_field(request, RTN_STR("AB"), RTN_STR("2")), 0);
    cr_assert_eq(rtn_response_field(request, RTN_STR("a"), RTN_STR("")), 0);
    cr_assert_eq(rtn_response_field(request, RTN_STR("Content-Type"), RTN_STR("t/t")), 0);
    cr_expect(rtn_response_next_field(request, RTN_STR("a"), &at, &value));
    cr_expect(rtn_str_equal(value, RTN_STR("1: x")));
    cr_expect(rtn_response_next_field(request, RTN_STR("a"), &at, &value));
    cr_expect_eq(value.length, 0);
    cr_expect_not(rtn_response_next_field(request, RTN_STR("a"), &at, &value));
    rtn_response_remove_field(request, RTN_STR("a"));
    rtn_response_remove_field(request, RTN_STR("content-type"));
    rtn_response_remove_field(request, RTN_STR("none"));
    cr_expect_not(request->response.has_content_type);
    cr_expect(rtn_str_equal((struct rtn_str){ request->response.fields, request->response.fields_length },
                            RTN_STR("AB: 2\r\n")));
}
