/*
 * The per-loop side of a server: wires loop, HTTP, dispatch and accepting together, and runs the modules' hooks
 * on the loop's thread.
 */
#include "server/server_loop.h"

#include <errno.h>
#include <string.h>

#include "app/compress.h"
#include "app/inbox.h"
#include "app/line_call.h"
#include "app/loops.h"
#include "app/session_events.h"
#include "app/session_work.h"
#include "app/step.h"
#include "app/stopping.h"
#include "app/ws_events.h"

#define GIVE_UP_MS 2000

static void log_hook_failure(const struct rtn_instance *instance, const char *hook, int r)
{
    rtn_log(RTN_LOG_ERROR, "%s: module %s: %s failed: %s", instance->place.text, instance->loaded->module.name, hook,
            strerror(-r));
}

int rtn_server_threads_start(struct rtn_server *server)
{
    for (size_t i = 0; i < server->instance_count; i++) {
        const struct rtn_instance *instance = server->instances[i];
        if (instance->loaded->module.thread_start == NULL)
            continue;
        int r = instance->loaded->module.thread_start(instance->data, server);
        if (r >= 0)
            continue;
        log_hook_failure(instance, "thread_start", r);
        while (i-- > 0) {
            instance = server->instances[i];
            if (instance->loaded->module.thread_stop != NULL)
                instance->loaded->module.thread_stop(instance->data, server);
        }
        return r;
    }
    return 0;
}

void rtn_server_threads_stop(struct rtn_server *server)
{
    for (size_t i = server->instance_count; i-- > 0;) {
        const struct rtn_instance *instance = server->instances[i];
        if (instance->loaded->module.thread_stop != NULL)
            instance->loaded->module.thread_stop(instance->data, server);
    }
}

/* stop of the first `count` instances, last first. */
static void stop_instances(struct rtn_server *server, size_t count)
{
    while (count-- > 0) {
        const struct rtn_instance *instance = server->instances[count];
        if (instance->loaded->module.stop != NULL)
            instance->loaded->module.stop(instance->data, server);
    }
}

static int start_instances(struct rtn_server *server, size_t *started)
{
    for (size_t i = 0; i < server->instance_count; i++) {
        const struct rtn_instance *instance = server->instances[i];
        if (instance->loaded->module.start == NULL)
            continue;
        int r = instance->loaded->module.start(instance->data, server);
        if (r >= 0)
            continue;
        log_hook_failure(instance, "start", r);
        *started = i;
        return r;
    }
    *started = server->instance_count;
    return 0;
}

static void quiesce_instances(struct rtn_server *server)
{
    for (size_t i = 0; i < server->instance_count; i++) {
        const struct rtn_instance *instance = server->instances[i];
        if (instance->loaded->module.quiesce != NULL)
            instance->loaded->module.quiesce(instance->data, server);
    }
}

/* What hooks have begun on this loop is over before instances stop. Main waits for this thread meanwhile. */
static void undo_start_hooks(struct rtn_server_loop *loop, size_t started)
{
    struct rtn_pool *pool = loop->server->pool;
    rtn_http1_end_keep_alive(&loop->http); /* connections that were ordered are not begun */
    rtn_pendings_end(&loop->site.pendings);
    if (pool != NULL)
        (void) rtn_pool_stop(pool, GIVE_UP_MS);
    rtn_loop_deliver(&loop->loop);
    stop_instances(loop->server, started);
}

static int run_start_hooks(struct rtn_server_loop *loop)
{
    size_t started = 0;
    int r = loop->index == 0 ? start_instances(loop->server, &started) : 0;
    if (r == 0)
        r = rtn_server_threads_start(loop->server);
    if (r < 0)
        undo_start_hooks(loop, started);
    return r;
}

static int begin(void *data)
{
    struct rtn_server_loop *loop = data;
    rtn_stopping_enter(&loop->server->stopping);
    rtn_loops_enter(&loop->http);
    int r = run_start_hooks(loop);
    if (r < 0)
        (void) rtn_http1_close_all(&loop->http); /* what the hooks have ordered comes to nothing */
    return r;
}

