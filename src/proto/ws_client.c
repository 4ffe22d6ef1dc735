/*
 * One outgoing connection from its order to its end. The number is entered by whoever orders it, on any thread; the
 * rest happens on the loop: look up the name and connect (net/dial.h), then the handshake (ws_client_handshake.c).
 * After an end it waits longer with every failure, and by chance somewhat more or less, so that many clients do not
 * come back in the same moment (RFC 6455, 7.2.3).
 */
#include "proto/ws_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/dial.h"
#include "proto/ws_client_internal.h"
#include "proto/ws_internal.h"

static const char closed_early[] = "closed before it was open";

static bool is_stopping(const struct rtn_ws_client *client)
{
    return client->stopped || !rtn_http1_may_keep_alive(client->http);
}

void rtn_ws_client_fail(struct rtn_ws_client *client, enum rtn_close_cause cause, const char *text)
{
    snprintf(client->reason, sizeof(client->reason), "%s", text);
    rtn_http1_close(client->connection, cause, client->reason);
}

/* An attempt */

static void on_dialed(void *data, int fd, const struct sockaddr *peer, socklen_t length, const char *reason)
{
    struct rtn_ws_client *client = data;
    client->dial = NULL;
    if (fd < 0)
        rtn_ws_client_fail(client, RTN_CLOSE_NETWORK, reason);
    else
        rtn_ws_client_begin_handshake(client, fd, peer, length);
}

static void use_socket(struct rtn_ws_client *client)
{
    struct sockaddr_storage peer = { 0 };
    socklen_t length = sizeof(peer);
    int fd = client->spec.fd;
    client->spec.fd = -1;
    client->stopped = true;
    if (getpeername(fd, (struct sockaddr *) &peer, &length) < 0)
        length = 0;
    rtn_ws_client_begin_handshake(client, fd, (const struct sockaddr *) &peer, length);
}

static void dial(struct rtn_ws_client *client)
{
    const struct rtn_dial_target target = { .host = client->url.host,
                                            .port = client->url.port,
                                            .path = client->url.path };
    client->dial = rtn_dial(client->http->loop, client->http->resolver, &target, on_dialed, client);
    if (client->dial == NULL)
        rtn_ws_client_fail(client, RTN_CLOSE_NETWORK, "memory is out");
}

static void forget(struct rtn_ws_client *client)
{
    if (client->forgotten || client->stop_posted)
        return;
    client->forgotten = true;
    ev_timer_stop(client->http->loop->ev, &client->pause);
    atomic_store_explicit(&client->entry->client_id, 0, memory_order_release);
    client->http->ws_events->forget(client);
}

static void wait_for_next(struct rtn_ws_client *client);

static void attempt(struct rtn_ws_client *client)
{
    struct rtn_http1 *http = client->http;
    struct rtn_ws *ws = rtn_ws_new(NULL, &client->spec.policy, client->spec.owner);
    struct rtn_connection *connection = ws != NULL ? rtn_http1_make(http, client->id) : NULL;
    client->failures++; /* unless it lasts */
    if (connection == NULL) {
        if (ws != NULL)
            rtn_session_free(&ws->session);
        wait_for_next(client);
        return;
    }
    connection->outgoing = true;
    http->outgoing_count++;
    rtn_stats_count(RTN_STATS_OUTGOING_BEGUN, 1);
    connection->state = RTN_CONNECTION_CONNECTING;
    rtn_ws_attach(ws, connection);
    client->connection = connection;
    ws->client = client;
    http->ws_events->made(ws);
    rtn_http1_set_deadline(connection, client->spec.connect_timeout);
    if (connection->broken != 0)
        rtn_http1_close_broken(connection);
    else if (client->stopped)
        rtn_ws_client_fail(client, RTN_CLOSE_NORMAL, closed_early);
    else if (client->spec.fd >= 0)
        use_socket(client);
    else
        dial(client);
}

/* Half of the pause is by chance. */
static int64_t pause_of(const struct rtn_ws_client *client)
{
    int64_t pause = client->spec.reconnect;
    for (unsigned i = 1; i < client->failures && pause < client->spec.reconnect_max; i++)
        pause *= 2;
    pause = RTN_MIN(pause, client->spec.reconnect_max);
    uint32_t chance = 0;
    if (getrandom(&chance, sizeof(chance), 0) < 0)
        chance = 0;
    return pause / 2 + (int64_t) ((uint64_t) chance * (uint64_t) (pause - pause / 2) >> 32);
}

static void on_pause_over(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    attempt(RTN_CONTAINER_OF(timer, struct rtn_ws_client, pause));
}

static void wait_for_next(struct rtn_ws_client *client)
{
    if (is_stopping(client) || client->spec.reconnect == 0) {
        forget(client);
        return;
    }
    client->last_pause = pause_of(client);
    ev_timer_set(&client->pause, (double) client->last_pause / 1000, 0);
    ev_timer_start(client->http->loop->ev, &client->pause);
}

/* Open for at least as long as the pause before it: a server that ends each connection at once is not there either. */
static bool has_lasted(const struct rtn_ws_client *client)
{
    const struct rtn_session *session = client->connection->session;
    int64_t least = RTN_MAX(client->last_pause, client->spec.reconnect);
    return session->opened && rtn_http1_now_ms(client->http) - session->opened_at >= least;
}

void rtn_ws_client_ended(struct rtn_ws_client *client)
{
    if (has_lasted(client))
        client->failures = 1;
    client->connection = NULL;
    wait_for_next(client);
}

void rtn_ws_client_detach(struct rtn_ws_client *client)
{
    if (client->dial != NULL)
        rtn_dial_cancel(client->dial);
    client->dial = NULL;
}

