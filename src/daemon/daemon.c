/*
 * The order of life: configuration, log, modules and routes, listeners, ready hooks, threads, READY=1, run, drain,
 * stop. Each step is taken for every server before the next one begins, so that nothing is half-started; all
 * problems of a step are reported together.
 *
 * Stopping: the first SIGTERM or SIGINT drains every server; after `shutdown_timeout` what is left is closed;
 * handlers that do not come back are named and left behind. A second signal ends the process at once.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/media.h"
#include "app/stopping.h"
#include "base/clock.h"
#include "daemon/log_check.h"
#include "daemon/notify.h"
#include "server/server.h"

#define ABORT_SECONDS 0.5 /* for loops to close what is left */
#define LAST_LINES_MS 200 /* for the access logs of a daemon that has to end at once */
#define STOP_MS 2000 /* for all threads to end when no task is left */

struct rtn_daemon {
    struct rtn_config *config;
    struct rtn_diags diags;
    struct rtn_log *log;
    _Atomic int log_level;
    struct rtn_log_writers writers; /* of access logs */
    struct rtn_log_context log_context;
    struct rtn_modules *modules;
    struct rtn_activation activation;
    struct rtn_media *media;
    struct rtn_server_host host;
    struct rtn_server **servers;
    size_t server_count;
    struct ev_loop *ev;
    struct rtn_mailbox mailbox;
    struct ev_signal signals[4];
    struct ev_timer deadline;
    size_t undrained;
    bool stopping;
    bool aborted;
};

/* Prints and forgets what has gathered. True when there was no error. */
static bool report(struct rtn_diags *diags)
{
    bool good = diags->errors == 0;
    if (diags->count > 0) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        rtn_diags_render(diags, &text, isatty(STDERR_FILENO) != 0);
        fputs(text.data, stderr);
    }
    rtn_diags_done(diags);
    return good;
}

/* The configuration is wrong: looks at what its modules have to say, too. */
static void check_modules(struct rtn_daemon *daemon)
{
    const struct rtn_schema_array *servers = &daemon->config->servers;
    if (daemon->config->daemon.modules.count == 0 ||
        rtn_modules_new(&daemon->config->daemon.modules, &daemon->modules) < 0)
        return;
    for (size_t i = 0; i < servers->count; i++)
        rtn_server_check_modules(&((const struct rtn_config_server *) servers->items)[i], daemon->modules,
                                 &daemon->diags);
}

static bool load(struct rtn_daemon *daemon, const char *path)
{
    if (rtn_config_load(path, &daemon->config, &daemon->diags) < 0)
        check_modules(daemon);
    return report(&daemon->diags);
}

/* An error that no line of the configuration can show better than the one it is about. */
static void report_log(struct rtn_daemon *daemon, int r)
{
    const struct rtn_config_log *config = &daemon->config->daemon.log;
    if (r < 0)
        rtn_diags_error(&daemon->diags, rtn_schema_mark(config->node, "to"), "cannot write the log%s%s: %s",
                        config->path != NULL ? " to " : "", config->path != NULL ? config->path : "", strerror(-r));
}

static bool open_log(struct rtn_daemon *daemon)
{
    const struct rtn_config_log *config = &daemon->config->daemon.log;
    const struct rtn_log_options options = { .to = (enum rtn_log_to) config->to,
                                             .path = config->path,
                                             .format = (enum rtn_log_format) config->format };
    report_log(daemon, rtn_log_new(&options, &daemon->log));
    if (!report(&daemon->diags))
        return false;
    atomic_store(&daemon->log_level, config->level);
    daemon->log_context = (struct rtn_log_context){ .log = daemon->log, .thread = "main", .level = &daemon->log_level };
    rtn_log_set_context(&daemon->log_context);
    return true;
}

static void on_server_closed(struct rtn_server *server, void *data)
{
    (void) data;
    rtn_log(RTN_LOG_INFO, "server \"%s\": accepts no more", server->config->name);
}

static void on_server_drained(struct rtn_server *server, void *data)
{
    struct rtn_daemon *daemon = data;
    rtn_log(RTN_LOG_INFO, "server \"%s\": all connections have ended", server->config->name);
    if (--daemon->undrained == 0)
        ev_break(daemon->ev, EVBREAK_ALL);
}

/* Modules, instances, routes. */
static bool make_servers(struct rtn_daemon *daemon)
{
    const struct rtn_schema_array *configs = &daemon->config->servers;
    if (rtn_modules_new(&daemon->config->daemon.modules, &daemon->modules) < 0)
        return false;
    daemon->media = rtn_media_new(daemon->config->daemon.media_types);
    if (daemon->media == NULL)
        return false;
    daemon->host = (struct rtn_server_host){ .log = daemon->log,
                                             .log_level = &daemon->log_level,
                                             .writers = &daemon->writers,
                                             .modules = daemon->modules,
                                             .media = daemon->media,
                                             .activation = &daemon->activation,
                                             .mailbox = &daemon->mailbox,
                                             .closed = on_server_closed,
                                             .drained = on_server_drained,
                                             .data = daemon };
    daemon->servers = calloc(configs->count, sizeof(struct rtn_server *));
    if (daemon->servers == NULL)
        return false;
    unsigned loops = 0;
    for (size_t i = 0; i < configs->count; i++) {
        const struct rtn_config_server *config = &((const struct rtn_config_server *) configs->items)[i];
        struct rtn_server *server = rtn_server_new(config, &daemon->host, &daemon->diags);
        if (server != NULL) {
            server->first_loop = loops;
            loops += (unsigned) config->loops;
            daemon->servers[daemon->server_count++] = server;
        } else if (daemon->diags.errors == 0)
            rtn_diags_error(&daemon->diags, rtn_schema_mark(config->node, NULL), "server \"%s\": memory is out",
                            config->name);
    }
    return report(&daemon->diags);
}

