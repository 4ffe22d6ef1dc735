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
#include "server/server_swap_internal.h"
#include "server/server_terms.h"

#define GIVE_UP_MS 2000

/* What hooks have begun on this loop is over before instances stop. Main waits for this thread meanwhile. */
static void undo_start_hooks(struct rtn_server_loop *loop)
{
    struct rtn_pool *pool = loop->server->pool;
    rtn_http1_end_keep_alive(&loop->http); /* connections that were ordered are not begun */
    rtn_pendings_end(&loop->site.pendings);
    if (pool != NULL)
        (void) rtn_pool_stop(pool, GIVE_UP_MS);
    rtn_loop_deliver(&loop->loop);
    if (loop->index == 0)
        rtn_cast_stop(&loop->server->swap->cast, true);
}

static int run_start_hooks(struct rtn_server_loop *loop)
{
    struct rtn_cast *cast = &loop->server->swap->cast;
    int r = loop->index == 0 ? rtn_cast_start(cast) : 0;
    if (r == 0)
        r = rtn_cast_refresh(cast);
    if (r < 0)
        undo_start_hooks(loop);
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

/* That have come; or tasks of such as were handed out before, as all are when the server is to finish. */
static bool has_messages(const struct rtn_server_loop *loop)
{
    if (loop->index != 0)
        return false;
    return loop->site.hub_batch_count > 0 || loop->finishing || rtn_hub_has_mail(loop->server->port);
}

static bool has_sessions(const struct rtn_server_loop *loop)
{
    const struct rtn_http1 *http = &loop->http;
    return loop->site.session_batch_count > 0 || !rtn_list_empty(&http->unsent) || http->round.length > 0;
}

/* The usual iteration leaves nothing to do, or requests for workers: the rest costs it a look. */
static void before_wait(void *data)
{
    struct rtn_server_loop *loop = data;
    struct rtn_site *site = &loop->site;
    struct rtn_http1 *http = &loop->http;
    if (has_messages(loop))
        rtn_inbox_flush(site, loop->server->port);
    if (site->batch_count > 0) /* first: behind a request that it refuses, one that becomes a WebSocket may wait */
        rtn_step_flush(site);
    if (has_sessions(loop))
        rtn_session_work_flush(site, http);
    if (rtn_http1_has_old_terms(http) || !rtn_list_empty(&http->dead))
        rtn_http1_collect(http);
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
    rtn_overdue_done(&loop->site.overdue);
    rtn_cast_leave(&loop->server->swap->cast);
    if (loop->index == 0)
        rtn_cast_stop(&loop->server->swap->cast, true);
    loop->ended = true;
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
    loop->http.patient = atomic_load(&server->replaced);
    rtn_http1_drain(&loop->http);
}

/* Loop 0 runs the hooks and then tells the others, so that quiesce comes before any connection is cut. */
static void on_drain(struct rtn_mail *mail)
{
    struct rtn_server_loop *loop = RTN_CONTAINER_OF(mail, struct rtn_server_loop, drain_mail);
    struct rtn_server *server = loop->server;
    if (loop->index == 0) {
        rtn_cast_quiesce(&server->swap->cast, true);
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
        rtn_inbox_run(server->port);
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
    .taken = rtn_step_taken,
    .send_files = rtn_step_send_files,
    .encode = rtn_compress_choose,
    .replied = rtn_dispatch_replied,
    .leaving = rtn_dispatch_leaving,
    .closed = rtn_dispatch_closed,
    .drained = on_drained,
    .move = rtn_server_terms_move,
    .move_client = rtn_server_terms_move_client,
    .is_outdated = rtn_server_terms_is_outdated,
    .terms_unused = rtn_server_terms_unused,
};

static void set_up(struct rtn_server_loop *loop, struct rtn_server_terms *terms)
{
    struct rtn_server *server = loop->server;
    loop->open_mail.deliver = on_open;
    loop->drain_mail.deliver = on_drain;
    loop->abort_mail.deliver = on_abort;
    loop->finish_mail.deliver = on_finish;
    loop->site = (struct rtn_site){ .server = server, .http = &loop->http, .pool = server->pool };
    rtn_site_init(&loop->site);
    if (server->config->protocol == RTN_PROTOCOL_HTTP)
        loop->site.unrouted = rtn_stats_route(server->config->name, NULL, "none");
    rtn_pendings_init(&loop->site.pendings, server->first_loop + loop->index);
    rtn_overdue_init(&loop->site.overdue, loop->loop.ev);
    loop->http = (struct rtn_http1){
        .loop = &loop->loop,
        .terms = &terms->terms,
        .handler = &http_handler,
        .session_events = &rtn_session_upward_events,
        .ws_events = &rtn_ws_upward_events,
        .line_events = &rtn_line_upward_events,
        .resolver = server->host->resolver,
        .data = &loop->site,
        .loop_index = server->first_loop + loop->index,
        .room = on_room,
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
    const struct rtn_loop_options options = { .server = server->name,
                                              .index = index,
                                              .log = server->host->log,
                                              .log_level = &server->log_level,
                                              .watched = &server->stalls.watched,
                                              .begin = begin,
                                              .before_wait = before_wait,
                                              .end = end,
                                              .data = loop };
    struct rtn_server_terms *terms = rtn_server_terms_new(server, server->program);
    if (terms == NULL)
        return -ENOMEM;
    rtn_server_terms_enlist(terms);
    int r = rtn_loop_init(&loop->loop, &options);
    if (r < 0)
        return r;
    set_up(loop, terms);
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
