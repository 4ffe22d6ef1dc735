/*
 * The life of a named server, as main drives it. Everything that can fail because of the configuration happens
 * before the first thread is started; from start on, only the system or a module's hook can fail.
 */
#include "server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/media.h"
#include "app/step.h"
#include "base/clock.h"
#include "server/server_loop.h"

#define WORKER_RETIRE_MS 30000
#define LEAST_STOP_MS 100
#define START_FAILED_STOP_MS 2000

static const struct rtn_config_route *route_config(const struct rtn_server *server, size_t index)
{
    return &((const struct rtn_config_route *) server->config->routes.items)[index];
}

static const struct rtn_config_listen *listen_config(const struct rtn_server *server, size_t index)
{
    return &((const struct rtn_config_listen *) server->config->listen.items)[index];
}

static bool make_route(struct rtn_server *server, size_t index, struct rtn_diags *diags)
{
    const struct rtn_config_route *config = route_config(server, index);
    struct rtn_route *route = &server->routes[index];
    *route = (struct rtn_route){
        .host = config->host,
        .path = config->path,
        .methods = config->methods != 0 ? config->methods : RTN_METHOD_ALL & ~(unsigned) RTN_METHOD_OPTIONS,
        .takes_options = (config->methods & RTN_METHOD_OPTIONS) != 0,
        .status = (int) config->status,
        .redirect = config->redirect,
    };
    const char *problem = rtn_router_problem(config->path);
    if (problem != NULL) {
        rtn_diags_error(diags, rtn_schema_mark(config->node, "path"), "server \"%s\": route \"%s\": %s",
                        server->config->name, config->path, problem);
        return false;
    }
    if (config->module == NULL)
        return true;
    route->instance = rtn_instance_new(server->host->modules, server->config, config, diags);
    if (route->instance == NULL)
        return false;
    rtn_instance_policy(route->instance, &route->policy);
    if (config->methods == 0) {
        route->methods = route->instance->methods;
        route->takes_options = route->instance->takes_options;
    }
    return true;
}

static int make_router(struct rtn_server *server)
{
    const struct rtn_route **routes = calloc(server->route_count + 1, sizeof(*routes));
    if (routes == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < server->route_count; i++)
        routes[i] = &server->routes[i];
    int r = rtn_router_new(routes, server->route_count, &server->router);
    free(routes);
    return r;
}

