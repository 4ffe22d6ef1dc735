/*
 * Bytes as what a client of the control socket sends. The first says how they are cut; what comes of them must not
 * depend on that, and nothing may be kept beyond the bounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "daemon/control_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound, const char *what)
{
    if (sound)
        return;
    (void) fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* What a request has come to, as text. */
static void note(const struct rtn_control_request *request, struct rtn_buf *log)
{
    if (request->stage == RTN_CONTROL_BROKEN) {
        check(request->status >= 400 && request->status < 500 && request->problem != NULL, "a problem without words");
        rtn_buf_append_text(log, "broken\n"); /* which problem is found first may depend on the cuts */
        return;
    }
    check(request->path[0] == '/', "a path without a slash");
    check(request->parameter_count <= RTN_CONTROL_PARAMETERS, "too many parameters");
    rtn_buf_printf(log, "%s %s %d", request->post ? "POST" : "GET", request->path, request->keep_alive);
    for (size_t i = 0; i < request->parameter_count; i++)
        rtn_buf_printf(log, " %s=%s", request->parameters[i].name, request->parameters[i].value);
    rtn_buf_append_char(log, '\n');
}

static size_t feed(struct rtn_control_request *request, const uint8_t *data, size_t length)
{
    char *copy = malloc(length);
    check(copy != NULL, "memory");
    memcpy(copy, data, length);
    size_t used = rtn_control_request_feed(request, copy, length);
    free(copy);
    check(used <= length, "more used than there was");
    check(used == length || request->stage == RTN_CONTROL_COMPLETE, "less used than there was");
    check(used > 0 || request->stage != RTN_CONTROL_READING, "no progress");
    check(request->target.length <= RTN_CONTROL_TARGET_MAX, "the target is too long");
    return used;
}

static void run(const uint8_t *data, size_t size, size_t cut, struct rtn_buf *log)
{
    bool broken = false;
    while (size > 0 && !broken) {
        struct rtn_control_request request;
        rtn_control_request_init(&request);
        while (size > 0 && request.stage == RTN_CONTROL_READING) {
            size_t used = feed(&request, data, RTN_MIN(cut, size));
            data += used;
            size -= used;
        }
        if (request.stage != RTN_CONTROL_READING)
            note(&request, log);
        broken = request.stage == RTN_CONTROL_BROKEN;
        rtn_control_request_done(&request);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf whole = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf cut = { 0 };
    if (size < 1)
        return 0;
    run(data + 1, size - 1, size, &whole);
    run(data + 1, size - 1, 1U + data[0] % 16, &cut);
    check(rtn_str_equal(rtn_buf_str(&whole), rtn_buf_str(&cut)), "the cuts matter");
    return 0;
}
