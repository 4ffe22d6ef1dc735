/*
 * What a reload makes beside what runs: the generation, programs, servers, wiring, sockets; and the start of what has
 * threads. All that is wrong is found in one go, as at the start of the daemon.
 */
#include <errno.h>
#include <stdlib.h>

#include "config/memory.h"
#include "daemon/reload_internal.h"
#include "loop/loop.h"
#include "server/server_relisten.h"
#include "server/server_swap.h"

#define LIVE (RTN_CHANGE_BIT(RTN_CHANGE_TUNE) | RTN_CHANGE_BIT(RTN_CHANGE_ROUTES) | RTN_CHANGE_BIT(RTN_CHANGE_LISTEN))

static bool is_good(const struct rtn_reload *reload)
{
    return reload->diags.errors == 0;
}

static void report_no_memory(struct rtn_reload *reload, const struct rtn_config_server *config)
{
    rtn_diags_error(&reload->diags, rtn_schema_mark(config->node, NULL), "server \"%s\": memory is out", config->name);
}

static void load(struct rtn_reload *reload, const char *path)
{
    struct rtn_config *config = NULL;
    int r = rtn_config_load(path, &config, &reload->diags);
    if (rtn_generation_new(config, reload->daemon->generation, &reload->generation) < 0) {
        rtn_diags_error(&reload->diags, (struct rtn_mark){ 0 }, "memory is out");
        return;
    }
    config = reload->generation->config;
    const struct rtn_config_server *servers = config->servers.items;
    for (size_t i = 0; r < 0 && config->daemon.modules.count > 0 && i < config->servers.count; i++)
        rtn_program_check(&servers[i], reload->generation, &reload->diags);
}

/* Of a server some thread of which is in a handler. */
static void report_stuck(struct rtn_reload_change *change, const char *what)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf waits = { 0 };
    const struct rtn_config_server *config = change->plan->change->after;
    rtn_server_name_stuck(change->plan->run->server, &waits);
    rtn_diags_error(&change->reload->diags, rtn_schema_mark(config->node, NULL),
                    "server \"%s\": %s, which waits for %s", config->name, what, rtn_buf_str(&waits).data);
}

/* A server goes on with another program. What is wrong with a module has been said where it was met first. */
static void make_program(struct rtn_reload_change *change)
{
    struct rtn_reload *reload = change->reload;
    const struct rtn_config_server *config = change->plan->change->after;
    const struct rtn_reload_step *left = rtn_reload_find_left(reload->daemon, change->plan->run->server);
    if (left != NULL) { /* hooks take turns: no program can come while another one comes or goes */
        report_stuck(change, left->kind->still);
        return;
    }
    const struct rtn_program *old = change->plan->run->server->program;
    change->program = rtn_program_new(config, reload->generation, old, &reload->diags);
    if (change->program == NULL && is_good(reload))
        report_no_memory(reload, config);
}

/* One that was not there, or that cannot go on. Its number of loops was bounded by the check of the configuration. */
static void make_server(struct rtn_reload_change *change)
{
    struct rtn_reload *reload = change->reload;
    struct rtn_daemon *daemon = reload->daemon;
    const struct rtn_config_server *config = change->plan->change->after;
    change->run = rtn_run_new(daemon, config->name);
    change->run->server = rtn_server_new(config, reload->generation, &daemon->host, &reload->diags);
    if (change->run->server == NULL && is_good(reload))
        report_no_memory(reload, config);
    if (change->run->server == NULL)
        return;
    if (rtn_run_number_loops(change->run, (unsigned) config->loops))
        change->run->server->first_loop = change->run->first_loop;
    else
        rtn_diags_error(&reload->diags, rtn_schema_mark(config->node, "loops"),
                        "server \"%s\": too many loops, with those of servers that end", config->name);
}

static void make_change(struct rtn_reload_change *change)
{
    if (change->plan->weightiest == RTN_CHANGE_ADD || change->plan->weightiest == RTN_CHANGE_RESTART)
        make_server(change);
    else if (change->plan->weightiest != RTN_CHANGE_REMOVE && (change->plan->kinds & LIVE) != 0)
        make_program(change);
}

/* What the server will do; NULL: it does not change, or ends. */
static struct rtn_program *program_of(const struct rtn_reload_change *change)
{
    return change->run != NULL ? change->run->server->program : change->program;
}

static void listen_change(struct rtn_reload_change *change)
{
    struct rtn_diags *diags = &change->reload->diags;
    if (program_of(change) != NULL)
        (void) rtn_program_open_check(program_of(change), diags);
    if (change->run != NULL)
        (void) rtn_server_listen(change->run->server, diags);
    else if (change->program != NULL && (change->plan->kinds & RTN_CHANGE_BIT(RTN_CHANGE_LISTEN)) != 0)
        (void) rtn_server_relisten(change->plan->run->server, change->plan->change->after, diags);
}

static void ready_change(struct rtn_reload_change *change)
{
    if (change->run != NULL)
        (void) rtn_server_ready(change->run->server, &change->reload->diags);
    if (change->program != NULL)
        (void) rtn_program_ready(change->program, &change->reload->diags);
}

/* Last, and not in a dry run, since it makes files. */
static void open_log(struct rtn_reload_change *change)
{
    struct rtn_daemon *daemon = change->reload->daemon;
    if (program_of(change) != NULL)
        (void) rtn_program_open(program_of(change), &daemon->writers, daemon->log, &daemon->log_level,
                                &change->reload->diags);
}

