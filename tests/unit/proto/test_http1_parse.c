/*
 * Parsing: what is found, what is refused and with which status, and that neither depends on how the bytes were cut
 * into reads.
 */
#include "support.h"

#include "base/macros.h"

#define H "Host: a\r\n"

static const struct {
    const char *text;
    int status; /* 0: good */
    const char *about; /* of a good one: what describe() gives */
} table[] = {
    /* Tabs around a length, which llhttp does not take, and in a field whose name begins like it. */
    { "POST / HTTP/1.1\r\n" H "Content-Length:\t3 \t \t\r\nContent-Length-Of: a\tb\r\n\r\nabc", 0, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 3\t3\r\n\r\nabc", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "\r\n", 0, "GET [1] / 11 keep\nhost=a|\ntype , body 0: " },
    { "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, "GET [1] / 11 keep\nhost=|\ntype , body 0: " },
    { "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, "GET [1] / 11 keep\nhost=a|\ntype , body 0: " },
    { "HEAD /x?y=1&z=%20 HTTP/1.1\r\n" H "\r\n", 0, "HEAD [2] /x?y=1&z=%20 11 keep\nhost=a|\ntype , body 0: " },
    { "GET / HTTP/1.0\r\n\r\n", 0, "GET [1] / 10 close\ntype , body 0: " },
    { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 0,
      "GET [1] / 10 keep\nconnection=keep-alive|\ntype , body 0: " },
    { "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", 0,
      "GET [1] / 11 close\nhost=a|\nconnection=close|\ntype , body 0: " },
    { "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, "OPTIONS [64] * 11 keep\nhost=a|\ntype , body 0: " },
    { "GET http://a:80/b HTTP/1.1\r\n" H "\r\n", 0, "GET [1] http://a:80/b 11 keep\nhost=a|\ntype , body 0: " },
    { "GET / HTTP/1.1\r\n" H "X-Long:  \t a value \t \r\nEMPTY:\r\nBlank:   \r\n\r\n", 0,
      "GET [1] / 11 keep\nhost=a|\nx-long=a value|\nempty=|\nblank=|\ntype , body 0: " },
    { "GET / HTTP/1.1\r\n" H "A: 1\r\na: 2\r\nA: 3\r\n\r\n", 0,
      "GET [1] / 11 keep\nhost=a|\na=1|\na=2|\na=3|\ntype , body 0: " },
    { "POST / HTTP/1.1\r\n" H "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", 0,
      "POST [4] / 11 keep\nhost=a|\ncontent-type=text/plain|\ncontent-length=5|\ntype text/plain, body 5: hello" },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0,
      "POST [4] / 11 keep\nhost=a|\ncontent-length=0|\ntype , body 0: " },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n1;a=\"b\"\r\n!\r\n0\r\nT: x\r\n\r\n", 0,
      "POST [4] / 11 keep\nhost=a|\ntransfer-encoding=Chunked|\ntype , body 6: hello!\nt=x|" },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
      "POST [4] / 11 keep\nhost=a|\ntransfer-encoding=chunked|\ntype , body 0: " },
    { "PUT / HTTP/1.1\r\n" H "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nok", 0,
      "PUT [8] / 11 keep expects\nhost=a|\nexpect=100-Continue|\ncontent-length=2|\ntype , body 2: ok" },
    { "REPORT / HTTP/1.1\r\n" H "\r\n", 0, "REPORT [16384] / 11 keep\nhost=a|\ntype , body 0: " },

    { "GET / HTTP/1.1\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H H "\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\n" H "\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\nHost: a\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "A:\r\n c\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "A: b\r\n \r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n A: b\r\n" H "\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "A b\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "A: b\001c\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", 400, NULL },
    { "GET  / HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET /  HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET / HTTP/1.1 \r\n" H "\r\n", 400, NULL },
    { " GET / HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET\t/ HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET /a#b HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET /\177 HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET a HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET * HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET ftp://a/ HTTP/1.1\r\n" H "\r\n", 400, NULL },
    { "GET /\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 1, 1\r\n\r\nx", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\nx", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\nx", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\nx", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999\r\n\r\nx", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n", 400, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n", 400, NULL },
    { "GET / HTTP/1.1\r\n" H "Expect: something\r\n\r\n", 417, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, NULL },
    { "FOO / HTTP/1.1\r\n" H "\r\n", 501, NULL },
    { "get / HTTP/1.1\r\n" H "\r\n", 501, NULL },
    { "CONNECT a:80 HTTP/1.1\r\n" H "\r\n", 501, NULL },
    { "TRACE / HTTP/1.1\r\n" H "\r\n", 501, NULL },
    { "GET / HTTP/1.2\r\n" H "\r\n", 505, NULL },
    { "GET / HTTP/2.0\r\n" H "\r\n", 505, NULL },
    { "GET / HTTP/0.9\r\n" H "\r\n", 505, NULL },
    { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501, NULL },
    { "POST / HTTP/1.1\r\n" H "Content-Length: 300001\r\n\r\n", 413, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n493e0\r\n", 0, NULL },
    { "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n493e1\r\n", 413, NULL },
};

static void parse_whole(const char *text, struct rtn_buf *out)
{
    struct rtn_request *request = new_request();
    (void) feed_pieces(request, rtn_str_of(text), SIZE_MAX);
    describe(request, out);
    rtn_request_free(request);
}

Test(http1_parse, accepts_and_refuses)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        struct rtn_request *request = new_request();
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf about = { 0 };
        (void) feed_pieces(request, rtn_str_of(table[i].text), SIZE_MAX);
        describe(request, &about);
        cr_expect_eq(request->error_status, table[i].status, "%s-> %s", table[i].text, about.data);
        cr_expect_eq(request->stage == RTN_REQUEST_BROKEN, table[i].status != 0, "%s-> %s", table[i].text, about.data);
        cr_expect_eq(request->error_text != NULL, table[i].status != 0);
        if (table[i].about != NULL)
            cr_expect_str_eq(about.data, table[i].about, "%s-> %s", table[i].text, about.data);
        rtn_request_free(request);
    }
}

/* As if memory were given back and used again at once: a view that was not moved would show it. */
static void move_buffer(struct rtn_request *request)
{
    cr_assert_eq(rtn_request_make_room(request, request->capacity - request->end + 1), 0);
    if (request->buffer != request->inline_buffer)
        memset(request->inline_buffer, '#', request->inline_capacity);
}

Test(http1_parse, every_cut_in_two_gives_the_same)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf whole = { 0 };
        struct rtn_str text = rtn_str_of(table[i].text);
        parse_whole(table[i].text, &whole);
        for (size_t cut = 1; cut < text.length; cut++) {
            struct rtn_request *request = new_request();
            RTN_CLEANUP(rtn_buf_done) struct rtn_buf about = { 0 };
            enum rtn_request_stage stage = feed(request, text.data, cut);
            if (stage < RTN_REQUEST_COMPLETE) {
                move_buffer(request);
                (void) feed(request, text.data + cut, text.length - cut);
            }
            describe(request, &about);
            cr_expect_str_eq(about.data, whole.data, "%s\ncut at %zu: %s\nwhole: %s", table[i].text, cut, about.data,
                             whole.data);
            rtn_request_free(request);
        }
    }
}

