/*
 * Dispatch. The route is found when the head is there, since it says what becomes of the body; what the daemon answers
 * itself (fixed answers, redirects, errors) is answered when the body is over, and everything else is left to step.c.
 */
#include "app/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/form.h"
#include "app/question.h"
#include "app/request_id.h"
#include "app/slots.h"
#include "app/step.h"
#include "base/clock.h"
#include "base/method.h"
#include "base/zero.h"
#include "proto/authority.h"
#include "proto/response.h"

void rtn_site_init(struct rtn_site *site)
{
    rtn_list_init(&site->batch);
    site->batch_count = 0;
    rtn_list_init(&site->session_batch);
    site->session_batch_count = 0;
    rtn_list_init(&site->hub_batch);
    site->hub_batch_count = 0;
    rtn_question_site_init(site);
}

void rtn_dispatch_error(struct rtn_request *request, int status, const char *text)
{
    int r = rtn_response_error(request, status, text);
    if (r < 0)
        request->connection->broken = r;
}

static void answer_allow(struct rtn_request *request, int status, unsigned methods)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf allow = { 0 };
    rtn_method_allow(methods, &allow);
    (void) rtn_response_field(request, RTN_STR("Allow"), rtn_buf_str(&allow));
    if (status == 405)
        rtn_dispatch_error(request, status, "the path does not take this method");
    else
        (void) rtn_response_give(request, status, &(struct rtn_piece){ 0 });
}

static void answer_unrouted(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    rtn_response_reset(request);
    if (call->match.allowed == 0 || call->skip > 0)
        rtn_dispatch_error(request, 404, NULL);
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
        rtn_dispatch_error(request, route->status, NULL);
    else
        (void) rtn_response_give(request, route->status, &(struct rtn_piece){ 0 });
}

void rtn_dispatch_answer(struct rtn_request *request)
{
    const struct rtn_route *route = rtn_call_of(request)->match.route;
    if (route != NULL)
        answer_fixed(request, route);
    else
        answer_unrouted(request);
}

/* A slot on the connection makes connection_closed come later. */
static void remember_instance(struct rtn_connection *connection, struct rtn_instance *instance)
{
    if (instance->loaded->module.connection_closed != NULL)
        (void) rtn_slots_make(connection, instance);
}

/* "[0:0:0:0:0:0:0:1]" as "[::1]", which is how the configuration keeps it; absent when it is no address. */
RTN_COLD static struct rtn_str read_ipv6(struct rtn_request *request, struct rtn_str host)
{
    char text[RTN_IP_TEXT_SIZE];
    struct rtn_ip address;
    if (host.length < 2 || host.data[host.length - 1] != ']' || memchr(host.data, ':', host.length) == NULL ||
        rtn_ip_parse((struct rtn_str){ host.data + 1, host.length - 2 }, &address) < 0)
        return (struct rtn_str){ 0 };
    rtn_ip_format(&address, text);
    const char *mapped = rtn_ip_is_v4(&address) ? "::ffff:" : "";
    return rtn_str_of(rtn_arena_printf(&request->arena, "[%s%s]", mapped, text));
}

/* Lower case, without port and final dot. */
static struct rtn_str read_host(struct rtn_request *request, struct rtn_str authority)
{
    struct rtn_str host = rtn_authority_host(authority);
    struct rtn_str ipv6 = { 0 };
    if (host.length > 0 && host.data[0] == '[')
        ipv6 = read_ipv6(request, host);
    if (ipv6.data != NULL)
        return ipv6;
    size_t length = host.length;
    char *lower = rtn_arena_alloc(&request->arena, length + 1);
    if (lower == NULL || length == 0)
        return (struct rtn_str){ "", 0 };
    for (size_t i = 0; i < length; i++)
        lower[i] = host.data[i] >= 'A' && host.data[i] <= 'Z' ? (char) (host.data[i] | 0x20) : host.data[i];
    if (lower[length - 1] == '.')
        length--;
    return (struct rtn_str){ lower, length };
}

struct rtn_str rtn_dispatch_host(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    if (call->host.data == NULL)
        call->host = read_host(request, request->host);
    return call->host;
}

void rtn_dispatch_match(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    const struct rtn_router *router = rtn_routing_of(request)->router;
    struct rtn_str host = { 0 };
    if (rtn_router_has_hosts(router))
        host = rtn_dispatch_host(request);
    rtn_router_match(router, host, call->path, (enum rtn_method) request->method, call->skip, &call->match);
    const struct rtn_route *route = call->match.route;
    request->policy = &request->terms->policy;
    if (route == NULL || route->instance == NULL)
        return;
    request->policy = &route->policy;
    remember_instance(request->connection, route->instance);
}

/* The path part of the target: of a URL, what is behind the authority (RFC 9112, 3.2.2). */
static inline struct rtn_str origin_form(struct rtn_str target)
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

/* A body may move the buffer, and what points into the path and the query does not move with it. */
static inline struct rtn_str lasting(struct rtn_request *request, struct rtn_str target)
{
    if (request->coding_seen || request->content_length > 0)
        target.data = rtn_arena_strdup(&request->arena, target);
    return target;
}

static inline int read_target(struct rtn_request *request, struct rtn_call *call)
{
    struct rtn_str target = lasting(request, origin_form(request->target));
    if (target.data == NULL)
        return -ENOMEM;
    if (target.data[0] != '?')
        return rtn_target_split(target, &request->arena, &call->path, &call->query);
    call->path = RTN_STR("/"); /* of a URL without a path */
    call->query = (struct rtn_str){ target.data + 1, target.length - 1 };
    return 0;
}

