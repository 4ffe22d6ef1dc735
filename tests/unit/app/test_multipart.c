#include <errno.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "app/multipart.h"
#include "base/buf.h"

#define FILE_HEAD "Content-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n"
#define TEXT_HEAD "Content-Disposition: form-data; name=\"t\"\r\n"

/* What the callbacks were told: "(name|filename|type)content." for each part. */
struct heard {
    struct rtn_buf text;
    int refuse_at; /* the number of a callback, from 1, that returns -ECANCELED */
    int calls;
};

static int answer(struct heard *heard)
{
    return ++heard->calls == heard->refuse_at ? -ECANCELED : 0;
}

static int on_begin(void *data, const struct rtn_part *part)
{
    struct heard *heard = data;
    rtn_buf_printf(&heard->text, "%zu(", part->index);
    rtn_buf_append_str(&heard->text, part->name);
    rtn_buf_append_text(&heard->text, part->filename.data != NULL ? "|" : "|-");
    rtn_buf_append_str(&heard->text, part->filename);
    rtn_buf_append_char(&heard->text, '|');
    rtn_buf_append_str(&heard->text, part->type);
    rtn_buf_append_char(&heard->text, ')');
    return answer(heard);
}

static int on_data(void *data, const void *bytes, size_t length)
{
    struct heard *heard = data;
    cr_expect_gt(length, 0u);
    rtn_buf_append(&heard->text, bytes, length);
    return answer(heard);
}

static int on_end(void *data)
{
    struct heard *heard = data;
    rtn_buf_append_char(&heard->text, '.');
    return answer(heard);
}

/* Feeds the body in pieces of `cut` bytes; the result of finish. */
static int read_body(struct rtn_str boundary, struct rtn_str body, size_t cut, struct rtn_multipart_options options,
                     struct heard *heard, char error[128])
{
    struct rtn_multipart multipart;
    struct rtn_arena arena;
    rtn_arena_init(&arena, NULL, 0);
    options.data = heard;
    options.part_begin = on_begin;
    options.part_data = on_data;
    options.part_end = on_end;
    cr_assert_eq(rtn_multipart_init(&multipart, boundary, &options, &arena), 0);
    for (size_t at = 0; at < body.length; at += cut)
        (void) rtn_multipart_push(&multipart, (struct rtn_str){ body.data + at, RTN_MIN(cut, body.length - at) });
    int result = rtn_multipart_close(&multipart);
    cr_expect_eq(rtn_multipart_close(&multipart), result, "the error does not stay");
    (void) snprintf(error, 128, "%s", multipart.error_text);
    rtn_arena_done(&arena);
    return result;
}

static void expect_body(struct rtn_str boundary, struct rtn_str body, struct rtn_multipart_options options, int want,
                        const char *text)
{
    for (size_t cut = 1; cut <= body.length + 1; cut++) {
        struct heard heard = { 0 };
        char error[128];
        int result = read_body(boundary, body, cut, options, &heard, error);
        const char *got = want == 0 ? rtn_buf_str(&heard.text).data : error;
        cr_assert(result == want && strcmp(got, text) == 0, "pieces of %zu: %d [%s], not %d [%s]", cut, result, got,
                  want, text);
        cr_expect_eq(error[0] != '\0', want != 0);
        rtn_buf_done(&heard.text);
    }
}

static void expect_read(const char *body, const char *text)
{
    expect_body(RTN_STR("b"), rtn_str_of(body), (struct rtn_multipart_options){ 0 }, 0, text);
}

static void expect_malformed(const char *body, const char *text)
{
    expect_body(RTN_STR("b"), rtn_str_of(body), (struct rtn_multipart_options){ 0 }, -EBADMSG, text);
}

/* One part with this Content-Disposition behind "form-data". */
static void expect_disposition(const char *parameters, const char *text)
{
    struct rtn_buf body = { 0 };
    rtn_buf_printf(&body, "--b\r\nContent-Disposition: form-data%s\r\n\r\n\r\n--b--", parameters);
    expect_read(body.data, text);
    rtn_buf_done(&body);
}