static int make_header_fields(struct rtn_server *server)
{
    const struct rtn_schema_strings *fields = &server->config->header_fields;
    for (size_t i = 0; i < fields->count; i++) {
        int r =
            rtn_map_add(&server->header_fields, rtn_str_of(fields->items[i]), (void *) (uintptr_t) fields->items[i]);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/* The configuration was checked: each of them can be read. */
static int make_trusted(struct rtn_server *server)
{
    const struct rtn_schema_strings *proxies = &server->config->trusted_proxies;
    server->trusted = calloc(proxies->count + 1, sizeof(*server->trusted));
    if (server->trusted == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < proxies->count; i++) {
        struct rtn_str text = rtn_str_of(proxies->items[i]);
        if (rtn_str_equal(text, RTN_STR("unix")))
            server->trust_unix = true;
        else if (rtn_cidr_parse(text, &server->trusted[server->trusted_count]) == NULL)
            server->trusted_count++;
    }
    return 0;
}

static int make_clients(struct rtn_server *server)
{
    const struct rtn_config_limits *config = &server->config->limits;
    const struct rtn_clients_limits limits = { .connections = (unsigned) config->connections_per_client,
                                               .rate = (unsigned) config->requests_per_second,
                                               .burst = (unsigned) config->request_burst };
    if (limits.connections == 0 && limits.rate == 0)
        return 0;
    return rtn_clients_new(&limits, &server->clients);
}

static bool needs_workers(const struct rtn_server *server)
{
    for (size_t i = 0; i < server->route_count; i++) {
        if (server->routes[i].instance != NULL && rtn_instance_needs_workers(server->routes[i].instance))
            return true;
    }
    return false;
}

static int start_worker_thread(void *data)
{
    int r = rtn_step_worker_begin();
    if (r < 0)
        return r;
    r = rtn_server_threads_start(data);
    if (r < 0)
        rtn_step_worker_end();
    return r;
}

static void stop_worker_thread(void *data)
{
    rtn_server_threads_stop(data);
    rtn_step_worker_end();
}

static int make_pool(struct rtn_server *server)
{
    if (!needs_workers(server))
        return 0;
    const struct rtn_pool_options options = { .server = server->config->name,
                                              .threads = (unsigned) server->config->threads,
                                              .active = (unsigned) server->config->active_threads,
                                              .queue = (unsigned) server->config->queue,
                                              .retire_ms = WORKER_RETIRE_MS,
                                              .log = server->host->log,
                                              .log_level = &server->log_level,
                                              .thread_start = start_worker_thread,
                                              .thread_stop = stop_worker_thread,
                                              .data = server };
    return rtn_pool_new(&options, &server->pool);
}

static void on_closed(struct rtn_mail *mail)
{
    struct rtn_server *server = RTN_CONTAINER_OF(mail, struct rtn_server, closed_mail);
    rtn_server_stop_listeners(server);
    server->host->closed(server, server->host->data);
}

static void on_drained(struct rtn_mail *mail)
{
    struct rtn_server *server = RTN_CONTAINER_OF(mail, struct rtn_server, drained_mail);
    server->drained = true;
    server->host->drained(server, server->host->data);
}

void rtn_server_check_modules(const struct rtn_config_server *config, struct rtn_modules *modules,
                              struct rtn_diags *diags)
{
    /* Values that are wrong were left zero; do not complain about those again. */
    struct rtn_config_server copy = *config;
    copy.threads = RTN_MAX(copy.threads, 1);
    const struct rtn_config_route *routes = config->routes.items;
    for (size_t i = 0; i < config->routes.count; i++) {
        if (routes[i].path != NULL && routes[i].module != NULL)
            rtn_instance_free(rtn_instance_new(modules, &copy, &routes[i], diags));
    }
}

static struct rtn_server *server_alloc(const struct rtn_config_server *config)
{
    struct rtn_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return NULL;
    server->routes = calloc(config->routes.count + 1, sizeof(*server->routes));
    server->loops = calloc((size_t) config->loops, sizeof(*server->loops));
    server->listeners = calloc(config->listen.count + 1, sizeof(struct rtn_listener *));
    if (server->routes != NULL && server->loops != NULL && server->listeners != NULL)
        return server;
    free(server->routes);
    free(server->loops);
    free(server->listeners);
    free(server);
    return NULL;
}

struct rtn_server *rtn_server_new(const struct rtn_config_server *config, const struct rtn_server_host *host,
                                  struct rtn_diags *diags)
{
    struct rtn_server *server = server_alloc(config);
    if (server == NULL)
        return NULL;
    server->config = config;
    server->host = host;
    atomic_init(&server->log_level, config->log_level);
    server->closed_mail.deliver = on_closed;
    server->drained_mail.deliver = on_drained;
    server->route_count = config->routes.count;
    rtn_access_init(&server->access, config);
    bool good = true;
    for (size_t i = 0; i < server->route_count; i++)
        good = make_route(server, i, diags) && good;
    if (good && make_router(server) == 0 && make_header_fields(server) == 0 && make_trusted(server) == 0 &&
        make_clients(server) == 0 && make_pool(server) == 0)
        return server;
    rtn_server_free(server);
    return NULL;
}

static mode_t mode_of(const struct rtn_config_listen *listen)
{
    return listen->mode != NULL ? (mode_t) strtoul(listen->mode, NULL, 8) : RTN_LISTENER_DEFAULT_MODE;
}

static void add_listen_diag(const struct rtn_server *server, size_t index, enum rtn_severity severity,
                            const struct rtn_buf *reason, struct rtn_diags *diags)
{
    rtn_diags_add(diags, severity, rtn_schema_mark(listen_config(server, index)->node, "address"), "server \"%s\": %s",
                  server->config->name, reason->data);
}

static int report_access(const struct rtn_server *server, int r, struct rtn_diags *diags)
{
    const struct rtn_config_access_log *config = &server->config->access_log;
    if (r == 0)
        return 0;
    rtn_diags_error(diags, rtn_schema_mark(config->node, "to"), "server \"%s\": cannot write the access log to %s: %s",
                    server->config->name, config->path, strerror(-r));
    return -EINVAL;
}

static int open_access(struct rtn_server *server, struct rtn_diags *diags)
{
    const struct rtn_server_host *host = server->host;
    int r = rtn_access_open(&server->access, host->writers, host->log, host->log_level);
    return report_access(server, r, diags);
}

int rtn_server_listen(struct rtn_server *server, struct rtn_diags *diags)
{
    int result = open_access(server, diags);
    for (size_t i = 0; i < server->config->listen.count; i++) {
        const struct rtn_config_listen *listen = listen_config(server, i);
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
        struct rtn_listener *listener;
        int r = rtn_listener_open(listen->address, mode_of(listen), (unsigned) server->config->loops,
                                  server->host->activation, &listener, &error);
        if (r == 0) {
            server->listeners[server->listener_count++] = listener;
            continue;
        }
        add_listen_diag(server, i, RTN_SEVERITY_ERROR, &error, diags);
        result = -EINVAL;
    }
    return result;
}

void rtn_server_check_listen(const struct rtn_server *server, struct rtn_diags *diags)
{
    (void) report_access(server, rtn_access_check(&server->access), diags);
    for (size_t i = 0; i < server->config->listen.count; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
        int r = rtn_listener_check(listen_config(server, i)->address, &error);
        if (r < 0)
            add_listen_diag(server, i, r == -EADDRINUSE ? RTN_SEVERITY_WARNING : RTN_SEVERITY_ERROR, &error, diags);
    }
}

static bool comes_from_service_manager(const char *address)
{
    struct rtn_addr addr;
    return rtn_addr_parse(address, &addr) == 0 && addr.kind == RTN_ADDR_SYSTEMD;
}

void rtn_server_check_listen_together(struct rtn_server *server, struct rtn_diags *diags)
{
    for (size_t i = 0; i < server->config->listen.count; i++) {
        const struct rtn_config_listen *listen = listen_config(server, i);
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
        if (comes_from_service_manager(listen->address))
            continue;
        int r = rtn_listener_open(listen->address, mode_of(listen), 1, NULL, &server->listeners[server->listener_count],
                                  &error);
        if (r == 0)
            server->listener_count++;
        else
            add_listen_diag(server, i, RTN_SEVERITY_ERROR, &error, diags);
    }
}

int rtn_server_ready(struct rtn_server *server, struct rtn_diags *diags)
{
    int result = 0;
    for (size_t i = 0; i < server->route_count; i++) {
        if (server->routes[i].instance != NULL && rtn_instance_ready(server->routes[i].instance, diags) < 0)
            result = -EINVAL;
    }
    return result;
}

int rtn_server_start(struct rtn_server *server)
{
    int r = 0;
    for (unsigned i = 0; i < (unsigned) server->config->loops && r == 0; i++) {
        r = rtn_server_loop_start(&server->loops[i], server, i);
        if (r == 0)
            server->loop_count = i + 1;
    }
    if (r == 0 && server->pool != NULL)
        r = rtn_pool_start(server->pool);
    if (r == 0)
        return 0;
    rtn_log(RTN_LOG_ERROR, "server \"%s\" cannot start: %s", server->config->name, strerror(-r));
    (void) rtn_server_stop(server, rtn_clock_ms() + START_FAILED_STOP_MS);
    return r;
}

void rtn_server_open(struct rtn_server *server)
{
    atomic_store(&server->accepting, server->loop_count);
    atomic_store(&server->undrained, server->loop_count);
    for (unsigned i = 0; i < server->loop_count; i++)
        rtn_loop_post(&server->loops[i].loop, &server->loops[i].open_mail);
}

void rtn_server_drain(struct rtn_server *server)
{
    rtn_loop_post(&server->loops[0].loop, &server->loops[0].drain_mail);
}

void rtn_server_abort(struct rtn_server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++)
        rtn_loop_post(&server->loops[i].loop, &server->loops[i].abort_mail);
}

static void report_running(const char *thread, const char *what, void *data)
{
    const struct rtn_server *server = data;
    rtn_log(RTN_LOG_ERROR, "server \"%s\": %s is still in the handler of route \"%s\"; the daemon ends without it",
            server->config->name, thread, what);
}

/* Never nothing: whoever has little to do still gets to do it. */
static int64_t time_left(int64_t deadline_ms)
{
    return RTN_MAX(deadline_ms - rtn_clock_ms(), LEAST_STOP_MS);
}

static bool stop_pool(struct rtn_server *server, int64_t deadline_ms)
{
    if (server->pool == NULL || rtn_pool_stop(server->pool, time_left(deadline_ms)) == 0)
        return true;
    rtn_pool_running(server->pool, report_running, server);
    return false;
}

bool rtn_server_stop(struct rtn_server *server, int64_t deadline_ms)
{
    if (!stop_pool(server, deadline_ms))
        return false;
    bool clean = true;
    for (unsigned i = server->loop_count; i-- > 0;)
        clean = rtn_server_loop_stop(&server->loops[i], time_left(deadline_ms)) && clean;
    if (!clean)
        return false;
    /* Only now, since a loop may post to the others until its last moment. */
    for (unsigned i = 0; i < server->loop_count; i++)
        rtn_server_loop_done(&server->loops[i]);
    server->loop_count = 0;
    rtn_pool_free(server->pool);
    server->pool = NULL;
    return true;
}

void rtn_server_stop_listeners(struct rtn_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        rtn_listener_stop(server->listeners[i]);
}

void rtn_server_free(struct rtn_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < server->listener_count; i++)
        rtn_listener_close(server->listeners[i]);
    rtn_pool_free(server->pool);
    rtn_router_free(server->router);
    for (size_t i = 0; i < server->route_count; i++)
        rtn_instance_free(server->routes[i].instance);
    rtn_map_done(&server->header_fields);
    rtn_clients_free(server->clients);
    free(server->trusted);
    rtn_access_done(&server->access);
    free(server->routes);
    free(server->loops);
    free(server->listeners);
    free(server);
}

