/*
 * A reload from the request to the answer: make, start, commit, or undo. What takes time is done by loops and by a
 * thread of its own, and comes back as mail; main goes on meanwhile. Requests that come in between wait their turn.
 */
#include "daemon/reload.h"

#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "daemon/notify.h"
#include "daemon/reload_internal.h"

static void begin_next(struct rtn_daemon *daemon);

/* Asking */

static struct rtn_reload_ask *ask_new(bool dry_run, const char *who, rtn_reload_done done, void *data)
{
    struct rtn_reload_ask *ask = rtn_config_need(calloc(1, sizeof(*ask)));
    ask->dry_run = dry_run;
    ask->who = rtn_config_need(strdup(who));
    ask->done = done;
    ask->data = data;
    return ask;
}

static void ask_answer(struct rtn_reload_ask *ask, const struct rtn_reload_result *result)
{
    if (ask->done != NULL)
        ask->done(result, ask->data);
    free(ask->who);
    free(ask);
}

/* One that nobody waits for is the same as one that waits already. */
static bool waits_already(const struct rtn_daemon *daemon, const struct rtn_reload_ask *ask)
{
    RTN_LIST_FOREACH (node, &daemon->reloads.asks) {
        const struct rtn_reload_ask *other = RTN_CONTAINER_OF(node, struct rtn_reload_ask, node);
        if (ask->done == NULL && !ask->dry_run && !other->dry_run)
            return true;
    }
    return false;
}

static void on_turn(struct rtn_mail *mail)
{
    struct rtn_daemon *daemon = RTN_CONTAINER_OF(mail, struct rtn_daemon, reloads.turn);
    daemon->reloads.turn_posted = false;
    begin_next(daemon);
}

static void take_turn(struct rtn_daemon *daemon)
{
    if (daemon->reloads.turn_posted || rtn_list_empty(&daemon->reloads.asks))
        return;
    daemon->reloads.turn_posted = true;
    daemon->reloads.turn.deliver = on_turn;
    rtn_mailbox_post(&daemon->mailbox, &daemon->reloads.turn);
}

void rtn_reload(struct rtn_daemon *daemon, bool dry_run, const char *who, rtn_reload_done done, void *data)
{
    struct rtn_reload_ask *ask = ask_new(dry_run, who, done, data);
    if (waits_already(daemon, ask)) {
        ask_answer(ask, NULL);
        return;
    }
    rtn_list_append(&daemon->reloads.asks, &ask->node);
    take_turn(daemon);
}

/* Steps of others */

static void on_arrived(struct rtn_mail *mail)
{
    struct rtn_reload *reload = RTN_CONTAINER_OF(mail, struct rtn_reload, mail);
    if (reload->daemon->reloads.abandoned)
        return;
    ev_timer_stop(reload->daemon->ev, &reload->patience);
    reload->next(reload);
}

static void on_patience(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_reload *reload = timer->data;
    reload->tired(reload);
}

/* One more than there are steps: whoever expects them arrives too, when all are begun. */
void rtn_reload_expect(struct rtn_reload *reload, void (*next)(struct rtn_reload *reload))
{
    reload->next = next;
    reload->pending = 1;
    reload->mail.deliver = on_arrived;
    rtn_list_init(&reload->steps);
    ev_timer_init(&reload->patience, on_patience, 0., 0.);
    reload->patience.data = reload;
    rtn_reload_be_patient(reload, RTN_RELOAD_PATIENCE_MS);
}

void rtn_reload_be_patient(struct rtn_reload *reload, int64_t ms)
{
    reload->patience.repeat = (double) ms / 1e3;
    ev_timer_again(reload->daemon->ev, &reload->patience);
}

/* By mail, since whoever arrives may not be ready to see things freed. */
void rtn_reload_arrived(struct rtn_reload *reload)
{
    if (--reload->pending == 0)
        rtn_mailbox_post(&reload->daemon->mailbox, &reload->mail);
}

