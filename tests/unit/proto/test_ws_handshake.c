/* The server's side of the opening handshake: who asks for a WebSocket, what is wrong with it, and where it is from. */
#include "support.h"

#include "base/macros.h"
#include "proto/ws_handshake.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ASKS "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define GOOD ASKS "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"
#define WITH_KEY(key) ASKS "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " key "\r\n\r\n"

static struct rtn_request *parsed(const char *text)
{
    struct rtn_request *request = new_request();
    enum rtn_request_stage stage = feed(request, text, strlen(text));
    cr_assert_eq(stage, RTN_REQUEST_COMPLETE, "%s: %s", text, request->error_text != NULL ? request->error_text : "");
    return request;
}

static bool asks(const char *text)
{
    struct rtn_request *request = parsed(text);
    bool result = rtn_ws_is_asked_for(request);
    rtn_request_free(request);
    return result;
}

Test(ws_handshake, upgrade_names_it)
{
    cr_expect(asks(GOOD "\r\n"));
    cr_expect(asks("GET / HTTP/1.1\r\nHost: a\r\nUPGRADE: WebSocket\r\n\r\n"));
    cr_expect(asks("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c ,\tWEBSOCKET\r\n\r\n"));
    cr_expect(asks("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n\r\n"));
    cr_expect_not(asks("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_expect_not(asks("GET / HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
    cr_expect_not(asks("GET / HTTP/1.1\r\nHost: a\r\nUpgrade:\r\n\r\n"));
    cr_expect_not(asks("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"));
    cr_expect_not(asks("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket2, web socket\r\n\r\n"));
    cr_expect_not(asks("GET / HTTP/1.1\r\nHost: a\r\nX-Upgrade: websocket\r\n\r\n"));
}

static const struct {
    const char *request;
    int status; /* 0: good */
    const char *text;
} table[] = {
    { GOOD "\r\n", 0, NULL },
    { GOOD "Content-Length: 0\r\n\r\n", 0, NULL },
    { "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c, WebSocket\r\nConnection: keep-alive ,\tUPGRADE\r\n"
      "sec-websocket-version:13\r\nsec-websocket-key:" KEY "\r\n\r\n",
      0, NULL },
    { "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n\r\n",
      0, NULL },
    { "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: " KEY "\r\n\r\n",
      400, "a WebSocket is asked for with GET" },
    { GOOD "Content-Length: 1\r\n\r\nx", 400, "a request for a WebSocket has no body" },
    { GOOD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "a request for a WebSocket has no body" },
    { "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY
      "\r\n\r\n",
      400, "the Connection field does not have upgrade" },
    { "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, upgrades\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n\r\n",
      400, "the Connection field does not have upgrade" },
    { ASKS "Sec-WebSocket-Key: " KEY "\r\n\r\n", 400, "the Sec-WebSocket-Version field is missing" },
    { GOOD "Sec-WebSocket-Version: 13\r\n\r\n", 400, "there is more than one Sec-WebSocket-Version" },
    { ASKS "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " KEY "\r\n\r\n", 426,
      "the only version of WebSocket here is 13" },
    { ASKS "Sec-WebSocket-Version: 13, 8\r\nSec-WebSocket-Key: " KEY "\r\n\r\n", 426,
      "the only version of WebSocket here is 13" },
    { ASKS "Sec-WebSocket-Version: 013\r\nSec-WebSocket-Key: " KEY "\r\n\r\n", 426,
      "the only version of WebSocket here is 13" },
    { ASKS "Sec-WebSocket-Version:\r\nSec-WebSocket-Key: " KEY "\r\n\r\n", 426,
      "the only version of WebSocket here is 13" },
    { ASKS "Sec-WebSocket-Version: 14\r\n\r\n", 426, "the only version of WebSocket here is 13" },
    { ASKS "Sec-WebSocket-Version: 13\r\n\r\n", 400, "the Sec-WebSocket-Key field is missing" },
    { GOOD "Sec-WebSocket-Key: " KEY "\r\n\r\n", 400, "there is more than one Sec-WebSocket-Key" },
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAA=="), 0, NULL },
    { WITH_KEY("/+/+/+/+/+/+/+/+/+/+/w=="), 0, NULL },
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAg=="), 0, NULL },
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAQ=="), 0, NULL },
    { WITH_KEY(""), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" },
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAB=="), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" }, /* bits behind */
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAA="), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" },
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAA==="), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" },
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAAA="), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" }, /* 17 bytes */
    { WITH_KEY("AAAAAAAAAAAAAAAAAAAAAAAA"), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" }, /* 18 bytes */
    { WITH_KEY("AAAAAAAAAAA-AAAAAAAAAA=="), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" },
    { WITH_KEY("AAAAAAAAAAA AAAAAAAAAA=="), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" },
    { WITH_KEY("AAAAAAAA=AAAAAAAAAAAAA=="), 400, "the Sec-WebSocket-Key is not 16 bytes in base64" },
};

Test(ws_handshake, what_is_wrong)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        const char *text = NULL;
        struct rtn_request *request = parsed(table[i].request);
        int status = rtn_ws_handshake_check(request, &text);
        cr_expect_eq(status, table[i].status, "%d for %s", status, table[i].request);
        bool same = (text == NULL) == (table[i].text == NULL) && (text == NULL || strcmp(text, table[i].text) == 0);
        cr_expect(same, "%s: %s", table[i].request, text != NULL ? text : "nothing");
        rtn_request_free(request);
    }
}

