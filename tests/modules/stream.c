/*
 * Bodies and replies in pieces. "sum-*" takes a body and tells its length and sum; "gen-*" makes a reply of as many
 * bytes as asked. What else they do is in the query, so that one route serves many tests. "stats" tells what was
 * called how often, "go" resumes the bodies that are held.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

#define PERIOD 251 /* of what is generated: a prime, so that pieces in wrong places show */
#define MOST_PIECE ((size_t) 1 << 20)
#define MOST_HELD 64

static atomic_int begun, pieces, handled, destroyed, cancelled, held_count, full, drained, gone, write_error;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static rtn_later held[MOST_HELD]; /* guarded by the mutex, as the next */
static unsigned held_used;
static char pattern[MOST_PIECE + PERIOD];

static int64_t number(rtn_request *request, const char *name, int64_t fallback)
{
    rtn_str value = rtn_query_value(request, name, 0);
    int64_t n = 0;
    for (size_t i = 0; i < value.length; i++)
        n = n * 10 + (value.data[i] - '0');
    return value.length > 0 ? n : fallback;
}

static bool says(rtn_request *request, const char *name, const char *wanted)
{
    rtn_str value = rtn_query_value(request, name, 0);
    return value.length == strlen(wanted) && memcmp(value.data, wanted, value.length) == 0;
}

/* Bodies */

struct sum {
    uint64_t length;
    uint64_t sum; /* of the bytes, each times its place plus one */
    unsigned pieces;
    int64_t early; /* answer after so many bytes; -1: do not, and so on */
    int64_t hold;
    int64_t fail;
    int64_t nap; /* milliseconds per piece */
};

static void destroy_sum(void *data)
{
    atomic_fetch_add(&destroyed, 1);
    free(data);
}

static void note_cancel(void *data)
{
    (void) data;
    atomic_fetch_add(&cancelled, 1);
}

/* The id is kept for "go". */
static int hold(rtn_request *request)
{
    rtn_later later = rtn_request_later(request, note_cancel, NULL);
    pthread_mutex_lock(&mutex);
    if (held_used < MOST_HELD)
        held[held_used++] = later;
    pthread_mutex_unlock(&mutex);
    atomic_fetch_add(&held_count, 1);
    return RTN_LATER;
}

static int sum_begin(rtn_request *request, void *instance)
{
    (void) instance;
    if (says(request, "begin", "next"))
        return RTN_NEXT;
    if (says(request, "begin", "fail"))
        return -EIO;
    struct sum *sum = calloc(1, sizeof(*sum));
    if (sum == NULL)
        return -ENOMEM;
    rtn_request_set_data(request, sum, destroy_sum);
    atomic_fetch_add(&begun, 1);
    sum->early = number(request, "early", -1);
    sum->hold = number(request, "hold", -1);
    sum->fail = number(request, "fail", -1);
    sum->nap = number(request, "nap", 0);
    if (says(request, "begin", "early"))
        return rtn_reply_text(request, 403, "early\n");
    return says(request, "begin", "hold") ? hold(request) : RTN_DONE;
}

static void add(struct sum *sum, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum->sum += bytes[i] * (sum->length + i + 1);
    sum->length += length;
    sum->pieces++;
}

static bool reached(int64_t mark, uint64_t length)
{
    return mark >= 0 && length >= (uint64_t) mark;
}

static int sum_body(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) instance;
    struct sum *sum = rtn_request_data(request);
    atomic_fetch_add(&pieces, 1);
    add(sum, data, length);
    if (sum->nap > 0)
        rtn_suspend(sum->nap);
    if (reached(sum->fail, sum->length))
        return -EIO;
    if (reached(sum->early, sum->length))
        return rtn_reply_format(request, 413, "enough\n");
    if (!reached(sum->hold, sum->length))
        return RTN_DONE;
    sum->hold = -1;
    return hold(request);
}

static int sum_handle(rtn_request *request, void *instance)
{
    (void) instance;
    const struct sum *sum = rtn_request_data(request);
    rtn_str trailer = rtn_request_trailer(request, "X-Sum");
    atomic_fetch_add(&handled, 1);
    if (says(request, "handle", "fail"))
        return -EIO;
    if (says(request, "handle", "next"))
        return RTN_NEXT;
    return rtn_reply_format(request, 200, "length=%llu sum=%llu pieces=%u whole=%zu trailer=[%.*s] thread=%s\n",
                            (unsigned long long) sum->length, (unsigned long long) sum->sum, sum->pieces,
                            rtn_request_body(request).length, RTN_STR_ARG(trailer), rtn_thread_name());
}

/* The same without looking at the bytes, for bodies that are large. */
static int count_body(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) data;
    (void) instance;
    struct sum *sum = rtn_request_data(request);
    sum->length += length;
    return RTN_DONE;
}

/* What a handler without `body` gets. */
static int whole(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_str body = rtn_request_body(request);
    struct sum sum = { 0 };
    add(&sum, (const unsigned char *) body.data, body.length);
    return rtn_reply_format(request, 200, "whole length=%zu absent=%d sum=%llu\n", body.length, body.data == NULL,
                            (unsigned long long) sum.sum);
}

static int go_on(rtn_request *request, void *data)
{
    (void) request;
    (void) data;
    return RTN_DONE;
}

static int go(rtn_request *request, void *instance)
{
    (void) instance;
    pthread_mutex_lock(&mutex);
    unsigned count = held_used;
    held_used = 0;
    for (unsigned i = 0; i < count; i++)
        (void) rtn_resume(held[i], go_on, NULL, NULL);
    pthread_mutex_unlock(&mutex);
    return rtn_reply_format(request, 200, "resumed=%u\n", count);
}

