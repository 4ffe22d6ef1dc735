/*
 * Every callback of a WebSocket handler, in the three thread models. echo-*: sends back what comes, and does what texts
 * that begin with ! say. pieces-*: adds up fragments. client-*: for outgoing connections, tells what comes. bare: takes
 * everyone, drops everything. The query of the upgrade says what becomes of it. The log tells each call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate.h"
#include "ws_probe.h"

#define TOLD 100 /* bytes of a message */

struct ws_peer *ws_peer_new(struct ws_probe *probe, rtn_str name)
{
    struct ws_peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL)
        abort();
    peer->probe = probe;
    (void) snprintf(peer->name, sizeof(peer->name), "%.*s", RTN_STR_ARG(name));
    return peer;
}

void ws_peer_free(void *data)
{
    const struct ws_peer *peer = data;
    if (!peer->probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "ws %s: destroy data=%s", peer->probe->name, peer->name);
    free(data);
}

/* Around each callback. Two for one connection at once are never right. */
static struct ws_peer *enter(rtn_connection *connection, struct ws_probe *probe)
{
    struct ws_peer *peer = rtn_connection_data(connection);
    int inside = atomic_fetch_add(&probe->inside, 1) + 1;
    int peak = atomic_load(&probe->peak);
    while (inside > peak && !atomic_compare_exchange_weak(&probe->peak, &peak, inside))
        continue;
    if (peer != NULL && atomic_fetch_add(&peer->inside, 1) != 0)
        rtn_log(RTN_LOG_ERROR, "ws %s: two at once", probe->name);
    return peer;
}

static int leave(struct ws_peer *peer, struct ws_probe *probe, int result)
{
    if (peer != NULL)
        atomic_fetch_sub(&peer->inside, 1);
    atomic_fetch_sub(&probe->inside, 1);
    return result;
}

static const char *name_of(const struct ws_peer *peer)
{
    return peer != NULL ? peer->name : "";
}

static unsigned long long id_of(const rtn_connection *connection)
{
    return (unsigned long long) rtn_connection_id(connection);
}

/* upgrade */

static void take_name(rtn_request *request, struct ws_probe *probe)
{
    rtn_str name = rtn_query_value(request, "name", 0);
    if (name.data != NULL)
        (void) rtn_connection_set_data(rtn_request_connection(request), ws_peer_new(probe, name), ws_peer_free);
}

static int choose(rtn_request *request, rtn_str protocol)
{
    char name[64];
    struct ws_text text = { 0 };
    (void) snprintf(name, sizeof(name), "%.*s", RTN_STR_ARG(protocol));
    int r = rtn_ws_choose_protocol(request, name);
    if (r == 0)
        return RTN_DONE;
    ws_say_result(&text, r);
    r = rtn_reply(request, 400, text.data, text.length);
    free(text.data);
    return r;
}

static int decide(rtn_request *request, void *data)
{
    rtn_str status = rtn_query_value(request, "refuse", 0);
    rtn_str protocol = rtn_query_value(request, "choose", 0);
    rtn_str field = rtn_query_value(request, "field", 0);
    (void) data;
    if (field.data != NULL)
        (void) rtn_reply_header_str(request, "X-Probe", field);
    if (status.data != NULL)
        return rtn_reply_text(request, (int) ws_number(status), "refused\n");
    if (rtn_query_value(request, "fail", 0).data != NULL)
        return -EIO;
    if (rtn_query_value(request, "next", 0).data != NULL)
        return RTN_NEXT;
    return protocol.data != NULL ? choose(request, protocol) : RTN_DONE;
}

static int upgrade(rtn_request *request, void *instance)
{
    struct ws_probe *probe = instance;
    rtn_str pause = rtn_query_value(request, "later", 0);
    if (rtn_query_value(request, "worker", 0).data != NULL && !rtn_may_block())
        return RTN_WORKER;
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "ws %s: upgrade thread=%s", probe->name, rtn_thread_name());
    take_name(request, probe);
    if (pause.data != NULL)
        return ws_thread_resume(probe, rtn_request_later(request, NULL, NULL), ws_number(pause),
                                rtn_query_value(request, "until", 0), decide);
    return decide(request, NULL);
}

/* open, drain, close */

