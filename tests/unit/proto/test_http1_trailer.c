/* Trailer fields: which are kept, which are left out, what is refused; however they are cut into reads. */
#include "body_support.h"

static const struct body_row table[] = {
    { "0\r\nA: b\r\n\r\n", "a=b|", 0, false },
    { "1\r\nx\r\n0\r\nA: b\r\nLong-NAME:\t two words \t \r\nEmpty:\r\nBlank:  \r\n\xc3:x", NULL, 400, false },
    { "1\r\nx\r\n0\r\nA: b\r\nLong-NAME:\t two  words \t \r\nEmpty:\r\nBlank:  \r\nA:\xc3\xa9:\r\n\r\n",
      "xa=b|long-name=two  words|empty=|blank=|a=\xc3\xa9:|", 0, false },
    { "0\r\nHost: b\r\nCONNECTION: close\r\nContent-Length: 7\r\nContent-Type: x/y\r\nExpect: other\r\n\r\n", "", 0,
      false },
    { "0\r\nA: b\r\nAuthorization: x\r\nIf-Match: *\r\nX-Forwarded-For: c\r\nProxy-Authorization: d\r\nE: f\r\n\r\n",
      "a=b|e=f|", 0, false },
    { "0\r\nContent-Digest: x\r\nIf: y\r\nContents: z\r\n\r\n", "content-digest=x|if=y|contents=z|", 0, false },
    { "0\r\n\n", NULL, 400, false },
    { "0\r\n\r\r\n", NULL, 400, false },
    { "0\r\nA: b\n\r\n", NULL, 400, false },
    { "0\r\nA: b\rC: d\r\n\r\n", NULL, 400, false },
    { "0\r\nA: b\r\n\n", NULL, 400, false },
    { "0\r\nA : b\r\n\r\n", NULL, 400, false },
    { "0\r\n A: b\r\n\r\n", NULL, 400, false },
    { "0\r\nA: b\r\n c\r\n\r\n", NULL, 400, false },
    { "0\r\nA:\r\n\tc\r\n\r\n", NULL, 400, false },
    { "0\r\n: b\r\n\r\n", NULL, 400, false },
    { "0\r\nA\r\n\r\n", NULL, 400, false },
    { "0\r\nA b\r\n\r\n", NULL, 400, false },
    { "0\r\nA(: b\r\n\r\n", NULL, 400, false },
    { "0\r\nA: b\001\r\n\r\n", NULL, 400, false },
    { "0\r\nA: b\177\r\n\r\n", NULL, 400, false },
    { "0\r\nHost: \001\r\n\r\n", NULL, 400, false },
    { "0\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, 400, true },
    { "0\r\nA: b\r\ntransfer-ENCODING: x\r\n\r\n", NULL, 400, true },
};

Test(http1_trailer, accepts_and_refuses)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        check_whole(&table[i]);
}

Test(http1_trailer, every_cut_in_two_gives_the_same)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        check_every_cut(&table[i]);
}

Test(http1_trailer, small_pieces_give_the_same)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        check_small_pieces(&table[i]);
}

Test(http1_trailer, limits_are_exact)
{
    static const size_t cut[] = { 1, 1000, SIZE_MAX / 2 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cut) * RTN_ARRAY_LENGTH(modes) * 2; i++) {
        size_t more = i % 2;
        size_t piece = cut[i / 2 % RTN_ARRAY_LENGTH(cut)];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        set_mode(modes[i / 2 / RTN_ARRAY_LENGTH(cut)]);

        rtn_buf_append_text(&text, CHUNKED "0\r\n");
        for (size_t field = 0; field < MOST_FIELDS + more; field++)
            rtn_buf_append_text(&text, "Host: b\r\n");
        rtn_buf_append_text(&text, "\r\n");
        cr_expect_eq(status_of(&text, piece), more ? 431 : 200, "trailer fields");

        rtn_buf_clear(&text);
        rtn_buf_append_text(&text, CHUNKED "0\r\nA:");
        append_many(&text, 'x', MOST_HEADER - 6 + more);
        rtn_buf_append_text(&text, "\r\n\r\n");
        cr_expect_eq(status_of(&text, piece), more ? 431 : 200, "trailer section");
    }
}

/* They have an end, whatever is sent. */
Test(http1_trailer, section_is_bounded)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_append_text(&text, CHUNKED "0\r\nA: ");
    append_many(&text, 'x', 1000000);
    cr_expect_eq(status_of(&text, 1000), 431);
}

/* Longer than any block of the arena is at first; the table points into the last copy of the text. */
Test(http1_trailer, long_trailers_are_whole)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    RTN_CLEANUP(reader_done) struct reader reader = { new_request(), { 0 } };
    rtn_buf_append_text(&text, CHUNKED "0\r\n");
    for (int i = 0; i < MOST_FIELDS; i++) {
        rtn_buf_printf(&text, "Name-%d: ", i);
        append_many(&text, (char) ('a' + i), 900);
        rtn_buf_append_text(&text, "\r\n");
    }
    rtn_buf_append_text(&text, "\r\n");
    read_pieces(&reader, rtn_buf_str(&text), 777);
    cr_assert_eq(reader.request->trailer_count, MOST_FIELDS);
    for (int i = 0; i < MOST_FIELDS; i++) {
        char name[16];
        (void) snprintf(name, sizeof(name), "name-%d", i);
        struct rtn_header trailer = reader.request->trailers[i];
        cr_expect(rtn_str_equal(trailer.name, rtn_str_of(name)));
        cr_expect_eq(trailer.value.length, 900);
        cr_expect_eq(trailer.value.data[0], 'a' + i);
        cr_expect_eq(trailer.value.data[899], 'a' + i);
    }
}