/* The end */

/* With the blanks in front of a line: they put marks below what they are about. */
static void log_lines(enum rtn_log_level level, const char *before, struct rtn_str text)
{
    while (text.length > 0) {
        const char *end = memchr(text.data, '\n', text.length);
        const struct rtn_str line = { text.data, end != NULL ? (size_t) (end - text.data) : text.length };
        if (line.length > 0)
            rtn_log(level, "%s%.*s", before, RTN_STR_ARG(line));
        text.length -= RTN_MIN(line.length + 1, text.length);
        text.data += line.length + (end != NULL ? 1 : 0);
    }
}

static void report(const struct rtn_reload *reload)
{
    const struct rtn_reload_ask *ask = reload->ask;
    unsigned number = reload->daemon->generation->number;
    const char *before = ask->dry_run ? "dry run: " : "";
    struct rtn_str text = rtn_buf_str(&reload->text);
    if (reload->unchanged) {
        log_lines(RTN_LOG_INFO, before, text);
        rtn_log(RTN_LOG_NOTICE, "%s: nothing has changed; generation %u stays in force", ask->who, number);
    } else if (!reload->failed) {
        log_lines(RTN_LOG_NOTICE, before, text);
        rtn_log(RTN_LOG_NOTICE, ask->dry_run ? "%s: a reload would do that" : "%s: reloaded: generation %u is in force",
                ask->who, number);
    } else {
        log_lines(RTN_LOG_ERROR, before, text);
        rtn_log(RTN_LOG_ERROR, "%s: the reload failed; generation %u stays in force", ask->who, number);
    }
}

static void tell(const struct rtn_reload *reload)
{
    struct rtn_daemon *daemon = reload->daemon;
    if (reload->ask->dry_run || daemon->stopping)
        return;
    rtn_notify("READY=1");
    rtn_daemon_servers_tell(daemon);
}

void rtn_reload_end(struct rtn_reload *reload)
{
    struct rtn_daemon *daemon = reload->daemon;
    report(reload);
    if (reload->committing)
        rtn_daemon_generations_bound(daemon);
    if (!reload->ask->dry_run)
        rtn_daemon_stats_reload(daemon, !reload->failed);
    tell(reload);
    const struct rtn_reload_result result = { .good = !reload->failed,
                                              .dry_run = reload->ask->dry_run,
                                              .generation = daemon->generation->number,
                                              .text = rtn_buf_str(&reload->text) };
    ask_answer(reload->ask, &result);
    ev_timer_stop(daemon->ev, &reload->patience);
    rtn_plan_done(&reload->plan);
    rtn_diags_done(&reload->diags);
    rtn_generation_unref(reload->generation);
    rtn_buf_done(&reload->text);
    free(reload->changes);
    free(reload);
    daemon->reloads.current = NULL;
    rtn_daemon_stop_deferred(daemon);
    take_turn(daemon);
}

/* What is wrong, as text, before the configuration that it is about goes away. */
static void keep_diags(struct rtn_reload *reload)
{
    struct rtn_buf plan = reload->text;
    reload->text = (struct rtn_buf){ 0 };
    rtn_diags_render(&reload->diags, &reload->text, false);
    rtn_buf_append_str(&reload->text, rtn_buf_str(&plan));
    rtn_buf_done(&plan);
    rtn_diags_done(&reload->diags);
}

static void fail(struct rtn_reload *reload)
{
    reload->failed = true;
    rtn_buf_clear(&reload->text);
    keep_diags(reload);
    rtn_reload_undo(reload, rtn_reload_end);
}