Test(ws_handshake, the_answer_to_a_key)
{
    char accept[RTN_WS_ACCEPT_SIZE];
    rtn_ws_accept_of(RTN_STR(KEY), accept);
    cr_expect_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="); /* RFC 6455, 1.3 */
}

Test(ws_handshake, keys_are_good_and_random)
{
    char keys[2][RTN_WS_KEY_SIZE];
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    cr_assert_eq(rtn_ws_key_make(keys[0]), 0);
    cr_assert_eq(rtn_ws_key_make(keys[1]), 0);
    cr_expect_str_neq(keys[0], keys[1]);
    const char *wrong = NULL;
    rtn_buf_printf(&text, ASKS "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", keys[0]);
    struct rtn_request *request = parsed(text.data);
    cr_expect_eq(rtn_ws_handshake_check(request, &wrong), 0, "%s", keys[0]);
    rtn_request_free(request);
}

static void expect_view(struct rtn_str view, const char *expected)
{
    cr_assert_eq(view.data == NULL, expected == NULL);
    cr_expect(rtn_str_equal(view, rtn_str_of(expected)), "%.*s", RTN_STR_ARG(view));
}

Test(ws_handshake, fields)
{
    struct rtn_request *request = parsed("GET / HTTP/1.1\r\nHost: a\r\nOne: 1\r\nTwo: a, b\r\nTWO:\r\ntwo: c\r\n\r\n");
    expect_view(rtn_ws_field(request, "one"), "1");
    expect_view(rtn_ws_field(request, "two"), "a, b");
    expect_view(rtn_ws_field(request, "three"), NULL);
    expect_view(rtn_ws_fields(request, "one"), "1");
    expect_view(rtn_ws_fields(request, "two"), "a, b,,c");
    expect_view(rtn_ws_fields(request, "three"), NULL);
    cr_expect(rtn_ws_list_has(rtn_ws_fields(request, "two"), RTN_STR("c")));
    cr_expect(rtn_ws_list_has(rtn_ws_fields(request, "two"), RTN_STR("b")));
    cr_expect_not(rtn_ws_list_has(rtn_ws_fields(request, "two"), RTN_STR("B")));
    cr_expect_not(rtn_ws_list_has(rtn_ws_fields(request, "three"), RTN_STR("")));
    rtn_request_free(request);
}

#define NOBODY \
    {          \
        NULL   \
    }
#define SAME         \
    {                \
        "same", NULL \
    }
#define EXAMPLE                                          \
    {                                                    \
        "https://example.org", "http://[::1]:8080", NULL \
    }
#define PORTS                                                \
    {                                                        \
        "http://a:80", "https://b:443", "http://c:443", NULL \
    }

