/* Programs that are not in force but in use: how many there are, and the end of their sessions. */
#include <stdlib.h>

#include "proto/session.h"
#include "server/server_swap.h"
#include "server/server_terms.h"

static bool is_first_of_its_program(const struct rtn_server *server, const struct rtn_server_terms *terms)
{
    RTN_LIST_FOREACH (node, &server->terms) {
        const struct rtn_server_terms *other = RTN_CONTAINER_OF(node, struct rtn_server_terms, node);
        if (other->program == terms->program)
            return other == terms;
    }
    return false;
}

void rtn_server_old_programs(const struct rtn_server *server, unsigned *programs, unsigned *sessions)
{
    *programs = 0;
    *sessions = 0;
    RTN_LIST_FOREACH (node, &server->terms) {
        struct rtn_server_terms *terms = RTN_CONTAINER_OF(node, struct rtn_server_terms, node);
        if (terms->program == server->program)
            continue;
        *programs += is_first_of_its_program(server, terms);
        *sessions += atomic_load_explicit(&terms->terms.sessions, memory_order_relaxed);
    }
}

/* Asks one loop. */
struct ending {
    struct rtn_mail mail;
    struct rtn_http1 *http;
    unsigned number;
};

static bool is_older(const struct rtn_terms *terms, unsigned number)
{
    const struct rtn_routing *routing = terms->routing;
    return routing->generation < number;
}

static void on_ending(struct rtn_mail *mail)
{
    static const struct rtn_session_end end = { .cause = RTN_CLOSE_SHUTDOWN,
                                                .code = RTN_WS_SERVICE_RESTART,
                                                .reason = { "the server has changed", 22 },
                                                .detail = "its generation is too old (generations)" };
    struct ending *ending = RTN_CONTAINER_OF(mail, struct ending, mail);
    rtn_http1_end_old(ending->http, is_older, ending->number, &end);
    free(ending);
}

void rtn_server_end_old(struct rtn_server *server, unsigned number)
{
    for (unsigned i = 0; i < server->loop_count; i++) {
        struct ending *ending = malloc(sizeof(*ending));
        if (ending == NULL) {
            rtn_log(RTN_LOG_ERROR, "server \"%s\": old connections are not closed: memory is out", server->name);
            return;
        }
        *ending = (struct ending){ .mail = { .deliver = on_ending }, .http = &server->loops[i].http, .number = number };
        rtn_loop_post(&server->loops[i].loop, &ending->mail);
    }
}
