/*
 * Every callback of a line handler, in the three thread models. loop, serial, parallel: send back what comes, and do
 * what lines that begin with ! say (line_command.c). bare: takes lines and drops them. The log tells each call.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_probe.h"

#define TOLD 100 /* bytes of a line */

static void free_data(void *data)
{
    struct line_data *kept = data;
    rtn_log(RTN_LOG_NOTICE, "line %s: destroy data=%s", kept->probe->name, kept->text);
    free(kept);
}

int line_keep(rtn_connection *connection, struct line_probe *probe, rtn_str text)
{
    struct line_data *kept = calloc(1, sizeof(*kept));
    if (kept == NULL)
        return -ENOMEM;
    kept->probe = probe;
    (void) snprintf(kept->text, sizeof(kept->text), "%.*s", RTN_STR_ARG(text));
    return rtn_connection_set_data(connection, kept, free_data);
}

/* Around each callback. Two for one connection at once are never right. */
static struct line_data *enter(rtn_connection *connection, struct line_probe *probe)
{
    struct line_data *kept = rtn_connection_data(connection);
    if (kept != NULL && atomic_fetch_add(&kept->inside, 1) != 0)
        rtn_log(RTN_LOG_ERROR, "line %s: two at once", probe->name);
    return kept;
}

static void leave(struct line_data *kept)
{
    if (kept != NULL)
        atomic_fetch_sub(&kept->inside, 1);
}

static unsigned long long id_of(const rtn_connection *connection)
{
    return (unsigned long long) rtn_connection_id(connection);
}

static int opened(rtn_connection *connection, void *instance)
{
    struct line_probe *probe = instance;
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "line %s: open id=%llu peer=%s server=%s thread=%s", probe->name, id_of(connection),
                rtn_connection_peer(connection), rtn_server_name(rtn_connection_server(connection)), rtn_thread_name());
    if (probe->fail_open)
        return -EIO;
    if (probe->hello)
        return rtn_line_send_format(rtn_connection_id(connection), "hello %llu", id_of(connection));
    return 0;
}

static int take(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    struct line_probe *probe = instance;
    struct line_data *kept = enter(connection, probe);
    if (line[length] != '\0')
        rtn_log(RTN_LOG_ERROR, "line %s: no NUL behind the line", probe->name);
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "line %s: line id=%llu length=%zu thread=%s (%.*s)", probe->name, id_of(connection),
                length, rtn_thread_name(), length < TOLD ? (int) length : TOLD, line);
    int r = 0;
    if (length > 0 && line[0] == '!')
        r = line_command(probe, connection, (rtn_str){ line, length });
    else
        r = rtn_line_send(rtn_connection_id(connection), line, length);
    leave(kept != NULL && rtn_connection_data(connection) == kept ? kept : NULL);
    return r == -ENOENT || r == -ENOBUFS ? 0 : r;
}

static int drop(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) connection;
    (void) line;
    (void) length;
    (void) instance;
    return 0;
}

static void drained(rtn_connection *connection, void *instance)
{
    struct line_probe *probe = instance;
    struct line_data *kept = enter(connection, probe);
    rtn_log(RTN_LOG_NOTICE, "line %s: drain id=%llu thread=%s", probe->name, id_of(connection), rtn_thread_name());
    leave(kept);
}

static void closed(rtn_connection *connection, const struct rtn_line_closed *how, void *instance)
{
    struct line_probe *probe = instance;
    struct line_data *kept = enter(connection, probe);
    if (rtn_line_send_text(rtn_connection_id(connection), "too late") != -ENOENT)
        rtn_log(RTN_LOG_ERROR, "line %s: sent after the end", probe->name);
    if (!probe->quiet)
        rtn_log(RTN_LOG_NOTICE, "line %s: close id=%llu cause=%s size=%zu data=%s thread=%s detail=%s", probe->name,
                id_of(connection), rtn_close_cause_name(how->cause), how->struct_size, kept != NULL ? kept->text : "",
                rtn_thread_name(), how->detail != NULL ? how->detail : "");
    leave(kept);
    if (probe->ends_daemon)
        rtn_shutdown();
}

/* Never called: the lines of a connection are no requests. */
static void connection_closed(rtn_connection *connection, enum rtn_close_cause cause, const char *detail,
                              void *instance)
{
    struct line_probe *probe = instance;
    (void) connection;
    (void) cause;
    (void) detail;
    rtn_log(RTN_LOG_ERROR, "line %s: connection_closed", probe->name);
}

static int start(void *instance, rtn_server *server)
{
    struct line_probe *probe = instance;
    probe->server = server;
    return 0;
}

static void quiesce(void *instance, rtn_server *server)
{
    struct line_probe *probe = instance;
    uint64_t ids[100];
    size_t count = probe->farewell ? rtn_line_connections(server, ids, 100) : 0;
    for (size_t i = 0; i < count && i < 100; i++)
        (void) rtn_line_send_text(ids[i], "good-bye");
}

static void stop(void *instance, rtn_server *server)
{
    (void) server;
    line_threads_join(instance);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct line_probe, name, .name = "name", .fallback = "probe", .help = "Told in each line."),
    RTN_OPTION(BOOL, struct line_probe, quiet, .name = "quiet", .help = "Opens, lines and ends are not told."),
    RTN_OPTION(BOOL, struct line_probe, hello, .name = "hello", .help = "Says hello when it opens."),
    RTN_OPTION(BOOL, struct line_probe, farewell, .name = "farewell", .help = "Sends good-bye at the end."),
    RTN_OPTION(BOOL, struct line_probe, fail_open, .name = "fail_open", .help = "Open fails."),
    RTN_OPTION(BOOL, struct line_probe, ends_daemon, .name = "ends_daemon", .help = "The first end ends the daemon."),
    { 0 },
};

#define ALL(name_, threads_)                                                                                    \
    {                                                                                                           \
        .name = (name_), .threads = (threads_), .open = opened, .line = take, .drain = drained, .close = closed \
    }

static const struct rtn_line_handler line_handlers[] = {
    ALL("loop", 0),
    ALL("serial", RTN_THREADS_SERIAL),
    ALL("parallel", RTN_THREADS_PARALLEL),
    { .name = "bare", .line = drop },
    { 0 },
};

static const struct rtn_module module = {
    .name = "line_probe",
    .version = "1",
    .summary = "Every callback of a line handler.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct line_probe),
    .options = options,
    .line = line_handlers,
    .connection_closed = connection_closed,
    .start = start,
    .quiesce = quiesce,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
