/*
 * Which connections a loop has: accepted, drained, cut, released, freed at the end of the iteration in which they
 * died.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "proto/session_internal.h"
#include "proto/ws_client.h"

#define PATIENCE_MS 1000
#define MOST_LATE 31U

int rtn_http1_init(struct rtn_http1 *http)
{
    http->stats = rtn_stats_server(http->terms->config->name);
    rtn_list_init(&http->connections);
    rtn_list_init(&http->dead);
    rtn_list_init(&http->unsent);
    rtn_list_init(&http->ws_clients);
    rtn_directory_init(&http->directory, http->loop_index);
    rtn_topics_init(&http->topics);
    atomic_init(&http->old_terms, 0);
    atomic_init(&http->draining, false);
    atomic_init(&http->returned_requests, NULL);
    http->sink = calloc(1, sizeof(*http->sink));
    if (http->sink == NULL)
        return -ENOMEM;
    rtn_wheel_init(&http->wheel, http->loop->ev, rtn_clock_ms, rtn_http1_on_due);
    return 0;
}

void rtn_http1_done(struct rtn_http1 *http)
{
    if (http->sink == NULL)
        return;
    atomic_store(&http->old_terms, 0); /* nobody is told any more */
    rtn_http1_collect(http);
    rtn_wheel_done(&http->wheel);
    rtn_http1_free_requests(http);
    free(http->sink);
    http->sink = NULL;
    rtn_directory_done(&http->directory);
    rtn_topics_done(&http->topics);
    rtn_ws_drop_spare_reader(http);
    rtn_buf_done(&http->ws_scratch);
    free(http->session_input);
    http->session_input = NULL;
    free(http->round.bytes);
    http->round.bytes = NULL;
}

struct rtn_connection *rtn_http1_make(struct rtn_http1 *http, uint64_t id)
{
    struct rtn_connection *connection = malloc(sizeof(*connection)); /* calloc() has no quick way in the C library */
    if (connection == NULL)
        return NULL;
    *connection = (struct rtn_connection){ .http = http, .made_at = rtn_http1_now_ms(http) };
    connection->stream.fd = -1;
    connection->stream.defer_files = http->terms->defer_files;
    connection->id = id;
    connection->entry = rtn_directory_at(&http->directory, rtn_directory_slot_of(id));
    rtn_directory_seat(&http->directory, rtn_directory_slot_of(id))->connection = connection;
    atomic_init(&connection->owner, RTN_OWNER_LOOP);
    rtn_timeout_init(&connection->timeout);
    rtn_list_append(&http->connections, &connection->node);
    http->connection_count++;
    return connection;
}

static struct rtn_connection *make_entered(struct rtn_http1 *http)
{
    uint64_t id = rtn_directory_enter(&http->directory);
    if (id == 0)
        return NULL;
    struct rtn_connection *connection = rtn_http1_make(http, id);
    if (connection == NULL)
        rtn_directory_leave(&http->directory, id);
    return connection;
}

/*
 * Who has connected may have sent something, too. So it is read in the same iteration, and where the reply ends the
 * connection the system is never asked to watch it. But of clients whose requests come later few are looked at in vain.
 */
static void look_for_request(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    if (http->late_clients > 0) {
        http->late_clients--;
        return;
    }
    http->late_streak /= 2;
    ev_feed_event(http->loop->ev, &connection->io, EV_READ);
}

/* Twice as many as the last time, and one: the look has halved them. */
void rtn_http1_looked_in_vain(struct rtn_http1 *http)
{
    http->late_streak = RTN_MIN(http->late_streak * 4 + 3, MOST_LATE);
    http->late_clients = http->late_streak;
}

static void begin_http(struct rtn_connection *connection, bool proxy_protocol)
{
    struct rtn_http1 *http = connection->http;
    rtn_http1_watch(connection, EV_READ);
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(http)->header);
    connection->trusted = rtn_http1_is_trusted(connection);
    connection->expects_proxy = proxy_protocol && connection->trusted;
    if (connection->expects_proxy || rtn_http1_admit(connection))
        look_for_request(connection);
}

