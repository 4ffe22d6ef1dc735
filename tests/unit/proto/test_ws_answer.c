/* The client's side of the opening handshake: the request, and what is taken of the server's answer to it. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/ws_handshake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define UPGRADES "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define STATUS "HTTP/1.1 101 Switching Protocols\r\n"
#define GOOD STATUS UPGRADES ACCEPT

static const char *const protocols[] = { "chat", "superchat", NULL };
static struct rtn_ws_url url = { .authority = { "h:81", 4 }, .target = { "/x?y", 4 } };

static struct rtn_ws_request plain(void)
{
    return (struct rtn_ws_request){ .url = &url, .key = KEY };
}

static struct rtn_ws_request offering(void)
{
    struct rtn_ws_request request = plain();
    request.protocols = protocols;
    request.extensions = RTN_STR("permessage-deflate");
    return request;
}

static void expect_written(const struct rtn_ws_request *request, const char *expected)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_ws_request_write(request, &text);
    cr_expect_str_eq(text.data, expected);
}

#define FIXED "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"

Test(ws_answer, the_request)
{
    static const char *const headers[] = { "Origin: http://a", "X:", NULL };
    static const char *const none[] = { NULL };
    struct rtn_ws_request request = plain();
    expect_written(&request, "GET /x?y HTTP/1.1\r\nHost: h:81\r\n" FIXED "\r\n");
    request.headers = none;
    request.protocols = none;
    expect_written(&request, "GET /x?y HTTP/1.1\r\nHost: h:81\r\n" FIXED "\r\n");
    request = offering();
    request.headers = headers;
    expect_written(&request, "GET /x?y HTTP/1.1\r\nHost: h:81\r\n" FIXED "Sec-WebSocket-Protocol: chat, superchat\r\n"
                             "Sec-WebSocket-Extensions: permessage-deflate\r\nOrigin: http://a\r\nX:\r\n\r\n");
}

Test(ws_answer, the_slash_of_a_path_that_was_left_out)
{
    struct rtn_ws_url short_url;
    struct rtn_ws_request request = plain();
    request.url = &short_url;
    cr_assert_eq(rtn_ws_url_read(RTN_STR("ws://h?x"), &short_url), RTN_WS_URL_GOOD);
    expect_written(&request, "GET /?x HTTP/1.1\r\nHost: h\r\n" FIXED "\r\n");
    cr_assert_eq(rtn_ws_url_read(RTN_STR("ws://h"), &short_url), RTN_WS_URL_GOOD);
    expect_written(&request, "GET / HTTP/1.1\r\nHost: h\r\n" FIXED "\r\n");
}

static int read_answer(const struct rtn_ws_request *request, struct rtn_str bytes, struct rtn_ws_answer *answer,
                       const char **text)
{
    char *copy = malloc(bytes.length + 1); /* of the exact length, for the sanitizers */
    cr_assert_not_null(copy);
    copy = realloc(copy, bytes.length > 0 ? bytes.length : 1);
    cr_assert_not_null(copy);
    memcpy(copy, bytes.data, bytes.length);
    int r = rtn_ws_answer_read(request, (struct rtn_str){ copy, bytes.length }, answer, text);
    answer->protocol.data = answer->protocol.data != NULL ? bytes.data + (answer->protocol.data - copy) : NULL;
    answer->extensions.data = answer->extensions.data != NULL ? bytes.data + (answer->extensions.data - copy) : NULL;
    free(copy);
    return r;
}

static const struct {
    const char *text;
    const char *protocol;
    const char *extensions;
} good[] = {
    { GOOD "\r\n", NULL, NULL },
    { "HTTP/1.1 101\r\n" UPGRADES ACCEPT "\r\n", NULL, NULL },
    { "HTTP/1.1 101 \r\n" UPGRADES ACCEPT "\r\n", NULL, NULL },
    { STATUS "UPGRADE:WebSocket\r\nconnection: keep-alive ,\tUPGRADE \r\n" ACCEPT
             "Server: x y\xc3\xa9\r\nEmpty:\r\n\r\n",
      NULL, NULL },
    { STATUS "Upgrade: websocket\r\nConnection: x\r\nConnection: upgrade\r\n" ACCEPT "\r\n", NULL, NULL },
    { GOOD "Sec-WebSocket-Protocol: superchat\r\n\r\n", "superchat", NULL },
    { GOOD "Sec-WebSocket-Extensions:  permessage-deflate; a=1 \r\n\r\n", NULL, "permessage-deflate; a=1" },
    { GOOD "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions:\r\n\r\n", "chat", "" },
};

static void expect_view(const char *text, struct rtn_str view, const char *expected)
{
    cr_expect_eq(view.data == NULL, expected == NULL, "%s", text);
    cr_expect(rtn_str_equal(view, rtn_str_of(expected)), "%s: %.*s", text, RTN_STR_ARG(view));
}

