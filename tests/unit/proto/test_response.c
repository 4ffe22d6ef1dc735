/* Replies: the exact bytes of heads, which fields are refused, and large content that leaves past the sink. */
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"
#include "loop/activity.h"
#include "proto/response.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static struct rtn_sink sink;
static struct rtn_connection connection;
static struct rtn_hold hold; /* the sink is a worker's */
static struct rtn_request *request;
static int peer;
static unsigned released;

static void begin(void)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    connection = (struct rtn_connection){ .http = &http, .stream = { .fd = fds[0] }, .hold = &hold };
    peer = fds[1];
    sink.length = 0;
    released = 0;
    atomic_store(&http.draining, false);
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

TestSuite(response, .init = begin, .fini = end);

/* What the sink holds, with a fixed date. */
static const char *sunk(void)
{
    static char text[RTN_SINK_SIZE + 1];
    memcpy(text, sink.data, sink.length);
    text[sink.length] = '\0';
    for (char *date = text; (date = strstr(date, "\r\nDate: ")) != NULL; date += 2)
        memcpy(date + 2, DATE, strlen(DATE));
    return text;
}

static void count_release(void *data)
{
    ++*(unsigned *) data;
}

static struct rtn_piece counted(const char *data, size_t length)
{
    return (struct rtn_piece){ .data = data, .length = length, .release = count_release, .release_data = &released };
}

static int give(int status, const char *text)
{
    return rtn_response_give(request, status, &(struct rtn_piece){ .data = text, .length = strlen(text) });
}

Test(response, head_is_exact)
{
    cr_expect_eq(rtn_response_field(request, RTN_STR("Content-Type"), RTN_STR("a/b")), 0);
    cr_expect_eq(rtn_response_field(request, RTN_STR("X"), RTN_STR("")), 0);
    cr_expect_eq(give(200, "hello"), 0);
    cr_expect_str_eq(sunk(), "HTTP/1.1 200 OK\r\n" DATE "Content-Type: a/b\r\nX: \r\nContent-Length: 5\r\n\r\nhello");
    cr_expect(request->response.state == RTN_RESPONSE_ENDED);
    cr_expect_eq(request->response.status, 200);
    cr_expect_eq(request->response.length, 5);
}

