/*
 * Rounds: a mail to each loop, and one back from the last of them. That one serves for all that main is to look at; it
 * may be on its way when the server has ended, and is then the last that is left of the swap.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "server/server_swap_internal.h"

void rtn_swap_tell(struct rtn_swap *swap)
{
    if (!atomic_exchange(&swap->told, true))
        rtn_mailbox_post(swap->server->host->mailbox, &swap->look);
}

/* One that has ended does nothing any more: its hooks have run. */
static void on_round(struct rtn_mail *mail)
{
    struct rtn_server_loop *loop = RTN_CONTAINER_OF(mail, struct rtn_server_loop, round_mail);
    struct rtn_swap *swap = loop->server->swap;
    atomic_fetch_sub(&swap->loops_away, 1);
    int r = loop->ended ? 0 : swap->part(loop);
    if (r < 0)
        atomic_store(&swap->failure, r);
    if (atomic_fetch_sub(&swap->loops_left, 1) == 1)
        rtn_swap_tell(swap);
}

void rtn_swap_begin_round(struct rtn_swap *swap, bool all, int (*part)(struct rtn_server_loop *loop),
                          void (*then)(struct rtn_swap *swap))
{
    struct rtn_server *server = swap->server;
    unsigned count = all ? atomic_load(&server->loop_count) : 1;
    swap->in_round = true;
    swap->round_since_ms = rtn_clock_ms();
    swap->part = part;
    swap->then = then;
    atomic_store(&swap->failure, 0);
    atomic_store(&swap->loops_left, count);
    atomic_store(&swap->loops_away, count);
    for (unsigned i = 0; i < count; i++) {
        server->loops[i].round_mail.deliver = on_round;
        rtn_loop_post(&server->loops[i].loop, &server->loops[i].round_mail);
    }
}

void rtn_swap_on_look(struct rtn_mail *mail)
{
    struct rtn_swap *swap = RTN_CONTAINER_OF(mail, struct rtn_swap, look);
    atomic_store(&swap->told, false);
    if (swap->server == NULL) {
        free(swap);
        return;
    }
    if (swap->ended)
        rtn_swap_give_up(swap);
    if (swap->ending)
        return;
    if (swap->in_round && atomic_load(&swap->loops_left) == 0) {
        swap->in_round = false;
        swap->then(swap);
    }
    rtn_swap_go_on(swap);
}
