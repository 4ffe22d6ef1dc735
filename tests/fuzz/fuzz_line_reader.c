/*
 * Bytes as what a peer sends lines with. The first three say: how they are read (bits: dropping, stopping), the limit,
 * and how the bytes are cut. What comes out must not depend on the cuts, and is checked against the plainest way to
 * find lines.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "proto/line_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTIONS = 3 };
enum { DROPPING = 1, STOPPING = 2 };

struct outcome {
    struct rtn_line_reader reader;
    struct rtn_buf log; /* all lines, each with its length behind */
    bool stopping;
    bool failed;
};

static void check(bool sound, const char *what)
{
    if (sound)
        return;
    (void) fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void note(struct outcome *outcome, const char *line, size_t length)
{
    rtn_buf_append(&outcome->log, line, length);
    rtn_buf_append(&outcome->log, &length, sizeof(length));
}

static bool on_line(void *owner, char *line, size_t length)
{
    struct outcome *outcome = owner;
    check(length <= outcome->reader.limit, "limit");
    check(line[length] == '\0', "NUL");
    check(memchr(line, '\n', length) == NULL, "LF in a line");
    note(outcome, line, length);
    memset(line, 0xee, length + 1);
    return !outcome->stopping;
}

static bool on_dropped(void *owner)
{
    struct outcome *outcome = owner;
    check(outcome->reader.drops, "dropped");
    note(outcome, "dropped", 7);
    return !outcome->stopping;
}

static const struct rtn_line_reader_events events = { .line = on_line, .dropped = on_dropped };

/* One piece, from memory of its own size. */
static void feed_piece(struct outcome *outcome, const uint8_t *data, size_t length)
{
    for (size_t at = 0; at < length && !outcome->failed;) {
        size_t used = 0;
        char *copy = malloc(length - at);
        check(copy != NULL, "memory");
        memcpy(copy, data + at, length - at);
        int r = rtn_line_reader_feed(&outcome->reader, copy, length - at, &used);
        free(copy);
        check(r == 0 || (r == -EMSGSIZE && !outcome->reader.drops), "result");
        check(r < 0 || used == length - at || (outcome->stopping && used > 0 && used < length - at), "progress");
        check(outcome->reader.partial.length <= outcome->reader.limit + 1, "kept more than the limit");
        outcome->failed = r < 0;
        at += used;
    }
}

static void run(struct outcome *outcome, const uint8_t *options, const uint8_t *data, size_t size, unsigned cut)
{
    *outcome = (struct outcome){ .stopping = (options[0] & STOPPING) != 0 && cut > 0 };
    outcome->reader = (struct rtn_line_reader){
        .events = &events, .owner = outcome, .limit = 1U + options[1], .drops = (options[0] & DROPPING) != 0
    };
    for (size_t at = 0; at < size && !outcome->failed;) {
        size_t length = RTN_MIN(cut > 0 ? (size_t) cut : size, size - at);
        feed_piece(outcome, data + at, length);
        at += length;
    }
    rtn_line_reader_done(&outcome->reader);
}

/* Line by line, with all of them at hand. */
static void read_plainly(struct outcome *outcome, const uint8_t *options, const char *data, size_t size)
{
    const size_t limit = 1U + options[1];
    const bool drops = (options[0] & DROPPING) != 0;
    *outcome = (struct outcome){ .failed = false };
    while (size > 0 && !outcome->failed) {
        const char *end = memchr(data, '\n', size);
        size_t length = end != NULL ? (size_t) (end - data) : size;
        size_t skip = length + (end != NULL);
        bool cr = length > 0 && data[length - 1] == '\r';
        bool fits = length - cr <= limit;
        if (!fits && drops)
            note(outcome, "dropped", 7);
        else if (!fits)
            outcome->failed = true;
        else if (end != NULL)
            note(outcome, data, length - cr);
        data += skip;
        size -= skip;
    }
}

static void compare(const struct outcome *a, const struct outcome *b, const char *what)
{
    check(a->failed == b->failed, what);
    check(rtn_str_equal(rtn_buf_str(&a->log), rtn_buf_str(&b->log)), what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome plain, whole, cut, bytewise;

    if (size < OPTIONS)
        return 0;
    read_plainly(&plain, data, (const char *) data + OPTIONS, size - OPTIONS);
    run(&whole, data, data + OPTIONS, size - OPTIONS, 0);
    run(&cut, data, data + OPTIONS, size - OPTIONS, 2U + data[2]);
    run(&bytewise, data, data + OPTIONS, size - OPTIONS, 1);
    compare(&plain, &whole, "whole");
    compare(&plain, &cut, "cut");
    compare(&plain, &bytewise, "bytewise");
    rtn_buf_done(&plain.log);
    rtn_buf_done(&whole.log);
    rtn_buf_done(&cut.log);
    rtn_buf_done(&bytewise.log);
    return 0;
}