Test(response, says_what_becomes_of_the_connection)
{
    static const struct {
        uint8_t version;
        bool keep_alive;
        bool draining;
        const char *text;
    } table[] = {
        { 11, true, false, "" },
        { 11, false, false, "Connection: close\r\n" },
        { 10, true, false, "Connection: keep-alive\r\n" },
        { 10, false, false, "Connection: close\r\n" },
        { 11, true, true, "Connection: close\r\n" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        char expected[200];
        rtn_request_clear(request);
        sink.length = 0;
        request->version = table[i].version;
        request->keep_alive = table[i].keep_alive;
        request->stage = RTN_REQUEST_COMPLETE;
        atomic_store(&http.draining, table[i].draining);
        cr_expect_eq(give(404, ""), 0);
        (void) snprintf(expected, sizeof(expected), "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 0\r\n%s\r\n",
                        table[i].text);
        cr_expect_str_eq(sunk(), expected, "%s", sunk());
        cr_expect_eq(request->keep_alive, table[i].keep_alive && !table[i].draining);
    }
}

Test(response, some_replies_have_no_content)
{
    static const struct {
        unsigned method;
        int status;
        const char *text;
    } table[] = {
        { RTN_METHOD_HEAD, 200, "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 7\r\n\r\n" },
        { RTN_METHOD_HEAD, 404, "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 7\r\n\r\n" },
        { RTN_METHOD_GET, 204, "HTTP/1.1 204 No Content\r\n" DATE "\r\n" },
        { RTN_METHOD_GET, 304, "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n" },
        { RTN_METHOD_POST, 299, "HTTP/1.1 299 Status\r\n" DATE "Content-Length: 7\r\n\r\ncontent" },
        { 0, 501, "HTTP/1.1 501 Not Implemented\r\n" DATE "Content-Length: 7\r\n\r\ncontent" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        rtn_request_clear(request);
        sink.length = 0;
        request->version = 11;
        request->keep_alive = true;
        request->stage = RTN_REQUEST_COMPLETE;
        request->method = table[i].method;
        const struct rtn_piece content = counted("content", 7);
        cr_expect_eq(rtn_response_give(request, table[i].status, &content), 0);
        cr_expect_str_eq(sunk(), table[i].text, "%s", sunk());
        cr_expect_eq(released, i + 1);
    }
}

Test(response, refuses_fields_that_break_the_message)
{
    static const struct {
        struct rtn_str name;
        struct rtn_str value;
        int result;
    } table[] = {
        { RTN_STR("X-Good"), RTN_STR("tab\tand \xc3\xa4 bytes"), 0 },
        { RTN_STR("!#$%&'*+-.^_`|~09azAZ"), RTN_STR("v"), 0 },
        { RTN_STR("Connections"), RTN_STR("v"), 0 },
        { RTN_STR(""), RTN_STR("v"), -EINVAL },
        { RTN_STR("a b"), RTN_STR("v"), -EINVAL },
        { RTN_STR("a:"), RTN_STR("v"), -EINVAL },
        { RTN_STR("a\r\nb"), RTN_STR("v"), -EINVAL },
        { RTN_STR("a\0b"), RTN_STR("v"), -EINVAL },
        { RTN_STR("\xc3\xa4"), RTN_STR("v"), -EINVAL },
        { RTN_STR("a"), RTN_STR("v\r\nSet-Cookie: x"), -EINVAL },
        { RTN_STR("a"), RTN_STR("v\r"), -EINVAL },
        { RTN_STR("a"), RTN_STR("v\n"), -EINVAL },
        { RTN_STR("a"), RTN_STR("v\0w"), -EINVAL },
        { RTN_STR("a"), RTN_STR("\x7f"), -EINVAL },
        { RTN_STR("a"), RTN_STR("\x1b[31m"), -EINVAL },
        { RTN_STR("Content-Length"), RTN_STR("5"), -EINVAL },
        { RTN_STR("content-length"), RTN_STR("5"), -EINVAL },
        { RTN_STR("TRANSFER-ENCODING"), RTN_STR("chunked"), -EINVAL },
        { RTN_STR("Connection"), RTN_STR("close"), -EINVAL },
        { RTN_STR("Keep-Alive"), RTN_STR("5"), -EINVAL },
        { RTN_STR("Date"), RTN_STR("today"), -EINVAL },
        { RTN_STR("Upgrade"), RTN_STR("h2c"), -EINVAL },
        { RTN_STR("Trailer"), RTN_STR("x"), -EINVAL },
        { RTN_STR("sec-websocket-accept"), RTN_STR("x"), -EINVAL },
        { RTN_STR("Sec-WebSocket-Protocol"), RTN_STR("x"), -EINVAL },
        { RTN_STR("Sec-WebSocket-Extensions"), RTN_STR("x"), -EINVAL },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        size_t before = request->response.fields_length;
        cr_expect_eq(rtn_response_field(request, table[i].name, table[i].value), table[i].result, "row %zu", i);
        cr_expect_eq(request->response.fields_length != before, table[i].result == 0);
    }
}

Test(response, values_are_copied)
{
    char value[] = "before";
    cr_expect_eq(rtn_response_field(request, RTN_STR("A"), rtn_str_of(value)), 0);
    memcpy(value, "after!", 6);
    cr_expect_eq(give(200, ""), 0);
    cr_expect_not_null(strstr(sunk(), "\r\nA: before\r\n"));
}

Test(response, is_given_once)
{
    const struct rtn_piece content = counted("x", 1);
    cr_expect_eq(give(200, "first"), 0);
    size_t length = sink.length;
    cr_expect_eq(rtn_response_give(request, 200, &content), -EALREADY);
    cr_expect_eq(released, 1);
    cr_expect_eq(rtn_response_field(request, RTN_STR("A"), RTN_STR("b")), -EALREADY);
    cr_expect_eq(rtn_response_text(request, 200, RTN_STR("x")), -EALREADY);
    cr_expect_eq(rtn_response_error(request, 500, NULL), -EALREADY);
    cr_expect_eq(sink.length, length);
}

Test(response, refuses_other_statuses)
{
    static const int statuses[] = { 0, 100, 101, 199, 600, 1000, -200 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(statuses); i++) {
        const struct rtn_piece content = counted("x", 1);
        cr_expect_eq(rtn_response_give(request, statuses[i], &content), -EINVAL, "%d", statuses[i]);
        cr_expect_eq(released, i + 1);
    }
    cr_expect(request->response.state == RTN_RESPONSE_NONE);
    cr_expect_eq(sink.length, 0);
}

Test(response, text_has_a_type_unless_one_was_set)
{
    cr_expect_eq(rtn_response_text(request, 200, RTN_STR("a")), 0);
    cr_expect_not_null(strstr(sunk(), "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    rtn_request_clear(request);
    sink.length = 0;
    cr_expect_eq(rtn_response_field(request, RTN_STR("content-TYPE"), RTN_STR("x/y")), 0);
    cr_expect_eq(rtn_response_text(request, 200, RTN_STR("a")), 0);
    cr_expect_not_null(strstr(sunk(), "\r\ncontent-TYPE: x/y\r\n"));
    cr_expect_null(strstr(sunk(), "text/plain"));
}

Test(response, error_after_reset_shows_nothing_of_before)
{
    cr_expect_eq(rtn_response_field(request, RTN_STR("Content-Type"), RTN_STR("x/y")), 0);
    rtn_response_reset(request);
    cr_expect_eq(rtn_response_error(request, 503, "wait"), 0);
    cr_expect_str_eq(sunk(), "HTTP/1.1 503 Service Unavailable\r\n" DATE
                             "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 30\r\n\r\n"
                             "503 Service Unavailable: wait\n");
}

Test(response, continue_fits_or_is_left_out)
{
    rtn_response_continue(request);
    cr_expect_str_eq(sunk(), "HTTP/1.1 100 Continue\r\n\r\n");
    sink.length = sizeof(sink.data) - 24;
    rtn_response_continue(request);
    cr_expect_eq(sink.length, sizeof(sink.data) - 24);
}

Test(response, replies_gather_in_the_sink)
{
    cr_expect_eq(give(200, "one"), 0);
    size_t first = sink.length;
    rtn_request_next(request);
    request->version = 11;
    request->keep_alive = true;
    request->stage = RTN_REQUEST_COMPLETE;
    request->method = RTN_METHOD_GET;
    cr_expect_eq(give(201, "two"), 0);
    cr_expect(strncmp(sunk() + first - 3, "oneHTTP/1.1 201 Created\r\n", 25) == 0);
}

/* All that comes out of the socket, sending on while there is something to send. */
static void receive(struct rtn_buf *out)
{
    static char bytes[65536];
    for (;;) {
        ssize_t n = recv(peer, bytes, sizeof(bytes), 0);
        if (n > 0)
            rtn_buf_append(out, bytes, (size_t) n);
        else if (!rtn_stream_pending(&connection.stream))
            return;
        int r = rtn_stream_flush(&connection.stream);
        cr_assert(r == 0 || r == -EAGAIN, "%d", r);
    }
}

Test(response, large_content_leaves_behind_what_the_sink_holds)
{
    enum { LENGTH = 3000000 };
    char *content = malloc(LENGTH);
    for (size_t i = 0; i < LENGTH; i++)
        content[i] = (char) (i * 31 + i / 1000);
    memcpy(sink.data, "earlier", 7);
    sink.length = 7;
    struct rtn_piece piece = counted(content, LENGTH);
    cr_expect_eq(rtn_response_give(request, 200, &piece), 0);
    cr_expect_eq(sink.length, 0);
    cr_expect_eq(released, 0);
    memset(sink.data, 'x', 1000); /* the next reply of this thread */
    rtn_request_clear(request); /* and the request is gone */
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    receive(&all);
    cr_expect_eq(released, 1);
    cr_expect(strncmp(all.data, "earlierHTTP/1.1 200 OK\r\n", 24) == 0);
    const char *body = strstr(all.data, "Content-Length: 3000000\r\n\r\n");
    cr_assert_not_null(body);
    body += strlen("Content-Length: 3000000\r\n\r\n");
    cr_assert_eq(all.length - (size_t) (body - all.data), LENGTH);
    cr_expect(memcmp(body, content, LENGTH) == 0);
    free(content);
}

Test(response, content_of_every_size_around_the_sink)
{
    static char content[RTN_SINK_SIZE + 10];
    memset(content, 'c', sizeof(content));
    for (size_t length = RTN_SINK_SIZE - 600; length < RTN_SINK_SIZE + 10; length += 7) {
        char expected[200];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
        rtn_request_clear(request);
        request->version = 11;
        request->keep_alive = true;
        request->stage = RTN_REQUEST_COMPLETE;
        request->method = RTN_METHOD_GET;
        cr_expect_eq(rtn_response_give(request, 200, &(struct rtn_piece){ .data = content, .length = length }), 0);
        cr_assert_leq(sink.length, sizeof(sink.data));
        rtn_buf_append(&all, sink.data, sink.length);
        sink.length = 0;
        receive(&all);
        (void) snprintf(expected, sizeof(expected), "Content-Length: %zu\r\n\r\n", length);
        const char *body = strstr(all.data, expected);
        cr_assert_not_null(body);
        cr_assert_eq(strlen(body) - strlen(expected), length);
    }
}

Test(response, fields_larger_than_the_sink)
{
    static char value[1000];
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf expected = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    for (int i = 0; i < 100; i++) {
        memset(value, 'a' + i % 26, sizeof(value));
        cr_assert_eq(rtn_response_field(request, RTN_STR("Many"), (struct rtn_str){ value, sizeof(value) }), 0);
        rtn_buf_printf(&expected, "Many: %.1000s\r\n", value);
    }
    rtn_buf_append_text(&expected, "Content-Length: 3\r\n\r\nend");
    cr_expect_eq(give(200, "end"), 0);
    rtn_request_clear(request);
    receive(&all);
    rtn_buf_append(&all, sink.data, sink.length);
    const char *fields = strstr(all.data, "Many: ");
    cr_assert_not_null(fields);
    cr_expect(strcmp(fields, expected.data) == 0);
}

/* In steps */

static int write_text(const char *text)
{
    return rtn_response_write(request, &(struct rtn_piece){ .data = text, .length = strlen(text) });
}

/* What the client gets: what was sent, and what the sink still holds, with a fixed date. */
static const char *all_of_it(struct rtn_buf *out)
{
    cr_expect(rtn_response_flush(request) >= 0 || connection.broken != 0);
    receive(out);
    for (char *date = out->data; (date = strstr(date, "\r\nDate: ")) != NULL; date += 2)
        memcpy(date + 2, DATE, strlen(DATE));
    return out->data;
}

Test(response, in_steps_with_a_length)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    cr_expect_eq(rtn_response_begin(request, 201, 10), 0);
    cr_expect_eq(write_text("hello "), 0);
    cr_expect_eq(write_text(""), 0);
    cr_expect_eq(write_text("worldly"), -EMSGSIZE);
    cr_expect_eq(write_text("moon"), 0);
    cr_expect_eq(rtn_response_end(request), 0);
    cr_expect_str_eq(all_of_it(&all), "HTTP/1.1 201 Created\r\n" DATE "Content-Length: 10\r\n\r\nhello moon");
    cr_expect_eq(request->response.length, 10);
    cr_expect(request->keep_alive);
}

Test(response, in_steps_in_chunks)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    cr_expect_eq(rtn_response_begin(request, 200, -1), 0);
    cr_expect_eq(write_text("gathered "), 0);
    cr_expect_eq(write_text("pieces"), 0);
    cr_expect_eq(rtn_response_flush(request), 0);
    cr_expect_eq(rtn_response_flush(request), 0);
    cr_expect_eq(write_text("more"), 0);
    cr_expect_eq(rtn_response_end(request), 0);
    cr_expect_str_eq(all_of_it(&all), "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n"
                                      "000f\r\ngathered pieces\r\n0004\r\nmore\r\n0\r\n\r\n");
    cr_expect(request->keep_alive);
}

Test(response, in_steps_without_content)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    cr_expect_eq(rtn_response_begin(request, 200, -1), 0);
    cr_expect_eq(rtn_response_end(request), 0);
    cr_expect_str_eq(all_of_it(&all), "HTTP/1.1 200 OK\r\n" DATE "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

Test(response, in_steps_for_1_0_ends_with_the_connection)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    request->version = 10;
    cr_expect_eq(rtn_response_begin(request, 200, -1), 0);
    cr_expect_eq(write_text("plain"), 0);
    cr_expect_eq(rtn_response_end(request), 0);
    cr_expect_str_eq(all_of_it(&all), "HTTP/1.1 200 OK\r\n" DATE "Connection: close\r\n\r\nplain");
    cr_expect_not(request->keep_alive);
}

Test(response, in_steps_for_head_counts_but_sends_nothing)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    request->method = RTN_METHOD_HEAD;
    cr_expect_eq(rtn_response_begin(request, 200, 7), 0);
    cr_expect_eq(write_text("1234567"), 0);
    cr_expect_eq(write_text("8"), -EMSGSIZE);
    cr_expect_eq(rtn_response_end(request), 0);
    cr_expect_str_eq(all_of_it(&all), "HTTP/1.1 200 OK\r\n" DATE "Content-Length: 7\r\n\r\n");
    cr_expect_eq(request->response.length, 0);
    cr_expect(request->keep_alive);
}

Test(response, in_steps_before_the_body_was_read_closes)
{
    request->stage = RTN_REQUEST_BODY;
    cr_expect_eq(rtn_response_begin(request, 200, 0), 0);
    cr_expect_not(request->keep_alive);
    cr_expect_not_null(strstr(sunk(), "Connection: close\r\n"));
}

Test(response, steps_out_of_order_are_refused)
{
    const struct rtn_piece piece = counted("x", 1);
    cr_expect_eq(rtn_response_write(request, &piece), -EINVAL);
    cr_expect_eq(released, 1);
    cr_expect_eq(rtn_response_end(request), -EINVAL);
    cr_expect_eq(rtn_response_begin(request, 199, 0), -EINVAL);
    cr_expect_eq(rtn_response_begin(request, 200, -2), -EINVAL);
    cr_expect(request->response.state == RTN_RESPONSE_NONE);
    cr_expect_eq(rtn_response_begin(request, 200, 2), 0);
    cr_expect_eq(rtn_response_begin(request, 200, 2), -EALREADY);
    cr_expect_eq(give(200, "no"), -EALREADY);
    cr_expect_eq(rtn_response_field(request, RTN_STR("A"), RTN_STR("b")), -EALREADY);
    cr_expect_eq(rtn_response_write(request, &(struct rtn_piece){ .length = 1 }), -EINVAL);
    cr_expect(request->response.state == RTN_RESPONSE_BEGUN);
    cr_expect_eq(write_text("ok"), 0);
    cr_expect_eq(rtn_response_end(request), 0);
    cr_expect_eq(rtn_response_write(request, &piece), -EINVAL);
    cr_expect_eq(released, 2);
    cr_expect_eq(rtn_response_end(request), -EINVAL);
}

Test(response, too_little_cuts_the_connection)
{
    cr_expect_eq(rtn_response_begin(request, 200, 5), 0);
    cr_expect_eq(write_text("four"), 0);
    cr_expect_eq(rtn_response_end(request), -EMSGSIZE);
    cr_expect(request->response.state == RTN_RESPONSE_ENDED);
    cr_expect_eq(connection.broken, -ECANCELED);
    cr_expect_not(request->keep_alive);
}

Test(response, abort_never_ends_the_chunks)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    cr_expect_eq(rtn_response_begin(request, 200, -1), 0);
    cr_expect_eq(write_text("part"), 0);
    rtn_response_abort(request);
    cr_expect_eq(connection.broken, -ECANCELED);
    cr_expect(request->response.state == RTN_RESPONSE_ENDED);
    cr_expect_null(strstr(all_of_it(&all), "0\r\n\r\n"));
}

