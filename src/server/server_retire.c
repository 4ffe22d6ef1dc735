/*
 * The end of instances, step by step, several together: what they have running is cancelled on every loop; when it is
 * over, and no sooner, threads stop them, then stop runs, then they are freed. A task of theirs may take as long as it
 * likes: nobody waits for it but their end.
 */
#include <stdlib.h>

#include "server/server_swap_internal.h"

static struct rtn_swap *swap_of(const struct rtn_instance *instance)
{
    return RTN_CONTAINER_OF((struct rtn_instance_keeper *) (uintptr_t) instance->keeper, struct rtn_swap, cast.keeper);
}

static bool has(const struct rtn_swap *swap, enum rtn_role_stage stage)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles) {
        if (RTN_CONTAINER_OF(node, struct rtn_role, node)->stage == stage)
            return true;
    }
    return false;
}

/* All that are at one stage go on to another. */
static void move_on(struct rtn_swap *swap, enum rtn_role_stage from, enum rtn_role_stage to)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->stage == from)
            role->stage = to;
    }
}

static void doom(struct rtn_role *role)
{
    if (role->stage != RTN_ROLE_PLAYING)
        return;
    role->stage = RTN_ROLE_DOOMED;
    rtn_instance_end(role->instance);
}

void rtn_swap_on_unused(struct rtn_instance *instance)
{
    struct rtn_swap *swap = swap_of(instance);
    struct rtn_role *role = rtn_cast_find(&swap->cast, instance);
    doom(role);
    rtn_swap_go_on(swap);
}

void rtn_swap_on_idle(struct rtn_instance *instance)
{
    struct rtn_swap *swap = swap_of(instance);
    struct rtn_role *role = rtn_cast_find(&swap->cast, instance);
    role->stage = RTN_ROLE_IDLE;
    rtn_swap_go_on(swap);
}

void rtn_swap_doom(struct rtn_swap *swap, const struct rtn_program *program)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        struct rtn_role *role = program->shared[i] ? NULL : rtn_cast_find(&swap->cast, program->instances[i]);
        if (role != NULL)
            doom(role);
    }
}

bool rtn_swap_has_any(const struct rtn_swap *swap, const struct rtn_program *program)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        if (!program->shared[i] && rtn_cast_find(&swap->cast, program->instances[i]) != NULL)
            return true;
    }
    return false;
}

/* What they have running */

/* Whether it is cancelled here is asked of the instance, which any thread may. */
static int cancel(struct rtn_server_loop *loop)
{
    rtn_pendings_end_ending(&loop->site.pendings);
    rtn_server_outgoing_cancel(loop);
    return 0;
}

static void after_cancel(struct rtn_swap *swap)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->stage != RTN_ROLE_CANCELLING)
            continue;
        role->stage = RTN_ROLE_SETTLED;
        rtn_instance_settle(role->instance);
    }
}

/* Hooks */

static int refresh(struct rtn_server_loop *loop)
{
    return rtn_cast_refresh(&loop->server->swap->cast);
}

static int stop(struct rtn_server_loop *loop)
{
    rtn_cast_stop(&loop->server->swap->cast, false);
    return 0;
}

static void release(struct rtn_swap *swap, struct rtn_role *role)
{
    struct rtn_instance *instance = role->instance;
    rtn_cast_remove(&swap->cast, role);
    if (atomic_load(&instance->users) == 0)
        rtn_instance_free(instance);
}

static void after_stop(struct rtn_swap *swap)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->stage == RTN_ROLE_STOPPING)
            release(swap, role);
    }
}

/* Every loop has stopped them; workers may be behind. */
static void after_leave(struct rtn_swap *swap)
{
    swap->loops_left_them = true;
}

static void leave(struct rtn_swap *swap)
{
    struct rtn_pool *pool = swap->server->pool;
    swap->loops_left_them = false;
    move_on(swap, RTN_ROLE_IDLE, RTN_ROLE_LEAVING);
    rtn_cast_let_leave(&swap->cast);
    if (pool != NULL)
        (void) rtn_pool_refresh(pool);
    rtn_swap_begin_round(swap, true, refresh, after_leave);
}

static bool have_all_left(const struct rtn_swap *swap)
{
    struct rtn_pool *pool = swap->server->pool;
    return swap->loops_left_them && has(swap, RTN_ROLE_LEAVING) && (pool == NULL || rtn_pool_is_fresh(pool));
}

static void send_off(struct rtn_role *role)
{
    role->stage = RTN_ROLE_STOPPING;
    role->stop_due = true;
}

static void pass_those_that_left(struct rtn_swap *swap)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->stage == RTN_ROLE_LEAVING)
            send_off(role);
    }
}

/* A thread that has refused to start new instances stops none until those have gone. */
static bool may_leave(const struct rtn_swap *swap)
{
    if (!has(swap, RTN_ROLE_IDLE) || has(swap, RTN_ROLE_LEAVING))
        return false;
    if (!swap->enter_failed)
        return true;
    return swap->step == RTN_SWAP_UNDO && !has(swap, RTN_ROLE_CANCELLING) && !has(swap, RTN_ROLE_SETTLED);
}

/* No thread has to let go of those that none was to start. */
static void pass_unknown(struct rtn_swap *swap)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->stage == RTN_ROLE_IDLE && role->enters == 0)
            send_off(role);
    }
}

void rtn_swap_retire(struct rtn_swap *swap)
{
    pass_unknown(swap);
    if (have_all_left(swap))
        pass_those_that_left(swap);
    if (has(swap, RTN_ROLE_STOPPING)) {
        rtn_swap_begin_round(swap, false, stop, after_stop);
    } else if (has(swap, RTN_ROLE_DOOMED)) {
        move_on(swap, RTN_ROLE_DOOMED, RTN_ROLE_CANCELLING);
        rtn_swap_begin_round(swap, true, cancel, after_cancel);
    } else if (may_leave(swap)) {
        leave(swap);
    }
}

/* The end of the server */

static void orphan(struct rtn_instance *instance)
{
    instance->keeper = NULL;
    rtn_instance_unref(instance);
}

/* For an instance whose mail is still on its way to main, which then gives back the reference that keeps it. */
static void keep_for_mail(struct rtn_instance *instance, struct rtn_mailbox *mailbox)
{
    static struct rtn_instance_keeper orphans = { .unused = orphan, .idle = orphan };
    orphans.mailbox = mailbox;
    rtn_instance_ref(instance);
    instance->keeper = &orphans;
}

static void let_go(struct rtn_swap *swap, struct rtn_role *role)
{
    struct rtn_instance *instance = role->instance;
    enum rtn_role_stage stage = role->stage;
    bool is_unused = atomic_load(&instance->users) == 0;
    bool has_mail = stage == RTN_ROLE_SETTLED || (stage == RTN_ROLE_PLAYING && atomic_load(&instance->told));
    rtn_cast_remove(&swap->cast, role);
    if (has_mail)
        keep_for_mail(instance, swap->server->host->mailbox);
    else if (is_unused)
        rtn_instance_free(instance);
}

void rtn_swap_let_go(struct rtn_swap *swap)
{
    RTN_LIST_FOREACH (node, &swap->cast.roles)
        let_go(swap, RTN_CONTAINER_OF(node, struct rtn_role, node));
}
