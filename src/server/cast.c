/*
 * The list of roles, which hooks are run along without holding its lock: who stands on a role keeps it there.
 *
 * A new instance that some thread cannot start will not come into force, but until it has gone, which may take a while,
 * threads have to get on: they leave it out. Only one batch of instances is about to come at a time, so that it is
 * enough for a thread to know how many refusals there were when it came to that batch.
 */
#include "server/cast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/callback.h"
#include "config/schema.h"
#include "log/log.h"

static _Thread_local unsigned seen; /* the epoch that the thread is at; 0: none */
static _Thread_local unsigned known; /* refusals that it knew of when the last instances came to it */

void rtn_cast_init(struct rtn_cast *cast, struct rtn_server *server)
{
    cast->server = server;
    rtn_list_init(&cast->roles);
    pthread_mutex_init(&cast->mutex, NULL);
}

void rtn_cast_done(struct rtn_cast *cast)
{
    pthread_mutex_destroy(&cast->mutex);
    rtn_buf_done(&cast->failure);
}

int rtn_cast_add(struct rtn_cast *cast, struct rtn_instance *instance)
{
    struct rtn_role *role = calloc(1, sizeof(*role));
    if (role == NULL)
        return -ENOMEM;
    role->instance = instance;
    instance->keeper = &cast->keeper;
    if (instance->registry == NULL)
        rtn_instances_add(cast->registry, instance);
    pthread_mutex_lock(&cast->mutex);
    rtn_list_append(&cast->roles, &role->node);
    pthread_mutex_unlock(&cast->mutex);
    return 0;
}

struct rtn_role *rtn_cast_find(const struct rtn_cast *cast, const struct rtn_instance *instance)
{
    RTN_LIST_FOREACH (node, &cast->roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->instance == instance)
            return role;
    }
    return NULL;
}

void rtn_cast_remove(struct rtn_cast *cast, struct rtn_role *role)
{
    pthread_mutex_lock(&cast->mutex);
    rtn_list_remove(&role->node);
    pthread_mutex_unlock(&cast->mutex);
    rtn_instances_remove(role->instance);
    role->instance->keeper = NULL;
    free(role);
}

void rtn_cast_let_enter(struct rtn_cast *cast)
{
    pthread_mutex_lock(&cast->mutex);
    cast->epoch++;
    RTN_LIST_FOREACH (node, &cast->roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->enters != 0)
            continue;
        role->enters = cast->epoch;
        role->entering = cast->epoch > 1; /* those of the start are nobody's to do without */
    }
    pthread_mutex_unlock(&cast->mutex);
}

int rtn_cast_let_stay(struct rtn_cast *cast)
{
    bool refused = false;
    pthread_mutex_lock(&cast->mutex);
    RTN_LIST_FOREACH (node, &cast->roles) {
        const struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        refused = refused || role->refused != 0;
    }
    RTN_LIST_FOREACH (node, &cast->roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        role->entering = role->entering && refused;
    }
    pthread_mutex_unlock(&cast->mutex);
    return refused ? -ECANCELED : 0;
}

void rtn_cast_let_leave(struct rtn_cast *cast)
{
    pthread_mutex_lock(&cast->mutex);
    cast->epoch++;
    RTN_LIST_FOREACH (node, &cast->roles) {
        struct rtn_role *role = RTN_CONTAINER_OF(node, struct rtn_role, node);
        if (role->stage == RTN_ROLE_LEAVING)
            role->leaves = cast->epoch;
    }
    pthread_mutex_unlock(&cast->mutex);
}

/* Walking: with the mutex held from begin to end of a walk, but for hooks */

static struct rtn_role *at(const struct rtn_cast *cast, struct rtn_list *node)
{
    return node != &cast->roles ? RTN_CONTAINER_OF(node, struct rtn_role, node) : NULL;
}

