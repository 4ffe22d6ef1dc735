/*
 * How servers stop, one of them or all: each goes through the states of enum rtn_run_state, driven by the stop itself,
 * by its loops when they have no connections any more, and by its deadline. What a stop waits for is looked at before
 * every wait of main's loop, and not where it is told, since a server must not be freed while mail of it is being
 * delivered.
 *
 * A server that stops alone is finished when it has no connections, and ended and freed when it has finished. When no
 * other one serves, the daemon stops; then none is finished before all have lost their connections, so that requests
 * can use the other servers until then, and all are ended together.
 */
#include <stdlib.h>
#include <string.h>

#include "app/stopping.h"
#include "base/clock.h"
#include "daemon/daemon_state.h"
#include "daemon/fdstore.h"
#include "daemon/notify.h"
#include "server/server_relisten.h"

#define ABORT_SECONDS 0.5 /* for loops to close what is left */
#define STOP_MARGIN_MS 10000 /* more than all that follows the shutdown_timeout can take */
#define LOOK_SECONDS 0.01 /* at workers, which tell nobody */
#define LOOK_SELDOM_SECONDS 1. /* at those that were left behind */

static void enter(struct rtn_run *run, enum rtn_run_state state)
{
    run->state = state;
}

/* Nothing is waited for any more. */
static void give_up(struct rtn_run *run)
{
    ev_timer_stop(run->daemon->ev, &run->deadline);
    enter(run, RTN_RUN_OVER);
}

static void start_timer(struct rtn_run *run, double seconds)
{
    ev_timer_set(&run->deadline, seconds, 0.);
    ev_timer_start(run->daemon->ev, &run->deadline);
}

static void abort_server(struct rtn_run *run)
{
    enter(run, RTN_RUN_ABORTED);
    rtn_log(RTN_LOG_WARN, "server \"%s\": shutdown_timeout has passed: closes what is left", run->name);
    rtn_server_abort(run->server);
    start_timer(run, ABORT_SECONDS);
}

static void on_deadline(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_run *run = RTN_CONTAINER_OF(timer, struct rtn_run, deadline);
    if (run->state == RTN_RUN_DRAINS)
        abort_server(run);
    else if (run->state == RTN_RUN_ABORTED)
        give_up(run);
    else if (run->state == RTN_RUN_FINISHES) {
        rtn_log(RTN_LOG_WARN, "server \"%s\": shutdown_timeout has passed: waits for workers no longer", run->name);
        give_up(run);
    }
}

static void drain(struct rtn_run *run)
{
    struct rtn_daemon *daemon = run->daemon;
    if (run->state != RTN_RUN_SERVES)
        return;
    enter(run, RTN_RUN_DRAINS);
    rtn_server_drain(run->server);
    start_timer(run, (double) daemon->generation->config->daemon.shutdown_timeout / 1e3);
}

/* Its time may have passed, when others took so long. */
static void finish(struct rtn_run *run)
{
    enter(run, RTN_RUN_FINISHES);
    rtn_server_finish(run->server);
    if (!ev_is_active(&run->deadline))
        start_timer(run, ABORT_SECONDS);
}

void rtn_daemon_stop_drained(struct rtn_daemon *daemon, const struct rtn_server *server)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        struct rtn_run *run = daemon->runs[i];
        if (run->server == server && (run->state == RTN_RUN_DRAINS || run->state == RTN_RUN_ABORTED))
            enter(run, RTN_RUN_DRAINED);
    }
}

/* What asks for a stop */

static bool any_in(const struct rtn_daemon *daemon, enum rtn_run_state first, enum rtn_run_state last)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->state >= first && daemon->runs[i]->state <= last)
            return true;
    }
    return false;
}

void rtn_daemon_stop(struct rtn_daemon *daemon, const char *who)
{
    if (daemon->stopping) {
        rtn_log(RTN_LOG_NOTICE, "%s: stops already", who);
        return;
    }
    if (rtn_daemon_defer_stop(daemon, who))
        return;
    daemon->stopping = true;
    rtn_stopping_begin();
    rtn_fdstore_leave(daemon);
    rtn_notify("STOPPING=1\nSTATUS=finishing what runs\nEXTEND_TIMEOUT_USEC=%lld",
               (long long) (daemon->generation->config->daemon.shutdown_timeout + STOP_MARGIN_MS) * 1000);
    char text[RTN_FORMAT_MAX];
    rtn_log(RTN_LOG_NOTICE, "%s: stops; waits up to %s for what runs", who,
            rtn_format_duration(text, daemon->generation->config->daemon.shutdown_timeout));
    for (size_t i = 0; i < daemon->run_count; i++)
        drain(daemon->runs[i]);
}