/* NULL when memory is out; the socket is closed then. */
static struct rtn_connection *make_accepted(struct rtn_http1 *http, int fd, const struct sockaddr *peer,
                                            socklen_t peer_length)
{
    struct rtn_connection *connection = make_entered(http);
    if (connection == NULL) {
        rtn_fd_close(&fd);
        return NULL;
    }
    rtn_stats_count(RTN_STATS_ACCEPTED, 1);
    connection->stream.fd = fd;
    ev_io_init(&connection->io, rtn_http1_on_io, fd, EV_NONE);
    rtn_connection_set_peer(connection, peer, peer_length);
    return connection;
}

int rtn_http1_accept(struct rtn_http1 *http, int fd, const struct sockaddr *peer, socklen_t peer_length,
                     bool proxy_protocol)
{
    struct rtn_connection *connection = make_accepted(http, fd, peer, peer_length);
    if (connection == NULL)
        return -ENOMEM;
    if (http->terms->lines != NULL)
        rtn_line_start(connection, false);
    else
        begin_http(connection, proxy_protocol);
    return 0;
}

int rtn_http1_accept_stdio(struct rtn_http1 *http, int fd)
{
    const struct sockaddr peer = { .sa_family = AF_UNIX };
    struct rtn_connection *connection = make_accepted(http, fd, &peer, sizeof(peer.sa_family));
    if (connection == NULL)
        return -ENOMEM;
    connection->peer_text = strdup("stdio");
    rtn_line_start(connection, true);
    return 0;
}

void rtn_http1_report_drained(struct rtn_http1 *http)
{
    if (http->connection_count > 0 || !rtn_list_empty(&http->ws_clients) || http->drained ||
        rtn_http1_may_keep_alive(http))
        return;
    http->drained = true;
    http->handler->drained(http);
}

void rtn_http1_close_idle(struct rtn_connection *connection)
{
    rtn_http1_read(connection);
    if (connection->state == RTN_CONNECTION_READING && connection->request == NULL)
        rtn_http1_close(connection, RTN_CLOSE_SHUTDOWN, "the server is stopping");
}

/* Who asks within that time still gets an answer, and is told that it was the last. */
static void drain_idle(struct rtn_connection *connection)
{
    if (connection->http->patient)
        rtn_http1_set_deadline(connection, PATIENCE_MS);
    else
        rtn_http1_close_idle(connection);
}

void rtn_http1_drain(struct rtn_http1 *http)
{
    rtn_http1_end_keep_alive(http);
    rtn_ws_clients_leave(http);
    RTN_LIST_FOREACH (node, &http->connections) {
        struct rtn_connection *connection = RTN_CONTAINER_OF(node, struct rtn_connection, node);
        if (rtn_http1_leave_to_worker(connection))
            continue;
        if (connection->session != NULL)
            rtn_session_leave(connection->session);
        else if (connection->state == RTN_CONNECTION_READING && connection->request == NULL)
            drain_idle(connection);
        else if (connection->state == RTN_CONNECTION_WAITING && connection->request->response.open_end)
            rtn_http1_give_up(connection, 503, "the server is stopping", true, RTN_CLOSE_SHUTDOWN);
    }
    rtn_http1_report_drained(http);
}

void rtn_http1_abandon(struct rtn_connection *connection)
{
    rtn_http1_close(connection, RTN_CLOSE_SHUTDOWN, "the server stops without waiting longer");
}