static int opened(rtn_connection *connection, void *instance)
{
    struct ws_probe *probe = instance;
    struct ws_peer *peer = enter(connection, probe);
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "ws %s: open id=%llu data=%s protocol=%s thread=%s", probe->name, id_of(connection),
                name_of(peer), rtn_ws_protocol(connection), rtn_thread_name());
    if (peer != NULL && strcmp(peer->name, "fails-open") == 0)
        return leave(peer, probe, -EIO);
    if (peer != NULL && strcmp(peer->name, "greets") == 0)
        (void) rtn_ws_send_text(rtn_connection_id(connection), "welcome");
    return leave(peer, probe, 0);
}

static void drained(rtn_connection *connection, void *instance)
{
    struct ws_probe *probe = instance;
    struct ws_peer *peer = enter(connection, probe);
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "ws %s: drain id=%llu", probe->name, id_of(connection));
    (void) leave(peer, probe, 0);
}

static void closed(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    static const char *const causes[] = { "normal",   "client",  "lost",    "timeout",  "protocol",
                                          "security", "network", "handler", "shutdown", "backlog" };
    struct ws_probe *probe = instance;
    struct ws_peer *peer = enter(connection, probe);
    int late = rtn_ws_send_text(rtn_connection_id(connection), "late");
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE,
                "ws %s: close id=%llu data=%s cause=%s code=%d reason=(%.*s) opened=%d late=%d detail=(%s)",
                probe->name, id_of(connection), name_of(peer), causes[how->cause], how->code, RTN_STR_ARG(how->reason),
                how->opened, late, how->detail != NULL ? how->detail : "");
    (void) leave(peer, probe, 0);
}

/* message */

/* A peer that has gone or does not read is no error of the handler. */
static int send_back(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length)
{
    int r = rtn_ws_send(rtn_connection_id(connection), type, data, length);
    return r > 0 || r == -ENOENT || r == -ENOTCONN || r == -ENOBUFS ? 0 : r;
}

static void say_who(rtn_connection *connection, struct ws_probe *probe, struct ws_text *out)
{
    ws_say(out, "id=%llu thread=%s peer=%s protocol=%s data=%s server=%s", id_of(connection), rtn_thread_name(),
           rtn_connection_peer(connection), rtn_ws_protocol(connection), name_of(rtn_connection_data(connection)),
           rtn_server_name(rtn_connection_server(connection)));
    (void) probe;
}

static void say_peak(rtn_connection *connection, struct ws_probe *probe, struct ws_text *out)
{
    (void) connection;
    ws_say(out, "%d", atomic_load(&probe->peak));
}

static void say_button(rtn_connection *connection, struct ws_probe *probe, struct ws_text *out)
{
    (void) connection;
    rtn_log(RTN_LOG_NOTICE, "ws %s: the button was pressed", probe->name);
    ws_say(out, "pressed");
}

static const struct {
    const char *name;
    void (*say)(rtn_connection *connection, struct ws_probe *probe, struct ws_text *out);
} questions[] = { { "!who", say_who }, { "!peak", say_peak }, { "!button", say_button } };

static int obey(rtn_connection *connection, struct ws_probe *probe, rtn_str text)
{
    struct ws_text out = { 0 };
    rtn_str rest = text;
    rtn_str first = ws_word(&rest);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (first.length == strlen(questions[i].name) && memcmp(first.data, questions[i].name, first.length) == 0)
            questions[i].say(connection, probe, &out);
    }
    if (first.length == 5 && memcmp(first.data, "!fail", 5) == 0)
        return -EIO;
    if (first.length == 6 && memcmp(first.data, "!sleep", 6) == 0) {
        int64_t pause = ws_number(rest);
        rtn_log(RTN_LOG_NOTICE, "ws %s: sleeps", probe->name);
        (void) nanosleep(&(struct timespec){ .tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000 }, NULL);
        ws_say(&out, "slept %lld", (long long) pause);
    }
    if (first.length == 6 && memcmp(first.data, "!until", 6) == 0) {
        char path[300];
        ws_take_word(&rest, path, sizeof(path));
        rtn_log(RTN_LOG_NOTICE, "ws %s: sleeps", probe->name);
        gate_pass(path);
        ws_say(&out, "slept");
    }
    if (first.length == 3 && memcmp(first.data, "!do", 3) == 0)
        ws_command(probe, rtn_connection_id(connection), rest, &out);
    int r = send_back(connection, RTN_WS_TEXT, out.data, out.length);
    free(out.data);
    return r;
}

