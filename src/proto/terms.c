/*
 * From one set of terms to the next. Who has what is begun keeps the old ones, and the last of them tells. Requests
 * that workers give back are released where the loop collects them, so while old terms wait for their users, workers
 * are asked to wake the loop when they are done (RTN_OWNER_CALL). One that has given its connection back, but not its
 * request yet, cannot be asked: it sees that there are old terms, and wakes the loop, too.
 */
#include "proto/terms.h"

#include "proto/http1_internal.h"
#include "proto/session_internal.h"
#include "proto/ws_client.h"

void rtn_terms_init(struct rtn_terms *terms)
{
    terms->policy = (struct rtn_policy){
        .request_body = RTN_BODY_NONE,
        .body_limit = terms->config->limits.body,
        .body_timeout = terms->config->timeouts.body,
        .write_timeout = terms->config->timeouts.write,
        .handler_timeout = terms->config->timeouts.handler,
    };
    terms->discarding = terms->policy;
    terms->discarding.request_body = RTN_BODY_NONE;
}

/* Its last user has gone, and no other will come. */
static void report_unused(struct rtn_http1 *http, struct rtn_terms *terms)
{
    atomic_fetch_sub(&http->old_terms, 1);
    http->handler->terms_unused(http, terms);
}

void rtn_terms_release(struct rtn_http1 *http, struct rtn_terms *terms)
{
    if (--terms->users == 0 && rtn_http1_has_old_terms(http) && terms != http->terms)
        report_unused(http, terms);
}

/* Swap */

/* Nothing of it but bytes that were not understood yet. */
static bool is_unrouted(const struct rtn_connection *connection)
{
    const struct rtn_request *request = connection->request;
    return connection->state == RTN_CONNECTION_READING && request != NULL && !request->active && !request->leaving &&
           (request->stage == RTN_REQUEST_EMPTY || request->stage == RTN_REQUEST_HEAD);
}

static void move_session(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    struct rtn_http1 *http = connection->http;
    const void *policy =
        session->terms != NULL && http->handler->move != NULL ? http->handler->move(connection, http->terms) : NULL;
    if (policy == NULL)
        return;
    rtn_session_tune(session, policy);
    rtn_session_release_terms(session);
    rtn_session_take_terms(session, http->terms);
}

static void move_connection(struct rtn_connection *connection)
{
    if (rtn_http1_leave_to_worker(connection) || connection->state == RTN_CONNECTION_CLOSED)
        return;
    if (connection->slots != NULL)
        connection->slots->looked_at = NULL; /* those that come may be where those were that have gone */
    if (connection->session != NULL)
        move_session(connection->session);
    else if (is_unrouted(connection))
        rtn_http1_take_terms(connection->request);
}

/* Orders of connections have a policy of their own, which the connections that follow will have. */
static void move_clients(struct rtn_http1 *http)
{
    RTN_LIST_FOREACH (node, &http->ws_clients) {
        struct rtn_ws_client *client = RTN_CONTAINER_OF(node, struct rtn_ws_client, node);
        const struct rtn_ws_policy *policy =
            http->handler->move_client != NULL ? http->handler->move_client(client, http->terms) : NULL;
        if (policy != NULL)
            rtn_ws_client_tune(client, policy);
    }
}

void rtn_http1_set_terms(struct rtn_http1 *http, struct rtn_terms *terms)
{
    struct rtn_terms *before = http->terms;
    http->terms = terms;
    atomic_fetch_add(&http->old_terms, 1);
    rtn_http1_fit_requests(http);
    rtn_terms_hold(before); /* until all were asked */
    move_clients(http);
    RTN_LIST_FOREACH (node, &http->connections)
        move_connection(RTN_CONTAINER_OF(node, struct rtn_connection, node));
    rtn_http1_collect_requests(http);
    rtn_terms_release(http, before);
}

/* The end of old ones */

/* One whose handshake was under way when the terms changed may go on. */
static void end_old_session(struct rtn_session *session, const struct rtn_session_end *end)
{
    move_session(session);
    if (session->opened && session->terms != session->connection->http->terms)
        session->wire->begin_close(session, end);
}

/* One that streams without an end would keep its terms for ever. */
static void end_old_reply(struct rtn_connection *connection, const struct rtn_session_end *end)
{
    if (connection->state == RTN_CONNECTION_WAITING && connection->request->response.open_end)
        rtn_http1_give_up(connection, 503, end->detail, true, RTN_CLOSE_SHUTDOWN);
}

void rtn_http1_end_old(struct rtn_http1 *http, bool (*is_old)(const struct rtn_terms *terms, unsigned number),
                       unsigned number, const struct rtn_session_end *end)
{
    RTN_LIST_FOREACH (node, &http->connections) {
        struct rtn_connection *connection = RTN_CONTAINER_OF(node, struct rtn_connection, node);
        if (rtn_http1_leave_to_worker(connection) || connection->state == RTN_CONNECTION_CLOSED)
            continue;
        struct rtn_session *session = connection->session;
        const struct rtn_request *request = connection->request;
        const struct rtn_terms *terms = session != NULL ? session->terms : request != NULL ? request->terms : NULL;
        if (terms == NULL || terms == http->terms || !is_old(terms, number))
            continue;
        if (session != NULL)
            end_old_session(session, end);
        else
            end_old_reply(connection, end);
    }
}
