/*
 * Bodies: every framing, taken in each of the three ways, cut into reads in every way. What comes out and what is
 * refused must be the same for all of them.
 */
#include "body_support.h"

static const struct body_row table[] = {
    { "0\r\n\r\n", "", 0, false },
    { "5\r\nhello\r\n0\r\n\r\n", "hello", 0, false },
    { "1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef", 0, false },
    { "0005\r\nhello\r\n00000\r\n\r\n", "hello", 0, false },
    { "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello", 0, false },
    { "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 0, false },
    { "4\r\n\r\n\r\n\r\n4\r\n0\r\n\r\r\n0\r\n\r\n", "\r\n\r\n0\r\n\r", 0, false },
    { "1;a\r\nx\r\n0;b\r\n\r\n", "x", 0, false },
    { "1;a=b\r\nx\r\n0\r\n\r\n", "x", 0, false },
    { "1;a=b;c=d;e;f=\"g\"\r\nx\r\n0\r\n\r\n", "x", 0, false },
    { "1;a=\"b\";c=\"d\"\r\nx\r\n0;a=\"b\"\r\n\r\n", "x", 0, false },
    { "1;a=\"\"\r\nx\r\n0\r\n\r\n", "x", 0, false },
    { "1;a=\"\\\"\\\\;\t\x80\"\r\nx\r\n0\r\n\r\n", "x", 0, false },
    { "1 \t; \ta \t= \tb \t; c ;\td = \"e\" ;f\r\nx\r\n0\r\n\r\n", "x", 0, false },
    { "\r\n", NULL, 400, false },
    { ";a\r\n", NULL, 400, false },
    { " 1\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1 \r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1 1\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "+1\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "0x1\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "g\r\n", NULL, 400, false },
    { "1\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1\rx\r\n0\r\n\r\n", NULL, 400, false },
    { "1\r\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "00000000000000001\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "10000000000000001\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1\r\nxy\r\n0\r\n\r\n", NULL, 400, false },
    { "1\r\nx0\r\n\r\n", NULL, 400, false },
    { "1\r\nx\n0\r\n\r\n", NULL, 400, false },
    { "1\r\nx\r0\r\n\r\n", NULL, 400, false },
    { "1\r\nx\rx0\r\n\r\n", NULL, 400, false },
    { "1\r\nxx\n0\r\n\r\n", NULL, 400, false },
    { "2\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a \r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a b\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a;\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;;a\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;=b\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a==b\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=b c\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=b=c\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=\"b\"c\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=\"b\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=\"\001\"\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=\"\\\n\"\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;a=\"\177\"\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1;\xe9\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "1,a\r\nx\r\n0\r\n\r\n", NULL, 400, false },
    { "0\n\r\n", NULL, 400, false },
    { "493e1\r\n", NULL, 413, false },
    { "1\r\nx\r\n493e0\r\n", NULL, 413, false },
    { "ffffffffffffffff\r\n", NULL, 413, false },
};

Test(http1_body, accepts_and_refuses)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        check_whole(&table[i]);
}

Test(http1_body, every_cut_in_two_gives_the_same)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        check_every_cut(&table[i]);
}

Test(http1_body, small_pieces_give_the_same)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        check_small_pieces(&table[i]);
}

Test(http1_body, nul_is_refused_in_framing)
{
    static const char text[] = CHUNKED "1;a=\"\\b\";c\r\nx\r\n0\r\nA: b\r\n\r\n";
    size_t content = (size_t) (strchr(text, 'x') - text);
    for (size_t at = strlen(CHUNKED); at < sizeof(text) - 1; at++) {
        char bytes[sizeof(text)];
        memcpy(bytes, text, sizeof(text));
        bytes[at] = '\0';
        RTN_CLEANUP(reader_done) struct reader reader = { new_request(), { 0 } };
        read_pieces(&reader, (struct rtn_str){ bytes, sizeof(text) - 1 }, SIZE_MAX / 2);
        cr_expect_eq(reader.request->stage, at == content ? RTN_REQUEST_COMPLETE : RTN_REQUEST_BROKEN, "at %zu", at);
        cr_expect_eq(reader.request->error_status, at == content ? 0 : 400, "at %zu", at);
    }
}