Test(http1_parse, small_pieces_give_the_same)
{
    static const size_t pieces[] = { 1, 2, 3, 5, 11 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table) * RTN_ARRAY_LENGTH(pieces); i++) {
        const char *text = table[i / RTN_ARRAY_LENGTH(pieces)].text;
        size_t piece = pieces[i % RTN_ARRAY_LENGTH(pieces)];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf whole = { 0 };
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf about = { 0 };
        parse_whole(text, &whole);
        struct rtn_request *request = new_request();
        (void) feed_pieces(request, rtn_str_of(text), piece);
        describe(request, &about);
        cr_expect_str_eq(about.data, whole.data, "%s\npieces of %zu: %s\nwhole: %s", text, piece, about.data,
                         whole.data);
        rtn_request_free(request);
    }
}

/* NUL has no place in the table of C strings. */
Test(http1_parse, nul_is_refused_everywhere)
{
    static const char text[] = "GET /a HTTP/1.1\r\nHost: a\r\nAb: cd\r\n\r\n";
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        char bytes[sizeof(text)];
        memcpy(bytes, text, sizeof(text));
        bytes[at] = '\0';
        struct rtn_request *request = new_request();
        (void) feed_pieces(request, (struct rtn_str){ bytes, sizeof(text) - 1 }, SIZE_MAX);
        cr_expect_eq(request->stage, RTN_REQUEST_BROKEN, "at %zu", at);
        cr_expect(request->error_status == 400 || request->error_status == 501, "%d at %zu", request->error_status, at);
        rtn_request_free(request);
    }
}

static int status_of(const struct rtn_buf *text, size_t piece)
{
    struct rtn_request *request = new_request();
    (void) feed_pieces(request, rtn_buf_str(text), piece);
    int status = request->stage == RTN_REQUEST_COMPLETE ? 200 : request->error_status;
    rtn_request_free(request);
    return status;
}