static void expect_bad_disposition(const char *parameters, const char *text)
{
    struct rtn_buf body = { 0 };
    rtn_buf_printf(&body, "--b\r\nContent-Disposition: form-data%s\r\n\r\n\r\n--b--", parameters);
    expect_malformed(body.data, text);
    rtn_buf_done(&body);
}

Test(multipart, parts_are_told_in_their_order)
{
    expect_read("--b\r\n" TEXT_HEAD "\r\nhello\r\n--b\r\n" FILE_HEAD
                "Content-Type: image/png\r\n\r\na\r\nb\r\n--b--\r\n",
                "0(t|-|text/plain)hello.1(f|x|image/png)a\r\nb.");
}

Test(multipart, contents_may_look_like_delimiters)
{
    expect_read("--b\r\n" TEXT_HEAD "\r\n\r\n--\r\r\n-\r\n-b\n--b\r--b--b\r\n\r\n--b--",
                "0(t|-|text/plain)\r\n--\r\r\n-\r\n-b\n--b\r--b--b\r\n.");
    expect_read("--b\r\n" TEXT_HEAD "\r\n-\r\n--b--", "0(t|-|text/plain)-.");
    expect_read("--b\r\n" TEXT_HEAD "\r\n--\r\n--b--", "0(t|-|text/plain)--.");
}

Test(multipart, long_boundaries_are_found_behind_their_likes)
{
    expect_body(RTN_STR("aaaaaaaab"),
                RTN_STR("--aaaaaaaab\r\n" TEXT_HEAD "\r\naaaaaaaab\r\n--aaaaaaaaab\r\n--aaaaaaaa\r\n--aaaaaaaab--"),
                (struct rtn_multipart_options){ 0 }, 0, "0(t|-|text/plain)aaaaaaaab\r\n--aaaaaaaaab\r\n--aaaaaaaa.");
}

Test(multipart, parts_may_be_empty)
{
    expect_read("--b\r\n" TEXT_HEAD "\r\n\r\n--b--", "0(t|-|text/plain).");
    expect_read("--b\r\n" TEXT_HEAD "\r\n--b\r\n" TEXT_HEAD "\r\n--b--", "0(t|-|text/plain).1(t|-|text/plain).");
}

Test(multipart, there_need_be_no_part)
{
    struct heard heard = { 0 };
    char error[128];
    cr_expect_eq(read_body(RTN_STR("b"), RTN_STR("--b--"), 1, (struct rtn_multipart_options){ 0 }, &heard, error), 0);
    cr_expect_eq(heard.calls, 0);
}

Test(multipart, preamble_epilogue_and_padding_are_passed_over)
{
    expect_read("To whom\r\n--it\r\n--b \t\r\n" TEXT_HEAD "\r\nx\r\n--b-- \r\n--b\r\nthe end", "0(t|-|text/plain)x.");
    expect_read("\r\n--b\r\n" TEXT_HEAD "\r\nx\r\n--b--", "0(t|-|text/plain)x.");
}

Test(multipart, content_is_any_bytes)
{
    char body[512] = "--b\r\n" TEXT_HEAD "\r\n";
    size_t length = strlen(body);
    for (int c = 0; c < 256; c++)
        body[length++] = (char) c;
    memcpy(body + length, "\r\n--b--", 7);
    for (size_t cut = 1; cut < 300; cut++) {
        struct heard heard = { 0 };
        char error[128];
        int result = read_body(RTN_STR("b"), (struct rtn_str){ body, length + 7 }, cut,
                               (struct rtn_multipart_options){ 0 }, &heard, error);
        const size_t head = strlen("0(t|-|text/plain)");
        cr_expect_eq(result, 0);
        cr_assert_eq(heard.text.length, head + 256 + 1);
        cr_expect_eq(memcmp(heard.text.data + head, body + length - 256, 256), 0);
        rtn_buf_done(&heard.text);
    }
}

Test(multipart, nested_parts_are_content)
{
    expect_read("--b\r\n" TEXT_HEAD "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--",
                "0(t|-|multipart/mixed; boundary=c)--c\r\n\r\nx\r\n--c--.");
}

Test(multipart, other_fields_are_passed_over)
{
    expect_read(
        "--b\r\nX-a: \xc3\xa4\tb\r\ncontent-disposition:form-data;name=t\r\nContent-Length: 7\r\n\r\nx\r\n--b--",
        "0(t|-|text/plain)x.");
}

