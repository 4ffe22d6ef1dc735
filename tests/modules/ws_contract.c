/*
 * What the contract says about WebSocket handlers in places where it is easy to get wrong. Each row of the tables is
 * for one such place; the log tells what is called, and where.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <retinue/module.h>

#include "gate.h"

struct contract {
    const char *name;
    const char *connects; /* to this URL, from start */
    const char *until; /* what takes its time takes it until this file is there; NULL: as long as it says */
    bool fails; /* start does, after that */
    bool watches; /* with a thread of its own, from start to stop */
    rtn_server *server;
    pthread_t thread;
    atomic_bool ending;
};

static const char *where(void)
{
    return rtn_may_block() ? "worker" : "loop";
}

static void pause_for(int64_t ms)
{
    (void) nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void take_time(const struct contract *contract, int64_t ms)
{
    if (contract->until != NULL)
        gate_pass(contract->until);
    else
        pause_for(ms);
}

static void forgotten(void *data)
{
    rtn_log(RTN_LOG_NOTICE, "contract: destroy of %s on %s", (const char *) data, where());
}

/* HTTP */

static int plain(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_text(request, 200, "plain");
}

static int sleep_a_while(rtn_request *request, void *instance)
{
    rtn_str ms = rtn_query_value(request, "ms", 0);
    rtn_log(RTN_LOG_NOTICE, "contract: sleeps");
    take_time(instance, strtol(ms.data != NULL ? ms.data : "0", NULL, 10));
    return rtn_reply_text(request, 200, "slept");
}

static int say_body(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) request;
    (void) data;
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "contract: body of %zu", length);
    return RTN_DONE;
}

static long number(rtn_request *request, const char *name)
{
    rtn_str value = rtn_query_value(request, name, 0);
    return value.data != NULL ? strtol(value.data, NULL, 10) : 0;
}

/* Connects to a port of 127.0.0.1 and gives the socket to the daemon; says whether it has TCP_NODELAY then. */
static int adopt(rtn_request *request, void *instance)
{
    const struct contract *contract = instance;
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t) number(request, "port")),
                              .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
    int on = 0;
    socklen_t length = sizeof(on);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0)
        return -errno;
    int own = dup(fd);
    int r = rtn_adopt_socket(contract->server, fd);
    if (r == 0)
        (void) getsockopt(own, IPPROTO_TCP, TCP_NODELAY, &on, &length);
    (void) close(own);
    return r < 0 ? r : rtn_reply_text(request, 200, on ? "at once" : "delayed");
}

static int connect_with(const struct contract *contract, const struct rtn_ws_options *options)
{
    return rtn_ws_connect(contract->server, "ws://127.0.0.1:1/", options, "odd", (void *) (uintptr_t) contract, NULL);
}

/* What rtn_ws_connect() makes of odd options. */
static int odd_options(rtn_request *request, void *instance)
{
    const struct contract *contract = instance;
    const struct rtn_ws_options unsized = { .reconnect = 1000 };
    const struct rtn_ws_options huge = { .struct_size = sizeof(huge),
                                         .reconnect = INT64_MAX,
                                         .reconnect_max = INT64_MAX,
                                         .connect_timeout = INT64_MAX,
                                         .ping = INT64_MAX,
                                         .pong = INT64_MAX,
                                         .message = INT64_MAX,
                                         .backlog = INT64_MAX };
    const struct rtn_ws_options no_socket = { .struct_size = sizeof(no_socket), .connected = true, .fd = -1 };
    return rtn_reply_format(
        request, 200, "unsized=%s huge=%s none=%s socket=%s", strerrorname_np(-connect_with(contract, &unsized)),
        strerrorname_np(-connect_with(contract, &huge)), strerrorname_np(-connect_with(contract, NULL)),
        strerrorname_np(-connect_with(contract, &no_socket)));
}

/* The names of all causes, and of what is none before and behind them. */
static int name_causes(rtn_request *request, void *instance)
{
    char text[200] = "";
    size_t length = 0;
    (void) instance;
    for (int i = -1; i <= RTN_CLOSE_BACKLOG + 1; i++)
        length += (size_t) snprintf(text + length, sizeof(text) - length, "%s ",
                                    rtn_close_cause_name((enum rtn_close_cause) i));
    return rtn_reply(request, 200, text, length - 1);
}

/* WebSocket */

static int null_text(rtn_request *request, const struct contract *contract)
{
    (void) contract;
    return rtn_ws_send_text(rtn_connection_id(rtn_request_connection(request)), NULL);
}

static int null_many(rtn_request *request, const struct contract *contract)
{
    (void) request;
    (void) contract;
    return (int) rtn_ws_send_many(NULL, 3, RTN_WS_TEXT, "x", 1, NULL);
}

