/*
 * Terms from the program to the loop and back. A route, a client or a line server goes on with its sessions when the
 * new program has the same instance; where it has it twice there is no telling, but any of them will do.
 */
#include "server/server_terms.h"

#include <stdlib.h>

#include "proto/ws_client.h"

static struct rtn_server_terms *of_terms(const struct rtn_terms *terms)
{
    return RTN_CONTAINER_OF((struct rtn_terms *) (uintptr_t) terms, struct rtn_server_terms, terms);
}

static void on_unused(struct rtn_mail *mail)
{
    struct rtn_server_terms *terms = RTN_CONTAINER_OF(mail, struct rtn_server_terms, mail);
    if (terms->server != NULL)
        rtn_server_terms_free(terms);
    else
        free(terms);
}

struct rtn_server_terms *rtn_server_terms_new(struct rtn_server *server, struct rtn_program *program)
{
    const struct rtn_config_server *config = program->config;
    struct rtn_server_terms *terms = calloc(1, sizeof(*terms));
    if (terms == NULL)
        return NULL;
    terms->program = program;
    terms->server = server;
    terms->mail.deliver = on_unused;
    rtn_list_init(&terms->node);
    terms->routing = (struct rtn_routing){ .router = program->router,
                                           .media = program->generation->media,
                                           .access = &program->access,
                                           .generation = program->generation->number };
    terms->terms = (struct rtn_terms){
        .config = config,
        .header_fields = program->header_fields.count > 0 ? &program->header_fields : NULL,
        .trusted = program->trusted,
        .trusted_count = program->trusted_count,
        .trust_unix = program->trust_unix,
        .connection_limit = (unsigned) ((config->limits.connections + config->loops - 1) / config->loops),
        .defer_files = program->needs_workers,
        .lines = config->protocol == RTN_PROTOCOL_LINE ? &program->line_policy : NULL,
        .line_owner = program->line_instance,
        .routing = &terms->routing,
    };
    rtn_terms_init(&terms->terms);
    return terms;
}

void rtn_server_terms_enlist(struct rtn_server_terms *terms)
{
    rtn_list_append(&terms->server->terms, &terms->node);
    terms->program->users++;
}

static void release_program(struct rtn_server_terms *terms)
{
    rtn_list_remove(&terms->node);
    if (--terms->program->users == 0 && terms->program != terms->server->program)
        rtn_program_free(terms->program);
}

void rtn_server_terms_free(struct rtn_server_terms *terms)
{
    if (!rtn_list_empty(&terms->node))
        release_program(terms);
    free(terms);
}

void rtn_server_terms_end(struct rtn_server *server)
{
    RTN_LIST_FOREACH (node, &server->terms) {
        struct rtn_server_terms *terms = RTN_CONTAINER_OF(node, struct rtn_server_terms, node);
        release_program(terms);
        terms->server = NULL;
        if (!terms->unused)
            free(terms);
    }
}

/* On the loop */

void rtn_server_terms_unused(struct rtn_http1 *http, struct rtn_terms *terms)
{
    struct rtn_server_terms *unused = of_terms(terms);
    const struct rtn_server *server = RTN_CONTAINER_OF(http, struct rtn_server_loop, http)->server;
    unused->unused = true;
    rtn_mailbox_post(server->host->mailbox, &unused->mail);
}

const struct rtn_program *rtn_server_terms_program(const struct rtn_server_loop *loop)
{
    return of_terms(loop->http.terms)->program;
}

static const struct rtn_ws_policy *policy_of_route(const struct rtn_program *program, const void *instance)
{
    for (size_t i = 0; i < program->route_count; i++) {
        if (program->routes[i].instance == instance)
            return &program->routes[i].ws_policy;
    }
    return NULL;
}

const void *rtn_server_terms_move(struct rtn_connection *connection, const struct rtn_terms *terms)
{
    const struct rtn_program *program = of_terms(terms)->program;
    const void *instance = connection->session->owner;
    if (rtn_session_is(connection->session, RTN_SESSION_LINE))
        return program->line_instance == instance ? terms->lines : NULL;
    return policy_of_route(program, instance);
}

const struct rtn_ws_policy *rtn_server_terms_move_client(struct rtn_ws_client *client, const struct rtn_terms *terms)
{
    const struct rtn_program *program = of_terms(terms)->program;
    for (size_t i = 0; client->spec.row != NULL && i < program->outgoing_count; i++) {
        const struct rtn_outgoing *outgoing = &program->outgoing[i];
        if (outgoing->instance != client->spec.owner || !outgoing->continued)
            continue;
        client->spec.row = outgoing->config;
        return &outgoing->policy;
    }
    return NULL;
}

static bool has_instance(const struct rtn_program *program, const void *instance)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        if (program->instances[i] == instance)
            return true;
    }
    return false;
}

bool rtn_server_terms_is_outdated(const struct rtn_connection *connection)
{
    const struct rtn_program *program = of_terms(connection->http->terms)->program;
    for (const struct rtn_slot *slot = connection->slots; slot != NULL; slot = slot->next) {
        if (!has_instance(program, slot->key))
            return true;
    }
    return false;
}