void rtn_daemon_retire(struct rtn_run *run)
{
    run->replaced = true;
    rtn_run_withdraw(run);
    if (run->state != RTN_RUN_SERVES)
        return;
    rtn_server_hand_over(run->server);
    drain(run);
}

static void who_asks(const struct rtn_wish *wish, struct rtn_buf *out)
{
    if (wish->by != NULL)
        rtn_buf_printf(out, "server \"%s\" asks", wish->by);
    else
        rtn_buf_append_text(out, "a module asks");
}

static void on_stop_all(struct rtn_mail *mail)
{
    struct rtn_daemon *daemon = RTN_CONTAINER_OF(mail, struct rtn_daemon, wish.mail);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf who = { 0 };
    if (!any_in(daemon, RTN_RUN_SERVES, RTN_RUN_OVER))
        return;
    who_asks(&daemon->wish, &who);
    rtn_daemon_stop(daemon, who.data);
}

bool rtn_daemon_stop_one(struct rtn_run *run, const char *who)
{
    struct rtn_daemon *daemon = run->daemon;
    if (run->state != RTN_RUN_SERVES)
        return false;
    if (rtn_run_defer_stop(run, who))
        return true;
    char text[RTN_FORMAT_MAX];
    rtn_log(RTN_LOG_NOTICE, "server \"%s\": stops, %s; waits up to %s for what runs", run->name, who,
            rtn_format_duration(text, daemon->generation->config->daemon.shutdown_timeout));
    drain(run);
    if (any_in(daemon, RTN_RUN_SERVES, RTN_RUN_SERVES))
        rtn_daemon_servers_tell(daemon);
    else
        rtn_daemon_stop(daemon, "no server is left");
    return true;
}

static void on_stop_one(struct rtn_mail *mail)
{
    struct rtn_run *run = RTN_CONTAINER_OF(mail, struct rtn_run, wish.mail);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf who = { 0 };
    who_asks(&run->wish, &who);
    (void) rtn_daemon_stop_one(run, who.data);
}

/* Ending */

/* False when it is left behind. */
static bool end(struct rtn_run *run, int64_t deadline_ms)
{
    struct rtn_daemon *daemon = run->daemon;
    rtn_server_listen_stop(run->server);
    bool clean = rtn_server_end(run->server, deadline_ms);
    enter(run, clean ? RTN_RUN_ENDED : RTN_RUN_LEFT);
    if (clean)
        rtn_mailbox_deliver(&daemon->mailbox); /* what comes from it has come */
    return clean;
}

static void log_stopped(const struct rtn_run *run)
{
    rtn_log(RTN_LOG_NOTICE, "server \"%s\": stopped", run->name);
}

/* A server that stops alone: frees it at once. */
static void end_alone(struct rtn_run *run)
{
    if (end(run, rtn_clock_ms() + RTN_DAEMON_STOP_MS)) {
        rtn_server_free(run->server);
        run->server = NULL;
        log_stopped(run);
    }
    if (!run->daemon->stopping)
        rtn_daemon_servers_tell(run->daemon);
}

/* When all stop, only when none has connections any more. */
static void finish_drained(struct rtn_daemon *daemon)
{
    if (daemon->stopping && any_in(daemon, RTN_RUN_SERVES, RTN_RUN_ABORTED))
        return;
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->state == RTN_RUN_DRAINED)
            finish(daemon->runs[i]);
    }
}

static void look_at_finishing(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        struct rtn_run *run = daemon->runs[i];
        if (run->state == RTN_RUN_FINISHES && rtn_server_is_finished(run->server))
            give_up(run);
    }
}

/* Without a time to repeat after, the timer stops. */
static void look_again(struct rtn_daemon *daemon)
{
    bool over = any_in(daemon, RTN_RUN_OVER, RTN_RUN_OVER) && !daemon->stopping; /* it has changed places just now */
    bool often = over || any_in(daemon, RTN_RUN_FINISHES, RTN_RUN_FINISHES);
    bool seldom = any_in(daemon, RTN_RUN_LEFT, RTN_RUN_LEFT);
    daemon->look.repeat = often ? LOOK_SECONDS : seldom ? LOOK_SELDOM_SECONDS : 0.;
    ev_timer_again(daemon->ev, &daemon->look);
}