Test(multipart, names)
{
    expect_disposition("; name=t", "0(t|-|text/plain).");
    expect_disposition("; name=\"\"", "0(|-|text/plain).");
    expect_disposition("; NAME=\"a;b\";", "0(a;b|-|text/plain).");
    expect_disposition("; name=\"\xc3\xa4\"; other=1", "0(\xc3\xa4|-|text/plain).");
    expect_disposition("; name=\"a%22%0D%0ab%2f%\"", "0(a\"\r\nb%2f%|-|text/plain).");
    expect_disposition("; name=\"a\\\"b\\\\c\\d\"", "0(a\"b\\c\\d|-|text/plain).");
}

Test(multipart, file_names_lose_their_folders)
{
    expect_disposition("; name=f; filename=\"\"", "0(f||text/plain).");
    expect_disposition("; name=f; filename=a.txt", "0(f|a.txt|text/plain).");
    expect_disposition("; name=f; filename=\"/etc/passwd\"", "0(f|passwd|text/plain).");
    expect_disposition("; name=f; filename=\"C:\\new\\a.txt\"", "0(f|a.txt|text/plain).");
    expect_disposition("; name=f; filename=\"a/\"", "0(f||text/plain).");
    expect_disposition("; name=f; filename=\"../..\"", "0(f|..|text/plain).");
    expect_disposition("; name=f; filename=\"a%22b.txt\"", "0(f|a\"b.txt|text/plain).");
}

Test(multipart, extended_file_names_win)
{
    expect_disposition("; name=f; filename*=UTF-8''%e2%82%AC.txt; filename=\"e.txt\"",
                       "0(f|\xe2\x82\xac.txt|text/plain).");
    expect_disposition("; name=f; filename=\"e.txt\"; filename*=utf-8'en'a%2Fb", "0(f|b|text/plain).");
    const char *const wrong[] = { "iso-8859-1''a", "UTF-8'a",    "UTF-8",      "a",           "UTF-8''%e4",
                                  "UTF-8''%4",     "UTF-8''%zz", "UTF-8''%00", "UTF-8''a%0ab" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char parameters[128];
        (void) snprintf(parameters, sizeof(parameters), "; name=f; filename*=%s", wrong[i]);
        expect_bad_disposition(parameters, "part 1: filename* is not percent-encoded UTF-8");
    }
}

Test(multipart, malformed_dispositions)
{
    expect_bad_disposition("", "part 1: the name of the form field is missing");
    expect_bad_disposition("; filename=\"x\"", "part 1: the name of the form field is missing");
    expect_bad_disposition("; name=\"a", "part 1: Content-Disposition is malformed");
    expect_bad_disposition("; name=a b", "part 1: Content-Disposition is malformed");
    expect_bad_disposition("; name", "part 1: Content-Disposition is malformed");
    expect_bad_disposition("; name=a; name=b", "part 1: a parameter of Content-Disposition comes twice");
    expect_bad_disposition("; name=\"\"; name=b", "part 1: a parameter of Content-Disposition comes twice");
    expect_bad_disposition("; name=a; filename=b; FileName=c",
                           "part 1: a parameter of Content-Disposition comes twice");
    expect_bad_disposition("2; name=a", "part 1: Content-Disposition is not form-data");
}

Test(multipart, malformed_headers)
{
    expect_malformed("--b\r\n\r\nx\r\n--b--", "part 1: Content-Disposition is missing");
    expect_malformed("--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--", "part 1: Content-Disposition is missing");
    expect_malformed("--b\r\n" TEXT_HEAD TEXT_HEAD "\r\nx\r\n--b--", "part 1: Content-Disposition comes twice");
    expect_malformed("--b\r\n" TEXT_HEAD "Content-Type: a\r\nContent-Type: a\r\n\r\n",
                     "part 1: Content-Type comes twice");
    expect_malformed("--b\r\n" TEXT_HEAD "\r\nx\r\n--b\r\nContent-Disposition: attachment; name=x\r\n\r\n",
                     "part 2: Content-Disposition is not form-data");
    const char *const lines[] = {
        "a", ":a", "a b: c", "a : b", "a: b\x01", "a: b\rc", " a: b", "a: b\r\n c", "a: \x7f"
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char body[128];
        (void) snprintf(body, sizeof(body), "--b\r\n" TEXT_HEAD "%s\r\n\r\nx\r\n--b--", lines[i]);
        expect_malformed(body, "part 1: a line of the header is malformed");
    }
    expect_malformed("--b\r\nContent-Disposition: form-data; name=t\n\r\n",
                     "part 1: a line of the header does not end in CR LF");
    expect_malformed("--b\r\n" TEXT_HEAD "\nx\r\n--b--", "part 1: a line of the header does not end in CR LF");
}