/* The last of the loops tells main, which may look or wait for it. */
static void finished(struct rtn_server_loop *loop)
{
    struct rtn_server *server = loop->server;
    loop->finishing = false;
    if (atomic_fetch_sub(&server->unfinished, 1) != 1)
        return;
    rtn_mailbox_post(server->host->mailbox, &server->finished_mail);
    sem_post(&server->finished);
}

static void before_wait(void *data)
{
    struct rtn_server_loop *loop = data;
    if (loop->index == 0)
        rtn_inbox_flush(&loop->site, loop->server->port);
    rtn_step_flush(&loop->site); /* first: behind a request that it refuses, one that becomes a WebSocket may wait */
    rtn_session_work_flush(&loop->site, &loop->http);
    rtn_http1_collect(&loop->http);
    if (loop->finishing)
        finished(loop);
}

static void end(void *data)
{
    struct rtn_server_loop *loop = data;
    rtn_step_flush(&loop->site);
    (void) rtn_http1_close_all(&loop->http);
    do {
        rtn_session_work_flush(&loop->site, &loop->http);
        rtn_loop_deliver(&loop->loop);
    } while (loop->site.session_batch_count > 0); /* what came while others ran */
    rtn_server_threads_stop(loop->server);
    if (loop->index == 0)
        stop_instances(loop->server, loop->server->instance_count);
}

static void on_open(struct rtn_mail *mail)
{
    struct rtn_server_loop *loop = RTN_CONTAINER_OF(mail, struct rtn_server_loop, open_mail);
    rtn_accept_open(loop);
    rtn_server_outgoing_open(loop);
}

static void drain(struct rtn_server_loop *loop)
{
    struct rtn_server *server = loop->server;
    rtn_accept_close(loop);
    rtn_http1_end_keep_alive(&loop->http);
    if (atomic_fetch_sub(&server->accepting, 1) == 1)
        rtn_mailbox_post(server->host->mailbox, &server->closed_mail);
    rtn_http1_drain(&loop->http);
}

/* Loop 0 runs the hooks and then tells the others, so that quiesce comes before any connection is cut. */
static void on_drain(struct rtn_mail *mail)
{
    struct rtn_server_loop *loop = RTN_CONTAINER_OF(mail, struct rtn_server_loop, drain_mail);
    struct rtn_server *server = loop->server;
    if (loop->index == 0) {
        quiesce_instances(server);
        for (unsigned i = 1; i < server->loop_count; i++)
            rtn_loop_post(&server->loops[i].loop, &server->loops[i].drain_mail);
    }
    drain(loop);
}

static void on_abort(struct rtn_mail *mail)
{
    struct rtn_server_loop *loop = RTN_CONTAINER_OF(mail, struct rtn_server_loop, abort_mail);
    (void) rtn_http1_close_all(&loop->http);
}

/* Told at the end of the iteration, when workers have what they have to do. */
static void on_finish(struct rtn_mail *mail)
{
    struct rtn_server_loop *loop = RTN_CONTAINER_OF(mail, struct rtn_server_loop, finish_mail);
    struct rtn_server *server = loop->server;
    rtn_pendings_end(&loop->site.pendings);
    if (loop->index == 0)
        rtn_hub_run(server->port, 0);
    loop->finishing = true;
}

static void on_room(struct rtn_http1 *http)
{
    rtn_accept_resume(RTN_CONTAINER_OF(http, struct rtn_server_loop, http));
}

static void on_drained(struct rtn_http1 *http)
{
    struct rtn_server *server = RTN_CONTAINER_OF(http, struct rtn_server_loop, http)->server;
    if (atomic_fetch_sub(&server->undrained, 1) == 1)
        rtn_mailbox_post(server->host->mailbox, &server->drained_mail);
}

