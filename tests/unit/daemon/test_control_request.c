#include <criterion/criterion.h>

#include "daemon/control_request.h"

static struct rtn_control_request request;

static void begin(void)
{
    rtn_control_request_init(&request);
}

static void end(void)
{
    rtn_control_request_done(&request);
}

TestSuite(control_request, .init = begin, .fini = end);

static size_t feed(const char *text)
{
    return rtn_control_request_feed(&request, text, strlen(text));
}

static void expect_broken(const char *text, int status, const char *problem)
{
    (void) feed(text);
    cr_assert_eq(request.stage, RTN_CONTROL_BROKEN, "%s", text);
    cr_expect_eq(request.status, status, "%s: %d", text, request.status);
    cr_expect_str_eq(request.problem, problem);
    end();
    begin();
}

Test(control_request, get)
{
    const char *text = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
    cr_expect_eq(feed(text), strlen(text));
    cr_assert_eq(request.stage, RTN_CONTROL_COMPLETE);
    cr_expect_not(request.post);
    cr_expect(request.keep_alive);
    cr_expect_str_eq(request.path, "/status");
    cr_expect_eq(request.parameter_count, 0);
}

Test(control_request, byte_by_byte)
{
    const char *text = "POST /log-level?server=get&level=debug HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Content-Length: 3\r\n\r\nabc";
    for (size_t i = 0; text[i] != '\0'; i++) {
        cr_expect_eq(request.stage, RTN_CONTROL_READING);
        cr_expect_eq(rtn_control_request_feed(&request, text + i, 1), 1);
        cr_expect(request.begun);
    }
    cr_assert_eq(request.stage, RTN_CONTROL_COMPLETE);
    cr_expect(request.post);
    cr_expect_not(request.keep_alive);
    cr_expect_str_eq(rtn_control_request_parameter(&request, "server"), "get");
    cr_expect_str_eq(rtn_control_request_parameter(&request, "level"), "debug");
    cr_expect_null(rtn_control_request_parameter(&request, "for"));
}

Test(control_request, stops_behind_a_request)
{
    const char *text = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n";
    size_t used = feed(text);
    cr_expect_str_eq(text + used, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect_str_eq(request.path, "/a");
    cr_expect_eq(feed("more"), 0);
}

Test(control_request, stops_behind_a_body)
{
    const char *text = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /b";
    size_t used = feed(text);
    cr_assert_eq(request.stage, RTN_CONTROL_COMPLETE);
    cr_expect_str_eq(text + used, "GET /b");
}

Test(control_request, escapes)
{
    (void) feed("GET /a%2Fb?na%6de=%20x%26y=z&flag HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert_eq(request.stage, RTN_CONTROL_COMPLETE);
    cr_expect_str_eq(request.path, "/a/b");
    cr_expect_str_eq(rtn_control_request_parameter(&request, "name"), " x&y=z");
    cr_expect_str_eq(rtn_control_request_parameter(&request, "flag"), "");
}

Test(control_request, strangers)
{
    static const char *const names[] = { "a", "b", NULL };
    (void) feed("GET /?b=1&c=2&a=3 HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_assert_eq(request.stage, RTN_CONTROL_COMPLETE);
    cr_expect_str_eq(rtn_control_request_stranger(&request, names), "c");
    request.parameter_count = 1;
    cr_expect_null(rtn_control_request_stranger(&request, names));
}

Test(control_request, broken)
{
    expect_broken("hello\r\n\r\n", 400, "this is no HTTP/1.1 request");
    expect_broken("PUT /a HTTP/1.1\r\nHost: x\r\n\r\n", 405, "the methods here are GET and POST");
    expect_broken("GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n", 400, "the request target does not begin with a slash");
    expect_broken("GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "an escape in the path is broken");
    expect_broken("GET /?a=%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "an escape in the query is broken");
    expect_broken("GET /?a=1&a=2 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "a parameter is there twice");
    expect_broken("GET /?a&b&c&d&e&f&g&h&i HTTP/1.1\r\nHost: x\r\n\r\n", 400, "there are too many parameters");
    expect_broken("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 413, "the body is too large");
}

Test(control_request, target_is_bounded)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_printf(&text, "GET /%0*d HTTP/1.1\r\n", RTN_CONTROL_TARGET_MAX, 0);
    expect_broken(text.data, 414, "the request target is too long");
}

Test(control_request, head_is_bounded)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_append_text(&text, "GET /a HTTP/1.1\r\n");
    for (int i = 0; i < RTN_CONTROL_HEAD_MAX / 4; i++)
        rtn_buf_append_text(&text, "a:\r\n");
    expect_broken(text.data, 431, "the header section is too large");
}

Test(control_request, chunks_are_bounded)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_append_text(&text, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i <= RTN_CONTROL_BODY_MAX / 16; i++)
        rtn_buf_append_text(&text, "10\r\n0123456789abcdef\r\n");
    expect_broken(text.data, 413, "the body is too large");
}