void rtn_ws_client_timeout(struct rtn_ws_client *client)
{
    rtn_ws_client_fail(client, RTN_CLOSE_TIMEOUT, "the connection was not open in time (timeouts.connect)");
}

static void on_stop(struct rtn_mail *mail)
{
    struct rtn_ws_client *client = RTN_CONTAINER_OF(mail, struct rtn_ws_client, mail);
    client->stop_posted = false;
    if (client->connection == NULL)
        wait_for_next(client);
    else if (client->connection->state == RTN_CONNECTION_CONNECTING)
        rtn_ws_client_fail(client, RTN_CLOSE_NORMAL, closed_early);
}

/* By mail, since a callback of the layer above may be running. */
void rtn_ws_client_stop(struct rtn_ws_client *client)
{
    client->stopped = true;
    if (!client->begun || client->stop_posted || client->forgotten)
        return;
    client->stop_posted = true;
    client->mail.deliver = on_stop;
    rtn_loop_post(client->http->loop, &client->mail);
}

void rtn_ws_clients_leave(struct rtn_http1 *http)
{
    RTN_LIST_FOREACH (node, &http->ws_clients) {
        struct rtn_ws_client *client = RTN_CONTAINER_OF(node, struct rtn_ws_client, node);
        if (client->connection == NULL)
            wait_for_next(client);
    }
}

void rtn_ws_client_tune(struct rtn_ws_client *client, const struct rtn_ws_policy *policy)
{
    client->spec.policy = *policy;
    if (policy->deflate != NULL)
        client->spec.deflate = *policy->deflate;
    client->spec.policy.deflate = &client->spec.deflate;
    if (client->connection != NULL)
        rtn_session_tune(client->connection->session, &client->spec.policy);
}

void rtn_ws_client_leave(struct rtn_ws_client *client)
{
    static const struct rtn_session_end end = { .cause = RTN_CLOSE_SHUTDOWN,
                                                .code = RTN_WS_GOING_AWAY,
                                                .reason = { "not wanted any more", 19 },
                                                .detail = "the configuration has changed" };
    rtn_ws_client_stop(client);
    if (client->connection != NULL && client->connection->session->opened)
        client->connection->session->wire->begin_close(client->connection->session, &end);
}

/* Making and freeing */

static void on_begin(struct rtn_mail *mail)
{
    struct rtn_ws_client *client = RTN_CONTAINER_OF(mail, struct rtn_ws_client, mail);
    rtn_list_append(&client->http->ws_clients, &client->node);
    client->begun = true;
    if (rtn_http1_may_keep_alive(client->http))
        attempt(client);
    else
        forget(client);
}

/* Replaces *list, which may be NULL, by a copy. 0 or -ENOMEM. */
static int copy_list(struct rtn_arena *arena, const char *const **list)
{
    const char *const *from = *list;
    size_t count = 0;
    if (from == NULL)
        return 0;
    while (from[count] != NULL)
        count++;
    const char **copy = rtn_arena_alloc(arena, (count + 1) * sizeof(*copy));
    if (copy == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        copy[i] = rtn_arena_strdup(arena, rtn_str_of(from[i]));
        if (copy[i] == NULL)
            return -ENOMEM;
    }
    copy[count] = NULL;
    *list = copy;
    return 0;
}

static int copy_spec(struct rtn_ws_client *client, const struct rtn_ws_client_spec *spec)
{
    client->spec = *spec;
    client->spec.policy.deflate = &client->spec.deflate;
    client->spec.url = rtn_arena_strdup(&client->arena, rtn_str_of(spec->url));
    int r = client->spec.url != NULL ? copy_list(&client->arena, &client->spec.headers) : -ENOMEM;
    return r < 0 ? r : copy_list(&client->arena, &client->spec.protocols);
}

static void destroy(struct rtn_ws_client *client)
{
    rtn_fd_close(&client->spec.fd);
    rtn_directory_leave(&client->http->directory, client->id);
    rtn_buf_done(&client->offer);
    rtn_buf_done(&client->input);
    rtn_arena_done(&client->arena);
    free(client);
}

int rtn_ws_client_new(struct rtn_http1 *http, const struct rtn_ws_client_spec *spec, uint64_t *id)
{
    if (!rtn_http1_may_keep_alive(http))
        return -ECANCELED;
    struct rtn_ws_client *client = calloc(1, sizeof(*client));
    if (client == NULL)
        return -ENOMEM;
    client->id = rtn_directory_enter(&http->directory);
    if (client->id == 0) {
        free(client);
        return -EMFILE;
    }
    client->http = http;
    client->entry = rtn_directory_at(&http->directory, rtn_directory_slot_of(client->id));
    client->mail.deliver = on_begin;
    rtn_list_init(&client->node);
    rtn_arena_init(&client->arena, NULL, 0);
    ev_timer_init(&client->pause, on_pause_over, 0, 0);
    if (copy_spec(client, spec) < 0 || rtn_ws_url_read(rtn_str_of(client->spec.url), &client->url) != RTN_WS_URL_GOOD) {
        client->spec.fd = -1;
        destroy(client);
        return -ENOMEM;
    }
    *id = client->id;
    client->entry->client = client;
    atomic_store_explicit(&client->entry->client_id, client->id, memory_order_release);
    rtn_loop_post(http->loop, &client->mail);
    return 0;
}

void rtn_ws_client_free(struct rtn_ws_client *client)
{
    struct rtn_http1 *http = client->http;
    rtn_list_remove(&client->node);
    destroy(client);
    rtn_http1_report_drained(http);
}
