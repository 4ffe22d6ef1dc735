/*
 * Outgoing WebSocket connections: an attempt to connect, its handshake, and the next attempt after a while. What is
 * told from here is one number, whatever happens to the connection under it. [loop] unless a function says otherwise
 */
#ifndef RTN_PROTO_WS_CLIENT_H
#define RTN_PROTO_WS_CLIENT_H

#include "proto/http1.h"
#include "proto/ws_handshake.h"

/* What is to be made. Copied; url and headers were checked. */
struct rtn_ws_client_spec {
    const char *url;
    const char *const *headers; /* "Name: value", ends with NULL; may be NULL, as the next */
    const char *const *protocols;
    int64_t reconnect; /* ms, the first pause; 0: it does not connect again */
    int64_t reconnect_max;
    int64_t connect_timeout;
    struct rtn_ws_policy policy; /* origins are not used */
    struct rtn_config_deflate deflate;
    int fd; /* a connected socket; -1: it connects itself */
    void *owner; /* of the layer above, as the rest */
    const void *row; /* of the configuration; NULL: a module has ordered it */
    const struct rtn_ws_handler *handler;
    void *data;
    void (*destroy)(void *data);
};

struct rtn_ws_client {
    struct rtn_ws_client_spec spec; /* its strings are in the arena, its policy is its own */
    struct rtn_http1 *http;
    uint64_t id; /* of all its connections */
    struct rtn_entry *entry; /* at that number */
    struct rtn_list node; /* in http->ws_clients, once the loop has it */
    struct rtn_mail mail;
    struct rtn_ws_url url;
    struct rtn_dial *dial; /* NULL: none is under way */
    struct rtn_connection *connection; /* NULL between two attempts */
    struct rtn_ws_request request;
    struct rtn_buf offer; /* of compression */
    struct rtn_buf input; /* the answer so far */
    struct ev_timer pause;
    unsigned failures; /* attempts in a row that came to nothing, or to a connection that did not last */
    int64_t last_pause; /* ms, before the attempt */
    bool stopped; /* no further attempt */
    bool begun; /* the loop has it */
    bool stop_posted; /* `mail` is on its way */
    bool forgotten; /* the layer above was told */
    char reason[160]; /* why the attempt failed */
    struct rtn_task task; /* of the layer above */
    struct rtn_arena arena;
};

/* Any thread. *id gets its number. 0, -ENOMEM, -EMFILE (no number is free), -ECANCELED (the server is stopping). */
int rtn_ws_client_new(struct rtn_http1 *http, const struct rtn_ws_client_spec *spec, uint64_t *id);

/* No further attempt; one that is under way is given up. An open connection is left alone. */
void rtn_ws_client_stop(struct rtn_ws_client *client);

/* It is not wanted any more: no further attempt, and its connection is closed in order. */
void rtn_ws_client_leave(struct rtn_ws_client *client);

/* Another policy, which is copied, for the connection that it has and those that follow. */
void rtn_ws_client_tune(struct rtn_ws_client *client, const struct rtn_ws_policy *policy);

/* After rtn_ws_events.forget(). */
void rtn_ws_client_free(struct rtn_ws_client *client);

/* The server is stopping: those that have no connection are forgotten. */
void rtn_ws_clients_leave(struct rtn_http1 *http);

/* What ws.c and http1_connections.c tell: its connection is not to be used any more; is gone; took too long to open. */
void rtn_ws_client_detach(struct rtn_ws_client *client);
void rtn_ws_client_ended(struct rtn_ws_client *client);
void rtn_ws_client_timeout(struct rtn_ws_client *client);

#endif
