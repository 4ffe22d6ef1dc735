/* The request object: its buffer moves and grows, and the views into it stay right. */
#include "support.h"

#include "base/macros.h"

/* `length` bytes that differ from place to place. */
static char *make_text(size_t length)
{
    char *text = malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        text[i] = (char) ('a' + (i * 7 + i / 251) % 26);
    text[length] = '\0';
    return text;
}

static struct rtn_str field_of(const struct rtn_request *request, struct rtn_str name)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        if (rtn_str_equal(request->headers[i].name, name))
            return request->headers[i].value;
    }
    return (struct rtn_str){ 0 };
}

Test(request, new_one_is_empty_and_needs_no_more_memory)
{
    struct rtn_request *request = new_request();
    cr_expect_eq(request->stage, RTN_REQUEST_EMPTY);
    cr_expect_eq(request->buffer, request->inline_buffer);
    cr_expect_eq(rtn_request_parse(request), RTN_REQUEST_EMPTY);
    const char *buffer = request->buffer;
    cr_expect_eq(rtn_request_make_room(request, request->inline_capacity), 0);
    cr_expect_eq(request->buffer, buffer);
    rtn_request_free(request);
    rtn_request_free(NULL);
}

/* A head far larger than the inline buffer, read in pieces of many sizes. */
Test(request, views_stay_right_when_a_long_head_moves)
{
    static const size_t pieces[] = { 1, 2, 100, 1000, 2048, 4096, 8191, 8192, 8193, 100000 };
    char *value = make_text(15000);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_printf(&text,
                   "POST /some/target HTTP/1.1\r\nHost: example\r\nContent-Type: text/x\r\nA: first\r\nLong: %s\r\n"
                   "B: last\r\nContent-Length: 4\r\n\r\nbody",
                   value);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(pieces); i++) {
        struct rtn_request *request = new_request();
        cr_expect_eq(feed_pieces(request, rtn_buf_str(&text), pieces[i]), text.length);
        cr_assert_eq(request->stage, RTN_REQUEST_COMPLETE, "pieces of %zu", pieces[i]);
        cr_expect(rtn_str_equal(request->method_name, RTN_STR("POST")));
        cr_expect(rtn_str_equal(request->target, RTN_STR("/some/target")));
        cr_expect(rtn_str_equal(request->content_type, RTN_STR("text/x")));
        cr_expect(rtn_str_equal(field_of(request, RTN_STR("a")), RTN_STR("first")));
        cr_expect(rtn_str_equal(field_of(request, RTN_STR("long")), rtn_str_of(value)));
        cr_expect(rtn_str_equal(field_of(request, RTN_STR("b")), RTN_STR("last")));
        cr_expect(rtn_str_equal(request->body, RTN_STR("body")));
        rtn_request_free(request);
    }
    free(value);
}

/* `chunk` 0: with Content-Length. */
static void make_body_request(struct rtn_buf *out, const char *body, size_t length, size_t chunk)
{
    rtn_buf_append_text(out, "POST /b HTTP/1.1\r\nHost: example\r\n");
    if (chunk == 0) {
        rtn_buf_printf(out, "Content-Length: %zu\r\n\r\n", length);
        rtn_buf_append(out, body, length);
        return;
    }
    rtn_buf_append_text(out, "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < length; at += chunk) {
        size_t now = RTN_MIN(chunk, length - at);
        rtn_buf_printf(out, "%zx;ext=1\r\n", now);
        rtn_buf_append(out, body + at, now);
        rtn_buf_append_text(out, "\r\n");
    }
    rtn_buf_append_text(out, "0\r\nTrailer: x\r\n\r\n");
}

Test(request, large_bodies_arrive_whole_with_leftovers_behind_them)
{
    static const size_t lengths[] = { 0, 1, 8000, 8192, 10000, 65536, 200000 };
    static const size_t chunks[] = { 0, 100, 5000, 300000 };
    static const size_t pieces[] = { 7, 1460, 16384, 1000000 };
    const char *next = "GET /next HTTP/1.1\r\nHost: b\r\n\r\n";
    char *body = make_text(200000);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(lengths) * RTN_ARRAY_LENGTH(chunks) * RTN_ARRAY_LENGTH(pieces); i++) {
        size_t length = lengths[i % RTN_ARRAY_LENGTH(lengths)];
        size_t chunk = chunks[i / RTN_ARRAY_LENGTH(lengths) % RTN_ARRAY_LENGTH(chunks)];
        size_t piece = pieces[i / RTN_ARRAY_LENGTH(lengths) / RTN_ARRAY_LENGTH(chunks)];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        make_body_request(&text, body, length, chunk);
        rtn_buf_append_text(&text, next);

        struct rtn_request *request = new_request();
        size_t given = feed_pieces(request, rtn_buf_str(&text), piece);
        cr_assert_eq(request->stage, RTN_REQUEST_COMPLETE, "%zu bytes in chunks of %zu: %d %s", length, chunk,
                     request->error_status, request->error_text);
        cr_expect(rtn_str_equal(request->body, (struct rtn_str){ body, length }), "%zu in %zu", length, chunk);
        cr_expect(rtn_str_equal(request->target, RTN_STR("/b")));
        rtn_request_next(request);
        (void) parse(request);
        (void) feed_pieces(request, (struct rtn_str){ text.data + given, text.length - given }, piece);
        cr_assert_eq(request->stage, RTN_REQUEST_COMPLETE);
        cr_expect(rtn_str_equal(request->target, RTN_STR("/next")));
        cr_expect(rtn_str_equal(field_of(request, RTN_STR("host")), RTN_STR("b")));
        cr_expect_eq(request->parsed, request->end);
        rtn_request_free(request);
    }
    free(body);
}