static const struct rtn_http1_handler http_handler = {
    .head = rtn_dispatch_head,
    .run = rtn_dispatch_run,
    .fail = rtn_step_fail,
    .send_files = rtn_step_send_files,
    .encode = rtn_compress_choose,
    .replied = rtn_dispatch_replied,
    .closed = rtn_dispatch_closed,
    .drained = on_drained,
};

static void set_up(struct rtn_server_loop *loop)
{
    struct rtn_server *server = loop->server;
    const struct rtn_config_server *config = server->config;
    loop->open_mail.deliver = on_open;
    loop->drain_mail.deliver = on_drain;
    loop->abort_mail.deliver = on_abort;
    loop->finish_mail.deliver = on_finish;
    loop->site = (struct rtn_site){ .server = server,
                                    .http = &loop->http,
                                    .router = server->router,
                                    .pool = server->pool,
                                    .media = server->host->media,
                                    .access = &server->access };
    rtn_site_init(&loop->site);
    rtn_pendings_init(&loop->site.pendings, server->first_loop + loop->index);
    rtn_line_policy_init(&loop->line_policy, config);
    loop->http = (struct rtn_http1){
        .loop = &loop->loop,
        .config = config,
        .header_fields = server->header_fields.count > 0 ? &server->header_fields : NULL,
        .handler = &http_handler,
        .session_events = &rtn_session_upward_events,
        .ws_events = &rtn_ws_upward_events,
        .lines = config->protocol == RTN_PROTOCOL_LINE ? &loop->line_policy : NULL,
        .line_events = &rtn_line_upward_events,
        .line_owner = server->line_instance,
        .resolver = server->host->resolver,
        .data = &loop->site,
        .defer_files = server->needs_workers,
        .loop_index = server->first_loop + loop->index,
        .connection_limit = (unsigned) ((config->limits.connections + config->loops - 1) / config->loops),
        .room = on_room,
        .trusted = server->trusted,
        .trusted_count = server->trusted_count,
        .trust_unix = server->trust_unix,
        .clients = server->clients,
    };
}

void rtn_server_loop_done(struct rtn_server_loop *loop)
{
    rtn_loops_remove(&loop->http);
    rtn_loop_deliver(&loop->loop);
    rtn_pendings_done(&loop->site.pendings);
    rtn_http1_done(&loop->http);
    rtn_accept_done(loop);
    rtn_loop_done(&loop->loop);
}

/* Its thread does not run. Neither senders nor workers that a hook has set to work may post to it any more. */
static void give_up(struct rtn_server_loop *loop)
{
    struct rtn_pool *pool = loop->server->pool;
    if (loop->index == 0)
        rtn_hub_close(loop->server->port);
    if (pool == NULL || rtn_pool_stop(pool, GIVE_UP_MS) == 0)
        rtn_server_loop_done(loop);
}

int rtn_server_loop_start(struct rtn_server_loop *loop, struct rtn_server *server, unsigned index)
{
    *loop = (struct rtn_server_loop){ .server = server, .index = index };
    const struct rtn_loop_options options = { .server = server->config->name,
                                              .index = index,
                                              .log = server->host->log,
                                              .log_level = &server->log_level,
                                              .begin = begin,
                                              .before_wait = before_wait,
                                              .end = end,
                                              .data = loop };
    int r = rtn_loop_init(&loop->loop, &options);
    if (r < 0)
        return r;
    set_up(loop);
    if (index == 0)
        rtn_hub_attach(server->port, &loop->loop, &loop->site);
    r = rtn_http1_init(&loop->http);
    if (r == 0)
        r = rtn_loops_add(&loop->http);
    if (r == 0)
        r = rtn_accept_init(loop);
    if (r == 0)
        r = rtn_loop_start(&loop->loop);
    if (r < 0)
        give_up(loop);
    return r;
}

bool rtn_server_loop_stop(struct rtn_server_loop *loop, int64_t ms)
{
    if (rtn_loop_stop(&loop->loop, ms) == 0)
        return true;
    rtn_log(RTN_LOG_ERROR, "server \"%s\": %s does not come back from a handler or hook; it is left behind",
            loop->server->config->name, loop->loop.name);
    return false;
}