void rtn_dispatch_head(struct rtn_request *request)
{
    struct rtn_site *site = rtn_site_of(request->http);
    struct rtn_call *call = rtn_arena_alloc(&request->arena, sizeof(*call));
    request->call = call;
    if (call == NULL)
        return;
    RTN_ZERO_MEMBERS(call, path, match.params);
    call->site = site;
    request->started_us = request->http->loop->now_us;
    if (request->terms->config->request_id != RTN_REQUEST_ID_NONE)
        rtn_request_id_give(request);
    call->authority = rtn_client_read(request);
    if (call->authority.data != request->host.data)
        call->host = read_host(request, call->authority);
    if (rtn_client_is_refused(&call->client)) {
        request->policy = &request->terms->discarding;
        return;
    }
    if (rtn_str_equal(request->target, RTN_STR("*")))
        return;
    if (read_target(request, call) < 0) {
        call->broken_path = true;
        return;
    }
    rtn_dispatch_match(request);
}

/* It was not looked for a route of the request. */
RTN_COLD static void answer_pathless(struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    if (call == NULL)
        rtn_dispatch_error(request, 503, "memory is out");
    else if (rtn_client_refuse(request))
        return;
    else if (call->broken_path)
        rtn_dispatch_error(request, 400, "the path has a broken or forbidden percent-escape, or climbs above the root");
    else
        answer_allow(request, 204, rtn_router_methods(rtn_routing_of(request)->router));
}

enum rtn_outcome rtn_dispatch_run(struct rtn_request *request)
{
    if (RTN_LIKELY(request->call != NULL && rtn_call_of(request)->path.data != NULL))
        return rtn_step_run(request);
    answer_pathless(request);
    return RTN_OUTCOME_REPLIED;
}

/* The cell of its status class. */
static inline unsigned class_of(const struct rtn_request *request)
{
    unsigned class = (unsigned) request->response.status / 100;
    return class <= 5 ? RTN_STATS_ABORTED + class : RTN_STATS_ABORTED;
}

static inline void count_times(rtn_stats_cell *cells, const struct rtn_request *request, const struct rtn_call *call)
{
    rtn_stats_observe_at(cells + RTN_STATS_DURATION, (uint64_t) (call->ended_us - request->started_us), 1);
    if (!call->worked)
        return;
    rtn_stats_observe_at(cells + RTN_STATS_QUEUE_WAIT, (uint64_t) call->waited_us, 1);
    rtn_stats_observe_at(cells + RTN_STATS_HANDLER, (uint64_t) call->worked_us, 1);
}

void rtn_dispatch_leaving(struct rtn_http1 *http)
{
    struct rtn_gathered *gathered = &rtn_site_of(http)->gathered;
    if (gathered->count == 0)
        return;
    int64_t now_us = rtn_clock_us();
    rtn_activity_tell(now_us / 1000);
    rtn_stats_observe_at(gathered->durations, (uint64_t) (now_us - gathered->started_us), gathered->count);
    gathered->count = 0;
}

/* It does not stand alone in the loop's sink, and was asked for in this iteration. The access log wants its time now.
 */
static inline bool may_gather(const struct rtn_request *request)
{
    const struct rtn_http1 *http = request->http;
    if (request->sink != http->sink || (request->parsed == request->end && rtn_site_of(http)->gathered.count == 0))
        return false;
    return http->sink->length > 0 && request->started_us == http->loop->now_us &&
           !rtn_access_enabled(rtn_routing_of(request)->access);
}

/* Those of one route are counted together, by one look at the clock. */
static inline void gather(const struct rtn_request *request, rtn_stats_cell *durations)
{
    struct rtn_gathered *gathered = &rtn_site_of(request->http)->gathered;
    if (gathered->durations != durations || gathered->started_us != request->started_us) {
        rtn_dispatch_leaving(request->http);
        gathered->durations = durations;
        gathered->started_us = request->started_us;
    }
    gathered->count++;
}

/* Counts it. The cells that take its times; NULL: it has none. */
static inline rtn_stats_cell *count(const struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    bool routed = call != NULL && call->match.route != NULL;
    rtn_stats_cell *cells = rtn_stats_cells(routed ? call->match.route->stats : rtn_site_of(request->http)->unrouted);
    rtn_stats_count(RTN_STATS_REQUESTS_ENDED, 1);
    if (cells == NULL)
        return NULL;
    unsigned class = class_of(request);
    rtn_stats_raise(cells + class, 1);
    return call != NULL && class != RTN_STATS_ABORTED ? cells : NULL;
}

void rtn_dispatch_count(const struct rtn_request *request)
{
    (void) count(request);
}

void rtn_dispatch_replied(struct rtn_request *request, bool whole)
{
    struct rtn_call *call = rtn_call_of(request);
    rtn_stats_cell *cells = count(request);
    if (cells != NULL && may_gather(request)) {
        gather(request, cells + RTN_STATS_DURATION);
        return;
    }
    if (call != NULL) {
        call->ended_us = rtn_clock_us();
        rtn_activity_tell(call->ended_us / 1000);
    }
    rtn_access_log(rtn_routing_of(request)->access, request, !whole);
    if (cells != NULL)
        count_times(cells, request, call);
}

struct rtn_instance *rtn_dispatch_instance(const struct rtn_connection *connection)
{
    if (connection->slots != NULL && connection->slots->ending)
        return connection->slots->key;
    if (connection->session != NULL)
        return connection->session->owner;
    if (connection->request == NULL || connection->request->call == NULL)
        return NULL;
    const struct rtn_route *route = rtn_call_of(connection->request)->match.route;
    return route != NULL ? route->instance : NULL;
}
