/*
 * From one program to the next, step by step. Each step is a round on the loops (server_round.c); between two of them
 * nothing is held up but this server's next step.
 *
 * A program that was prepared has its instances among those that live, with their hooks run; undoing that is the end of
 * these instances (server_retire.c), after which the program is the caller's again.
 */
#include "server/server_swap.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proto/session.h"
#include "server/server_swap_internal.h"
#include "server/server_terms.h"

/* The end of an order: what was asked for is done, or came to nothing. */
static void finish(struct rtn_swap *swap, enum rtn_swap_step step, int result)
{
    rtn_server_swap_done done = swap->done;
    swap->step = step;
    swap->done = NULL;
    if (step == RTN_SWAP_NOTHING)
        swap->program = NULL;
    if (done != NULL)
        done(swap->server, result, swap->data);
}

static void free_next_terms(struct rtn_server *server)
{
    for (unsigned i = 0; i < (unsigned) server->config->loops; i++) {
        if (server->loops[i].next_terms != NULL)
            rtn_server_terms_free(server->loops[i].next_terms);
        server->loops[i].next_terms = NULL;
    }
}

static void begin(struct rtn_swap *swap, enum rtn_swap_step step, rtn_server_swap_done done, void *data)
{
    swap->step = step;
    swap->done = done;
    swap->data = data;
}

/* Undoing */

static void finish_undo(struct rtn_swap *swap)
{
    if (rtn_swap_has_any(swap, swap->program))
        return;
    swap->enter_failed = false;
    free_next_terms(swap->server);
    finish(swap, RTN_SWAP_NOTHING, 0);
}

/* Preparing */

static int start(struct rtn_server_loop *loop)
{
    return rtn_cast_start(&loop->server->swap->cast);
}

static void after_start(struct rtn_swap *swap)
{
    int r = atomic_load(&swap->failure);
    if (swap->step != RTN_SWAP_START)
        return; /* it is discarded already, as below */
    if (r < 0)
        finish(swap, RTN_SWAP_PREPARED, r);
    else
        swap->step = RTN_SWAP_ENTER;
}

static int enter(struct rtn_server_loop *loop)
{
    return rtn_cast_refresh(&loop->server->swap->cast);
}

static void after_enter(struct rtn_swap *swap)
{
    int r = atomic_load(&swap->failure);
    if (r == 0)
        r = rtn_cast_let_stay(&swap->cast);
    swap->enter_failed = r < 0;
    if (swap->step == RTN_SWAP_ENTER)
        finish(swap, RTN_SWAP_PREPARED, r);
}

static void begin_enter(struct rtn_swap *swap)
{
    rtn_cast_let_enter(&swap->cast);
    if (swap->server->pool != NULL)
        (void) rtn_pool_refresh(swap->server->pool);
    rtn_swap_begin_round(swap, true, enter, after_enter);
}

static int make_next_terms(struct rtn_server *server, struct rtn_program *program)
{
    for (unsigned i = 0; i < server->loop_count; i++) {
        server->loops[i].next_terms = rtn_server_terms_new(server, program);
        if (server->loops[i].next_terms == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int add_new(struct rtn_swap *swap, const struct rtn_program *program)
{
    int r = 0;
    for (size_t i = 0; i < program->instance_count && r == 0; i++) {
        if (!program->shared[i])
            r = rtn_cast_add(&swap->cast, program->instances[i]);
    }
    return r;
}

void rtn_server_prepare(struct rtn_server *server, struct rtn_program *program, rtn_server_swap_done done, void *data)
{
    struct rtn_swap *swap = server->swap;
    begin(swap, RTN_SWAP_START, done, data);
    swap->program = program;
    rtn_cast_forget_failure(&swap->cast);
    int r = make_next_terms(server, program);
    if (r == 0)
        r = add_new(swap, program);
    if (r < 0)
        swap->step = RTN_SWAP_REFUSED;
    swap->result = r;
    rtn_swap_tell(swap);
}

void rtn_server_report_failure(struct rtn_server *server, struct rtn_diags *diags)
{
    rtn_cast_report_failure(&server->swap->cast, diags);
}

void rtn_server_discard(struct rtn_server *server, rtn_server_swap_done done, void *data)
{
    struct rtn_swap *swap = server->swap;
    begin(swap, RTN_SWAP_UNDO, done, data);
    rtn_swap_doom(swap, swap->program);
    rtn_swap_tell(swap);
}

/* Putting in force */

static int put_in_force(struct rtn_server_loop *loop)
{
    struct rtn_server_terms *terms = loop->next_terms;
    loop->next_terms = NULL;
    rtn_http1_set_terms(&loop->http, &terms->terms);
    rtn_server_outgoing_change(loop);
    rtn_accept_resume(loop);
    return 0;
}

static bool is_in(const struct rtn_program *program, const struct rtn_instance *instance)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        if (program->instances[i] == instance)
            return true;
    }
    return false;
}

static void after_commit(struct rtn_swap *swap)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        role->quiesce_due = !is_in(swap->program, role->instance);
    }
    swap->step = RTN_SWAP_QUIESCE;
}

