/*
 * The order of life: configuration, log, modules and routes, listeners, ready hooks, threads, READY=1, run, drain,
 * stop. Each step is taken for every server before the next one begins, so that nothing is half-started; all
 * problems of a step are reported together. The steps of the servers are in daemon_servers.c, stopping in
 * daemon_stop.c. At the end, handlers that do not come back are named and left behind.
 */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/control_socket.h"
#include "daemon/daemon_state.h"
#include "daemon/fdstore.h"
#include "daemon/log_check.h"
#include "daemon/watch.h"
#include "daemon/watchdog.h"
#include "net/resolver.h"

#define RESOLVER_MS 100 /* a lookup that takes longer is left behind */

bool rtn_daemon_report(struct rtn_daemon *daemon)
{
    struct rtn_diags *diags = &daemon->diags;
    bool good = diags->errors == 0;
    if (diags->count > 0 && !daemon->quiet) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
        rtn_diags_render(diags, &text, isatty(STDERR_FILENO) != 0);
        fputs(text.data, stderr);
    }
    rtn_diags_done(diags);
    return good;
}

static bool load(struct rtn_daemon *daemon, const char *path)
{
    struct rtn_config *config = NULL;
    int r = rtn_config_load(path, &config, &daemon->diags);
    if (rtn_generation_new(config, NULL, &daemon->generation) < 0)
        return false;
    if (r < 0)
        rtn_daemon_servers_check_modules(daemon);
    return rtn_daemon_report(daemon);
}

/* An error that no line of the configuration can show better than the one it is about. */
static void report_log(struct rtn_daemon *daemon, int r)
{
    const struct rtn_config_log *config = &daemon->generation->config->daemon.log;
    if (r < 0)
        rtn_diags_error(&daemon->diags, rtn_schema_mark(config->node, "to"), "cannot write the log%s%s: %s",
                        config->path != NULL ? " to " : "", config->path != NULL ? config->path : "", strerror(-r));
}

static bool open_log(struct rtn_daemon *daemon)
{
    const struct rtn_config_log *config = &daemon->generation->config->daemon.log;
    const struct rtn_log_options options = { .to = (enum rtn_log_to) config->to,
                                             .path = config->path,
                                             .format = (enum rtn_log_format) config->format };
    report_log(daemon, rtn_log_new(&options, &daemon->log));
    if (!rtn_daemon_report(daemon))
        return false;
    atomic_store(&daemon->log_level, config->level);
    daemon->log_context = (struct rtn_log_context){ .log = daemon->log, .thread = "main", .level = &daemon->log_level };
    rtn_log_set_context(&daemon->log_context);
    rtn_log_set_default(&daemon->log_context);
    rtn_daemon_stats_begin(daemon);
    return true;
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

/* As many descriptors as the system lets us have: limits.connections is the bound that is meant. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
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
    rtn_daemon_stalls_init();
    rtn_daemon_stalls_watch(daemon);
    rtn_daemon_signals_watch(daemon);
    return true;
}

static void done(struct rtn_daemon *daemon)
{
    rtn_control_socket_done(daemon);
    rtn_daemon_reloads_done(daemon);
    /* What is still in the mailbox belongs to servers. */
    rtn_daemon_stalls_done(daemon);
    if (daemon->ev != NULL)
        rtn_mailbox_done(&daemon->mailbox);
    rtn_daemon_servers_free(daemon);
    rtn_daemon_stop_done(daemon);
    rtn_wiring_free(daemon->wiring);
    rtn_hub_free(daemon->hub);
    rtn_resolver_free(daemon->resolver, RESOLVER_MS);
    rtn_activation_done(&daemon->activation);
    (void) stop_writers(daemon, RTN_DAEMON_STOP_MS);
    rtn_daemon_stats_end(daemon);
    rtn_log_set_default(NULL);
    rtn_log_set_context(NULL);
    rtn_log_free(daemon->log);
    rtn_generation_unref(daemon->generation);
    rtn_diags_done(&daemon->diags);
    if (daemon->ev == NULL)
        return;
    rtn_daemon_signals_done(daemon);
    ev_loop_destroy(daemon->ev);
}