static struct rtn_role *next(const struct rtn_cast *cast, const struct rtn_role *role)
{
    return at(cast, role != NULL ? role->node.next : cast->roles.next);
}

static struct rtn_role *previous(const struct rtn_cast *cast, const struct rtn_role *role)
{
    return at(cast, role != NULL ? role->node.prev : cast->roles.prev);
}

/* A hook that cannot fail. */
static void call(struct rtn_cast *cast, const struct rtn_role *role, void (*hook)(void *instance, rtn_server *server),
                 const char *name)
{
    if (hook == NULL)
        return;
    pthread_mutex_unlock(&cast->mutex);
    const struct rtn_activity_call before = rtn_callback_enter(role->instance, name, NULL);
    hook(role->instance->data, cast->server);
    rtn_callback_leave(&before);
    pthread_mutex_lock(&cast->mutex);
}

/* Those that were there before are not what somebody waits for. */
static bool is_new(const struct rtn_cast *cast, const struct rtn_role *role)
{
    return role->enters == 0 || role->entering || cast->epoch == 1;
}

/* As text, since the instance may be gone when it is told. */
static void note_failure(struct rtn_cast *cast, const struct rtn_role *role, const char *hook, int result)
{
    const struct rtn_instance *instance = role->instance;
    if (cast->failure.length > 0 || !is_new(cast, role))
        return;
    cast->failed_at = rtn_schema_mark(instance->place.node, "module");
    rtn_buf_printf(&cast->failure, "server \"%s\": %s: %s failed: %s", instance->server->name, instance->label.who,
                   hook, strerror(-result));
}

void rtn_cast_forget_failure(struct rtn_cast *cast)
{
    pthread_mutex_lock(&cast->mutex);
    rtn_buf_clear(&cast->failure);
    pthread_mutex_unlock(&cast->mutex);
}

void rtn_cast_report_failure(struct rtn_cast *cast, struct rtn_diags *diags)
{
    pthread_mutex_lock(&cast->mutex);
    if (cast->failure.length > 0)
        rtn_diags_error(diags, cast->failed_at, "%s", cast->failure.data);
    pthread_mutex_unlock(&cast->mutex);
}

/* One that can. 0 or -errno, logged. */
static int try_call(struct rtn_cast *cast, const struct rtn_role *role, int (*hook)(void *instance, rtn_server *server),
                    const char *name)
{
    const struct rtn_instance *instance = role->instance;
    if (hook == NULL)
        return 0;
    pthread_mutex_unlock(&cast->mutex);
    const struct rtn_activity_call before = rtn_callback_enter(instance, name, NULL);
    int r = hook(instance->data, cast->server);
    rtn_callback_leave(&before);
    if (r < 0)
        rtn_log(RTN_LOG_ERROR, "%s: %s failed: %s", instance->label.who, name, strerror(-r));
    pthread_mutex_lock(&cast->mutex);
    if (r < 0)
        note_failure(cast, role, name, r);
    return RTN_MIN(r, 0);
}

/* Threads */

static bool is_there(const struct rtn_role *role, unsigned epoch)
{
    return role->enters != 0 && role->enters <= epoch && (role->leaves == 0 || role->leaves > epoch);
}

static bool is_left_out(const struct rtn_role *role)
{
    return role->refused != 0 && role->refused <= known;
}

static bool has_come(const struct rtn_role *role, unsigned epoch)
{
    return is_there(role, epoch) && !is_there(role, seen) && !is_left_out(role);
}

static bool has_gone(const struct rtn_role *role, unsigned epoch)
{
    return !is_there(role, epoch) && is_there(role, seen) && !is_left_out(role);
}

/* What was left out of those that came before counts until others come. */
static void learn(const struct rtn_cast *cast, unsigned epoch)
{
    const struct rtn_role *role = NULL;
    while ((role = next(cast, role)) != NULL) {
        if (is_there(role, epoch) && !is_there(role, seen))
            known = cast->refusals;
    }
}