/* Each module once, in the order of the routes. */
static void describe_modules(const struct rtn_server *server, struct rtn_buf *out)
{
    bool any = false;
    for (size_t i = 0; i < server->route_count; i++) {
        const struct rtn_instance *instance = server->routes[i].instance;
        bool seen = instance == NULL;
        for (size_t j = 0; j < i && !seen; j++)
            seen = server->routes[j].instance != NULL && server->routes[j].instance->loaded == instance->loaded;
        if (seen)
            continue;
        rtn_buf_printf(out, "%s %s", any ? "" : ", modules", instance->loaded->module.name);
        any = true;
    }
}

void rtn_server_describe(const struct rtn_server *server, struct rtn_buf *out)
{
    rtn_buf_printf(out, "server \"%s\": http on", server->config->name);
    for (size_t i = 0; i < server->listener_count; i++)
        rtn_buf_printf(out, " %s", server->listeners[i]->text);
    rtn_buf_printf(out, ", loops %d, threads %d, routes %zu", (int) server->config->loops,
                   (int) server->config->threads, server->route_count);
    describe_modules(server, out);
}

const char *rtn_server_name(const rtn_server *server)
{
    return server->config->name;
}

const char *rtn_media_type(const rtn_server *server, rtn_str file_name)
{
    return rtn_media_lookup(server->host->media, file_name);
}
