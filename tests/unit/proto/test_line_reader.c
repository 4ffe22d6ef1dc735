#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/line_reader.h"

#define LIMIT 8

/* What comes out: lines in brackets, "!" for one that was dropped. */
struct seen {
    struct rtn_line_reader reader;
    struct rtn_buf log;
    bool stops; /* after each */
};

static bool on_line(void *owner, char *line, size_t length)
{
    struct seen *seen = owner;
    cr_assert_leq(length, LIMIT);
    cr_assert_eq(line[length], '\0');
    rtn_buf_append_char(&seen->log, '[');
    rtn_buf_append(&seen->log, line, length);
    rtn_buf_append_char(&seen->log, ']');
    memset(line, 'Z', length + 1); /* it is the callback's */
    return !seen->stops;
}

static bool on_dropped(void *owner)
{
    struct seen *seen = owner;
    rtn_buf_append_char(&seen->log, '!');
    return !seen->stops;
}

static const struct rtn_line_reader_events events = { .line = on_line, .dropped = on_dropped };

static void begin(struct seen *seen, bool drops, bool stops)
{
    *seen = (struct seen){ .stops = stops };
    seen->reader = (struct rtn_line_reader){ .events = &events, .owner = seen, .limit = LIMIT, .drops = drops };
}

/* A piece, from memory of its own size, again until all of it is used. */
static int feed(struct seen *seen, const char *data, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t used = 0;
        char *copy = malloc(length - at);
        cr_assert_not_null(copy);
        memcpy(copy, data + at, length - at);
        int r = rtn_line_reader_feed(&seen->reader, copy, length - at, &used);
        free(copy);
        if (r < 0)
            return r;
        cr_assert_gt(used, 0);
        at += used;
    }
    return 0;
}

static const struct {
    const char *name;
    struct rtn_str input;
    struct rtn_str log; /* with lines that are dropped */
    struct rtn_str before; /* of an error, without; absent: the same log, and no error */
} scenarios[] = {
    { "nothing", RTN_STR(""), RTN_STR(""), { 0 } },
    { "LF", RTN_STR("one\ntwo\n"), RTN_STR("[one][two]"), { 0 } },
    { "CR LF", RTN_STR("one\r\ntwo\r\n"), RTN_STR("[one][two]"), { 0 } },
    { "both", RTN_STR("one\r\ntwo\nthree\r\n"), RTN_STR("[one][two][three]"), { 0 } },
    { "empty lines", RTN_STR("\n\r\n\n"), RTN_STR("[][][]"), { 0 } },
    { "the end is missing", RTN_STR("one\ntwo"), RTN_STR("[one]"), { 0 } },
    { "one CR only", RTN_STR("one\r\r\n"), RTN_STR("[one\r]"), { 0 } },
    { "CR inside", RTN_STR("a\rb\n\rc\n"), RTN_STR("[a\rb][\rc]"), { 0 } },
    { "NUL and others", RTN_STR("\0a\0\n\xff\xfe\n"), RTN_STR("[\0a\0][\xff\xfe]"), { 0 } },
    { "as long as may be", RTN_STR("12345678\n12345678\r\nx\n"), RTN_STR("[12345678][12345678][x]"), { 0 } },
    { "as long, and a CR", RTN_STR("1234567\r\r\n"), RTN_STR("[1234567\r]"), { 0 } },
    { "one too long", RTN_STR("a\n123456789\nb\n"), RTN_STR("[a]![b]"), RTN_STR("[a]") },
    { "one too long with CR", RTN_STR("a\n123456789\r\nb\n"), RTN_STR("[a]![b]"), RTN_STR("[a]") },
    { "too long by its CR", RTN_STR("12345678\r\r\nb\n"), RTN_STR("![b]"), RTN_STR("") },
    { "too long without an end", RTN_STR("a\n1234567890123456789012345"), RTN_STR("[a]!"), RTN_STR("[a]") },
    { "two too long", RTN_STR("1234567890123456789\n123456789\n\n"), RTN_STR("!![]"), RTN_STR("") },
    { "a CR that is none", RTN_STR("12345678\rx\ny\n"), RTN_STR("![y]"), RTN_STR("") },
};

static void run(size_t at, size_t cut, bool drops, bool stops)
{
    struct rtn_str input = scenarios[at].input;
    bool fails = !drops && scenarios[at].before.data != NULL;
    struct rtn_str expected = fails ? scenarios[at].before : scenarios[at].log;
    struct seen seen;
    int r = 0;
    begin(&seen, drops, stops);
    for (size_t i = 0; i < input.length && r == 0; i += cut)
        r = feed(&seen, input.data + i, RTN_MIN(cut, input.length - i));
    cr_expect_eq(r, fails ? -EMSGSIZE : 0, "%s by %zu: %d", scenarios[at].name, cut, r);
    cr_expect(rtn_str_equal(rtn_buf_str(&seen.log), expected), "%s by %zu: %s", scenarios[at].name, cut, seen.log.data);
    rtn_buf_done(&seen.log);
    rtn_line_reader_done(&seen.reader);
}

Test(line_reader, wherever_it_is_cut)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(scenarios); i++) {
        for (size_t cut = 1; cut <= scenarios[i].input.length; cut++) {
            for (unsigned how = 0; how < 4; how++)
                run(i, cut, (how & 1) != 0, (how & 2) != 0);
        }
    }
}

Test(line_reader, a_stop_leaves_the_rest)
{
    char data[] = "one\ntwo\nthr";
    size_t used = 0;
    struct seen seen;
    begin(&seen, true, true);
    cr_assert_eq(rtn_line_reader_feed(&seen.reader, data, 11, &used), 0);
    cr_expect_eq(used, 4);
    cr_expect(rtn_str_equal(rtn_buf_str(&seen.log), RTN_STR("[one]")));
    rtn_buf_done(&seen.log);
    rtn_line_reader_done(&seen.reader);
}

Test(line_reader, memory_only_inside_of_a_line)
{
    struct seen seen;
    begin(&seen, true, false);
    cr_assert_eq(feed(&seen, "one\ntwo\n", 8), 0);
    cr_expect_null(seen.reader.partial.data, "whole lines are not copied");
    cr_assert_eq(feed(&seen, "thr", 3), 0);
    cr_expect_eq(seen.reader.partial.length, 3);
    cr_assert_eq(feed(&seen, "ee\n", 3), 0);
    cr_expect_null(seen.reader.partial.data, "nothing is kept between lines");
    cr_assert_eq(feed(&seen, "12345678901234567890", 20), 0);
    cr_assert_eq(feed(&seen, "12345678901234567890", 20), 0);
    cr_expect_null(seen.reader.partial.data, "of a line that is dropped nothing is kept");
    cr_assert_eq(feed(&seen, "0\nok\n", 5), 0);
    cr_expect(rtn_str_equal(rtn_buf_str(&seen.log), RTN_STR("[one][two][three]![ok]")));
    rtn_buf_done(&seen.log);
    rtn_line_reader_done(&seen.reader);
}