static void stop_thread(struct rtn_cast *cast, const struct rtn_role *role)
{
    call(cast, role, role->instance->loaded->module.thread_stop, "thread_stop");
}

static void refuse(struct rtn_cast *cast, struct rtn_role *role)
{
    if (role->entering && role->refused == 0)
        role->refused = ++cast->refusals;
}

/* `refused`: the one that failed can be done without. */
static int start_those(struct rtn_cast *cast, unsigned epoch, bool *refused)
{
    int r = 0;
    struct rtn_role *role = NULL;
    while (r == 0 && (role = next(cast, role)) != NULL) {
        if (has_come(role, epoch))
            r = try_call(cast, role, role->instance->loaded->module.thread_start, "thread_start");
    }
    if (r == 0)
        return 0;
    refuse(cast, role);
    *refused = role->refused != 0;
    while ((role = previous(cast, role)) != NULL) {
        if (has_come(role, epoch))
            stop_thread(cast, role);
    }
    return r;
}

static void stop_those(struct rtn_cast *cast, unsigned epoch)
{
    struct rtn_role *role = NULL;
    while ((role = previous(cast, role)) != NULL) {
        if (has_gone(role, epoch))
            stop_thread(cast, role);
    }
}

static int refresh(struct rtn_cast *cast, bool *refused)
{
    pthread_mutex_lock(&cast->mutex);
    unsigned epoch = cast->epoch;
    learn(cast, epoch);
    int r = start_those(cast, epoch, refused);
    if (r == 0) {
        stop_those(cast, epoch);
        seen = epoch;
    }
    pthread_mutex_unlock(&cast->mutex);
    return r;
}

int rtn_cast_refresh(struct rtn_cast *cast)
{
    bool refused = false;
    return refresh(cast, &refused);
}

/* Each time it does without one more. */
int rtn_cast_follow(struct rtn_cast *cast)
{
    int r;
    bool refused;
    do {
        refused = false;
        r = refresh(cast, &refused);
    } while (r < 0 && refused);
    return r;
}

void rtn_cast_leave(struct rtn_cast *cast)
{
    pthread_mutex_lock(&cast->mutex);
    stop_those(cast, 0);
    seen = 0;
    pthread_mutex_unlock(&cast->mutex);
}

/* Loop 0 */

static int start(struct rtn_cast *cast, struct rtn_role *role)
{
    int r = try_call(cast, role, role->instance->loaded->module.start, "start");
    role->started = r == 0;
    return r;
}

int rtn_cast_start(struct rtn_cast *cast)
{
    int r = 0;
    pthread_mutex_lock(&cast->mutex);
    struct rtn_role *role = NULL;
    while (r == 0 && (role = next(cast, role)) != NULL) {
        if (!role->started && !rtn_instance_is_ending(role->instance))
            r = start(cast, role);
    }
    pthread_mutex_unlock(&cast->mutex);
    return r;
}

void rtn_cast_quiesce(struct rtn_cast *cast, bool all)
{
    pthread_mutex_lock(&cast->mutex);
    struct rtn_role *role = NULL;
    while ((role = next(cast, role)) != NULL) {
        if (!role->started || role->quiesced || role->stopped || !(all || role->quiesce_due))
            continue;
        role->quiesced = true;
        call(cast, role, role->instance->loaded->module.quiesce, "quiesce");
    }
    pthread_mutex_unlock(&cast->mutex);
}

void rtn_cast_stop(struct rtn_cast *cast, bool all)
{
    pthread_mutex_lock(&cast->mutex);
    struct rtn_role *role = NULL;
    while ((role = previous(cast, role)) != NULL) {
        if (!role->started || role->stopped || !(all || role->stop_due))
            continue;
        role->stopped = true;
        call(cast, role, role->instance->loaded->module.stop, "stop");
    }
    pthread_mutex_unlock(&cast->mutex);
}