static int null_choice(rtn_request *request, const struct contract *contract)
{
    (void) contract;
    return rtn_ws_choose_protocol(request, NULL);
}

static int null_topic(rtn_request *request, const struct contract *contract)
{
    (void) contract;
    return rtn_subscribe(rtn_connection_id(rtn_request_connection(request)), NULL);
}

static int null_topic_left(rtn_request *request, const struct contract *contract)
{
    (void) contract;
    return rtn_unsubscribe(rtn_connection_id(rtn_request_connection(request)), NULL);
}

static int null_topic_told(rtn_request *request, const struct contract *contract)
{
    (void) request;
    (void) contract;
    return rtn_publish(NULL, RTN_WS_TEXT, "x", 1, 0);
}

static int null_url(rtn_request *request, const struct contract *contract)
{
    (void) request;
    return rtn_ws_connect(contract->server, NULL, NULL, "odd", (void *) (uintptr_t) contract, NULL);
}

static int null_handler(rtn_request *request, const struct contract *contract)
{
    (void) request;
    return rtn_ws_connect(contract->server, "ws://127.0.0.1:1/", NULL, NULL, (void *) (uintptr_t) contract, NULL);
}

static int null_server(rtn_request *request, const struct contract *contract)
{
    (void) request;
    return rtn_ws_connect(NULL, "ws://127.0.0.1:1/", NULL, "odd", (void *) (uintptr_t) contract, NULL);
}

static const struct {
    const char *name;
    int (*call)(rtn_request *request, const struct contract *contract);
} null_calls[] = {
    { "text", null_text },
    { "many", null_many },
    { "choice", null_choice },
    { "subscribe", null_topic },
    { "unsubscribe", null_topic_left },
    { "publish", null_topic_told },
    { "url", null_url },
    { "handler", null_handler },
    { "server", null_server },
};

/* In an upgrade, where all of the functions may be called. */
static int call_with_null(rtn_request *request, void *instance)
{
    char text[300] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof(null_calls) / sizeof(null_calls[0]); i++)
        length += (size_t) snprintf(text + length, sizeof(text) - length, "%s=%s ", null_calls[i].name,
                                    strerrorname_np(-null_calls[i].call(request, instance)));
    return rtn_reply(request, 200, text, length - 1);
}

static int upgrade(rtn_request *request, void *instance)
{
    (void) instance;
    static const struct rtn_cookie cookie = { .struct_size = sizeof(cookie), .name = "taste", .value = "sweet" };
    static char data[] = "the request's data";
    rtn_request_set_data(request, data, forgotten);
    int r = rtn_reply_cookie(request, &cookie);
    return r < 0 ? r : RTN_DONE;
}

static void cancelled(void *data)
{
    rtn_log(RTN_LOG_NOTICE, "contract: cancel of %s on %s", (const char *) data, where());
}

static int never(rtn_request *request, void *instance)
{
    static char data[] = "the upgrade";
    (void) instance;
    (void) rtn_request_later(request, cancelled, data);
    rtn_log(RTN_LOG_NOTICE, "contract: upgrade waits");
    return RTN_LATER;
}

/* Passes on what it has left something on. */
static int pass(rtn_request *request, void *instance)
{
    static char data[] = "what passed";
    (void) instance;
    int r = rtn_connection_set_data(rtn_request_connection(request), data, forgotten);
    (void) rtn_reply_header(request, "X-Passed", "yes");
    return r < 0 ? r : RTN_NEXT;
}

/* Says no by the way that the query names. */
static int refuse(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_str by = rtn_query_value(request, "by", 0);
    if (by.length == 4 && memcmp(by.data, "file", 4) == 0)
        return rtn_reply_file(request, "/proc/self/cmdline");
    if (by.length == 6 && memcmp(by.data, "pieces", 6) == 0) {
        (void) rtn_reply_begin(request, 403, -1);
        (void) rtn_reply_write(request, "in ", 3);
        return rtn_reply_write(request, "pieces", 6);
    }
    if (by.length == 6 && memcmp(by.data, "events", 6) == 0) {
        (void) rtn_reply_events(request);
        return rtn_reply_event(request, NULL, NULL, "no");
    }
    return rtn_reply_redirect(request, 307, "/elsewhere");
}

static int greet(rtn_connection *connection, void *instance)
{
    (void) instance;
    return rtn_ws_send_text(rtn_connection_id(connection), "welcome") < 0 ? -EIO : 0;
}

static int fail_late(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    (void) connection;
    (void) type;
    (void) data;
    (void) length;
    rtn_log(RTN_LOG_NOTICE, "contract: is about to fail");
    take_time(instance, 500);
    return -EIO;
}