Test(multipart, malformed_delimiters)
{
    const char *const behind[] = { "x", "-x", "\n", "\rx", " x", "\r\r\n" };
    for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
        char body[128];
        (void) snprintf(body, sizeof(body), "--b\r\n" TEXT_HEAD "\r\nx\r\n--b%s\r\n--b--", behind[i]);
        expect_malformed(body, "behind a boundary there is neither the end of the line nor \"--\"");
    }
}

Test(multipart, every_cut_off_body_is_malformed)
{
    const char *body = "--b\r\n" TEXT_HEAD "\r\nx\r\n--b--";
    for (size_t length = 0; length < strlen(body); length++) {
        struct heard heard = { 0 };
        char error[128];
        int result = read_body(RTN_STR("b"), (struct rtn_str){ body, length }, SIZE_MAX / 2,
                               (struct rtn_multipart_options){ 0 }, &heard, error);
        cr_expect(result == -EBADMSG && strcmp(error, "the closing boundary is missing") == 0, "%zu: %d %s", length,
                  result, error);
        rtn_buf_done(&heard.text);
    }
}

Test(multipart, parts_are_limited)
{
    const char *part = "--b\r\n" TEXT_HEAD "\r\nx\r\n";
    char body[512];
    (void) snprintf(body, sizeof(body), "%s%s--b--", part, part);
    expect_body(RTN_STR("b"), rtn_str_of(body), (struct rtn_multipart_options){ .parts = 2 }, 0,
                "0(t|-|text/plain)x.1(t|-|text/plain)x.");
    expect_body(RTN_STR("b"), rtn_str_of(body), (struct rtn_multipart_options){ .parts = 1 }, -EMSGSIZE,
                "there are more than 1 parts");
    struct rtn_buf many = { 0 };
    for (int i = 0; i < 101; i++)
        rtn_buf_append_text(&many, part);
    struct heard heard = { 0 };
    char error[128];
    cr_expect_eq(read_body(RTN_STR("b"), rtn_buf_str(&many), 100, (struct rtn_multipart_options){ 0 }, &heard, error),
                 -EMSGSIZE);
    cr_expect_str_eq(error, "there are more than 100 parts");
    rtn_buf_done(&many);
    rtn_buf_done(&heard.text);
}

Test(multipart, headers_are_limited)
{
    const struct rtn_str body = RTN_STR("--b\r\n" TEXT_HEAD "\r\nx\r\n--b--");
    const int64_t exact = (int64_t) strlen(TEXT_HEAD "\r\n");
    expect_body(RTN_STR("b"), body, (struct rtn_multipart_options){ .header = exact }, 0, "0(t|-|text/plain)x.");
    expect_body(RTN_STR("b"), body, (struct rtn_multipart_options){ .header = exact - 1 }, -EMSGSIZE,
                "part 1: the header is larger than 43 bytes");
    struct rtn_buf many = { 0 };
    rtn_buf_append_text(&many, "--b\r\n" TEXT_HEAD);
    for (int i = 0; i < RTN_MULTIPART_FIELDS_MAX; i++)
        rtn_buf_append_text(&many, "a:b\r\n");
    rtn_buf_append_text(&many, "\r\nx\r\n--b--");
    expect_body(RTN_STR("b"), rtn_buf_str(&many), (struct rtn_multipart_options){ 0 }, -EMSGSIZE,
                "part 1: the header has more than 32 fields");
    rtn_buf_done(&many);
}