Test(ws_answer, good_ones)
{
    struct rtn_ws_request request = offering();
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++) {
        struct rtn_ws_answer answer;
        const char *wrong = "";
        int r = read_answer(&request, rtn_str_of(good[i].text), &answer, &wrong);
        cr_assert_eq(r, 1, "%s: %s", good[i].text, wrong);
        cr_expect_eq(answer.status, 101);
        cr_expect_eq(answer.length, strlen(good[i].text));
        expect_view(good[i].text, answer.protocol, good[i].protocol);
        expect_view(good[i].text, answer.extensions, good[i].extensions);
    }
}

Test(ws_answer, frames_may_follow_at_once)
{
    struct rtn_ws_request request = plain();
    struct rtn_ws_answer answer;
    const char *wrong = "";
    struct rtn_str bytes = RTN_STR(GOOD "\r\n\x81\x02hi\r\n\r\n");
    cr_expect_eq(read_answer(&request, bytes, &answer, &wrong), 1);
    cr_expect_eq(answer.length, sizeof(GOOD "\r\n") - 1);
}

#define LINE "a line of the server's answer does not end in CR LF"
#define FIELD "the server's answer has a broken header field"
#define OTHER "the server does not speak HTTP/1.1"
#define TWICE "the server's answer has a field of the handshake twice"
#define WITHOUT "the server's answer does not upgrade to WebSocket"
#define KEYED "the server's answer has another Sec-WebSocket-Accept than our key asks for"

static const struct {
    const char *text;
    int status;
    const char *wrong;
} bad[] = {
    { "SSH-2.0-x\r\n", 0, OTHER },
    { "\r\n" GOOD "\r\n", 0, OTHER },
    { "HTTP/2.0 101 x\r\n\r\n", 0, OTHER },
    { "http/1.1 101 x\r\n\r\n", 0, OTHER },
    { "HTTP/1.1  101 x\r\n\r\n", 0, OTHER },
    { "HTTP/1.1 1010\r\n\r\n", 0, OTHER },
    { "HTTP/1.1 10\r\n\r\n", 0, OTHER },
    { "HTTP/1.1\t101 x\r\n\r\n", 0, OTHER },
    { "HTTP/1.0 101 x\r\n" UPGRADES ACCEPT "\r\n", 101, "the server answered 101 with HTTP/1.0" },
    { "HTTP/1.1 403 Forbidden\r\n", 403, "the server answered 403 Forbidden" },
    { "HTTP/1.0 404\r\n\r\n", 404, "the server answered 404" },
    { "HTTP/1.1 200 OK\r\n" UPGRADES ACCEPT "\r\n", 200, "the server answered 200 OK" },
    { "HTTP/1.1 100 Continue\r\n\r\n" GOOD "\r\n", 100, "the server answered 100 Continue" },
    { "HTTP/1.1 500 a\tb\xc3\xa9\r\n\r\n", 500, "the server answered 500 a?b??" },
    { "HTTP/1.1 302 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\r\n",
      302, "the server answered 302 01234567890123456789012345678901234567890123456789012345678901234567890" },
    { "HTTP/1.1 101 x\n", 0, LINE },
    { "HTTP/1.1 101 x\r\r\n", 0, LINE },
    { "HTTP/1.1 101 x\x01\r\n", 0, LINE },
    { STATUS "Upgrade: websocket\n", 101, LINE },
    { STATUS "A: b\rc\r\n", 101, LINE },
    { STATUS UPGRADES ACCEPT "\n", 101, LINE },
    { STATUS UPGRADES ACCEPT "\r\r\n", 101, LINE },
    { STATUS "A: b\x7f\r\n", 101, LINE },
    { STATUS "A: b\r\n c\r\n", 101, FIELD },
    { STATUS "A: b\r\n\tc: d\r\n", 101, FIELD },
    { STATUS " A: b\r\n", 101, FIELD },
    { STATUS "A : b\r\n", 101, FIELD },
    { STATUS ": b\r\n", 101, FIELD },
    { STATUS "A\r\n", 101, FIELD },
    { STATUS "\r\n", 101, WITHOUT },
    { STATUS "Connection: Upgrade\r\n" ACCEPT "\r\n", 101, WITHOUT },
    { STATUS "Upgrade: websocket\r\n" ACCEPT "\r\n", 101, WITHOUT },
    { STATUS "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", 101, WITHOUT },
    { STATUS "Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", 101, WITHOUT },
    { STATUS "Upgrade: websocket\r\nConnection: close\r\n" ACCEPT "\r\n", 101, WITHOUT },
    { STATUS UPGRADES "\r\n", 101, KEYED },
    { STATUS UPGRADES "Sec-WebSocket-Accept:\r\n\r\n", 101, KEYED },
    { STATUS UPGRADES "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", 101, KEYED },
    { STATUS UPGRADES "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x\r\n\r\n", 101, KEYED },
    { GOOD ACCEPT "\r\n", 101, TWICE },
    { GOOD "Upgrade: websocket\r\n\r\n", 101, TWICE },
    { GOOD "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n\r\n", 101, TWICE },
    { GOOD "Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b\r\n\r\n", 101, TWICE },
    { GOOD "Sec-WebSocket-Protocol: other\r\n\r\n", 101, "the server chose a subprotocol that was not offered" },
    { GOOD "Sec-WebSocket-Protocol: CHAT\r\n\r\n", 101, "the server chose a subprotocol that was not offered" },
    { GOOD "Sec-WebSocket-Protocol:\r\n\r\n", 101, "the server chose a subprotocol that was not offered" },
    { GOOD "Sec-WebSocket-Protocol: chat, superchat\r\n\r\n", 101,
      "the server chose a subprotocol that was not offered" },
};

