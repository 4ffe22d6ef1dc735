/*
 * An id is a 128 bit number: random when a thread makes its first, then counted up. Threads, processes and machines
 * begin so far from each other that they never meet.
 */
#include "app/request_id.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "proto/http1.h"

#define HALF_DIGITS 16

static _Thread_local struct {
    bool begun;
    uint64_t high;
    uint64_t low;
} next;

/* A system that has no random numbers yet is just being started: time, process and thread must do. */
static void begin(void)
{
    struct timespec now;
    if (getrandom(&next.high, sizeof(next.high), GRND_NONBLOCK) != sizeof(next.high) ||
        getrandom(&next.low, sizeof(next.low), GRND_NONBLOCK) != sizeof(next.low)) {
        (void) clock_gettime(CLOCK_REALTIME, &now);
        next.high = (uint64_t) now.tv_sec * 1000000000U + (uint64_t) now.tv_nsec;
        next.low = (uint64_t) gettid() << 32;
    }
    next.begun = true;
}

static void put_hex(char *out, uint64_t number)
{
    for (int i = HALF_DIGITS - 1; i >= 0; i--) {
        out[i] = "0123456789abcdef"[number & 15];
        number >>= 4;
    }
}

void rtn_request_id_make(char out[RTN_REQUEST_ID_SIZE])
{
    if (!next.begun)
        begin();
    put_hex(out, next.high);
    put_hex(out + HALF_DIGITS, next.low);
    out[2 * HALF_DIGITS] = '\0';
    if (++next.low == 0)
        next.high++;
}

static bool is_id_char(char c)
{
    return rtn_is_alnum(c) || (c != '\0' && strchr("-_.:+/=@", c) != NULL);
}

bool rtn_request_id_valid(struct rtn_str id)
{
    if (id.length == 0 || id.length > RTN_REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < id.length; i++) {
        if (!is_id_char(id.data[i]))
            return false;
    }
    return true;
}

/* The first one counts, whether or not handlers see the field. */
static struct rtn_str sent_id(const struct rtn_request *request)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        if (rtn_str_equal(request->headers[i].name, RTN_STR("x-request-id")))
            return request->headers[i].value;
    }
    return (struct rtn_str){ 0 };
}

void rtn_request_id_give(struct rtn_request *request)
{
    char made[RTN_REQUEST_ID_SIZE];
    struct rtn_str id = { 0 };
    int mode = request->terms->config->request_id;
    if (mode == RTN_REQUEST_ID_ACCEPT)
        id = sent_id(request);
    if (!rtn_request_id_valid(id)) {
        rtn_request_id_make(made);
        id = rtn_str_of(made);
    }
    request->response.request_id = rtn_arena_strdup(&request->arena, id);
}
