/*
 * Files are watched by the folders that they are in, since editors and installers put new ones in their place: the
 * folders of the configuration, of what it includes, by pattern too, and of the modules. When nothing more has happened
 * for a moment, a reload looks at what has changed; one that changes nothing says nothing.
 */
#include "daemon/watch.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "config/memory.h"
#include "daemon/daemon_state.h"
#include "daemon/reload.h"

#define SETTLE_SECONDS 0.1
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
#define EVENT_BYTES 4096

struct rtn_watch_files {
    struct rtn_daemon *daemon;
    int fd; /* inotify */
    struct ev_io io;
    struct ev_timer settle;
};

static void on_settled(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    struct rtn_watch_files *watch = timer->data;
    ev_timer_stop(ev, timer);
    rtn_reload(watch->daemon, false, "watch", NULL, NULL);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Modules, the configuration, and what it includes; not what editors leave beside them. */
static bool is_of_interest(const struct rtn_watch_files *watch, const struct inotify_event *event)
{
    const struct rtn_schema_strings *include = &watch->daemon->generation->config->daemon.include;
    if (event->len == 0)
        return (event->mask & IN_Q_OVERFLOW) != 0;
    if (rtn_str_ends_with(rtn_str_of(event->name), RTN_STR(".so")) ||
        strcmp(event->name, last_part(watch->daemon->reloads.path)) == 0)
        return true;
    for (size_t i = 0; i < include->count; i++) {
        if (fnmatch(last_part(include->items[i]), event->name, FNM_PERIOD) == 0)
            return true;
    }
    return false;
}

static void on_event(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void) events;
    struct rtn_watch_files *watch = io->data;
    _Alignas(struct inotify_event) char bytes[EVENT_BYTES];
    bool found = false;
    ssize_t length;
    while ((length = read(watch->fd, bytes, sizeof(bytes))) > 0) {
        for (char *at = bytes; at < bytes + length;) {
            const struct inotify_event *event = (const void *) at;
            found = found || is_of_interest(watch, event);
            at += sizeof(*event) + event->len;
        }
    }
    if (found)
        ev_timer_again(ev, &watch->settle);
}

/* Again at each reload: it may be another folder of that name now. One that is watched stays so. */
static void add_folder(const struct rtn_watch_files *watch, const char *folder)
{
    if (inotify_add_watch(watch->fd, folder, EVENTS) < 0 && errno != ENOENT)
        rtn_log(RTN_LOG_WARN, "watch: changes in %s are not noticed: %m", folder);
}

/* Without a slash or with the first one alone, that is the folder. */
static void add_folder_of(const struct rtn_watch_files *watch, const char *path)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf folder = { 0 };
    const char *slash = strrchr(path, '/');
    rtn_buf_printf(&folder, "%.*s", slash != NULL ? RTN_MAX((int) (slash - path), 1) : 1, slash != NULL ? path : ".");
    add_folder(watch, folder.data);
}

/* Patterns of folders are not followed: what they lead to now is among the files. */
static void add_include(const struct rtn_watch_files *watch, const char *file, const char *pattern)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf path = { 0 };
    const char *slash = strrchr(file, '/');
    if (pattern[0] != '/' && slash != NULL)
        rtn_buf_printf(&path, "%.*s/", (int) (slash - file), file);
    rtn_buf_printf(&path, "%s", pattern);
    const char *name = strrchr(path.data, '/');
    if (name == NULL || memchr(path.data, '*', (size_t) (name - path.data)) == NULL)
        add_folder_of(watch, path.data);
}

static void add_includes(const struct rtn_watch_files *watch, const struct rtn_config *config)
{
    const struct rtn_schema_strings *include = &config->daemon.include;
    for (size_t i = 0; i < include->count; i++) {
        const char *file = include->nodes != NULL && include->nodes[i] != NULL ? include->nodes[i]->mark.source->path
                                                                               : watch->daemon->reloads.path;
        add_include(watch, file, include->items[i]);
    }
}

static void add_modules(const struct rtn_watch_files *watch)
{
    const struct rtn_daemon *daemon = watch->daemon;
    for (size_t i = 0; i < daemon->run_count; i++) {
        const struct rtn_server *server = daemon->runs[i]->replaced ? NULL : daemon->runs[i]->server;
        for (size_t j = 0; server != NULL && j < server->program->instance_count; j++)
            add_folder_of(watch, server->program->instances[j]->loaded->path);
    }
}

static void add_all(const struct rtn_watch_files *watch)
{
    const struct rtn_config *config = watch->daemon->generation->config;
    const char *path;
    for (size_t i = 0; (path = rtn_config_file(config, i)) != NULL; i++)
        add_folder_of(watch, path);
    add_includes(watch, config);
    for (size_t i = 0; i < config->daemon.modules.count; i++)
        add_folder(watch, config->daemon.modules.items[i]);
    add_modules(watch);
}

static struct rtn_watch_files *watch_new(struct rtn_daemon *daemon)
{
    struct rtn_watch_files *watch = rtn_config_need(calloc(1, sizeof(*watch)));
    watch->daemon = daemon;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        rtn_log(RTN_LOG_ERROR, "watch: changes of files are not noticed: %m");
        free(watch);
        return NULL;
    }
    ev_io_init(&watch->io, on_event, watch->fd, EV_READ);
    watch->io.data = watch;
    ev_timer_init(&watch->settle, on_settled, 0., SETTLE_SECONDS);
    watch->settle.data = watch;
    ev_io_start(daemon->ev, &watch->io);
    return watch;
}

/* Folders are only ever added: what happens in one that is watched in vain costs a reload that changes nothing. */
void rtn_watch_update(struct rtn_daemon *daemon)
{
    if (!daemon->generation->config->daemon.watch) {
        rtn_watch_done(daemon);
        return;
    }
    if (daemon->watch == NULL)
        daemon->watch = watch_new(daemon);
    if (daemon->watch != NULL)
        add_all(daemon->watch);
}

void rtn_watch_done(struct rtn_daemon *daemon)
{
    struct rtn_watch_files *watch = daemon->watch;
    if (watch == NULL)
        return;
    ev_io_stop(daemon->ev, &watch->io);
    ev_timer_stop(daemon->ev, &watch->settle);
    rtn_fd_close(&watch->fd);
    free(watch);
    daemon->watch = NULL;
}