static const struct {
    const char *fields;
    const char *origins[4];
    const char *host;
    bool welcome;
} origin_table[] = {
    { "", NOBODY, "a", true },
    { "", SAME, "a", true },
    { "", EXAMPLE, "", true },
    { "Origin: http://a\r\n", NOBODY, "a", false },
    { "Origin: http://a\r\n", SAME, "a", true },
    { "Origin: http://A\r\n", SAME, "a", true },
    { "Origin: https://a\r\n", SAME, "a", true },
    { "Origin: http://a:80\r\n", SAME, "a", true },
    { "Origin: http://a\r\n", SAME, "a:80", true },
    { "Origin: https://a\r\n", SAME, "a:443", true },
    { "Origin: https://a\r\n", SAME, "a:80", false },
    { "Origin: http://a:5050\r\n", SAME, "A:5050", true },
    { "Origin: https://a:5050\r\n", SAME, "a:5050", true },
    { "Origin: http://a:05050\r\n", SAME, "a:5050", true },
    { "Origin: http://a:5050\r\n", SAME, "a:5051", false },
    { "Origin: http://a:5050\r\n", SAME, "a", false },
    { "Origin: http://a\r\n", SAME, "a:5050", false },
    { "Origin: http://b\r\n", SAME, "a", false },
    { "Origin: http://a.b\r\n", SAME, "a", false },
    { "Origin: http://aa\r\n", SAME, "a", false },
    { "Origin: http://[::1]:5050\r\n", SAME, "[::1]:5050", true },
    { "Origin: http://[::1]\r\n", SAME, "[::1]:80", true },
    { "Origin: http://[::1]\r\n", SAME, "[::2]", false },
    { "Origin: http://a\r\n", SAME, "", false },
    { "Origin: http://\r\n", SAME, "", false },
    { "Origin: null\r\n", SAME, "null", false },
    { "Origin:\r\n", SAME, "a", false },
    { "Origin: a\r\n", SAME, "a", false },
    { "Origin: http://a/\r\n", SAME, "a", false },
    { "Origin: http://a http://b\r\n", SAME, "a", false },
    { "Origin: http://u@a\r\n", SAME, "a", false },
    { "Origin: http://a:x\r\n", SAME, "a", false },
    { "Origin: http://a:65616\r\n", SAME, "a", false },
    { "Origin: http://a:99999999999999999999\r\n", SAME, "a", false },
    { "Origin: app://a\r\n", SAME, "a", true },
    { "Origin: http://a\r\nOrigin: http://a\r\n", SAME, "a", false },
    { "Origin: http://a\r\nOrigin: http://a\r\n", { "all" }, "a", false },
    { "Origin: http://a\r\n", { "all" }, "b", true },
    { "Origin: null\r\n", { "all" }, "b", true },
    { "Origin: https://example.org\r\n", EXAMPLE, "a", true },
    { "Origin: https://example.org:443\r\n", EXAMPLE, "a", true },
    { "Origin: HTTPS://Example.Org\r\n", EXAMPLE, "a", true },
    { "Origin: http://[::1]:8080\r\n", EXAMPLE, "a", true },
    { "Origin: http://example.org\r\n", EXAMPLE, "a", false },
    { "Origin: https://example.org:80\r\n", EXAMPLE, "a", false },
    { "Origin: https://example.org.evil\r\n", EXAMPLE, "a", false },
    { "Origin: https://evil.example.org\r\n", EXAMPLE, "a", false },
    { "Origin: http://a\r\n", EXAMPLE, "a", false },
    { "Origin: http://a\r\n", PORTS, "x", true },
    { "Origin: https://b\r\n", PORTS, "x", true },
    { "Origin: http://c\r\n", PORTS, "x", false },
    { "Origin: https://c\r\n", PORTS, "x", false },
    { "Origin: http://c:443\r\n", PORTS, "x", true },
    { "Origin: http://a\r\n", { "http://b", "same" }, "a", true },
};

Test(ws_handshake, origins)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(origin_table); i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        rtn_buf_printf(&text, GOOD "%s\r\n", origin_table[i].fields);
        struct rtn_request *request = parsed(text.data);
        const char *items[RTN_ARRAY_LENGTH(origin_table[i].origins)];
        struct rtn_schema_strings origins = { .items = items };
        for (; origin_table[i].origins[origins.count] != NULL; origins.count++)
            items[origins.count] = origin_table[i].origins[origins.count];
        cr_expect_eq(rtn_ws_origin_is_welcome(request, &origins, rtn_str_of(origin_table[i].host)),
                     origin_table[i].welcome, "%s to %s", origin_table[i].fields, origin_table[i].host);
        rtn_request_free(request);
    }
}
