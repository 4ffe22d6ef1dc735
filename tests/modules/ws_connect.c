/* Outgoing connections of the test module ws_probe, and sockets that the daemon adopts. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ws_probe.h"

#define MOST_WORDS 4

/* Options with what their strings are kept in. */
struct connecting {
    struct ws_probe *probe;
    struct rtn_ws_options options;
    const char *headers[MOST_WORDS + 1];
    const char *protocols[MOST_WORDS + 1];
    char handler[32];
    char url[512];
};

/* A socket that is connected to a port of this machine, or -1. */
static int connect_to(int64_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void add(const char **list, rtn_str value)
{
    for (size_t i = 0; i < MOST_WORDS; i++) {
        if (list[i] == NULL) {
            list[i] = ws_copy(value);
            return;
        }
    }
}

static void set_protocol(struct connecting *connecting, rtn_str value)
{
    add(connecting->protocols, value);
    connecting->options.protocols = connecting->protocols;
}

/* "Name:value" */
static void set_header(struct connecting *connecting, rtn_str value)
{
    add(connecting->headers, value);
    connecting->options.headers = connecting->headers;
}

static void set_deflate(struct connecting *connecting, rtn_str value)
{
    (void) value;
    connecting->options.deflate = true;
}

static void set_name(struct connecting *connecting, rtn_str value)
{
    connecting->options.data = ws_peer_new(connecting->probe, value);
    connecting->options.destroy = ws_peer_free;
}

static void set_port(struct connecting *connecting, rtn_str value)
{
    connecting->options.fd = connect_to(ws_number(value));
    connecting->options.connected = true;
}

static const struct {
    const char *name;
    void (*set)(struct connecting *connecting, rtn_str value);
} setters[] = {
    { "protocol", set_protocol }, { "header", set_header }, { "deflate", set_deflate },
    { "name", set_name },         { "port", set_port },
};

static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    { "reconnect", offsetof(struct rtn_ws_options, reconnect) },
    { "reconnect_max", offsetof(struct rtn_ws_options, reconnect_max) },
    { "connect_timeout", offsetof(struct rtn_ws_options, connect_timeout) },
    { "ping", offsetof(struct rtn_ws_options, ping) },
    { "pong", offsetof(struct rtn_ws_options, pong) },
    { "message", offsetof(struct rtn_ws_options, message) },
    { "backlog", offsetof(struct rtn_ws_options, backlog) },
};

static void set(struct connecting *connecting, rtn_str pair)
{
    const char *equals = memchr(pair.data, '=', pair.length);
    size_t length = equals != NULL ? (size_t) (equals - pair.data) : pair.length;
    rtn_str value = equals != NULL ? (rtn_str){ equals + 1, pair.length - length - 1 } : (rtn_str){ "", 0 };
    for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++) {
        if (strlen(setters[i].name) == length && memcmp(setters[i].name, pair.data, length) == 0)
            setters[i].set(connecting, value);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strlen(numbers[i].name) == length && memcmp(numbers[i].name, pair.data, length) == 0) {
            int64_t number = ws_number(value);
            memcpy((char *) &connecting->options + numbers[i].offset, &number, sizeof(number));
        }
    }
}

static void forget(struct connecting *connecting)
{
    for (size_t i = 0; i < MOST_WORDS; i++) {
        free((void *) (uintptr_t) connecting->headers[i]);
        free((void *) (uintptr_t) connecting->protocols[i]);
    }
}

/* When the call fails, what it was given is the caller's still. */
static void take_back(struct connecting *connecting)
{
    if (connecting->options.destroy != NULL)
        connecting->options.destroy(connecting->options.data);
    if (connecting->options.connected)
        close(connecting->options.fd);
}

void ws_connect_command(struct ws_probe *probe, rtn_str arguments, struct ws_text *out)
{
    struct connecting connecting = { .probe = probe, .options = { .struct_size = sizeof(struct rtn_ws_options) } };
    ws_take_word(&arguments, connecting.handler, sizeof(connecting.handler));
    ws_take_word(&arguments, connecting.url, sizeof(connecting.url));
    while (arguments.length > 0)
        set(&connecting, ws_word(&arguments));
    uint64_t id = 0;
    int r = rtn_ws_connect(probe->server, connecting.url, &connecting.options, connecting.handler, probe, &id);
    if (r < 0)
        take_back(&connecting);
    forget(&connecting);
    ws_say_result(out, r);
    ws_say(out, " %llu", (unsigned long long) id);
}

void ws_adopt_command(struct ws_probe *probe, rtn_str arguments, struct ws_text *out)
{
    int fd = connect_to(ws_number(arguments));
    int r = rtn_adopt_socket(probe->server, fd);
    if (r < 0 && fd >= 0)
        close(fd);
    ws_say_result(out, r);
}
