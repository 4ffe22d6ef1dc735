/*
 * permessage-deflate. The first byte chooses one of three, and how:
 *   inflate: messages of any bytes, parted by a byte that the second one names. What comes out, and how it ends, is the
 *     same for all cuts, and bounded.
 *   negotiation: any text as an offer and as an answer. What is agreed upon keeps to the configuration, and the
 * server's answer is one that a client takes. round trip: messages come back as they were, with and without memory from
 * one to the next.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macros.h"
#include "proto/ws_deflate.h"

#define LIMIT 100000
#define PIECE 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound)
        abort();
}

struct sink {
    struct rtn_buf out; /* of all messages */
    size_t length; /* of the one that comes */
};

static int take(void *owner, unsigned char *data, size_t length)
{
    struct sink *sink = owner;
    check(length > 0 && length <= PIECE && sink->length <= LIMIT);
    sink->length += length;
    rtn_buf_append(&sink->out, data, length);
    memset(data, 0, length);
    return sink->length > LIMIT ? -EMSGSIZE : 0;
}

static int inflate_message(struct rtn_ws_inflate *stream, struct rtn_str in, size_t step, struct sink *sink)
{
    const unsigned char *data = (const unsigned char *) in.data;
    int r = 0;
    sink->length = 0;
    while (r == 0 && in.length > step) {
        r = rtn_ws_inflate_feed(stream, data, step, false, take, sink);
        data += step;
        in.length -= step;
    }
    return r < 0 ? r : rtn_ws_inflate_feed(stream, data, in.length, true, take, sink);
}

static int inflate_all(struct rtn_str in, char separator, bool forgets, size_t step, struct sink *sink)
{
    struct rtn_ws_inflate *stream = rtn_ws_inflate_new(15, forgets);
    struct rtn_str rest = in;
    int r = 0;
    while (r == 0 && rest.data != NULL) {
        const char *end = memchr(rest.data, separator, rest.length);
        struct rtn_str message = { rest.data, end != NULL ? (size_t) (end - rest.data) : rest.length };
        rest = end != NULL ? (struct rtn_str){ end + 1, rest.length - message.length - 1 } : (struct rtn_str){ 0 };
        r = inflate_message(stream, message, step, sink);
        if (r == 0)
            rtn_buf_append_char(&sink->out, separator);
    }
    rtn_ws_inflate_free(stream);
    return r;
}

/* Where the limit is passed, pieces of another size pass it elsewhere. */
static void fuzz_inflate(unsigned how, struct rtn_str in)
{
    static const size_t steps[] = { 1, 2, 7, 300 };
    struct sink whole = { 0 };
    struct sink pieces = { 0 };
    if (in.length == 0)
        return;
    const char separator = in.data[0];
    in.data++;
    in.length--;
    int expected = inflate_all(in, separator, how & 1, SIZE_MAX, &whole);
    int found = inflate_all(in, separator, how & 1, steps[how >> 1 & 3], &pieces);
    size_t length = RTN_MIN(whole.out.length, pieces.out.length);
    check(found == expected && (expected == 0 || expected == -EPROTO || expected == -EMSGSIZE));
    check(expected == -EMSGSIZE || whole.out.length == pieces.out.length);
    check(length == 0 || memcmp(whole.out.data, pieces.out.data, length) == 0);
    rtn_buf_done(&whole.out);
    rtn_buf_done(&pieces.out);
}

static void check_terms(const struct rtn_ws_deflate_terms *terms)
{
    check(terms->server_bits >= 8 && terms->server_bits <= 15 && terms->client_bits >= 8 && terms->client_bits <= 15);
}

/* The answer means to a client who demands nothing what it means to the server. */
static void check_answer(const struct rtn_buf *answer, const struct rtn_ws_deflate_terms *terms)
{
    static const struct rtn_config_deflate any = { .server_max_window_bits = 15, .client_max_window_bits = 15 };
    struct rtn_ws_deflate_terms theirs;
    check(rtn_ws_deflate_confirm(&any, rtn_buf_str(answer), &theirs) == 1);
    check(theirs.server_bits == terms->server_bits && theirs.client_bits == terms->client_bits);
    check(theirs.server_forgets == terms->server_forgets && theirs.client_forgets == terms->client_forgets);
}

static void fuzz_terms(unsigned how, struct rtn_str text)
{
    const struct rtn_config_deflate config = {
        .server_max_window_bits = how & 1 ? 15 : 11,
        .client_max_window_bits = how & 2 ? 15 : 12,
        .server_no_context_takeover = how & 4,
        .client_no_context_takeover = how & 8,
    };
    struct rtn_buf answer = { 0 };
    struct rtn_ws_deflate_terms terms = { 0 };
    if (rtn_ws_deflate_accept(&config, text, &terms, &answer)) {
        check_terms(&terms);
        check(terms.server_bits >= 9 && terms.server_bits <= config.server_max_window_bits);
        check(terms.server_forgets || !config.server_no_context_takeover);
        check(terms.client_forgets || !config.client_no_context_takeover);
        check_answer(&answer, &terms);
    } else {
        check(answer.length == 0 && terms.server_bits == 0);
    }
    int r = rtn_ws_deflate_confirm(&config, text, &terms);
    check(r == 1 || r == 0 || r == -EPROTO);
    if (r == 1) {
        check_terms(&terms);
        check(terms.server_bits <= config.server_max_window_bits && terms.client_bits <= config.client_max_window_bits);
        check(terms.server_forgets || !config.server_no_context_takeover);
    }
    rtn_buf_done(&answer);
}

/* Lines are messages; each is sent twice, so that there is something to remember. */
static void fuzz_round_trip(unsigned how, struct rtn_str rest)
{
    const struct rtn_config_deflate config = { .memory_level = 1 + how % 9, .effort = (int) (how % 3) };
    const int bits = 8 + (int) (how >> 1 & 7);
    struct rtn_ws_compress *compress = rtn_ws_compress_new(bits, how & 1, &config);
    struct rtn_ws_inflate *inflate = rtn_ws_inflate_new(bits, how & 1);
    struct rtn_buf message = { 0 };
    struct sink sink = { 0 };
    for (unsigned i = 0; i < 40 && rest.data != NULL; i++) {
        struct rtn_str before = rest;
        struct rtn_str line;
        (void) rtn_str_next(&rest, '\n', &line);
        if (i % 2 == 0)
            rest = before;
        rtn_buf_clear(&message);
        sink.out.length = 0;
        line.length = RTN_MIN(line.length, (size_t) LIMIT);
        check(rtn_ws_compress_message(compress, line.data, line.length, &message) == 0);
        check(inflate_message(inflate, rtn_buf_str(&message), 1 + how, &sink) == 0);
        check(rtn_str_equal(line, rtn_buf_str(&sink.out)));
    }
    rtn_ws_compress_free(compress);
    rtn_ws_inflate_free(inflate);
    rtn_buf_done(&message);
    rtn_buf_done(&sink.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parts[])(unsigned how, struct rtn_str in) = { fuzz_inflate, fuzz_terms, fuzz_round_trip };
    if (size == 0)
        return 0;
    const struct rtn_str in = { (const char *) data + 1, size - 1 };
    parts[(data[0] >> 4) % RTN_ARRAY_LENGTH(parts)](data[0] & 15, in);
    return 0;
}