Test(response, large_pieces_are_chunks_of_their_own)
{
    enum { LENGTH = 300000 };
    static char content[LENGTH + 1];
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    memset(content, 'c', LENGTH);
    struct rtn_piece piece = counted(content, LENGTH);
    cr_expect_eq(rtn_response_begin(request, 200, -1), 0);
    cr_expect_eq(write_text("small"), 0);
    cr_expect_eq(rtn_response_write(request, &piece), 0);
    cr_expect_eq(write_text("last"), 0);
    cr_expect_eq(rtn_response_end(request), 0);
    const char *body = strstr(all_of_it(&all), "\r\n\r\n") + 4;
    cr_expect_eq(released, 1);
    cr_expect(strncmp(body, "0005\r\nsmall\r\n493e0\r\nccc", 22) == 0, "%.30s", body);
    cr_expect_str_eq(body + strlen("0005\r\nsmall\r\n493e0\r\n") + LENGTH, "\r\n0004\r\nlast\r\n0\r\n\r\n");
}

/* Every place in the sink at which a chunk may be opened or full. */
Test(response, chunks_at_every_place_of_the_sink)
{
    static char filler[RTN_SINK_SIZE];
    memset(filler, 'f', sizeof(filler));
    for (size_t used = RTN_SINK_SIZE - 600; used < RTN_SINK_SIZE; used++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
        sink.length = 0;
        rtn_request_clear(request);
        request->version = 11;
        request->keep_alive = true;
        request->method = RTN_METHOD_GET;
        request->stage = RTN_REQUEST_COMPLETE;
        memset(sink.data, 'e', used);
        sink.length = used;
        cr_assert_eq(rtn_response_begin(request, 200, -1), 0);
        for (int i = 0; i < 3; i++)
            cr_assert_eq(rtn_response_write(request, &(struct rtn_piece){ .data = filler, .length = 100 }), 0);
        cr_assert_eq(rtn_response_end(request), 0);
        cr_assert_leq(sink.length, sizeof(sink.data));
        const char *body = strstr(all_of_it(&all), "\r\n\r\n") + 4;
        size_t content = 0;
        for (const char *at = body; *at != '\0'; at++)
            content += *at == 'f';
        cr_expect_geq(content, 300); /* sizes may hold the digit */
        cr_expect_str_eq(body + strlen(body) - 7, "\r\n0\r\n\r\n");
    }
}

