/*
 * The reader of whole heads: which it takes, and that it leaves every other as if it had never looked. That it finds
 * the same as the other reader is seen to by test_http1_parse.c, where each text comes whole and in pieces.
 */
#include "support.h"

#include <limits.h>
#include <stddef.h>

#include "base/macros.h"
#include "proto/http1_head.h"

#define LINE "GET / HTTP/1.1\r\n"
#define H "Host: a\r\n"
#define BROWSER                                                                                                     \
    "GET /a/b?c=d HTTP/1.1\r\nHost: example.org:8080\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n" \
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\nAccept: text/html,*/*;q=0.8\r\n"             \
    "Sec-Fetch-Site: none\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nX: a\tb \t\r\nCookie:\r\n\r\n"

/* As it is when its first bytes were read. */
static struct rtn_request *with_head(struct rtn_str text)
{
    struct rtn_request *request = new_request();
    cr_assert_eq(rtn_request_make_room(request, text.length), 0);
    memcpy(request->buffer, text.data, text.length);
    memset(request->buffer + text.length, 'x', RTN_REQUEST_SPARE);
    request->end = text.length;
    request->stage = RTN_REQUEST_HEAD;
    return request;
}

static bool is_taken(struct rtn_str text)
{
    struct rtn_request *request = with_head(text);
    bool taken = rtn_http1_head_read(request);
    cr_expect_eq(request->stage, taken ? RTN_REQUEST_HEADED : RTN_REQUEST_HEAD);
    cr_expect_eq(request->parsed, taken ? request->head_length : 0);
    if (!taken) {
        static const struct rtn_request nothing;
        const size_t from = offsetof(struct rtn_request, says_close);
        const size_t to = offsetof(struct rtn_request, stage);
        cr_expect_eq(memcmp((char *) request + from, (const char *) &nothing + from, to - from), 0, "%.*s",
                     RTN_STR_ARG(text));
    }
    rtn_request_free(request);
    return taken;
}

Test(http1_head, takes_what_is_usual)
{
    static const char *const texts[] = {
        LINE H "\r\n",
        BROWSER,
        "GET / HTTP/1.0\r\n\r\n",
        "HEAD /x?y=%20&z HTTP/1.1\r\n" H "\r\n",
        "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Type: text/plain\r\n\r\nabc",
        "PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        LINE H "\r\nGET / HTTP/1.1\r\n",
        LINE H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x80",
        LINE H "A: \xc3\xbc\xff\x80\r\n\r\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(texts); i++)
        cr_expect(is_taken(rtn_str_of(texts[i])), "%s", texts[i]);
}

Test(http1_head, leaves_what_is_not)
{
    static const char *const texts[] = {
        LINE "\r\n",
        LINE H H "\r\n",
        LINE "Host: a b\r\n\r\n",
        LINE H "A: b\r\n c\r\n\r\n",
        LINE H "A : b\r\n\r\n",
        LINE H ": b\r\n\r\n",
        LINE H "A\r\n\r\n",
        LINE H "A: b\n\r\n",
        LINE H "A: b\rc\r\n\r\n",
        LINE H "A: b\r\n\n",
        LINE H "A\x80: b\r\n\r\n",
        LINE H "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        LINE H "Content-Length: 1,1\r\n\r\nx",
        LINE H "Content-Length: 18446744073709551616\r\n\r\n",
        LINE H "Content-Length:\r\n\r\n",
        LINE H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        LINE H "Expect: something\r\n\r\n",
        "GET / HTTP/1.2\r\n" H "\r\n",
        "GET / HTTP/1.1 \r\n" H "\r\n",
        "GET  / HTTP/1.1\r\n" H "\r\n",
        "GET /#a HTTP/1.1\r\n" H "\r\n",
        "GET /\x80 HTTP/1.1\r\n" H "\r\n",
        "GET http://a/ HTTP/1.1\r\n" H "\r\n",
        "OPTIONS * HTTP/1.1\r\n" H "\r\n",
        "FOO / HTTP/1.1\r\n" H "\r\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(texts); i++)
        cr_expect_not(is_taken(rtn_str_of(texts[i])), "%s", texts[i]);
}

Test(http1_head, leaves_what_is_not_complete)
{
    struct rtn_str text = RTN_STR(BROWSER);
    for (size_t length = 0; length < text.length; length++)
        cr_expect_not(is_taken((struct rtn_str){ text.data, length }), "%zu", length);
    cr_expect(is_taken(text));
}

/* Wherever in name, value and target it is: what is looked at many at a time must not differ from one at a time. */
Test(http1_head, knows_every_character_at_every_place)
{
    for (unsigned place = 0; place < 40; place++) {
        for (unsigned c = 0; c <= UCHAR_MAX; c++) {
            struct rtn_buf text = { 0 };
            rtn_buf_append_text(&text, LINE H "A: ");
            append_many(&text, 'x', place);
            append_many(&text, (char) c, 1);
            rtn_buf_append_text(&text, "y\r\n\r\n");
            cr_expect_eq(is_taken(rtn_buf_str(&text)), c == '\t' || (c >= ' ' && c != 0x7f), "value %u %u", place, c);

            rtn_buf_clear(&text);
            rtn_buf_append_text(&text, LINE H);
            append_many(&text, 'x', place);
            append_many(&text, (char) c, 1);
            rtn_buf_append_text(&text, "Y: z\r\n\r\n");
            bool colon = c == ':' && place > 0;
            cr_expect_eq(is_taken(rtn_buf_str(&text)), rtn_is_token_char((char) c) || colon, "name %u %u", place, c);

            rtn_buf_clear(&text);
            rtn_buf_append_text(&text, "GET /");
            append_many(&text, 'x', place);
            append_many(&text, (char) c, 1);
            rtn_buf_append_text(&text, "y HTTP/1.1\r\n" H "\r\n");
            cr_expect_eq(is_taken(rtn_buf_str(&text)), c > ' ' && c < 0x7f && c != '#', "target %u %u", place, c);
            rtn_buf_done(&text);
        }
    }
}

Test(http1_head, makes_names_lower_case_and_nothing_else)
{
    struct rtn_request *request =
        with_head(RTN_STR(LINE "HOST: A.B\r\nX-Some_Name^Of|Many~Letters`AZaz09: Value: OF IT\r\nZ:Y\r\n\r\nBODY"));
    cr_assert(rtn_http1_head_read(request));
    cr_assert_eq(request->header_count, 3);
    cr_expect(rtn_str_equal(request->headers[0].name, RTN_STR("host")));
    cr_expect(rtn_str_equal(request->headers[0].value, RTN_STR("A.B")));
    cr_expect(rtn_str_equal(request->headers[1].name, RTN_STR("x-some_name^of|many~letters`azaz09")));
    cr_expect(rtn_str_equal(request->headers[1].value, RTN_STR("Value: OF IT")));
    cr_expect(rtn_str_equal(request->headers[2].name, RTN_STR("z")));
    cr_expect(rtn_str_equal(request->headers[2].value, RTN_STR("Y")));
    cr_expect_eq(memcmp(request->buffer + request->head_length, "BODY", 4), 0);
    rtn_request_free(request);
}
