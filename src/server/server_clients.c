/*
 * Connections of `clients`: each loop begins its share of a row, and when another program comes into force closes those
 * of rows that have gone. A row that is as before keeps its connections, whatever else has changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/ws_log.h"
#include "proto/ws_client.h"
#include "server/server_terms.h"

/* Pointers to the strings, with NULL behind them; NULL: memory is out. */
static const char **string_list(const struct rtn_schema_strings *strings)
{
    const char **list = calloc(strings->count + 1, sizeof(char *));
    for (size_t i = 0; list != NULL && i < strings->count; i++)
        list[i] = strings->items[i];
    return list;
}

static void log_failure(const char *url, int error)
{
    struct rtn_str shown = rtn_ws_log_url(url);
    rtn_log(RTN_LOG_ERROR, "client \"%.*s\" cannot be made: %s", RTN_STR_ARG(shown), strerror(-error));
}

static void begin_one(struct rtn_server_loop *loop, const struct rtn_ws_client_spec *spec)
{
    uint64_t id = 0;
    int r = rtn_server_order_client(&loop->http, spec, &id);
    if (r < 0 && r != -ECANCELED)
        log_failure(spec->url, r);
}

/* This loop's share. */
static void begin_clients(struct rtn_server_loop *loop, const struct rtn_outgoing *outgoing)
{
    const struct rtn_config_client *config = outgoing->config;
    const char **headers = string_list(&config->headers);
    const char **protocols = string_list(&config->protocols);
    const struct rtn_ws_client_spec spec = {
        .url = config->url,
        .headers = headers,
        .protocols = config->protocols.count > 0 ? protocols : outgoing->instance->ws->protocols,
        .reconnect = config->reconnect,
        .reconnect_max = config->reconnect_max,
        .connect_timeout = config->timeouts.connect,
        .policy = outgoing->policy,
        .deflate = config->deflate,
        .fd = -1,
        .owner = outgoing->instance,
        .row = config,
        .handler = outgoing->instance->ws,
    };
    bool complete = headers != NULL && protocols != NULL;
    if (!complete)
        log_failure(config->url, -ENOMEM);
    for (int64_t i = loop->index; complete && i < config->count; i += loop->server->loop_count)
        begin_one(loop, &spec);
    free(headers);
    free(protocols);
}

void rtn_server_outgoing_open(struct rtn_server_loop *loop)
{
    const struct rtn_program *program = rtn_server_terms_program(loop);
    for (size_t i = 0; i < program->outgoing_count; i++)
        begin_clients(loop, &program->outgoing[i]);
}

/* From one program to the next */

static bool same_strings(const struct rtn_schema_strings *a, const struct rtn_schema_strings *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i], b->items[i]) == 0;
    return same;
}

static bool same_deflate(const struct rtn_config_deflate *a, const struct rtn_config_deflate *b)
{
    return a->on == b->on && a->server_max_window_bits == b->server_max_window_bits &&
           a->client_max_window_bits == b->client_max_window_bits && a->memory_level == b->memory_level &&
           a->server_no_context_takeover == b->server_no_context_takeover &&
           a->client_no_context_takeover == b->client_no_context_takeover && a->effort == b->effort;
}

/* What a connection is made with; the rest is policy. */
static bool same_row(const struct rtn_config_client *a, const struct rtn_config_client *b)
{
    return strcmp(a->url, b->url) == 0 && a->count == b->count && a->reconnect == b->reconnect &&
           a->reconnect_max == b->reconnect_max && a->timeouts.connect == b->timeouts.connect &&
           same_strings(&a->headers, &b->headers) && same_strings(&a->protocols, &b->protocols) &&
           same_deflate(&a->deflate, &b->deflate);
}

void rtn_server_outgoing_compare(struct rtn_program *program, const struct rtn_program *old)
{
    for (size_t i = 0; i < program->outgoing_count; i++) {
        struct rtn_outgoing *outgoing = &program->outgoing[i];
        for (size_t j = 0; j < old->outgoing_count && !outgoing->continued; j++)
            outgoing->continued =
                old->outgoing[j].instance == outgoing->instance && same_row(old->outgoing[j].config, outgoing->config);
    }
}

/* Those that go on were given the new row when the terms changed. */
static bool is_wanted(const struct rtn_program *program, const struct rtn_ws_client *client)
{
    for (size_t i = 0; i < program->outgoing_count; i++) {
        if (program->outgoing[i].config == client->spec.row)
            return true;
    }
    return false;
}

void rtn_server_outgoing_change(struct rtn_server_loop *loop)
{
    const struct rtn_program *program = rtn_server_terms_program(loop);
    RTN_LIST_FOREACH (node, &loop->http.ws_clients) {
        struct rtn_ws_client *client = RTN_CONTAINER_OF(node, struct rtn_ws_client, node);
        if (client->spec.row != NULL && !is_wanted(program, client))
            rtn_ws_client_leave(client);
    }
    for (size_t i = 0; i < program->outgoing_count; i++) {
        if (!program->outgoing[i].continued)
            begin_clients(loop, &program->outgoing[i]);
    }
}

void rtn_server_outgoing_cancel(struct rtn_server_loop *loop)
{
    RTN_LIST_FOREACH (node, &loop->http.ws_clients) {
        struct rtn_ws_client *client = RTN_CONTAINER_OF(node, struct rtn_ws_client, node);
        if (rtn_instance_is_ending(client->spec.owner))
            rtn_ws_client_leave(client);
    }
}
