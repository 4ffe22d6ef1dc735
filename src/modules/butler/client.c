/* The terminal. Sending never waits, and its result says at once when nobody is there to get the request. */
#include "butler.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* To a terminal that may have gone: that is no error here. */
static int print(uint64_t terminal, const char *text)
{
    int r = rtn_line_send_text(terminal, text);
    return r == -ENOMEM ? r : 0;
}

static int kill_server(const struct butler *butler, uint64_t terminal)
{
    if (rtn_server_stop(butler->server) == 0)
        return print(terminal, "The server is told to stop.");
    return rtn_line_send_format(terminal, "There is no server \"%s\".", butler->server) == -ENOMEM ? -ENOMEM : 0;
}

static int quit(const struct butler *butler, uint64_t terminal)
{
    (void) butler;
    int r = print(terminal, "Goodbye.");
    rtn_shutdown();
    return r;
}

static const struct command {
    const char *name;
    int (*run)(const struct butler *butler, uint64_t terminal);
} commands[] = {
    { "kill", kill_server },
    { "quit", quit },
};

static int request(uint64_t terminal, const char *line)
{
    struct butler_request request = { .terminal = terminal };
    (void) snprintf(request.text, sizeof(request.text), "%s", line);
    int r = rtn_send_butler_request(&request);
    if (r == -ECANCELED)
        return print(terminal, "The server has stopped.");
    return r == -EAGAIN ? print(terminal, "The server is busy. Try again later.") : r;
}

int client_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    uint64_t terminal = rtn_connection_id(connection);
    if (length == 0)
        return 0;
    if (length >= BUTLER_TEXT_SIZE || strlen(line) < length)
        return print(terminal, "A request is text of up to 1023 bytes.");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(line, commands[i].name) == 0)
            return commands[i].run(instance, terminal);
    }
    return request(terminal, line);
}

void client_close(rtn_connection *connection, const struct rtn_line_closed *how, void *instance)
{
    const struct butler *butler = instance;
    (void) connection;
    (void) how;
    if (butler->end)
        rtn_shutdown();
}

int client_response(rtn_message *message, const struct butler_response *response, void *instance)
{
    (void) message;
    (void) instance;
    return print(response->terminal, response->text);
}