Test(response, is_full_when_much_waits)
{
    static char content[40000];
    cr_expect_eq(rtn_response_begin(request, 200, -1), 0);
    int count = 0;
    while (!rtn_response_full(request) && count++ < 1000)
        cr_assert_eq(rtn_response_write(request, &(struct rtn_piece){ .data = content, .length = sizeof(content) }), 0);
    cr_expect_lt(count, 1000);
    cr_expect_geq(connection.stream.queued, 65536);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    receive(&all);
    cr_expect_not(rtn_response_full(request));
}

Test(response, broken_connection_is_noted)
{
    static char content[100000];
    (void) signal(SIGPIPE, SIG_DFL);
    (void) shutdown(peer, SHUT_RDWR);
    const struct rtn_piece piece = counted(content, sizeof(content));
    cr_expect_eq(rtn_response_give(request, 200, &piece), -EPIPE);
    cr_expect_eq(connection.broken, -EPIPE);
    cr_expect(request->response.state == RTN_RESPONSE_ENDED);
    cr_expect_eq(released, 1);
}

static bool has_date(const char *date)
{
    return memcmp(sink.data + strlen("HTTP/1.1 200 OK\r\n"), date, strlen(date)) == 0;
}

static void give_again(void)
{
    rtn_request_clear(request);
    sink.length = 0;
    cr_expect_eq(give(200, ""), 0);
}