/* Replies */

struct gen {
    uint64_t at;
    uint64_t size;
    int64_t announced;
    size_t piece;
    int64_t fail;
};

static void note_error(int r)
{
    atomic_store(&write_error, -r);
}

static size_t next_length(const struct gen *gen)
{
    uint64_t left = gen->size - gen->at;
    return left < gen->piece ? (size_t) left : gen->piece;
}

static int generate(rtn_request *request, void *data)
{
    struct gen *gen = data;
    while (gen->at < gen->size) {
        size_t length = next_length(gen);
        int r = rtn_reply_write(request, pattern + gen->at % PERIOD, length);
        if (r == -EAGAIN) {
            atomic_fetch_add(&full, 1);
            r = rtn_reply_on_drain(request, generate, gen);
            return r < 0 ? r : RTN_LATER;
        }
        if (r < 0) {
            note_error(r);
            return r;
        }
        gen->at += length;
        if (reached(gen->fail, gen->at))
            return -EIO;
    }
    atomic_fetch_add(&drained, 1);
    return says(request, "end", "no") ? RTN_DONE : rtn_reply_end(request);
}

static void destroy_gen(void *data)
{
    atomic_fetch_add(&destroyed, 1);
    free(data);
}

static int gen_handle(rtn_request *request, void *instance)
{
    (void) instance;
    struct gen *gen = calloc(1, sizeof(*gen));
    if (gen == NULL)
        return -ENOMEM;
    rtn_request_set_data(request, gen, destroy_gen);
    gen->size = (uint64_t) number(request, "size", 0);
    gen->piece = (size_t) number(request, "piece", 65536);
    gen->fail = number(request, "fail", -1);
    gen->announced = number(request, "announce", -1);
    if (gen->piece > MOST_PIECE)
        return -EINVAL;
    int r = rtn_reply_begin(request, (int) number(request, "status", 200), gen->announced);
    return r < 0 ? r : generate(request, gen);
}

/* Writes nothing more until the client has gone, and says by which of the two ways it knew. */
static int wait_for_gone(rtn_request *request, void *instance)
{
    (void) instance;
    int r = rtn_reply_begin(request, 200, -1);
    if (r == 0)
        r = rtn_reply_write(request, "waiting\n", 8);
    if (r == 0)
        r = rtn_reply_flush(request);
    while (r == 0 && !rtn_stopping() && !rtn_request_gone(request))
        rtn_suspend(5);
    if (rtn_request_gone(request))
        atomic_fetch_add(&gone, 1);
    for (int i = 0; i < 1000 && r == 0; i++)
        r = rtn_reply_write(request, pattern, 65536);
    note_error(r);
    return r;
}

/* Calls in an order in which they are refused: the results, as text. */
static int misuse(rtn_request *request, void *instance)
{
    (void) instance;
    int early_write = rtn_reply_write(request, "x", 1);
    int early_end = rtn_reply_end(request);
    int status = rtn_reply_begin(request, 199, 1);
    int length = rtn_reply_begin(request, 200, -2);
    int begin = rtn_reply_begin(request, 200, 5);
    int again = rtn_reply_begin(request, 200, 5);
    int field = rtn_reply_header(request, "A", "b");
    int whole_reply = rtn_reply_text(request, 200, "no");
    int much = rtn_reply_write(request, "123456", 6);
    int some = rtn_reply_write(request, "123", 3);
    int more = rtn_reply_write(request, "456", 3);
    int last = rtn_reply_write(request, "45", 2);
    int end = rtn_reply_end(request);
    int over = rtn_reply_write(request, "x", 1);
    rtn_log(RTN_LOG_NOTICE, "misuse: %d %d %d %d %d %d %d %d %d %d %d %d %d %d", early_write, early_end, status, length,
            begin, again, field, whole_reply, much, some, more, last, end, over);
    return RTN_DONE;
}

static int stats(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(
        request, 200,
        "begun=%d pieces=%d handled=%d destroyed=%d cancelled=%d held=%d full=%d drained=%d gone=%d "
        "error=%d\n",
        begun, pieces, handled, destroyed, cancelled, held_count, full, drained, gone, write_error);
}

static int ready(void *instance, rtn_setup *setup)
{
    (void) instance;
    (void) setup;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (char) (i % PERIOD);
    return 0;
}

#define COUNT .begin = sum_begin, .body = count_body, .handle = sum_handle
#define SUM .begin = sum_begin, .body = sum_body, .handle = sum_handle

static const struct rtn_http_handler http_handlers[] = {
    { .name = "sum-loop", SUM },
    { .name = "sum-serial", SUM, .threads = RTN_THREADS_SERIAL },
    { .name = "sum-parallel", SUM, .threads = RTN_THREADS_PARALLEL },
    { .name = "count-loop", COUNT },
    { .name = "count-parallel", COUNT, .threads = RTN_THREADS_PARALLEL },
    { .name = "gen-loop", .handle = gen_handle },
    { .name = "gen-serial", .handle = gen_handle, .threads = RTN_THREADS_SERIAL },
    { .name = "gen-parallel", .handle = gen_handle, .threads = RTN_THREADS_PARALLEL },
    { .name = "whole", .handle = whole },
    { .name = "gone", .handle = wait_for_gone, .threads = RTN_THREADS_PARALLEL },
    { .name = "misuse-loop", .handle = misuse },
    { .name = "misuse-parallel", .handle = misuse, .threads = RTN_THREADS_PARALLEL },
    { .name = "go", .handle = go },
    { .name = "stats", .handle = stats },
    { 0 },
};

static const struct rtn_module module = {
    .name = "stream",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
    .ready = ready,
};
RTN_REGISTER_MODULE(module)
