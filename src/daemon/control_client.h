/*
 * A client of the control socket, and its request on the way to its answer. [main], on its loop; nothing blocks
 *
 * One request of a client is answered at a time. The answer may come later: a call outlives a client that has gone.
 */
#ifndef RTN_DAEMON_CONTROL_CLIENT_H
#define RTN_DAEMON_CONTROL_CLIENT_H

#include <ev.h>

#include "base/list.h"
#include "base/macros.h"
#include "daemon/control_request.h"

struct rtn_control_client;
struct rtn_daemon;

/* A request that is complete. Whoever gets it answers it once, at once or later, which frees it. */
struct rtn_control_call {
    struct rtn_daemon *daemon;
    struct rtn_control_client *client; /* NULL: has gone */
    bool may_order; /* as root, or as the user of the daemon */
    struct rtn_control_request request;
};

struct rtn_control_client {
    struct rtn_daemon *daemon;
    struct rtn_list node; /* in one of the next two */
    struct rtn_list *clients; /* where it is, the one that was served last at the end */
    struct rtn_list *dead; /* where it goes when it is closed; freed later */
    int fd;
    struct ev_loop *ev;
    struct ev_io read;
    struct ev_io write;
    struct ev_timer timer;
    bool may_order;
    bool ends; /* when what waits has been sent */
    bool advancing;
    struct rtn_control_call *reading; /* its request is not complete; NULL: none has begun */
    struct rtn_control_call *call; /* being answered */
    char input[4096];
    size_t input_length; /* that was not used yet */
    struct rtn_buf output;
    size_t sent; /* of it */
};

/* Takes over a socket. NULL when memory is out; the socket is closed then. */
struct rtn_control_client *rtn_control_client_new(struct rtn_daemon *daemon, int fd, bool may_order,
                                                  struct rtn_list *clients, struct rtn_list *dead, struct ev_loop *ev);

/* Its socket is closed; it is among the dead from now on, to be freed outside of its callbacks. */
void rtn_control_client_close(struct rtn_control_client *client);
void rtn_control_client_free(struct rtn_control_client *client);

/* An object or array in JSON. */
void rtn_control_answer(struct rtn_control_call *call, int status, struct rtn_str json);

/* Anything. */
void rtn_control_answer_as(struct rtn_control_call *call, int status, const char *type, struct rtn_str content);

/* {"error": a sentence} */
void rtn_control_refuse(struct rtn_control_call *call, int status, const char *format, ...) RTN_PRINTF(3, 4);

/* control_call.c: finds out what is asked for, and has it answered. */
void rtn_control_run(struct rtn_control_call *call);

#endif
