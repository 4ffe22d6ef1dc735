/*
 * What the tests of bodies share: a request that is read in pieces, its content taken as its mode has it, and a check
 * that no cut makes a difference.
 */
#ifndef RTN_TESTS_PROTO_BODY_SUPPORT_H
#define RTN_TESTS_PROTO_BODY_SUPPORT_H

#include "support.h"

#include "base/macros.h"

#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define NEXT "GET /next HTTP/1.1\r\nHost: b\r\n\r\n"

/* A body behind CHUNKED. */
struct body_row {
    const char *text;
    const char *about; /* of a good one: the content, and the trailers kept */
    int status; /* of a refused one */
    bool hostile;
};

static const int modes[] = { RTN_BODY_BUFFERED, RTN_BODY_STREAMED, RTN_BODY_NONE };

static inline void set_mode(int mode)
{
    terms.policy.request_body = mode;
}

/* What the request comes to, said the same way whatever its mode: content is added to as it comes. */
struct reader {
    struct rtn_request *request;
    struct rtn_buf content;
};

static inline void reader_done(struct reader *reader)
{
    rtn_request_free(reader->request);
    rtn_buf_done(&reader->content);
}

static inline void check_place(const struct rtn_request *request)
{
    if (request->stage != RTN_REQUEST_BODY)
        return;
    cr_assert_eq(request->parsed, request->end);
    cr_assert_eq(request->end, request->start + request->head_length + request->body.length);
    if (request->body.length > 0)
        cr_assert_eq(request->body.data, request->buffer + request->start + request->head_length);
}

static inline void take_content(struct reader *reader)
{
    struct rtn_request *request = reader->request;
    check_place(request);
    if (request->policy->request_body != RTN_BODY_STREAMED)
        return;
    if (request->stage != RTN_REQUEST_BODY && request->stage != RTN_REQUEST_COMPLETE)
        return;
    rtn_buf_append_str(&reader->content, request->body);
    rtn_request_consume(request);
    cr_assert_eq(request->body.length, 0);
    check_place(request);
}

/* Each time what was read lands somewhere else, so that a view that was not moved would show it. */
static inline void read_some(struct reader *reader, struct rtn_str bytes)
{
    struct rtn_request *request = reader->request;
    if (request->stage >= RTN_REQUEST_COMPLETE) {
        cr_assert_eq(rtn_request_make_room(request, bytes.length), 0);
        memcpy(request->buffer + request->end, bytes.data, bytes.length);
        request->end += bytes.length;
        return;
    }
    (void) feed(request, bytes.data, bytes.length);
    take_content(reader);
}

static inline void read_pieces(struct reader *reader, struct rtn_str text, size_t piece)
{
    for (size_t at = 0; at < text.length; at += piece)
        read_some(reader, (struct rtn_str){ text.data + at, RTN_MIN(piece, text.length - at) });
}

static inline void conclude(const struct reader *reader, struct rtn_buf *out)
{
    const struct rtn_request *request = reader->request;
    if (request->stage != RTN_REQUEST_COMPLETE) {
        rtn_buf_printf(out, "stage %d: %d %s%s", request->stage, request->error_status,
                       request->error_text != NULL ? request->error_text : "", request->hostile ? " (hostile)" : "");
        return;
    }
    rtn_buf_append_str(out, rtn_buf_str(&reader->content));
    rtn_buf_append_str(out, request->body);
    for (unsigned i = 0; i < request->trailer_count; i++)
        rtn_buf_printf(out, "%.*s=%.*s|", RTN_STR_ARG(request->trailers[i].name),
                       RTN_STR_ARG(request->trailers[i].value));
}

static inline int status_of(const struct rtn_buf *text, size_t piece)
{
    RTN_CLEANUP(reader_done) struct reader reader = { new_request(), { 0 } };
    read_pieces(&reader, rtn_buf_str(text), piece);
    return reader.request->stage == RTN_REQUEST_COMPLETE ? 200 : reader.request->error_status;
}

static inline void text_of(const struct body_row *row, struct rtn_buf *out)
{
    rtn_buf_append_text(out, CHUNKED);
    rtn_buf_append_text(out, row->text);
    if (row->status == 0)
        rtn_buf_append_text(out, NEXT);
}

static inline void check_whole(const struct body_row *row)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf about = { 0 };
    RTN_CLEANUP(reader_done) struct reader reader = { new_request(), { 0 } };
    text_of(row, &text);
    set_mode(RTN_BODY_BUFFERED);
    read_pieces(&reader, rtn_buf_str(&text), text.length);
    conclude(&reader, &about);
    cr_expect_eq(reader.request->error_status, row->status, "%s-> %s", row->text, about.data);
    cr_expect_eq(reader.request->hostile, row->hostile, "%s", row->text);
    if (row->status == 0)
        cr_expect(rtn_str_equal(rtn_buf_str(&about), rtn_str_of(row->about)), "%s-> %s", row->text, about.data);
}

/* The request behind the body must be found, and be the only thing left. */
static inline void check_next(struct reader *reader, const char *what)
{
    struct rtn_request *request = reader->request;
    rtn_request_next(request);
    cr_expect_eq(parse(request), RTN_REQUEST_COMPLETE, "%s: %s", what, request->error_text);
    cr_expect(rtn_str_equal(request->target, RTN_STR("/next")), "%s: %.*s", what, RTN_STR_ARG(request->target));
    cr_expect(rtn_str_equal(request->host, RTN_STR("b")), "%s", what);
    cr_expect_eq(request->trailer_count, 0);
    cr_expect_eq(request->body.length, 0);
    cr_expect_eq(request->parsed, request->end);
}

/* `first` bytes, then pieces: the same as all at once. */
static inline void check_cuts(const struct body_row *row, int mode, size_t first, size_t piece)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf whole = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf about = { 0 };
    RTN_CLEANUP(reader_done) struct reader at_once = { new_request(), { 0 } };
    RTN_CLEANUP(reader_done) struct reader reader = { new_request(), { 0 } };
    text_of(row, &text);
    set_mode(mode);
    read_pieces(&at_once, rtn_buf_str(&text), text.length);
    conclude(&at_once, &whole);
    read_some(&reader, (struct rtn_str){ text.data, first });
    read_pieces(&reader, (struct rtn_str){ text.data + first, text.length - first }, piece);
    conclude(&reader, &about);
    cr_expect(rtn_str_equal(rtn_buf_str(&about), rtn_buf_str(&whole)), "%s\nmode %d, cut at %zu: %s\nwhole: %s",
              row->text, mode, first, about.data, whole.data);
    cr_expect_eq(reader.request->body_received, at_once.request->body_received, "%s", row->text);
    if (row->status == 0) {
        check_next(&reader, row->text);
        check_next(&at_once, row->text);
    }
}

static inline void check_every_cut(const struct body_row *row)
{
    size_t length = strlen(CHUNKED) + strlen(row->text);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(modes); i++) {
        for (size_t cut = strlen(CHUNKED) - 1; cut < length; cut++)
            check_cuts(row, modes[i], cut, length);
    }
}

static inline void check_small_pieces(const struct body_row *row)
{
    static const size_t pieces[] = { 1, 2, 3, 7 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(modes) * RTN_ARRAY_LENGTH(pieces); i++)
        check_cuts(row, modes[i % RTN_ARRAY_LENGTH(modes)], 1, pieces[i / RTN_ARRAY_LENGTH(modes)]);
}

#endif
