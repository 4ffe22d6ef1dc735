/*
 * What servers have to do with stalls: their keys, their pools, and the line that says that a pool is at its end.
 */
#include "server/server_stall.h"

#include "server/server_loop.h"

/* A worker has no clients that wait: what its handlers do may take as long as it likes. */
static int64_t handler_ms(const struct rtn_config_server *config)
{
    return config->protocol == RTN_PROTOCOL_WORKER ? 0 : config->timeouts.handler;
}

void rtn_server_stall_tune(struct rtn_server *server)
{
    struct rtn_watched *watched = &server->stalls.watched;
    atomic_store_explicit(&watched->stall_ms, server->config->stall, memory_order_relaxed);
    atomic_store_explicit(&watched->handler_ms, handler_ms(server->config), memory_order_relaxed);
    if (server->pool != NULL)
        rtn_pool_tune_stuck(server->pool, (unsigned) server->config->stuck_threads);
}

void rtn_server_stall_look(struct rtn_server *server)
{
    struct rtn_server_stalls *stalls = &server->stalls;
    if (server->pool == NULL)
        return;
    stalls->pool = rtn_pool_look(server->pool);
    bool at_end = stalls->pool.over > stalls->pool.replaced && server->config->stuck_threads > 0;
    if (at_end && !stalls->told)
        rtn_log(
            RTN_LOG_ERROR,
            "server \"%s\": %u workers are stuck, and no more than %u are replaced (stuck_threads): fewer are left for "
            "others",
            server->config->name, stalls->pool.over, stalls->pool.replaced);
    stalls->told = at_end;
}

struct naming {
    const struct rtn_watched *watched;
    struct rtn_buf *out;
};

static void name_stuck(const struct rtn_stall_view *view, void *data)
{
    const struct naming *naming = data;
    if (view->watched == naming->watched)
        rtn_buf_printf(naming->out, "%s%s: %s", naming->out->length > 0 ? "; " : "", view->thread, view->text);
}

void rtn_server_name_stuck(const struct rtn_server *server, struct rtn_buf *out)
{
    struct naming naming = { &server->stalls.watched, out };
    rtn_stalls_each(name_stuck, &naming);
    if (out->length == 0)
        rtn_buf_append_text(out, "its threads");
}

bool rtn_server_has_progress(const struct rtn_server *server)
{
    return !server->stalls.pool.stands;
}

void rtn_server_stall_count(const struct rtn_server *server, struct rtn_stall_counts *ret)
{
    const struct rtn_watched *watched = &server->stalls.watched;
    *ret = (struct rtn_stall_counts){ .loop_stalls = atomic_load(&watched->loop_stalls),
                                      .worker_stalls = atomic_load(&watched->worker_stalls),
                                      .stuck_loops = atomic_load(&watched->stuck_loops),
                                      .stuck_workers = atomic_load(&watched->stuck_workers),
                                      .replaced = server->stalls.pool.replaced };
    for (unsigned i = 0; i < server->loop_count; i++) {
        ret->timed_out += atomic_load(&server->loops[i].http.timed_out);
        ret->cut_off += atomic_load(&server->loops[i].http.cut_off);
    }
}