static int quiesce(struct rtn_server_loop *loop)
{
    rtn_cast_quiesce(&loop->server->swap->cast, false);
    return 0;
}

static void after_quiesce(struct rtn_swap *swap)
{
    finish(swap, RTN_SWAP_NOTHING, 0);
}

/* What belongs to the server as a whole, and changes at once. */
static void tune(struct rtn_server *server)
{
    const struct rtn_config_server *config = server->config;
    atomic_store(&server->log_level, config->log_level);
    if (server->pool != NULL)
        rtn_pool_tune(server->pool, (unsigned) config->threads, (unsigned) config->active_threads,
                      (unsigned) config->queue);
    const struct rtn_clients_limits limits = rtn_server_clients_limits(config);
    rtn_clients_tune(server->clients, &limits);
    rtn_server_stall_tune(server);
    rtn_hub_set_capacity(server->port, (unsigned) config->hub_capacity);
}

void rtn_server_commit(struct rtn_server *server, rtn_server_swap_done done, void *data)
{
    struct rtn_swap *swap = server->swap;
    struct rtn_program *program = swap->program;
    begin(swap, RTN_SWAP_COMMIT, done, data);
    rtn_server_outgoing_compare(program, server->program);
    for (unsigned i = 0; i < server->loop_count; i++)
        rtn_server_terms_enlist(server->loops[i].next_terms);
    struct rtn_program *before = server->program;
    server->program = program;
    server->config = program->config;
    if (before->users == 0) /* the server has ended */
        rtn_program_free(before);
    (void) rtn_server_media_set(server, program->generation->media);
    tune(server);
    rtn_swap_tell(swap);
}

int64_t rtn_server_held_up_ms(const struct rtn_server *server)
{
    const struct rtn_swap *swap = server->swap;
    return swap->in_round && atomic_load(&swap->loops_away) > 0 ? rtn_clock_ms() - swap->round_since_ms : -1;
}

bool rtn_server_is_swapping(const struct rtn_server *server)
{
    return server->swap->step != RTN_SWAP_NOTHING;
}

void rtn_swap_go_on(struct rtn_swap *swap)
{
    if (swap->in_round || swap->ending)
        return;
    switch (swap->step) {
    case RTN_SWAP_START:
        rtn_swap_begin_round(swap, false, start, after_start);
        break;
    case RTN_SWAP_REFUSED:
        finish(swap, RTN_SWAP_PREPARED, swap->result);
        break;
    case RTN_SWAP_ENTER:
        begin_enter(swap);
        break;
    case RTN_SWAP_COMMIT:
        rtn_swap_begin_round(swap, true, put_in_force, after_commit);
        break;
    case RTN_SWAP_QUIESCE:
        rtn_swap_begin_round(swap, false, quiesce, after_quiesce);
        break;
    case RTN_SWAP_UNDO:
        finish_undo(swap);
        break;
    case RTN_SWAP_NOTHING:
    case RTN_SWAP_PREPARED:
        break;
    }
    if (!swap->in_round)
        rtn_swap_retire(swap);
}

/* Life */

int rtn_server_swap_new(struct rtn_server *server)
{
    struct rtn_swap *swap = calloc(1, sizeof(*swap));
    if (swap == NULL)
        return -ENOMEM;
    swap->server = server;
    swap->look.deliver = rtn_swap_on_look;
    rtn_cast_init(&swap->cast, server);
    swap->cast.registry = &server->instances;
    swap->cast.keeper = (struct rtn_instance_keeper){ .mailbox = server->host->mailbox,
                                                      .unused = rtn_swap_on_unused,
                                                      .idle = rtn_swap_on_idle };
    server->swap = swap;
    return 0;
}

int rtn_server_swap_start(struct rtn_server *server)
{
    int r = add_new(server->swap, server->program);
    if (r == 0)
        rtn_cast_let_enter(&server->swap->cast);
    return r;
}

void rtn_swap_give_up(struct rtn_swap *swap)
{
    enum rtn_swap_step step = swap->step;
    swap->ended = true;
    rtn_swap_let_go(swap);
    free_next_terms(swap->server);
    rtn_server_terms_end(swap->server);
    finish(swap, RTN_SWAP_NOTHING, step == RTN_SWAP_COMMIT || step == RTN_SWAP_QUIESCE ? 0 : -ECANCELED);
}

void rtn_server_swap_end(struct rtn_server *server)
{
    rtn_swap_give_up(server->swap);
}

/* Whoever still has something to tell finds what is left. */
void rtn_server_swap_free(struct rtn_server *server)
{
    struct rtn_swap *swap = server->swap;
    if (swap == NULL)
        return;
    rtn_swap_give_up(swap);
    rtn_cast_done(&swap->cast);
    swap->server = NULL;
    if (!atomic_load(&swap->told))
        free(swap);
}

void rtn_server_worker_refreshed(void *data)
{
    const struct rtn_server *server = data;
    rtn_swap_tell(server->swap);
}