static bool listen_all(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        (void) rtn_server_listen(daemon->servers[i], &daemon->diags);
    return report(&daemon->diags);
}

static bool ready_all(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        (void) rtn_server_ready(daemon->servers[i], &daemon->diags);
    return report(&daemon->diags);
}

static bool start_writers(struct rtn_daemon *daemon)
{
    int r = rtn_log_writers_start(&daemon->writers);
    if (r < 0)
        rtn_log(RTN_LOG_ERROR, "cannot start the thread of an access log: %s", strerror(-r));
    return r == 0;
}

/* After all that writes lines. False when a file takes nothing any more; the log says what was lost. */
static bool stop_writers(struct rtn_daemon *daemon, int64_t ms)
{
    if (!rtn_log_writers_stop(&daemon->writers, ms))
        return false;
    rtn_log_writers_done(&daemon->writers);
    return true;
}

static bool start_all(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++) {
        if (rtn_server_start(daemon->servers[i]) == 0)
            continue;
        while (i-- > 0)
            (void) rtn_server_stop(daemon->servers[i], rtn_clock_ms() + STOP_MS);
        return false;
    }
    return true;
}

/* As many descriptors as the system lets us have: limits.connections is the bound that is meant. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void announce(struct rtn_daemon *daemon)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf names = { 0 };
    for (size_t i = 0; i < daemon->server_count; i++) {
        const struct rtn_server *server = daemon->servers[i];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf line = { 0 };
        rtn_server_describe(server, &line);
        rtn_log(RTN_LOG_NOTICE, "%s", line.data);
        rtn_buf_printf(&names, "%s%s", i > 0 ? ", " : "", server->config->name);
        for (size_t j = 0; j < server->listener_count; j++)
            rtn_buf_printf(&names, " %s", server->listeners[j]->text);
    }
    rtn_notify("READY=1\nSTATUS=serving %s", names.data);
    rtn_log(RTN_LOG_NOTICE, "retinued %s is ready", RTN_VERSION);
}

static const char *signal_name(int number)
{
    return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

static void end_at_once(struct rtn_daemon *daemon, int signal_number)
{
    rtn_log(RTN_LOG_WARN, "%s again: ends at once", signal_name(signal_number));
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_stop_listeners(daemon->servers[i]);
    (void) rtn_log_writers_stop(&daemon->writers, LAST_LINES_MS);
    _exit(128 + signal_number);
}

static void on_deadline(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    struct rtn_daemon *daemon = timer->data;
    if (daemon->aborted) {
        ev_break(ev, EVBREAK_ALL);
        return;
    }
    daemon->aborted = true;
    rtn_log(RTN_LOG_WARN, "shutdown_timeout has passed: closes what is left");
    for (size_t i = 0; i < daemon->server_count; i++) {
        if (!daemon->servers[i]->drained)
            rtn_server_abort(daemon->servers[i]);
    }
    ev_timer_set(timer, ABORT_SECONDS, 0.);
    ev_timer_start(ev, timer);
}

static void stop(struct rtn_daemon *daemon, int signal_number)
{
    if (daemon->stopping)
        end_at_once(daemon, signal_number);
    daemon->stopping = true;
    rtn_stopping_begin();
    rtn_notify("STOPPING=1\nSTATUS=finishing what runs");
    int64_t timeout = daemon->config->daemon.shutdown_timeout;
    char text[RTN_FORMAT_MAX];
    rtn_log(RTN_LOG_NOTICE, "%s: stops; waits up to %s for what runs", signal_name(signal_number),
            rtn_format_duration(text, timeout));
    daemon->undrained = daemon->server_count;
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_drain(daemon->servers[i]);
    ev_timer_init(&daemon->deadline, on_deadline, (double) timeout / 1e3, 0.);
    daemon->deadline.data = daemon;
    ev_timer_start(daemon->ev, &daemon->deadline);
}

/* The access logs are opened by their own threads, which tell how it went. */
static void reopen_logs(struct rtn_daemon *daemon)
{
    rtn_log_writers_reopen(&daemon->writers);
    int r = rtn_log_reopen(daemon->log);
    if (r < 0)
        rtn_log(RTN_LOG_ERROR, "cannot open the log again, the old file stays in use: %s", strerror(-r));
    else
        rtn_log(RTN_LOG_INFO, "the log was opened again");
}

