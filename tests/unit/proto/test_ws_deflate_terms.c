/* permessage-deflate: what is agreed upon, on both sides, and what the two streams make of messages. Clauses: RFC 7692.
 */
#include <errno.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/macros.h"
#include "proto/ws_deflate.h"

#define NAME "permessage-deflate"
#define S_FORGETS "; server_no_context_takeover"
#define C_FORGETS "; client_no_context_takeover"
#define S_BITS "; server_max_window_bits"
#define C_BITS "; client_max_window_bits"

static const struct rtn_config_deflate plain = {
    .server_max_window_bits = 15, .client_max_window_bits = 15, .memory_level = 8, .effort = RTN_EFFORT_DEFAULT
};
static const struct rtn_config_deflate narrow = { .server_max_window_bits = 12,
                                                  .client_max_window_bits = 11,
                                                  .server_no_context_takeover = true,
                                                  .client_no_context_takeover = true,
                                                  .memory_level = 8 };

/* server_bits client_bits, then s and c for those who forget. */
static const char *text_of(const struct rtn_ws_deflate_terms *terms)
{
    static char text[32];
    (void) snprintf(text, sizeof(text), "%d %d%s%s", terms->server_bits, terms->client_bits,
                    terms->server_forgets ? " s" : "", terms->client_forgets ? " c" : "");
    return text;
}

struct negotiation {
    const char *text;
    const char *answer; /* NULL: declined */
    const char *terms;
};

static void expect_accepted(const struct rtn_config_deflate *config, const struct negotiation *row)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    struct rtn_ws_deflate_terms terms = { .server_bits = -1 };
    rtn_buf_append_text(&out, "x: ");
    bool accepted = rtn_ws_deflate_accept(config, rtn_str_of(row->text), &terms, &out);
    cr_expect_eq(accepted, row->answer != NULL, "%s", row->text);
    cr_expect_str_eq(out.data + 3, row->answer != NULL ? row->answer : "", "%s", row->text);
    cr_expect_str_eq(accepted ? text_of(&terms) : "", row->answer != NULL ? row->terms : "", "%s", row->text);
    cr_expect(accepted || terms.server_bits == -1, "%s: the terms were touched", row->text);
}