/* What the next replies are to have, until then. */
static void mark_date(int64_t until_ms)
{
    memcpy(sink.date, DATE, sizeof(DATE));
    sink.date_until_ms = until_ms;
    sink.opening_status = 0;
}

/* The date is written once per second: a marked one is used until the second is over. */
Test(response, date_is_cached_for_a_second)
{
    char expected[RTN_HTTP_DATE_SIZE];
    char first[64];
    struct timespec before, after;
    do {
        sink.date_until_ms = 0;
        clock_gettime(CLOCK_REALTIME_COARSE, &before);
        give_again();
        clock_gettime(CLOCK_REALTIME_COARSE, &after);
    } while (before.tv_sec != after.tv_sec);
    rtn_clock_http_date(expected, before.tv_sec);
    (void) snprintf(first, sizeof(first), "Date: %s\r\n", expected);
    cr_expect(has_date(first));
    int64_t left_ms = sink.date_until_ms - rtn_activity_now_ms();
    cr_expect(left_ms <= 1000 - before.tv_nsec / 1000000, "%lld", (long long) left_ms);
    cr_expect(left_ms > 0 || after.tv_nsec / 1000000 > 900, "%lld", (long long) left_ms);

    mark_date(INT64_MAX);
    give_again();
    cr_expect(has_date(DATE));
    sink.date_until_ms = rtn_activity_now_ms();
    give_again();
    cr_expect_not(has_date(DATE));
}