static int echo(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    struct ws_peer *peer = enter(connection, instance);
    const char *text = data;
    int r = 0;
    if (type == RTN_WS_TEXT && length > 0 && text[0] == '!')
        r = obey(connection, instance, (rtn_str){ text, length });
    else
        r = send_back(connection, type, data, length);
    return leave(peer, instance, r);
}

static int tell(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    struct ws_probe *probe = instance;
    struct ws_peer *peer = enter(connection, probe);
    unsigned sum = 0;
    for (size_t i = 0; i < length; i++)
        sum = sum * 31 + ((const unsigned char *) data)[i];
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "ws %s: message id=%llu data=%s type=%d length=%zu sum=%u (%.*s)", probe->name,
                id_of(connection), name_of(peer), type, length, sum, length < TOLD ? (int) length : TOLD,
                (const char *) data);
    return leave(peer, probe, 0);
}

static int add_piece(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, bool last,
                     void *instance)
{
    struct ws_peer *peer = enter(connection, instance);
    struct ws_text out = { 0 };
    if (peer == NULL)
        return leave(peer, instance, -EINVAL);
    peer->pieces++;
    peer->bytes += length;
    for (size_t i = 0; i < length; i++)
        peer->sum = peer->sum * 31 + ((const unsigned char *) data)[i];
    if (!last)
        return leave(peer, instance, 0);
    ws_say(&out, "type=%d pieces=%zu bytes=%zu sum=%u", type, peer->pieces, peer->bytes, peer->sum);
    peer->pieces = peer->bytes = peer->sum = 0;
    int r = send_back(connection, RTN_WS_TEXT, out.data, out.length);
    free(out.data);
    return leave(peer, instance, r);
}

static int start(void *instance, rtn_server *server)
{
    struct ws_probe *probe = instance;
    probe->server = server;
    return ws_thread_start(probe);
}

static void quiesce(void *instance, rtn_server *server)
{
    struct ws_probe *probe = instance;
    uint64_t ids[100];
    size_t count = probe->farewell ? rtn_ws_connections(server, RTN_WS_ACCEPTED, ids, 100) : 0;
    for (size_t i = 0; i < count && i < 100; i++)
        (void) rtn_ws_send_text(ids[i], "good-bye");
}

static void stop(void *instance, rtn_server *server)
{
    (void) server;
    ws_thread_stop(instance);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct ws_probe, name, .name = "name", .fallback = "probe", .help = "Told in each line."),
    RTN_OPTION(BOOL, struct ws_probe, quiet, .name = "quiet", .help = "Calls are not told."),
    RTN_OPTION(BOOL, struct ws_probe, farewell, .name = "farewell", .help = "Sends good-bye at the end."),
    { 0 },
};

static const char *const protocols[] = { "best", "second", NULL };

#define ECHO(name_, threads_)                                                                               \
    {                                                                                                       \
        .name = (name_), .threads = (threads_), .protocols = protocols, .upgrade = upgrade, .open = opened, \
        .message = echo, .drain = drained, .close = closed                                                  \
    }
#define PIECES(name_, threads_)                                                                            \
    {                                                                                                      \
        .name = (name_), .threads = (threads_), .upgrade = upgrade, .open = opened, .fragment = add_piece, \
        .close = closed                                                                                    \
    }
#define CLIENT(name_, threads_)                                                                          \
    {                                                                                                    \
        .name = (name_), .threads = (threads_), .protocols = protocols, .open = opened, .message = tell, \
        .drain = drained, .close = closed                                                                \
    }

static const struct rtn_ws_handler ws_handlers[] = {
    ECHO("echo-loop", 0),
    ECHO("echo-serial", RTN_THREADS_SERIAL),
    ECHO("echo-parallel", RTN_THREADS_PARALLEL),
    PIECES("pieces-loop", 0),
    PIECES("pieces-serial", RTN_THREADS_SERIAL),
    PIECES("pieces-parallel", RTN_THREADS_PARALLEL),
    CLIENT("client-loop", 0),
    CLIENT("client-serial", RTN_THREADS_SERIAL),
    CLIENT("client-parallel", RTN_THREADS_PARALLEL),
    { .name = "bare" },
    { 0 },
};

static const struct rtn_module module = {
    .name = "ws_probe",
    .version = "1.0",
    .summary = "Tells each call of a WebSocket handler.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct ws_probe),
    .options = options,
    .http = ws_http_handlers,
    .websocket = ws_handlers,
    .start = start,
    .quiesce = quiesce,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