unsigned rtn_http1_close_all(struct rtn_http1 *http)
{
    unsigned held = 0;
    rtn_http1_end_keep_alive(http);
    rtn_ws_clients_leave(http);
    RTN_LIST_FOREACH (node, &http->connections) {
        struct rtn_connection *connection = RTN_CONTAINER_OF(node, struct rtn_connection, node);
        /* Nothing else may be looked at while a worker holds it. */
        if (rtn_http1_leave_to_worker(connection) || connection->state == RTN_CONNECTION_HANDLED) {
            /* Whatever the worker waits for on the socket ends now. */
            (void) shutdown(connection->stream.fd, SHUT_RDWR);
            held++;
        } else if (connection->state != RTN_CONNECTION_CLOSED)
            rtn_http1_abandon(connection);
    }
    return held;
}

void rtn_http1_collect(struct rtn_http1 *http)
{
    struct rtn_list *node;
    if (rtn_http1_has_old_terms(http))
        rtn_http1_collect_requests(http);
    while ((node = rtn_list_pop(&http->dead)) != NULL) {
        struct rtn_connection *connection = RTN_CONTAINER_OF(node, struct rtn_connection, node);
        free(connection->peer_text);
        free(connection->hold);
        rtn_session_free(connection->session);
        free(connection);
    }
}

void rtn_http1_release(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    if (connection->request != NULL) {
        rtn_http1_give_request(http, connection->request);
        connection->request = NULL;
    }
    if (connection->session != NULL)
        rtn_session_release_terms(connection->session);
    rtn_list_remove(&connection->node);
    rtn_list_append(&http->dead, &connection->node);
    http->connection_count--;
    http->outgoing_count -= connection->outgoing;
    if (connection->outgoing)
        rtn_ws_client_ended(rtn_ws_of(connection->session)->client);
    if (http->room != NULL)
        http->room(http);
    rtn_http1_report_drained(http);
}

/* Resumptions */

/* They are a ring: the one behind the last is the first. */
static void add_resumption(struct rtn_connection *connection, struct rtn_resumption *resumption)
{
    struct rtn_resumption *last = connection->resumptions;
    resumption->next = last != NULL ? last->next : resumption;
    if (last != NULL)
        last->next = resumption;
    connection->resumptions = resumption;
}

static struct rtn_resumption *pop_resumption(struct rtn_connection *connection)
{
    struct rtn_resumption *last = connection->resumptions;
    if (last == NULL)
        return NULL;
    struct rtn_resumption *first = last->next;
    last->next = first->next;
    if (first == last)
        connection->resumptions = NULL;
    return first;
}

struct rtn_resumption *rtn_http1_next_resumption(struct rtn_connection *connection)
{
    struct rtn_resumption *resumption;
    while ((resumption = pop_resumption(connection)) != NULL) {
        if (resumption->id == connection->request->id)
            return resumption;
        resumption->drop(resumption);
    }
    return NULL;
}

void rtn_http1_drop_resumptions(struct rtn_connection *connection)
{
    struct rtn_resumption *resumption;
    while ((resumption = pop_resumption(connection)) != NULL)
        resumption->drop(resumption);
}

static struct rtn_connection *find_connection(struct rtn_http1 *http, uint64_t id)
{
    const struct rtn_seat *seat = rtn_directory_seat(&http->directory, rtn_directory_slot_of(id));
    return seat != NULL ? seat->connection : NULL;
}

static void on_resumption(struct rtn_mail *mail)
{
    struct rtn_resumption *resumption = RTN_CONTAINER_OF(mail, struct rtn_resumption, mail);
    struct rtn_connection *connection = find_connection(resumption->http, resumption->id);
    if (connection == NULL) {
        resumption->drop(resumption);
        return;
    }
    add_resumption(connection, resumption);
    if (rtn_http1_leave_to_worker(connection))
        return; /* looked at when the worker gives the connection back */
    if (connection->state == RTN_CONNECTION_WAITING)
        rtn_http1_run(connection);
    else
        rtn_http1_drop_resumptions(connection);
}

void rtn_http1_post(struct rtn_http1 *http, struct rtn_resumption *resumption)
{
    resumption->http = http;
    resumption->mail.deliver = on_resumption;
    rtn_loop_post(http->loop, &resumption->mail);
}