static int serve(struct rtn_daemon *daemon)
{
    rtn_daemon_servers_open(daemon);
    rtn_daemon_stats_look(daemon);
    rtn_watch_update(daemon);
    rtn_fdstore_update(daemon);
    rtn_watchdog_start(daemon);
    rtn_control_socket_start(daemon);
    rtn_daemon_servers_announce(daemon);
    ev_run(daemon->ev, 0);
    rtn_daemon_generations_done(daemon);
    rtn_watch_done(daemon);
    rtn_watchdog_stop(daemon);
    rtn_control_socket_done(daemon);
    rtn_daemon_signals_let_end(daemon);
    bool clean = rtn_daemon_stop_end(daemon);
    clean = stop_writers(daemon, RTN_DAEMON_STOP_MS) && clean;
    rtn_log(RTN_LOG_NOTICE, "goodbye");
    if (!clean)
        _exit(RTN_EXIT_OK);
    return RTN_EXIT_OK;
}

/* As it is, since a thread may use anything of it. */
static void leave(struct rtn_daemon *daemon, int status)
{
    rtn_daemon_servers_listen_stop(daemon);
    (void) stop_writers(daemon, RTN_DAEMON_STOP_MS);
    _exit(status);
}

int rtn_daemon_run(const char *config_path)
{
    struct rtn_daemon daemon = { .started_ms = rtn_clock_ms() };
    int status = RTN_EXIT_FAILURE;
    rtn_daemon_reloads_init(&daemon, config_path);
    rtn_daemon_generations_init(&daemon);
    raise_descriptor_limit();
    int r = rtn_activation_read(&daemon.activation);
    if (r < 0)
        fprintf(stderr, "retinued: the sockets of the service manager cannot be used: %s\n", strerror(-r));
    else if (load(&daemon, config_path) && open_log(&daemon) && make_loop(&daemon) && rtn_daemon_stop_init(&daemon) &&
             rtn_daemon_servers_make(&daemon) && rtn_daemon_servers_listen(&daemon) &&
             rtn_control_socket_open(&daemon) && rtn_daemon_servers_ready(&daemon) && start_writers(&daemon) &&
             rtn_daemon_servers_start(&daemon))
        status = serve(&daemon);
    if (daemon.left_behind)
        leave(&daemon, status);
    done(&daemon);
    return status;
}

static bool check_control(struct rtn_daemon *daemon)
{
    rtn_control_socket_check(daemon);
    return rtn_daemon_report(daemon);
}

static bool check_log(struct rtn_daemon *daemon)
{
    report_log(daemon, rtn_log_check(&daemon->generation->config->daemon.log));
    return rtn_daemon_report(daemon);
}

static void append_count(struct rtn_buf *out, const char *separator, size_t count, const char *what)
{
    rtn_buf_printf(out, "%s%zu %s%s", separator, count, what, count == 1 ? "" : "s");
}

static void print_good(const struct rtn_daemon *daemon, const char *config_path)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    size_t routes = 0;
    size_t messages = rtn_wiring_count(daemon->wiring);
    for (size_t i = 0; i < daemon->run_count; i++)
        routes += daemon->runs[i]->server->program->route_count;
    append_count(&text, "good: ", daemon->run_count, "server");
    append_count(&text, ", ", routes, "route");
    if (messages > 0)
        append_count(&text, ", ", messages, "message");
    rtn_buf_append_char(&text, '\n');
    rtn_wiring_print(daemon->wiring, "  ", &text);
    printf("%s: %s", config_path, rtn_buf_str(&text).data);
}

int rtn_daemon_check(const char *config_path)
{
    struct rtn_daemon daemon = { 0 };
    bool good = load(&daemon, config_path) && check_log(&daemon) && rtn_daemon_stop_init(&daemon) &&
                rtn_daemon_servers_make(&daemon) && rtn_daemon_servers_check_listen(&daemon) &&
                check_control(&daemon) && rtn_daemon_servers_ready(&daemon);
    if (good)
        print_good(&daemon, config_path);
    done(&daemon);
    return good ? RTN_EXIT_OK : RTN_EXIT_FAILURE;
}

/* What it takes modules to know. A configuration may be shown whose modules are not there, or not good. */
static void append_wiring(struct rtn_daemon *daemon, struct rtn_buf *out)
{
    daemon->quiet = true;
    if (rtn_daemon_stop_init(daemon) && rtn_daemon_servers_make(daemon))
        rtn_wiring_print(daemon->wiring, "# ", out);
    else
        rtn_buf_append_text(out, "# messages: not known, since something is wrong with the modules: see retinued -n\n");
}

int rtn_daemon_dump(const char *config_path)
{
    struct rtn_daemon daemon = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    bool good = load(&daemon, config_path);
    if (good) {
        rtn_config_dump(daemon.generation->config, &text);
        append_wiring(&daemon, &text);
        good = fwrite(text.data, 1, text.length, stdout) == text.length && fflush(stdout) == 0;
    }
    done(&daemon);
    return good ? RTN_EXIT_OK : RTN_EXIT_FAILURE;
}
