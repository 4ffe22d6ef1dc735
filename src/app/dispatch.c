/*
 * Dispatch. Fixed answers, redirects, and handlers that may run on the loop are done at once; the others become
 * tasks, gathered and submitted once per iteration. A worker that gets RTN_NEXT hands the request back, so that
 * every handler runs where its own thread model says.
 */
#include "app/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/form.h"
#include "base/clock.h"
#include "base/method.h"
#include "proto/response.h"

static _Thread_local struct rtn_sink *worker_sink;

static bool dispatch(struct rtn_request *request);

static struct rtn_call *call_of(const struct rtn_request *request)
{
    return request->call;
}

static struct rtn_site *site_of(const struct rtn_http1 *http)
{
    return http->data;
}

void rtn_site_init(struct rtn_site *site)
{
    rtn_list_init(&site->batch);
    site->batch_count = 0;
}

static void answer_error(struct rtn_request *request, int status, const char *text)
{
    int r = rtn_response_error(request, status, text);
    if (r < 0)
        request->connection->broken = r;
}

static void log_failure(const struct rtn_request *request, const char *what, const char *reason)
{
    const struct rtn_route *route = call_of(request)->match.route;
    rtn_log(RTN_LOG_ERROR, "route \"%s\": module %s: handler %s %s%s%s", route->path,
            route->instance->loaded->module.name, route->instance->http->name, what, reason != NULL ? ": " : "",
            reason != NULL ? reason : "");
}

/* The handler came back with `result`. True when the request has its reply; false when the next route is to be asked.
 */
static bool conclude(struct rtn_request *request, int result)
{
    if (request->response.state != RTN_RESPONSE_NONE) {
        request->failed = result < 0;
        if (result == -EALREADY)
            log_failure(request, "gave a second reply; the first one was sent", NULL);
        else if (result < 0)
            log_failure(request, "failed after its reply", strerror(-result));
        else if (result == RTN_NEXT)
            log_failure(request, "returned RTN_NEXT after its reply; the reply was sent", NULL);
        return true;
    }
    rtn_response_reset(request);
    if (result == RTN_NEXT)
        return false;
    request->failed = true;
    if (result < 0)
        log_failure(request, "failed", strerror(-result));
    else if (result == RTN_DONE)
        log_failure(request, "returned RTN_DONE without a reply", NULL);
    else
        log_failure(request, "returned what is neither RTN_DONE, RTN_NEXT nor a negative errno", NULL);
    answer_error(request, 500, NULL);
    return true;
}

static int run_handler(struct rtn_request *request)
{
    const struct rtn_instance *instance = call_of(request)->match.route->instance;
    return instance->http->handle(request, instance->data);
}

static void on_next_route(struct rtn_mail *mail)
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(mail, struct rtn_connection, mail);
    struct rtn_request *request = connection->request;
    rtn_http1_take_back(request);
    request->sink = connection->http->sink;
    call_of(request)->skip++;
    if (dispatch(request))
        rtn_http1_resume(request);
}

static void run_on_worker(struct rtn_task *task)
{
    struct rtn_request *request = RTN_CONTAINER_OF(task, struct rtn_request, task);
    request->sink = worker_sink;
    if (conclude(request, run_handler(request)))
        rtn_http1_finish(request);
    else
        rtn_http1_hand_back(request, on_next_route);
}

static struct rtn_serial *serial_of(struct rtn_instance *instance)
{
    return instance->threads == RTN_THREADS_SERIAL ? &instance->serial : NULL;
}

static void queue_for_worker(struct rtn_request *request, struct rtn_instance *instance)
{
    struct rtn_site *site = call_of(request)->site;
    request->task.run = run_on_worker;
    request->task.serial = serial_of(instance);
    request->task.what = call_of(request)->match.route->path;
    rtn_http1_hold(request);
    rtn_list_append(&site->batch, &request->task.node);
    site->batch_count++;
}

void rtn_site_flush(struct rtn_site *site)
{
    while (site->batch_count > 0) {
        unsigned count = site->batch_count;
        struct rtn_list tasks;
        rtn_list_init(&tasks);
        rtn_list_splice(&tasks, &site->batch);
        site->batch_count = 0;
        if (rtn_pool_submit(site->pool, &tasks, count) == 0)
            return;
        struct rtn_list *node;
        while ((node = rtn_list_pop(&tasks)) != NULL) {
            struct rtn_request *request = RTN_CONTAINER_OF(node, struct rtn_request, task.node);
            rtn_http1_take_back(request);
            rtn_response_reset(request);
            (void) rtn_response_field(request, RTN_STR("Retry-After"), RTN_STR("1"));
            answer_error(request, 503, "all workers are busy and the queue is full");
            rtn_http1_resume(request);
        }
    }
}