static void on_signal(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    (void) ev;
    (void) events;
    struct rtn_daemon *daemon = watcher->data;
    if (watcher->signum == SIGUSR1)
        reopen_logs(daemon);
    else if (watcher->signum == SIGHUP)
        rtn_log(RTN_LOG_WARN, "SIGHUP: the configuration is read at start only; restart to change it");
    else
        stop(daemon, watcher->signum);
}

static void watch_signals(struct rtn_daemon *daemon)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 }; /* the first two stop: see stop_all */
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(numbers); i++) {
        ev_signal_init(&daemon->signals[i], on_signal, numbers[i]);
        daemon->signals[i].data = daemon;
        ev_signal_start(daemon->ev, &daemon->signals[i]);
    }
}

static bool make_loop(struct rtn_daemon *daemon)
{
    signal(SIGPIPE, SIG_IGN);
    daemon->ev = ev_default_loop(EVFLAG_NOENV);
    if (daemon->ev == NULL) {
        fprintf(stderr, "retinued: cannot make an event loop: %m\n");
        return false;
    }
    rtn_mailbox_init(&daemon->mailbox, daemon->ev);
    watch_signals(daemon);
    return true;
}

/*
 * False when a handler has not come back: the process must then end without touching anything it may use. From here
 * on nobody listens to a second signal, so it does what it does by default: it ends the process.
 */
static bool stop_all(struct rtn_daemon *daemon)
{
    ev_signal_stop(daemon->ev, &daemon->signals[0]);
    ev_signal_stop(daemon->ev, &daemon->signals[1]);
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_stop_listeners(daemon->servers[i]);
    int64_t deadline_ms = rtn_clock_ms() + STOP_MS;
    bool clean = true;
    for (size_t i = 0; i < daemon->server_count; i++)
        clean = rtn_server_stop(daemon->servers[i], deadline_ms) && clean;
    return stop_writers(daemon, STOP_MS) && clean;
}

static void done(struct rtn_daemon *daemon)
{
    /* What is still in the mailbox belongs to servers. */
    if (daemon->ev != NULL)
        rtn_mailbox_done(&daemon->mailbox);
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_free(daemon->servers[i]);
    free(daemon->servers);
    rtn_modules_free(daemon->modules);
    rtn_media_free(daemon->media);
    rtn_activation_done(&daemon->activation);
    (void) stop_writers(daemon, STOP_MS);
    rtn_log_set_context(NULL);
    rtn_log_free(daemon->log);
    rtn_config_free(daemon->config);
    rtn_diags_done(&daemon->diags);
    if (daemon->ev == NULL)
        return;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(daemon->signals); i++)
        ev_signal_stop(daemon->ev, &daemon->signals[i]);
    ev_timer_stop(daemon->ev, &daemon->deadline);
    ev_loop_destroy(daemon->ev);
}

static int serve(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_open(daemon->servers[i]);
    announce(daemon);
    ev_run(daemon->ev, 0);
    bool clean = stop_all(daemon);
    rtn_log(RTN_LOG_NOTICE, "goodbye");
    if (!clean)
        _exit(RTN_EXIT_OK);
    return RTN_EXIT_OK;
}

int rtn_daemon_run(const char *config_path)
{
    struct rtn_daemon daemon = { 0 };
    int status = RTN_EXIT_FAILURE;
    raise_descriptor_limit();
    int r = rtn_activation_read(&daemon.activation);
    if (r < 0)
        fprintf(stderr, "retinued: the sockets of the service manager cannot be used: %s\n", strerror(-r));
    else if (load(&daemon, config_path) && open_log(&daemon) && make_loop(&daemon) && make_servers(&daemon) &&
             listen_all(&daemon) && ready_all(&daemon) && start_writers(&daemon) && start_all(&daemon))
        status = serve(&daemon);
    done(&daemon);
    return status;
}

static bool check_log(struct rtn_daemon *daemon)
{
    report_log(daemon, rtn_log_check(&daemon->config->daemon.log));
    return report(&daemon->diags);
}

/* Each address alone, to see whether others use it; then all together, to see whether they get in each other's way. */
static bool check_listen(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_check_listen(daemon->servers[i], &daemon->diags);
    for (size_t i = 0; i < daemon->server_count && daemon->diags.count == 0; i++)
        rtn_server_check_listen_together(daemon->servers[i], &daemon->diags);
    return report(&daemon->diags);
}

int rtn_daemon_check(const char *config_path)
{
    struct rtn_daemon daemon = { 0 };
    bool good = load(&daemon, config_path) && check_log(&daemon) && make_servers(&daemon) && check_listen(&daemon) &&
                ready_all(&daemon);
    size_t routes = 0;
    for (size_t i = 0; i < daemon.server_count; i++)
        routes += daemon.servers[i]->route_count;
    if (good)
        printf("%s: good: %zu server%s, %zu route%s\n", config_path, daemon.server_count,
               daemon.server_count == 1 ? "" : "s", routes, routes == 1 ? "" : "s");
    done(&daemon);
    return good ? RTN_EXIT_OK : RTN_EXIT_FAILURE;
}
