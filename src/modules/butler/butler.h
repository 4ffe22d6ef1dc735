/*
 * What the three handlers share: the messages that they send each other, and the instance. A request comes from a
 * terminal, named by its number, which goes with it and comes back with the response. [any]
 */
#ifndef BUTLER_H
#define BUTLER_H

#include <retinue/module.h>

#define BUTLER_TEXT_SIZE 1024 /* with its NUL */

struct butler_request {
    uint64_t terminal;
    char text[BUTLER_TEXT_SIZE];
};

struct butler_response {
    uint64_t terminal;
    char text[BUTLER_TEXT_SIZE];
};

struct butler_work {
    char text[BUTLER_TEXT_SIZE];
};

struct butler_result {
    int64_t milliseconds; /* that it took */
};

/* To the server, and back to the client: two messages, since a request may get several responses, or none. */
RTN_MESSAGE(butler_request, struct butler_request)
RTN_MESSAGE(butler_response, struct butler_response)

/* From the server to whoever does slow work: a question, which has one answer. */
RTN_QUESTION(butler_work, struct butler_work, struct butler_result)

/* Each handler uses what is its own. */
struct butler {
    const char *server; /* of the client: whom "kill" stops */
    bool end; /* of the client: the daemon ends with the terminal */
    int64_t patience; /* of the server: how long it waits for slow work, in ms */
    int64_t requests; /* of the server: how many it has had */
    int64_t slow; /* of the offload: how long slow work takes, in ms */
    bool tasks; /* of the offload: each piece of work is a task */
};

/* Callbacks of the handler "client". */
int client_line(rtn_connection *connection, const char *line, size_t length, void *instance);
void client_close(rtn_connection *connection, const struct rtn_line_closed *how, void *instance);
int client_response(rtn_message *message, const struct butler_response *response, void *instance);

/* Of the handler "server". */
int server_request(rtn_message *message, const struct butler_request *request, void *instance);

/* Of the handler "offload". */
int offload_work(rtn_message *message, const struct butler_work *work, void *instance);

#endif