static int take(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    (void) type;
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "contract: message (%.*s) from %s", (int) (length < 20 ? length : 20), (const char *) data,
            rtn_connection_peer(connection));
    return 0;
}

/* Closes with the first message. */
static int close_at_once(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                         void *instance)
{
    (void) take(connection, type, data, length, instance);
    (void) rtn_ws_close(rtn_connection_id(connection), 1000, "enough");
    return 0;
}

static void closed(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    const struct contract *contract = instance;
    const char *data = rtn_connection_data(connection);
    rtn_log(RTN_LOG_NOTICE, "contract: close cause=%d code=%d opened=%d peer=%s data=%s on %s of %s", how->cause,
            how->code, how->opened, rtn_connection_peer(connection), data != NULL ? data : "none", where(),
            contract->name);
}

static void closed_slowly(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    rtn_log(RTN_LOG_NOTICE, "contract: slow close");
    pause_for(1000);
    closed(connection, how, instance);
}

static void connection_closed(rtn_connection *connection, enum rtn_close_cause cause, const char *detail,
                              void *instance)
{
    (void) connection;
    (void) detail;
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "contract: connection_closed cause=%d", cause);
}

/* Life */

static void *watch(void *data)
{
    struct contract *contract = data;
    while (!atomic_load(&contract->ending)) {
        (void) rtn_ws_connections(contract->server, RTN_WS_ACCEPTED | RTN_WS_OUTGOING, NULL, 0);
        (void) rtn_publish("topic", RTN_WS_TEXT, "x", 1, 0);
        pause_for(1);
    }
    return NULL;
}

static int start(void *instance, rtn_server *server)
{
    static char data[] = "the order's data";
    struct contract *contract = instance;
    contract->server = server;
    const struct rtn_ws_options options = { .struct_size = sizeof(options), .data = data, .destroy = forgotten };
    if (contract->connects != NULL && rtn_ws_connect(server, contract->connects, &options, "peer", contract, NULL) < 0)
        return -EIO;
    if (contract->fails)
        return -EIO;
    return contract->watches ? -pthread_create(&contract->thread, NULL, watch, contract) : 0;
}

static void stop(void *instance, rtn_server *server)
{
    struct contract *contract = instance;
    (void) server;
    atomic_store(&contract->ending, true);
    if (contract->watches)
        (void) pthread_join(contract->thread, NULL);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct contract, name, .name = "name", .fallback = "it", .help = "Told in some lines."),
    RTN_OPTION(STRING, struct contract, connects, .name = "connects", .help = "URL to connect to."),
    RTN_OPTION(PATH, struct contract, until, .name = "until", .help = "A file that slow ones wait for."),
    RTN_OPTION(BOOL, struct contract, fails, .name = "fails", .help = "start fails."),
    RTN_OPTION(BOOL, struct contract, watches, .name = "watches", .help = "Runs a thread."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "post", .handle = plain, .methods = RTN_METHOD_POST },
    { .name = "pieces", .handle = plain, .body = say_body },
    { .name = "adopted", .handle = plain },
    { .name = "sleep", .handle = sleep_a_while, .threads = RTN_THREADS_PARALLEL },
    { .name = "adopt", .handle = adopt },
    { .name = "odd", .handle = odd_options },
    { .name = "causes", .handle = name_causes },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "post", .open = greet },
    { .name = "pieces", .open = greet },
    { .name = "greet", .open = greet, .message = take, .close = closed },
    { .name = "data-loop", .upgrade = upgrade, .message = take, .close = closed },
    { .name = "data-serial", .upgrade = upgrade, .message = take, .close = closed, .threads = RTN_THREADS_SERIAL },
    { .name = "refuse-loop", .upgrade = refuse },
    { .name = "refuse-serial", .upgrade = refuse, .threads = RTN_THREADS_SERIAL },
    { .name = "never-loop", .upgrade = never, .close = closed },
    { .name = "never-serial", .upgrade = never, .close = closed, .threads = RTN_THREADS_SERIAL },
    { .name = "pass", .upgrade = pass },
    { .name = "fail", .message = fail_late, .close = closed, .threads = RTN_THREADS_PARALLEL },
    { .name = "take", .message = take, .close = closed, .threads = RTN_THREADS_PARALLEL },
    { .name = "close-loop", .message = close_at_once, .close = closed },
    { .name = "peer", .message = take, .close = closed, .threads = RTN_THREADS_PARALLEL },
    { .name = "odd", .message = take },
    { .name = "nulls", .upgrade = call_with_null },
    { .name = "slow-close", .close = closed_slowly, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "ws_contract",
    .summary = "For tests of what WebSocket handlers are promised.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct contract),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
    .start = start,
    .stop = stop,
    .connection_closed = connection_closed,
};
RTN_REGISTER_MODULE(module)