static void answer_allow(struct rtn_request *request, int status, unsigned methods)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf allow = { 0 };
    rtn_method_allow(methods, &allow);
    (void) rtn_response_field(request, RTN_STR("Allow"), rtn_buf_str(&allow));
    if (status == 405)
        answer_error(request, status, "the path does not take this method");
    else
        (void) rtn_response_give(request, status, &(struct rtn_piece){ 0 });
}

static void answer_unrouted(struct rtn_request *request)
{
    struct rtn_call *call = call_of(request);
    rtn_response_reset(request);
    if (call->match.allowed == 0 || call->skip > 0)
        answer_error(request, 404, NULL);
    else if (request->method == RTN_METHOD_OPTIONS)
        answer_allow(request, 204, call->match.allowed);
    else
        answer_allow(request, 405, call->match.allowed);
}

static void answer_fixed(struct rtn_request *request, const struct rtn_route *route)
{
    if (route->redirect != NULL)
        (void) rtn_response_field(request, RTN_STR("Location"), rtn_str_of(route->redirect));
    if (route->status >= 400)
        answer_error(request, route->status, NULL);
    else
        (void) rtn_response_give(request, route->status, &(struct rtn_piece){ 0 });
}

/* A slot on the connection makes connection_closed come later. */
static void remember_instance(struct rtn_connection *connection, struct rtn_instance *instance)
{
    if (instance->loaded->module.connection_closed != NULL)
        (void) rtn_connection_make_slot(connection, instance);
}

/* Routes from call->skip on. True when the reply was given, false when a worker will give it. */
static bool dispatch(struct rtn_request *request)
{
    struct rtn_call *call = call_of(request);
    for (;; call->skip++) {
        rtn_router_match(call->site->router, call->path, (enum rtn_method) request->method, call->skip, &call->match);
        const struct rtn_route *route = call->match.route;
        if (route == NULL) {
            answer_unrouted(request);
            return true;
        }
        if (route->instance == NULL) {
            answer_fixed(request, route);
            return true;
        }
        remember_instance(request->connection, route->instance);
        if (route->instance->threads != RTN_THREADS_LOOP) {
            queue_for_worker(request, route->instance);
            return false;
        }
        if (conclude(request, run_handler(request)))
            return true;
    }
}

/* The path part of the target: of a URL, what is behind the authority (RFC 9112, 3.2.2). */
static struct rtn_str origin_form(struct rtn_str target)
{
    if (target.data[0] == '/')
        return target;
    const char *authority = (const char *) memchr(target.data, ':', target.length) + strlen("://");
    size_t left = target.length - (size_t) (authority - target.data);
    for (size_t i = 0; i < left; i++) {
        if (authority[i] == '/' || authority[i] == '?')
            return (struct rtn_str){ authority + i, left - i };
    }
    return RTN_STR("/");
}

static int read_target(struct rtn_request *request, struct rtn_call *call)
{
    struct rtn_str target = origin_form(request->target);
    const char *mark = memchr(target.data, '?', target.length);
    if (mark != NULL) {
        size_t length = (size_t) (mark - target.data);
        call->query = (struct rtn_str){ mark + 1, target.length - length - 1 };
        target.length = length;
    }
    if (target.length == 0)
        target = RTN_STR("/");
    return rtn_path_decode(target, &request->arena, &call->path);
}

bool rtn_dispatch_request(struct rtn_request *request)
{
    struct rtn_site *site = site_of(request->http);
    struct rtn_call *call = rtn_arena_alloc(&request->arena, sizeof(*call));
    if (call == NULL) {
        answer_error(request, 503, "memory is out");
        return true;
    }
    call->site = site;
    call->query = (struct rtn_str){ 0 };
    call->query_cursor = (struct rtn_pair_cursor){ 0 };
    call->form_cursor = (struct rtn_pair_cursor){ 0 };
    call->skip = 0;
    request->call = call;
    if (rtn_log_enabled(site->access_level))
        request->started_us = rtn_clock_us();
    if (rtn_str_equal(request->target, RTN_STR("*"))) {
        answer_allow(request, 204, rtn_router_methods(site->router));
        return true;
    }
    if (read_target(request, call) < 0) {
        answer_error(request, 400, "the path has a broken or forbidden percent-escape, or climbs above the root");
        return true;
    }
    return dispatch(request);
}

