/*
 * Slow work. In the message handler itself it is done one after the other, and holds up whoever needs the same worker.
 * As a task it is done on another worker of the pool, beside the others; the message is kept until it is done, and with
 * it the number that the answer goes to.
 */
#include "butler.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* One piece of work as a task. */
struct piece {
    const struct butler *butler;
    rtn_message *message;
    int64_t milliseconds;
};

static int64_t now_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* It has to come to an end when the server does. Returns how long it took, or -ECANCELED. */
static int64_t do_work(const struct butler *butler)
{
    int64_t begun_ms = now_ms();
    rtn_suspend(butler->slow);
    return rtn_stopping() ? -ECANCELED : now_ms() - begun_ms;
}

static int answer(const rtn_message *message, int64_t milliseconds)
{
    const struct butler_result result = { .milliseconds = milliseconds };
    if (milliseconds < 0)
        return rtn_answer_error(rtn_message_asked(message), (int) milliseconds);
    return rtn_answer_butler_work(rtn_message_asked(message), &result);
}

static int run_piece(void *data)
{
    struct piece *piece = data;
    piece->milliseconds = do_work(piece->butler);
    return 0;
}

static void piece_done(int result, void *data)
{
    struct piece *piece = data;
    (void) answer(piece->message, result < 0 ? result : piece->milliseconds);
    rtn_message_release(piece->message);
    free(piece);
}

static int begin_task(struct butler *butler, rtn_message *message)
{
    struct piece *piece = calloc(1, sizeof(*piece));
    if (piece == NULL)
        return -ENOMEM;
    *piece = (struct piece){ .butler = butler, .message = message };
    rtn_message_keep(message);
    int r = rtn_task(rtn_message_server(message), butler, run_piece, piece_done, piece);
    if (r == 0)
        return RTN_LATER;
    rtn_message_release(message);
    free(piece);
    return r;
}

int offload_work(rtn_message *message, const struct butler_work *work, void *instance)
{
    struct butler *butler = instance;
    rtn_log(RTN_LOG_INFO, "slow work for %s: %s", rtn_message_sender(message), work->text);
    if (butler->tasks)
        return begin_task(butler, message);
    (void) answer(message, do_work(butler));
    return RTN_DONE;
}