static void for_each(struct rtn_reload *reload, void (*step)(struct rtn_reload_change *change))
{
    for (size_t i = 0; i < reload->plan.count; i++)
        step(&reload->changes[i]);
}

static void make_changes(struct rtn_reload *reload)
{
    reload->changes = rtn_config_need(calloc(reload->plan.count + 1, sizeof(*reload->changes)));
    for (size_t i = 0; i < reload->plan.count; i++)
        reload->changes[i] =
            (struct rtn_reload_change){ .reload = reload, .plan = &reload->plan.servers[i], .started = 1 };
    for_each(reload, make_change);
}

static void open_logs(struct rtn_reload *reload)
{
    for_each(reload, open_log);
    int r = rtn_log_writers_start(&reload->daemon->writers);
    if (r < 0)
        rtn_diags_error(&reload->diags, (struct rtn_mark){ 0 }, "cannot start the thread of an access log: %s",
                        strerror(-r));
}

static void count_sessions(struct rtn_reload_change *change)
{
    if (change->program != NULL)
        rtn_plan_count(change->plan, change->program);
}

bool rtn_reload_make(struct rtn_reload *reload, const char *path)
{
    load(reload, path);
    if (!is_good(reload))
        return false;
    rtn_plan_make(reload->daemon, reload->generation, &reload->plan, &reload->diags);
    make_changes(reload);
    if (is_good(reload))
        rtn_reload_wire(reload);
    if (is_good(reload))
        for_each(reload, listen_change);
    if (is_good(reload))
        for_each(reload, ready_change);
    if (is_good(reload))
        for_each(reload, count_sessions);
    if (is_good(reload) && !reload->ask->dry_run)
        open_logs(reload);
    return is_good(reload);
}

/* Starting */

static void on_failed(struct rtn_reload *reload, struct rtn_server *server)
{
    reload->failed = true;
    rtn_server_report_failure(server, &reload->diags);
}

static void on_prepared(struct rtn_server *server, int result, void *data)
{
    struct rtn_reload_change *change = data;
    if (!change->awaited)
        return;
    change->awaited = false;
    change->prepared = rtn_server_is_swapping(server);
    if (result < 0)
        on_failed(change->reload, server);
    rtn_reload_arrived(change->reload);
}

static void on_starter_ended(struct rtn_mail *mail)
{
    struct rtn_reload *reload = RTN_CONTAINER_OF(mail, struct rtn_reload, starter_mail);
    (void) pthread_join(reload->starter, NULL);
    for (size_t i = 0; i < reload->plan.count; i++) {
        if (reload->changes[i].started < 0)
            on_failed(reload, reload->changes[i].run->server);
    }
    rtn_reload_arrived(reload);
}

/* New servers one by one, until one fails. On a thread of its own: their hooks may wait. */
static void *start_servers(void *data)
{
    struct rtn_reload *reload = data;
    bool good = true;
    for (size_t i = 0; i < reload->plan.count && good; i++) {
        struct rtn_reload_change *change = &reload->changes[i];
        if (change->run == NULL)
            continue;
        change->started = rtn_server_start(change->run->server);
        good = change->started == 0;
    }
    rtn_mailbox_post(&reload->daemon->mailbox, &reload->starter_mail);
    return NULL;
}

static bool has_new_servers(const struct rtn_reload *reload)
{
    for (size_t i = 0; i < reload->plan.count; i++) {
        if (reload->changes[i].run != NULL)
            return true;
    }
    return false;
}

static void begin_starter(struct rtn_reload *reload)
{
    if (!has_new_servers(reload))
        return;
    reload->starter_mail.deliver = on_starter_ended;
    reload->pending++;
    if (rtn_thread_start(&reload->starter, start_servers, reload) == 0)
        return;
    rtn_log(RTN_LOG_ERROR, "the reload cannot start a thread");
    reload->failed = true;
    reload->pending--;
}

static void give_up(struct rtn_reload_change *change)
{
    change->awaited = false;
    change->prepared = true;
    change->reload->failed = true;
    report_stuck(change, "does not come to what is to be begun");
    rtn_reload_arrived(change->reload);
}

/* Hooks may take their time, handlers only that of others: which begins when there is something to come to. */
static void on_tired(struct rtn_reload *reload)
{
    bool held_up = false;
    int64_t next_ms = RTN_RELOAD_PATIENCE_MS;
    for (size_t i = 0; i < reload->plan.count; i++) {
        struct rtn_reload_change *change = &reload->changes[i];
        int64_t ms = change->awaited ? rtn_server_held_up_ms(change->plan->run->server) : -1;
        held_up = held_up || ms >= 0;
        if (ms >= RTN_RELOAD_PATIENCE_MS)
            give_up(change);
        else if (ms >= 0)
            next_ms = RTN_MIN(next_ms, RTN_RELOAD_PATIENCE_MS - ms);
    }
    if (!held_up)
        rtn_log(RTN_LOG_WARN, "the reload waits for hooks of modules: %u steps have not come back", reload->pending);
    rtn_reload_be_patient(reload, next_ms);
}

void rtn_reload_start(struct rtn_reload *reload, void (*then)(struct rtn_reload *reload))
{
    rtn_reload_expect(reload, then);
    reload->tired = on_tired;
    rtn_wiring_prepare(reload->wiring);
    begin_starter(reload);
    for (size_t i = 0; i < reload->plan.count; i++) {
        struct rtn_reload_change *change = &reload->changes[i];
        if (change->program == NULL)
            continue;
        reload->pending++;
        change->awaited = true;
        rtn_server_prepare(change->plan->run->server, change->program, on_prepared, change);
    }
    rtn_reload_arrived(reload);
}