Test(ws_answer, bad_ones)
{
    struct rtn_ws_request request = offering();
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++) {
        struct rtn_ws_answer answer;
        const char *wrong = "";
        int r = read_answer(&request, rtn_str_of(bad[i].text), &answer, &wrong);
        cr_expect_eq(r, -EPROTO, "%s", bad[i].text);
        cr_expect_str_eq(wrong, bad[i].wrong, "%s", bad[i].text);
        cr_expect_eq(answer.status, bad[i].status, "%s", bad[i].text);
    }
}

Test(ws_answer, what_was_not_offered)
{
    struct rtn_ws_request request = plain();
    struct rtn_ws_answer answer;
    const char *wrong = "";
    struct rtn_str protocol = RTN_STR(GOOD "Sec-WebSocket-Protocol: chat\r\n\r\n");
    cr_expect_eq(read_answer(&request, protocol, &answer, &wrong), -EPROTO);
    cr_expect_str_eq(wrong, "the server chose a subprotocol that was not offered");
    struct rtn_str extension = RTN_STR(GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    cr_expect_eq(read_answer(&request, extension, &answer, &wrong), -EPROTO);
    cr_expect_str_eq(wrong, "the server chose an extension that was not offered");
}

/* Byte by byte: nothing is said before what is wrong is there, and then the same. */
Test(ws_answer, cuts_make_no_difference)
{
    struct rtn_ws_request request = offering();
    struct rtn_ws_answer answer;
    const char *wrong = "";
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++) {
        size_t length = strlen(good[i].text);
        for (size_t part = 0; part < length; part++)
            cr_expect_eq(read_answer(&request, (struct rtn_str){ good[i].text, part }, &answer, &wrong), 0);
    }
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++) {
        size_t part = 0;
        while (read_answer(&request, (struct rtn_str){ bad[i].text, part }, &answer, &wrong) == 0)
            cr_assert_lt(part++, strlen(bad[i].text));
        cr_expect_str_eq(wrong, bad[i].wrong, "%s", bad[i].text);
    }
}

/* A good answer whose head has `length` bytes. */
static void make_head(struct rtn_buf *text, size_t length)
{
    rtn_buf_append_text(text, GOOD "X: ");
    while (text->length < length - 4)
        rtn_buf_append_char(text, 'x');
    rtn_buf_append_text(text, "\r\n\r\n");
}

Test(ws_answer, the_head_has_a_bound)
{
    struct rtn_ws_request request = plain();
    struct rtn_ws_answer answer;
    const char *wrong = "";
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf most = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf more = { 0 };
    make_head(&most, RTN_WS_ANSWER_MOST);
    cr_expect_eq(read_answer(&request, rtn_buf_str(&most), &answer, &wrong), 1);
    cr_expect_eq(answer.length, RTN_WS_ANSWER_MOST);
    cr_expect_eq(read_answer(&request, (struct rtn_str){ most.data, most.length - 1 }, &answer, &wrong), 0);
    make_head(&more, RTN_WS_ANSWER_MOST + 1);
    cr_expect_eq(read_answer(&request, (struct rtn_str){ more.data, RTN_WS_ANSWER_MOST - 1 }, &answer, &wrong), 0);
    cr_expect_eq(read_answer(&request, (struct rtn_str){ more.data, RTN_WS_ANSWER_MOST }, &answer, &wrong), -EPROTO);
    cr_expect_str_eq(wrong, "the head of the server's answer is too large");
    cr_expect_eq(read_answer(&request, rtn_buf_str(&more), &answer, &wrong), -EPROTO);
    cr_expect_str_eq(wrong, "the head of the server's answer is too large");
}