/* A hook that failed is among the errors; of anything else the log knows. */
static void on_started(struct rtn_reload *reload)
{
    struct rtn_daemon *daemon = reload->daemon;
    if (daemon->reloads.cancelled != NULL) {
        rtn_diags_error(&reload->diags, (struct rtn_mark){ 0 }, "the daemon stops");
        fail(reload);
    } else if (reload->failed) {
        if (reload->diags.errors == 0)
            rtn_diags_error(&reload->diags, (struct rtn_mark){ 0 }, "a server could not be started; the log says why");
        fail(reload);
    } else {
        rtn_reload_commit(reload, rtn_reload_end);
    }
}

static const char *keep_text(struct rtn_reloads *reloads, const char *text)
{
    return text != NULL ? rtn_config_strdup(&reloads->memory, ((struct rtn_str){ text, strlen(text) })) : NULL;
}

/* The first reload finds the configuration that the daemon was started with. */
static void remember(struct rtn_daemon *daemon)
{
    struct rtn_reloads *reloads = &daemon->reloads;
    const struct rtn_config_daemon *config = &daemon->generation->config->daemon;
    if (reloads->remembered)
        return;
    reloads->remembered = true;
    rtn_arena_init(&reloads->memory, NULL, 0);
    reloads->started.log.target = keep_text(reloads, config->log.target);
    reloads->started.log.to = config->log.to;
    reloads->started.log.path = keep_text(reloads, config->log.path);
    reloads->started.log.format = config->log.format;
    reloads->started.control = keep_text(reloads, config->control);
}

static void begin(struct rtn_reload *reload)
{
    struct rtn_daemon *daemon = reload->daemon;
    remember(daemon);
    if (!reload->ask->dry_run)
        rtn_notify_reloading();
    rtn_log(RTN_LOG_INFO, "%s: reads %s", reload->ask->who, daemon->reloads.path);
    if (!rtn_reload_make(reload, daemon->reloads.path)) {
        fail(reload);
        return;
    }
    rtn_plan_print(&reload->plan, &reload->text);
    keep_diags(reload);
    reload->unchanged = rtn_plan_is_empty(&reload->plan);
    if (reload->ask->dry_run || reload->unchanged)
        rtn_reload_undo(reload, rtn_reload_end);
    else
        rtn_reload_start(reload, on_started);
}

/* The asks that come too late. */
static void refuse_all(struct rtn_daemon *daemon)
{
    struct rtn_list *node;
    while ((node = rtn_list_pop(&daemon->reloads.asks)) != NULL) {
        struct rtn_reload_ask *ask = RTN_CONTAINER_OF(node, struct rtn_reload_ask, node);
        const struct rtn_reload_result result = { .dry_run = ask->dry_run,
                                                  .generation = daemon->generation->number,
                                                  .text = RTN_STR("the daemon stops\n") };
        rtn_log(RTN_LOG_NOTICE, "%s: nothing is reloaded: the daemon stops", ask->who);
        ask_answer(ask, &result);
    }
}

static void begin_next(struct rtn_daemon *daemon)
{
    if (daemon->reloads.current != NULL)
        return;
    if (daemon->stopping) {
        refuse_all(daemon);
        return;
    }
    struct rtn_list *node = rtn_list_pop(&daemon->reloads.asks);
    if (node == NULL)
        return;
    struct rtn_reload *reload = rtn_config_need(calloc(1, sizeof(*reload)));
    reload->daemon = daemon;
    reload->ask = RTN_CONTAINER_OF(node, struct rtn_reload_ask, node);
    daemon->reloads.current = reload;
    begin(reload);
}

void rtn_daemon_reloads_init(struct rtn_daemon *daemon, const char *path)
{
    daemon->reloads.path = path;
    rtn_list_init(&daemon->reloads.asks);
    rtn_list_init(&daemon->reloads.left);
}

/* What is under way is left as it is: the process ends. */
void rtn_daemon_reloads_done(struct rtn_daemon *daemon)
{
    if (daemon->reloads.asks.next != NULL)
        refuse_all(daemon);
    if (daemon->reloads.remembered)
        rtn_arena_done(&daemon->reloads.memory);
}