Test(multipart, contents_are_limited)
{
    const struct rtn_str body = RTN_STR("--b\r\n" TEXT_HEAD "\r\nx\r\n-\r\n--b\r\n" TEXT_HEAD "\r\nabcd\r\n--b--");
    expect_body(RTN_STR("b"), body, (struct rtn_multipart_options){ .part_size = 4 }, 0,
                "0(t|-|text/plain)x\r\n-.1(t|-|text/plain)abcd.");
    expect_body(RTN_STR("b"), body, (struct rtn_multipart_options){ .part_size = 3 }, -EMSGSIZE,
                "part 1: it is larger than 3 bytes");
    for (size_t cut = 1; cut < body.length; cut++) {
        struct heard heard = { 0 };
        char error[128];
        (void) read_body(RTN_STR("b"), body, cut, (struct rtn_multipart_options){ .part_size = 3 }, &heard, error);
        cr_expect_str_eq(heard.text.data, "0(t|-|text/plain)x\r\n");
        rtn_buf_done(&heard.text);
    }
}

Test(multipart, what_a_callback_returns_ends_it)
{
    const struct rtn_str body = RTN_STR("--b\r\n" TEXT_HEAD "\r\nx\r\n--b\r\n" TEXT_HEAD "\r\ny\r\n--b--");
    const char *const heard_until[] = { "0(t|-|text/plain)", "0(t|-|text/plain)x", "0(t|-|text/plain)x." };
    for (int i = 1; i <= 3; i++) {
        struct heard heard = { .refuse_at = i };
        char error[128];
        int result = read_body(RTN_STR("b"), body, 1, (struct rtn_multipart_options){ 0 }, &heard, error);
        cr_expect_eq(result, -ECANCELED);
        cr_expect_eq(heard.calls, i);
        cr_expect_str_eq(heard.text.data, heard_until[i - 1]);
        cr_expect_str_eq(error, "");
        rtn_buf_done(&heard.text);
    }
}

Test(multipart, callbacks_may_be_left_out)
{
    struct rtn_multipart multipart;
    struct rtn_arena arena;
    rtn_arena_init(&arena, NULL, 0);
    cr_assert_eq(rtn_multipart_init(&multipart, RTN_STR("b"), &(struct rtn_multipart_options){ 0 }, &arena), 0);
    cr_expect_eq(rtn_multipart_push(&multipart, RTN_STR("--b\r\n" TEXT_HEAD "\r\nx\r\n--b--")), 0);
    cr_expect_eq(rtn_multipart_close(&multipart), 0);
    rtn_arena_done(&arena);
}

static void expect_boundary(const char *type, const char *want)
{
    struct rtn_str got = RTN_STR("untouched");
    int r = rtn_multipart_boundary(rtn_str_of(type), &got);
    cr_expect(r == (want != NULL ? 0 : -EINVAL), "[%s]: %d", type, r);
    cr_expect(rtn_str_equal(got, rtn_str_of(want != NULL ? want : "untouched")), "[%s]: [%.*s]", type,
              RTN_STR_ARG(got));
}

#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"

Test(multipart, boundaries)
{
    expect_boundary("multipart/form-data; boundary=b", "b");
    expect_boundary("Multipart/Form-Data ;charset=utf-8; BOUNDARY=\"a b(c)'+_,-./:=?\" ;", "a b(c)'+_,-./:=?");
    expect_boundary("multipart/form-data; boundary=" SEVENTY, SEVENTY);
    const char *const wrong[] = { "",
                                  "multipart/form-data",
                                  "multipart/form-data; boundary",
                                  "multipart/form-data; boundary=",
                                  "multipart/form-data; boundary=\"\"",
                                  "multipart/form-data; boundary=\"a \"",
                                  "multipart/form-data; boundary=\"a\\b\"",
                                  "multipart/form-data; boundary=a/b",
                                  "multipart/form-data; boundary=a*",
                                  "multipart/form-data; boundary=a; boundary=a",
                                  "multipart/form-data; boundary=\"a",
                                  "multipart/mixed; boundary=a",
                                  "multipart/form-data; boundary=" SEVENTY "x" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect_boundary(wrong[i], NULL);
    struct rtn_str boundary;
    cr_expect_eq(rtn_multipart_boundary((struct rtn_str){ NULL, 0 }, &boundary), -EINVAL);
}