void rtn_dispatch_replied(struct rtn_request *request)
{
    enum rtn_log_level level = site_of(request->http)->access_level;
    if (!rtn_log_enabled(level))
        return;
    int64_t us = request->call != NULL ? rtn_clock_us() - request->started_us : 0;
    bool whole = request->version != 0; /* else the request line was not understood, or not complete */
    rtn_log(level, "%s \"%.*s%s%.*s%s\" %d %zu %lld.%03lldms", rtn_connection_peer_text(request->connection),
            RTN_STR_ARG(whole ? request->method_name : RTN_STR("-")), whole ? " " : "",
            RTN_STR_ARG(whole ? request->target : (struct rtn_str){ 0 }),
            whole ? request->version == 11 ? " HTTP/1.1" : " HTTP/1.0" : "", request->response.status,
            request->response.length, (long long) us / 1000, (long long) us % 1000);
}

static const struct {
    const char *name;
    enum rtn_log_level level;
} causes[] = {
    [RTN_CLOSE_NORMAL] = { "normal", RTN_LOG_TRACE },     [RTN_CLOSE_CLIENT] = { "client", RTN_LOG_TRACE },
    [RTN_CLOSE_LOST] = { "lost", RTN_LOG_DEBUG },         [RTN_CLOSE_TIMEOUT] = { "timeout", RTN_LOG_DEBUG },
    [RTN_CLOSE_PROTOCOL] = { "protocol", RTN_LOG_INFO },  [RTN_CLOSE_SECURITY] = { "security", RTN_LOG_WARN },
    [RTN_CLOSE_NETWORK] = { "network", RTN_LOG_INFO },    [RTN_CLOSE_HANDLER] = { "handler", RTN_LOG_NOTICE },
    [RTN_CLOSE_SHUTDOWN] = { "shutdown", RTN_LOG_DEBUG },
};

static void run_slot(struct rtn_connection *connection)
{
    struct rtn_slot *slot = connection->slots;
    struct rtn_instance *instance = slot->key;
    connection->closing = slot;
    if (instance->loaded->module.connection_closed != NULL)
        instance->loaded->module.connection_closed(connection, connection->cause, connection->detail, instance->data);
    if (slot->destroy != NULL)
        slot->destroy(slot->data);
    connection->closing = NULL;
    connection->slots = slot->next;
    free(slot);
}

static void run_slots(struct rtn_connection *connection);

static void on_slot_done(struct rtn_mail *mail)
{
    run_slots(RTN_CONTAINER_OF(mail, struct rtn_connection, mail));
}

static void run_slot_on_worker(struct rtn_task *task)
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(task, struct rtn_slot, task)->connection;
    run_slot(connection);
    rtn_loop_post(connection->http->loop, &connection->mail);
}

/* One instance after the other, each on the kind of thread that its handlers run on. */
static void run_slots(struct rtn_connection *connection)
{
    while (connection->slots != NULL) {
        struct rtn_slot *slot = connection->slots;
        struct rtn_instance *instance = slot->key;
        if (instance->threads != RTN_THREADS_LOOP) {
            connection->mail.deliver = on_slot_done;
            slot->task = (struct rtn_task){ .run = run_slot_on_worker,
                                            .serial = serial_of(instance),
                                            .what = instance->route->path };
            if (rtn_pool_submit_always(site_of(connection->http)->pool, &slot->task))
                return;
        }
        run_slot(connection);
    }
    rtn_http1_release(connection);
}

void rtn_dispatch_closed(struct rtn_connection *connection)
{
    enum rtn_log_level level = causes[connection->cause].level;
    if (rtn_log_enabled(level))
        rtn_log(level, "%s closed (%s)%s%s", rtn_connection_peer_text(connection), causes[connection->cause].name,
                connection->detail != NULL ? ": " : "", connection->detail != NULL ? connection->detail : "");
    run_slots(connection);
}

int rtn_dispatch_worker_begin(void)
{
    worker_sink = calloc(1, sizeof(*worker_sink));
    return worker_sink != NULL ? 0 : -ENOMEM;
}

void rtn_dispatch_worker_end(void)
{
    free(worker_sink);
    worker_sink = NULL;
}

struct rtn_instance *rtn_dispatch_instance(const struct rtn_connection *connection)
{
    if (connection->closing != NULL)
        return connection->closing->key;
    if (connection->request == NULL || connection->request->call == NULL)
        return NULL;
    const struct rtn_route *route = call_of(connection->request)->match.route;
    return route != NULL ? route->instance : NULL;
}