Test(request, pipelined_ones_follow_each_other_in_pieces_of_any_size)
{
    enum { COUNT = 300 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    for (int i = 0; i < COUNT; i++)
        rtn_buf_printf(&text, "%sPOST /%d HTTP/1.1\r\nHost: h%d\r\nContent-Length: %d\r\n\r\n%.*s",
                       i % 5 == 0 ? "\r\n" : "", i, i, i % 10, i % 10, "0123456789");
    for (size_t piece = 1; piece <= text.length; piece = piece * 3 + 1) {
        struct rtn_request *request = new_request();
        size_t at = 0;
        int seen = 0;
        while (at < text.length || request->parsed < request->end) {
            size_t length = RTN_MIN(piece, text.length - at);
            enum rtn_request_stage stage = feed(request, text.data + at, length);
            at += length;
            while (stage == RTN_REQUEST_COMPLETE) {
                char target[16];
                (void) snprintf(target, sizeof(target), "/%d", seen);
                cr_assert(rtn_str_equal(request->target, rtn_str_of(target)), "pieces of %zu: %s", piece, target);
                cr_assert_eq(request->body.length, (size_t) seen % 10);
                cr_assert(memcmp(request->body.data != NULL ? request->body.data : "", "0123456789",
                                 request->body.length) == 0);
                seen++;
                rtn_request_next(request);
                stage = parse(request);
            }
            cr_assert_neq(stage, RTN_REQUEST_BROKEN, "pieces of %zu after %d: %s", piece, seen, request->error_text);
            if (at == text.length)
                break;
        }
        cr_expect_eq(seen, COUNT, "pieces of %zu", piece);
        rtn_request_free(request);
    }
}

/* A connection that has sent one large request must not keep the large buffer. */
Test(request, large_buffer_goes_with_its_request)
{
    char *body = make_text(100000);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_request *request = new_request();
    make_body_request(&text, body, 100000, 0);
    rtn_buf_append_text(&text, "GET /n");
    (void) feed_pieces(request, rtn_buf_str(&text), 1000000);
    cr_assert_eq(request->stage, RTN_REQUEST_COMPLETE);
    cr_expect_neq(request->buffer, request->inline_buffer);
    rtn_request_next(request);
    cr_expect_eq(request->buffer, request->inline_buffer);
    cr_expect_eq(request->end - request->start, 6);
    cr_expect_eq(feed(request, "ext HTTP/1.1\r\nHost: a\r\n\r\n", 25), RTN_REQUEST_COMPLETE);
    cr_expect(rtn_str_equal(request->target, RTN_STR("/next")));
    (void) rtn_request_make_room(request, 50000);
    cr_expect_neq(request->buffer, request->inline_buffer);
    rtn_request_clear(request);
    cr_expect_eq(request->buffer, request->inline_buffer);
    cr_expect_eq(request->end, 0);
    cr_expect_null(request->target.data);
    rtn_request_free(request);
    free(body);
}

Test(request, next_forgets_everything_but_the_bytes)
{
    struct rtn_request *request = new_request();
    (void) feed_pieces(
        request,
        RTN_STR("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: x/y\r\nConnection: "
                "close\r\nContent-Length: 1\r\n\r\nbGET /c HTTP/1.0\r\n\r\n"),
        100000);
    cr_assert_eq(request->stage, RTN_REQUEST_COMPLETE);
    cr_expect(request->expects_continue);
    rtn_request_next(request);
    cr_assert_eq(parse(request), RTN_REQUEST_COMPLETE);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    describe(request, &text);
    cr_expect_str_eq(text.data, "GET [1] /c 10 close\ntype , body 0: ", "%s", text.data);
    rtn_request_free(request);
}