Test(ws_deflate_terms, a_server_accepts_what_it_can)
{
    static const struct negotiation table[] = {
        { NAME, NAME, "15 15" },
        { "Permessage-DEFLATE", NAME, "15 15" },
        { NAME S_FORGETS, NAME S_FORGETS, "15 15 s" },
        { NAME C_FORGETS, NAME C_FORGETS, "15 15 c" },
        { NAME "; SERVER_No_context_takeover", NAME S_FORGETS, "15 15 s" },
        { NAME S_BITS "=10", NAME S_BITS "=10", "10 15" },
        { NAME S_BITS "=15", NAME S_BITS "=15", "15 15" },
        { NAME S_BITS "=9", NAME S_BITS "=9", "9 15" },
        { NAME C_BITS, NAME, "15 15" },
        { NAME C_BITS "=15", NAME C_BITS "=15", "15 15" },
        { NAME C_BITS "=10", NAME C_BITS "=10", "15 10" },
        { NAME C_BITS "=8", NAME C_BITS "=8", "15 8" },
        { NAME S_FORGETS C_BITS C_FORGETS S_BITS "=12", NAME S_FORGETS C_FORGETS S_BITS "=12", "12 15 s c" },
        /* quoted values and white space (RFC 6455, 9.1) */
        { NAME S_BITS "=\"10\"", NAME S_BITS "=10", "10 15" },
        { NAME S_BITS "=\"1\\0\"", NAME S_BITS "=10", "10 15" },
        { " ,, \t" NAME " ;\tserver_max_window_bits = 10 , ", NAME S_BITS "=10", "10 15" },
        /* 7: the list is in order of preference; other extensions are passed over, whatever they have */
        { "foo, x-webkit-deflate-frame; a=\"1\\2\"; a, " NAME, NAME, "15 15" },
        { NAME S_BITS "=10, " NAME, NAME S_BITS "=10", "10 15" },
        { NAME S_BITS "=8, " NAME C_BITS S_BITS "=10, " NAME, NAME S_BITS "=10", "10 15" },
        { NAME "; unknown, " NAME "; unknown=1, " NAME S_FORGETS, NAME S_FORGETS, "15 15 s" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        expect_accepted(&plain, &table[i]);
}

Test(ws_deflate_terms, a_server_answers_within_its_configuration)
{
    static const struct negotiation table[] = {
        { NAME, NAME S_FORGETS C_FORGETS S_BITS "=12", "12 15 s c" },
        { NAME S_BITS "=10", NAME S_FORGETS C_FORGETS S_BITS "=10", "10 15 s c" },
        { NAME S_BITS "=14", NAME S_FORGETS C_FORGETS S_BITS "=12", "12 15 s c" },
        { NAME C_BITS, NAME S_FORGETS C_FORGETS S_BITS "=12" C_BITS "=11", "12 11 s c" },
        { NAME C_BITS "=15", NAME S_FORGETS C_FORGETS S_BITS "=12" C_BITS "=11", "12 11 s c" },
        { NAME C_BITS "=9", NAME S_FORGETS C_FORGETS S_BITS "=12" C_BITS "=9", "12 9 s c" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        expect_accepted(&narrow, &table[i]);
}

Test(ws_deflate_terms, a_server_declines)
{
    static const char *const table[] = {
        "",
        " ",
        ",",
        "foo",
        "permessage-deflat",
        "permessage-deflate2",
        /* 7.1: parameters that are unknown, doubled, or have values that they cannot have */
        NAME "; foo",
        NAME S_FORGETS S_FORGETS,
        NAME S_BITS "=10" S_BITS "=10",
        NAME C_BITS C_BITS "=10",
        NAME S_FORGETS "=1",
        NAME C_FORGETS "=\"10\"",
        NAME S_BITS,
        NAME S_BITS "=8",
        NAME S_BITS "=7",
        NAME S_BITS "=16",
        NAME S_BITS "=010",
        NAME S_BITS "=09",
        NAME S_BITS "=1",
        NAME S_BITS "=100",
        NAME S_BITS "=15x",
        NAME S_BITS "=+9",
        NAME S_BITS "=0",
        NAME C_BITS "=7",
        NAME C_BITS "=16",
        NAME C_BITS "=4294967305",
        NAME C_BITS "=\"08\"",
        /* RFC 6455, 9.1: malformed, and then as a whole */
        NAME ";",
        NAME "; ;" S_FORGETS,
        NAME S_BITS "=",
        NAME S_BITS "=\"\"",
        NAME S_BITS "=\"10",
        NAME S_BITS "=\"10\\",
        NAME S_BITS "=\"1 0\"",
        NAME S_BITS "=10 1",
        NAME S_BITS "==10",
        "; " NAME,
        "=",
        NAME " " NAME,
        NAME "\n",
        NAME ", \"foo\"",
        NAME ", foo bar",
        NAME ", foo; a=\"\x01\"",
        "(" NAME ")",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        expect_accepted(&plain, &(struct negotiation){ .text = table[i] });
    expect_accepted(&plain, &(struct negotiation){ .text = NULL });
}

Test(ws_deflate_terms, a_client_offers_what_is_configured)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    rtn_ws_deflate_offer(&plain, &out);
    cr_expect_str_eq(out.data, NAME C_BITS);
    rtn_buf_clear(&out);
    rtn_ws_deflate_offer(&narrow, &out);
    cr_expect_str_eq(out.data, NAME S_FORGETS C_FORGETS S_BITS "=12" C_BITS "=11");
}

static void expect_confirmed(const struct rtn_config_deflate *config, const char *answer, int result, const char *text)
{
    struct rtn_ws_deflate_terms terms = { .server_bits = -1 };
    cr_expect_eq(rtn_ws_deflate_confirm(config, rtn_str_of(answer), &terms), result, "%s", answer);
    if (result > 0)
        cr_expect_str_eq(text_of(&terms), text, "%s", answer);
    else
        cr_expect_eq(terms.server_bits, -1, "%s: the terms were touched", answer);
}

Test(ws_deflate_terms, a_client_confirms_answers)
{
    expect_confirmed(&plain, NULL, 0, "");
    expect_confirmed(&plain, "", 0, "");
    expect_confirmed(&plain, " \t", 0, "");
    expect_confirmed(&plain, NAME, 1, "15 15");
    /* 7.1.1.1, 7.1.2.1: servers may limit themselves unasked; 7.1.1.2, 7.1.2.2: and the client, who offered that */
    expect_confirmed(&plain, "PerMessage-Deflate" S_FORGETS S_BITS "=\"8\"", 1, "8 15 s");
    expect_confirmed(&plain, NAME C_FORGETS C_BITS "=10", 1, "15 10 c");
    expect_confirmed(&plain, NAME C_BITS "=8", 1, "15 8");
    expect_confirmed(&plain, NAME C_BITS "=15" S_BITS "=15", 1, "15 15");
    expect_confirmed(&narrow, NAME S_FORGETS S_BITS "=12", 1, "12 11 s c");
    expect_confirmed(&narrow, NAME S_FORGETS C_FORGETS S_BITS "=9" C_BITS "=10", 1, "9 10 s c");
}

Test(ws_deflate_terms, a_client_refuses_answers_to_something_else)
{
    static const char *const table[] = {
        "foo",
        NAME ", " NAME,
        NAME ", foo",
        "foo, " NAME,
        ",",
        NAME ";",
        NAME "; foo",
        NAME S_FORGETS S_FORGETS,
        NAME S_FORGETS "=1",
        NAME S_BITS,
        NAME S_BITS "=7",
        NAME S_BITS "=16",
        NAME C_BITS,
        NAME C_BITS "=010",
        NAME C_BITS "=10" C_BITS "=10",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        expect_confirmed(&plain, table[i], -EPROTO, "");
    expect_confirmed(&narrow, NAME, -EPROTO, "");
    expect_confirmed(&narrow, NAME S_FORGETS, -EPROTO, "");
    expect_confirmed(&narrow, NAME S_BITS "=12", -EPROTO, "");
    expect_confirmed(&narrow, NAME S_FORGETS S_BITS "=13", -EPROTO, "");
    expect_confirmed(&narrow, NAME S_FORGETS S_BITS "=12" C_BITS "=12", -EPROTO, "");
}

/* Every client configuration with every server configuration: they agree on the same. */
Test(ws_deflate_terms, both_sides_agree)
{
    for (unsigned i = 0; i < 7 * 7 * 7 * 7 * 16; i++) {
        struct rtn_config_deflate client = plain;
        struct rtn_config_deflate server = plain;
        client.server_max_window_bits = 9 + i % 7;
        client.client_max_window_bits = 9 + i / 7 % 7;
        server.server_max_window_bits = 9 + i / 49 % 7;
        server.client_max_window_bits = 9 + i / 343 % 7;
        client.server_no_context_takeover = i / 2401 & 1;
        client.client_no_context_takeover = i / 2401 & 2;
        server.server_no_context_takeover = i / 2401 & 4;
        server.client_no_context_takeover = i / 2401 & 8;
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf offer = { 0 };
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf answer = { 0 };
        struct rtn_ws_deflate_terms theirs;
        struct rtn_ws_deflate_terms ours;
        rtn_ws_deflate_offer(&client, &offer);
        cr_assert(rtn_ws_deflate_accept(&server, rtn_buf_str(&offer), &ours, &answer), "%s", offer.data);
        cr_assert_eq(rtn_ws_deflate_confirm(&client, rtn_buf_str(&answer), &theirs), 1, "%s: %s", offer.data,
                     answer.data);
        cr_assert(theirs.server_bits == ours.server_bits && theirs.client_bits == ours.client_bits &&
                      theirs.server_forgets == ours.server_forgets && theirs.client_forgets == ours.client_forgets,
                  "%s: %s", offer.data, answer.data);
    }
}