/* Only has main's loop wait no longer. */
static void on_look(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) timer;
    (void) events;
}

/* The handler that was waited for in vain. */
static bool has_come_back(const struct rtn_run *run)
{
    return run->state == RTN_RUN_LEFT && rtn_server_is_finished(run->server);
}

/* A wish may still be on its way to one; ended servers send nothing. */
static void forget_replaced(struct rtn_daemon *daemon)
{
    for (size_t i = daemon->run_count; i-- > 0;) {
        struct rtn_run *run = daemon->runs[i];
        if (!run->replaced || run->state != RTN_RUN_ENDED || daemon->stopping)
            continue;
        rtn_mailbox_deliver(&daemon->mailbox);
        rtn_daemon_remove_run(daemon, run);
        rtn_run_free(run);
    }
}

/* A stop of all may begin in between, by mail that is delivered: then servers that are over wait for the others. */
static void on_settle(struct ev_loop *ev, struct ev_prepare *prepare, int events)
{
    (void) events;
    struct rtn_daemon *daemon = RTN_CONTAINER_OF(prepare, struct rtn_daemon, settle);
    finish_drained(daemon);
    look_at_finishing(daemon);
    for (size_t i = 0; i < daemon->run_count && !daemon->stopping; i++) {
        struct rtn_run *run = daemon->runs[i];
        if (run->state == RTN_RUN_OVER || has_come_back(run))
            end_alone(run);
    }
    forget_replaced(daemon);
    look_again(daemon);
    if (daemon->stopping && !any_in(daemon, RTN_RUN_SERVES, RTN_RUN_FINISHES))
        ev_break(ev, EVBREAK_ALL);
}

bool rtn_daemon_stop_end(struct rtn_daemon *daemon)
{
    rtn_daemon_servers_listen_stop(daemon);
    int64_t deadline_ms = rtn_clock_ms() + RTN_DAEMON_END_MS;
    for (size_t i = 0; i < daemon->run_count; i++) {
        struct rtn_run *run = daemon->runs[i];
        bool may_end = run->state == RTN_RUN_LEFT ? has_come_back(run) : run->state != RTN_RUN_ENDED;
        if (may_end && end(run, deadline_ms))
            log_stopped(run);
    }
    return !any_in(daemon, RTN_RUN_LEFT, RTN_RUN_LEFT) && !daemon->reloads.abandoned;
}

/* Life */

void rtn_run_init_stop(struct rtn_run *run)
{
    run->wish = (struct rtn_wish){ .server = run->name, .mail = { .deliver = on_stop_one } };
    rtn_list_init(&run->wish.node);
    ev_timer_init(&run->deadline, on_deadline, 0., 0.);
}

bool rtn_daemon_stop_init(struct rtn_daemon *daemon)
{
    const struct rtn_schema_array *configs = &daemon->generation->config->servers;
    daemon->control.mailbox = daemon->ev != NULL ? &daemon->mailbox : NULL;
    rtn_list_init(&daemon->control.wishes);
    rtn_list_init(&daemon->numbered);
    daemon->wish = (struct rtn_wish){ .mail = { .deliver = on_stop_all } };
    rtn_list_append(&daemon->control.wishes, &daemon->wish.node);
    for (size_t i = 0; i < configs->count; i++) {
        struct rtn_run *run = rtn_run_new(daemon, ((const struct rtn_config_server *) configs->items)[i].name);
        rtn_daemon_add_run(daemon, run, NULL);
        rtn_run_offer(run);
    }
    if (daemon->ev != NULL) {
        ev_timer_init(&daemon->look, on_look, 0., 0.);
        rtn_daemon_defer_init(daemon);
        ev_prepare_init(&daemon->settle, on_settle);
        ev_prepare_start(daemon->ev, &daemon->settle);
    }
    rtn_control_set(&daemon->control);
    return true;
}

void rtn_daemon_stop_done(struct rtn_daemon *daemon)
{
    rtn_control_set(NULL);
    if (daemon->runs == NULL)
        return;
    if (daemon->ev != NULL) {
        ev_prepare_stop(daemon->ev, &daemon->settle);
        ev_timer_stop(daemon->ev, &daemon->look);
        ev_timer_stop(daemon->ev, &daemon->reload_limit);
        for (size_t i = 0; i < daemon->run_count; i++)
            ev_timer_stop(daemon->ev, &daemon->runs[i]->deadline);
    }
    for (size_t i = 0; i < daemon->run_count; i++)
        rtn_run_free(daemon->runs[i]);
    free(daemon->runs);
}