/* A reply begins with its own status, whatever the one before had; the date stays, also when it is another second's. */
Test(response, replies_begin_with_their_own_status)
{
    static const struct {
        int status;
        const char *line;
    } replies[] = {
        { 200, "HTTP/1.1 200 OK\r\n" },
        { 407, "HTTP/1.1 407 Proxy Authentication Required\r\n" },
        { 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n" },
        { 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n" },
        { 599, "HTTP/1.1 599 Status\r\n" },
        { 200, "HTTP/1.1 200 OK\r\n" },
    };
    mark_date(INT64_MAX);
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        char expected[128];
        rtn_request_clear(request);
        sink.length = 0;
        cr_expect_eq(give(replies[i].status, "x"), 0);
        (void) snprintf(expected, sizeof(expected), "%s" DATE, replies[i].line);
        cr_expect_eq(memcmp(sink.data, expected, strlen(expected)), 0, "%s", replies[i].line);
    }
    sink.date_until_ms = rtn_activity_now_ms();
    give_again();
    cr_expect_not(has_date(DATE));
    cr_expect(has_date("Date: "));
}

/* On a loop it is the time of the iteration that counts. */
Test(response, date_follows_the_time_of_the_loop)
{
    struct rtn_loop loop = { .now_ms = 5000 };
    http.loop = &loop;
    http.sink = &sink;
    mark_date(5001);
    give_again();
    cr_expect(has_date(DATE));
    loop.now_ms = 5001;
    give_again();
    cr_expect_not(has_date(DATE));
    cr_expect(sink.date_until_ms > 5001 && sink.date_until_ms <= 6001);
    http.loop = NULL;
    http.sink = NULL;
}

/* The head and the content of a reply fit into the sink exactly, or leave in parts: nothing is lost either way. */
Test(response, whole_replies_fill_the_sink_to_its_end)
{
    static char content[RTN_SINK_SIZE];
    memset(content, 'c', sizeof(content));
    for (size_t length = RTN_SINK_SIZE - 600; length < RTN_SINK_SIZE - 400; length++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
        rtn_request_clear(request);
        sink.length = 0;
        request->version = 11;
        request->keep_alive = true;
        request->stage = RTN_REQUEST_COMPLETE;
        request->method = RTN_METHOD_GET;
        const struct rtn_piece piece = counted(content, length);
        cr_assert_eq(rtn_response_give(request, 200, &piece), 0);
        const char *body = strstr(all_of_it(&all), "\r\n\r\n") + 4;
        cr_assert_eq(strlen(body), length);
        cr_assert_eq(request->response.length, length);
        cr_assert_eq(request->response.given, length);
    }
    cr_expect_eq(released, 200);
}

/* The type of plain text is that of one reply only. */
Test(response, text_that_is_refused_leaves_no_type)
{
    cr_expect_eq(rtn_response_text(request, 99, RTN_STR("text")), -EINVAL);
    cr_expect_eq(rtn_response_field(request, RTN_STR("Content-Type"), RTN_STR("a/b")), 0);
    cr_expect_eq(rtn_response_text(request, 200, RTN_STR("text")), 0);
    cr_expect_str_eq(sunk(), "HTTP/1.1 200 OK\r\n" DATE "Content-Type: a/b\r\nContent-Length: 4\r\n\r\ntext");
}