Test(http1_parse, limits_are_exact)
{
    static const size_t pieces[] = { 1, 1000, SIZE_MAX };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(pieces); i++) {
        for (size_t more = 0; more < 2; more++) {
            size_t piece = pieces[i];
            struct rtn_buf text = { 0 };
            rtn_buf_append_text(&text, "GET /");
            append_many(&text, 'x', MOST_TARGET - 1 + more);
            rtn_buf_append_text(&text, " HTTP/1.1\r\n" H "\r\n");
            cr_expect_eq(status_of(&text, piece), more ? 414 : 200, "target");

            rtn_buf_clear(&text);
            rtn_buf_append_text(&text, "GET / HTTP/1.1\r\n" H);
            for (size_t field = 0; field < MOST_FIELDS - 1 + more; field++)
                rtn_buf_append_text(&text, "A: b\r\n");
            rtn_buf_append_text(&text, "\r\n");
            cr_expect_eq(status_of(&text, piece), more ? 431 : 200, "fields");

            rtn_buf_clear(&text);
            rtn_buf_append_text(&text, "GET / HTTP/1.1\r\n" H "A: ");
            append_many(&text, 'x', MOST_HEADER - text.length - 4 + more);
            rtn_buf_append_text(&text, "\r\n\r\n");
            cr_expect_eq(status_of(&text, piece), more ? 431 : 200, "header section");

            rtn_buf_clear(&text);
            rtn_buf_printf(&text, "PUT / HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n", MOST_BODY + more);
            append_many(&text, 'x', MOST_BODY + more);
            cr_expect_eq(status_of(&text, piece), more ? 413 : 200, "body");

            rtn_buf_clear(&text);
            rtn_buf_printf(&text, "PUT / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n%x\r\n", MOST_BODY);
            append_many(&text, 'x', MOST_BODY);
            rtn_buf_append_text(&text, more ? "\r\n1\r\nx\r\n0\r\n\r\n" : "\r\n0\r\n\r\n");
            cr_expect_eq(status_of(&text, piece), more ? 413 : 200, "chunked body");
            rtn_buf_done(&text);
        }
    }
}

/* The name that routes go by: of the target when it is a URL, else of the field. */
Test(http1_parse, host_is_that_of_the_target_or_of_the_field)
{
    static const struct {
        const char *text;
        const char *host;
    } rows[] = {
        { "GET / HTTP/1.1\r\nHost: Example.org:80\r\n\r\n", "Example.org:80" },
        { "GET / HTTP/1.1\r\nA: b\r\nHost:  [::1] \r\nC: d\r\n\r\n", "[::1]" },
        { "GET / HTTP/1.1\r\nHost:\r\n\r\n", "" },
        { "GET / HTTP/1.0\r\n\r\n", "" },
        { "GET http://other:8080/a HTTP/1.1\r\nHost: example\r\n\r\n", "other:8080" },
        { "GET HTTPS://other?a HTTP/1.1\r\nHost:\r\n\r\n", "other" },
        { "GET http://other HTTP/1.0\r\n\r\n", "other" },
        { "OPTIONS * HTTP/1.1\r\nHost: example\r\n\r\n", "example" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        struct rtn_request *request = new_request();
        (void) feed_pieces(request, rtn_str_of(rows[i].text), 1);
        cr_expect_eq(request->stage, RTN_REQUEST_COMPLETE, "%s", rows[i].text);
        move_buffer(request);
        cr_expect(rtn_str_equal(request->host, rtn_str_of(rows[i].host)), "%s-> %.*s", rows[i].text,
                  RTN_STR_ARG(request->host));
        rtn_request_clear(request);
        cr_expect_null(request->host.data);
        rtn_request_free(request);
    }
}

/* The last good one is kept for the requests that follow, whichever these are. */
Test(http1_parse, a_host_is_checked_whatever_was_asked_for_before)
{
#define LONG_HOST "a.host.whose.name.is.longer.than.what.is.kept.of.the.last.good.one.example"
    static const struct {
        const char *host;
        int status;
    } rows[] = {
        { "example:80", 0 },  { "example:80", 0 }, { "example:8a", 400 },  { "example:80", 0 },
        { "example:800", 0 }, { "example", 0 },    { "exa mple", 400 },    { "", 0 },
        { "Example", 0 },     { LONG_HOST, 0 },    { LONG_HOST ",", 400 }, { "Example", 0 },
        { "Exampl,", 400 },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        struct rtn_request *request = new_request();
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        rtn_buf_printf(&text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].host);
        (void) feed(request, text.data, text.length);
        cr_expect_eq(request->error_status, rows[i].status, "%s", text.data);
        if (rows[i].status == 0)
            cr_expect(rtn_str_equal(request->host, rtn_str_of(rows[i].host)), "%s", text.data);
        rtn_request_free(request);
    }
#undef LONG_HOST
}

/* The caller routes there, once, whatever has been read. */
Test(http1_parse, stops_once_at_the_end_of_the_head)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\n" H "\r\n",
        "POST / HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(texts); i++) {
        struct rtn_request *request = new_request();
        struct rtn_str text = rtn_str_of(texts[i]);
        memcpy(request->buffer, text.data, text.length);
        request->end = text.length;
        cr_expect_eq(rtn_request_parse(request), RTN_REQUEST_HEADED, "%s", texts[i]);
        cr_expect_eq(request->parsed, request->start + request->head_length);
        cr_expect_eq(request->policy, &terms.policy);
        cr_expect_eq(request->body_received, 0);
        cr_expect_eq(rtn_request_parse(request), RTN_REQUEST_COMPLETE, "%s", texts[i]);
        cr_expect_eq(rtn_request_parse(request), RTN_REQUEST_COMPLETE, "%s", texts[i]);
        cr_expect_eq(request->parsed, request->end);
        rtn_request_free(request);
    }
}