/* `chunk` 0: with Content-Length. */
static void make_body(struct rtn_buf *out, size_t length, size_t chunk)
{
    if (chunk == 0)
        rtn_buf_printf(out, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", length);
    else
        rtn_buf_append_text(out, CHUNKED);
    for (size_t at = 0; at < length; at++) {
        if (chunk > 0 && at % chunk == 0)
            rtn_buf_printf(out, "%s%zx\r\n", at > 0 ? "\r\n" : "", RTN_MIN(chunk, length - at));
        char c = (char) ('a' + (at * 7 + at / 251) % 26);
        rtn_buf_append(out, &c, 1);
    }
    if (chunk > 0)
        rtn_buf_append_text(out, "\r\n0\r\n\r\n");
}

/* Far more than the buffer holds goes through it, and none of it is lost. */
Test(http1_body, streamed_and_unwanted_content_takes_no_memory)
{
    static const size_t chunks[] = { 0, 10, 5000, 300000 };
    static const size_t pieces[] = { 100, 2048, 4000 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(chunks) * RTN_ARRAY_LENGTH(pieces) * 2; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        RTN_CLEANUP(reader_done) struct reader reader = { new_request(), { 0 } };
        set_mode(i % 2 == 0 ? RTN_BODY_STREAMED : RTN_BODY_NONE);
        make_body(&text, MOST_BODY, chunks[i / 2 % RTN_ARRAY_LENGTH(chunks)]);
        rtn_buf_append_text(&text, NEXT);
        read_pieces(&reader, rtn_buf_str(&text), pieces[i / 2 / RTN_ARRAY_LENGTH(chunks)]);
        cr_expect_eq(reader.request->stage, RTN_REQUEST_COMPLETE);
        cr_expect_eq(reader.request->body_received, MOST_BODY);
        cr_expect_eq(reader.request->buffer, reader.request->inline_buffer, "it took memory");
        cr_expect_eq(reader.content.length, i % 2 == 0 ? MOST_BODY : 0);
        for (size_t at = 0; at < reader.content.length; at++)
            cr_assert_eq(reader.content.data[at], (char) ('a' + (at * 7 + at / 251) % 26), "at %zu", at);
        check_next(&reader, "large body");
    }
}

/* A handler that is slow: content gathers over several reads before it is taken. */
Test(http1_body, consume_takes_what_has_gathered)
{
    struct rtn_request *request = new_request();
    set_mode(RTN_BODY_STREAMED);
    cr_expect_eq(feed(request, CHUNKED "3\r\nabc", strlen(CHUNKED) + 6), RTN_REQUEST_BODY);
    cr_expect_eq(feed(request, "\r\n3\r\nd", 6), RTN_REQUEST_BODY);
    cr_expect(rtn_str_equal(request->body, RTN_STR("abcd")));
    rtn_request_consume(request);
    rtn_request_consume(request);
    cr_expect_eq(feed(request, "ef\r", 3), RTN_REQUEST_BODY);
    cr_expect(rtn_str_equal(request->body, RTN_STR("ef")));
    cr_expect_eq(feed(request, "\n1\r\ng\r\n0\r\n\r\n" NEXT, 12 + strlen(NEXT)), RTN_REQUEST_COMPLETE);
    cr_expect(rtn_str_equal(request->body, RTN_STR("efg")));
    rtn_request_consume(request);
    cr_expect_eq(request->body.length, 0);
    cr_expect_eq(request->end - request->parsed, strlen(NEXT));
    rtn_request_free(request);
}

/* What was read while the handler used the content must survive. */
Test(http1_body, consume_keeps_what_was_read_but_not_decoded)
{
    struct rtn_request *request = new_request();
    set_mode(RTN_BODY_STREAMED);
    cr_expect_eq(feed(request, CHUNKED "3\r\nabc", strlen(CHUNKED) + 6), RTN_REQUEST_BODY);
    static const char more[] = "\r\n2\r\nde\r\n0\r\n\r\n";
    memcpy(request->buffer + request->end, more, sizeof(more) - 1);
    request->end += sizeof(more) - 1;
    rtn_request_consume(request);
    cr_expect_eq(rtn_request_parse(request), RTN_REQUEST_COMPLETE, "%s", request->error_text);
    cr_expect(rtn_str_equal(request->body, RTN_STR("de")), "%.*s", RTN_STR_ARG(request->body));
    cr_expect_eq(request->parsed, request->end);
    rtn_request_free(request);
}

/* The route says more than the server, in both directions. */
Test(http1_body, policy_of_the_route_counts)
{
    static const struct rtn_policy small = { .request_body = RTN_BODY_STREAMED, .body_limit = 4 };
    static const struct rtn_policy large = { .request_body = RTN_BODY_BUFFERED, .body_limit = INT64_MAX };
    static const struct {
        const char *text;
        const struct rtn_policy *policy;
        int status;
    } rows[] = {
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd", &small, 0 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", &small, 413 },
        { CHUNKED "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", &small, 0 },
        { CHUNKED "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", &small, 413 },
        { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300001\r\n\r\nabcd", &large, 0 },
        { CHUNKED "493e1\r\nabcd", &large, 0 },
        { CHUNKED "7fffffffffffffff\r\nabcd", &large, 0 },
        { CHUNKED "8000000000000000\r\nabcd", &large, 413 },
        { CHUNKED "4\r\nabcd\r\n7ffffffffffffffc\r\n", &large, 413 },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        struct rtn_request *request = new_request();
        memcpy(request->buffer, rows[i].text, strlen(rows[i].text));
        request->end = strlen(rows[i].text);
        cr_expect_eq(rtn_request_parse(request), RTN_REQUEST_HEADED);
        request->policy = rows[i].policy;
        (void) rtn_request_parse(request);
        cr_expect_eq(request->error_status, rows[i].status, "%s", rows[i].text);
        if (rows[i].status == 0)
            cr_expect(rtn_str_equal(request->body, RTN_STR("abcd")), "%s", rows[i].text);
        rtn_request_clear(request);
        cr_expect_eq(request->policy, &terms.policy);
        rtn_request_free(request);
    }
}

Test(http1_body, limits_are_exact)
{
    static const size_t cut[] = { 1, 1000, SIZE_MAX / 2 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cut) * RTN_ARRAY_LENGTH(modes) * 2; i++) {
        size_t more = i % 2;
        size_t piece = cut[i / 2 % RTN_ARRAY_LENGTH(cut)];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        set_mode(modes[i / 2 / RTN_ARRAY_LENGTH(cut)]);

        make_body(&text, MOST_BODY + more, 0);
        cr_expect_eq(status_of(&text, piece), more ? 413 : 200, "length");

        rtn_buf_clear(&text);
        make_body(&text, MOST_BODY + more, 1000);
        cr_expect_eq(status_of(&text, piece), more ? 413 : 200, "chunks");

        /* All of limits.header is used by the framing up to the content; 16 bytes more come with it. */
        rtn_buf_clear(&text);
        rtn_buf_append_text(&text, CHUNKED "1;");
        append_many(&text, 'x', MOST_HEADER - 4);
        rtn_buf_append_text(&text, "\r\nx\r\n0;");
        append_many(&text, 'x', 16 - 6 + more);
        rtn_buf_append_text(&text, "\r\n\r\n");
        cr_expect_eq(status_of(&text, piece), more ? 413 : 200, "framing");
    }
}

/* Framing without end: one-byte chunks with long extensions. */
Test(http1_body, framing_is_bounded)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_append_text(&text, CHUNKED);
    for (int i = 0; i < 1000; i++)
        rtn_buf_append_text(&text, "1;extension=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n");
    cr_expect_eq(status_of(&text, 1000), 413);
}
