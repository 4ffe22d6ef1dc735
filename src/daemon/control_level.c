/*
 * Log levels that are changed for a while. Each has a timer; when it ends the level from before returns, unless
 * somebody else has changed it meanwhile (a reload, another order). An order for the same server takes the place of an
 * earlier one, and the level to return to stays the one from before both.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "daemon/control_order.h"
#include "daemon/control_show.h"
#include "daemon/daemon_state.h"
#include "log/level.h"

#define LONGEST_MS (INT64_C(7) * 24 * 3600 * 1000)

struct rtn_control_level {
    struct rtn_daemon *daemon;
    struct rtn_list node; /* daemon->levels */
    char server[33]; /* "": the daemon itself */
    int before;
    int now;
    struct ev_timer timer;
};

/* NULL: there is no such server any more. */
static _Atomic int *find_level(struct rtn_daemon *daemon, const char *server)
{
    if (server[0] == '\0')
        return &daemon->log_level;
    struct rtn_run *run = rtn_daemon_find_run(daemon, server);
    return run != NULL && run->server != NULL ? &run->server->log_level : NULL;
}

static void log_change(const char *server, int level, const char *why)
{
    const char *name = rtn_log_level_name((enum rtn_log_level) level);
    if (server[0] == '\0')
        rtn_log(RTN_LOG_NOTICE, "log level: %s, %s", name, why);
    else
        rtn_log(RTN_LOG_NOTICE, "server \"%s\": log level: %s, %s", server, name, why);
}

static void level_free(struct ev_loop *ev, struct rtn_control_level *level)
{
    ev_timer_stop(ev, &level->timer);
    rtn_list_remove(&level->node);
    free(level);
}

static void on_time(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    struct rtn_control_level *level = RTN_CONTAINER_OF(timer, struct rtn_control_level, timer);
    _Atomic int *place = find_level(level->daemon, level->server);
    int expected = level->now;
    if (place != NULL && atomic_compare_exchange_strong(place, &expected, level->before))
        log_change(level->server, level->before, "as before");
    level_free(ev, level);
}

static struct rtn_control_level *find(struct rtn_daemon *daemon, const char *server)
{
    RTN_LIST_FOREACH (node, &daemon->levels) {
        struct rtn_control_level *level = RTN_CONTAINER_OF(node, struct rtn_control_level, node);
        if (strcmp(level->server, server) == 0)
            return level;
    }
    return NULL;
}

static struct rtn_control_level *find_or_make(struct rtn_daemon *daemon, const char *server)
{
    struct rtn_control_level *level = find(daemon, server);
    if (level != NULL)
        return level;
    level = calloc(1, sizeof(*level));
    if (level == NULL)
        return NULL;
    level->daemon = daemon;
    (void) snprintf(level->server, sizeof(level->server), "%s", server);
    ev_timer_init(&level->timer, on_time, 0., 0.);
    rtn_list_append(&daemon->levels, &level->node);
    return level;
}

/* The level that will return, when a change to it is still in force; else the present one. */
static int level_before(const struct rtn_control_level *earlier, int present)
{
    return earlier != NULL && earlier->now == present ? earlier->before : present;
}

/* False: memory is out. `ms` 0: for good. */
static bool change(struct rtn_daemon *daemon, const char *server, int value, int64_t ms)
{
    _Atomic int *place = find_level(daemon, server);
    struct rtn_control_level *level = find(daemon, server);
    int before = level_before(level, atomic_load(place));
    if (ms == 0) {
        if (level != NULL)
            level_free(daemon->ev, level);
        atomic_store(place, value);
        return true;
    }
    level = find_or_make(daemon, server);
    if (level == NULL)
        return false;
    level->before = before;
    level->now = value;
    ev_timer_stop(daemon->ev, &level->timer);
    ev_timer_set(&level->timer, (double) ms / 1e3, 0.);
    ev_timer_start(daemon->ev, &level->timer);
    atomic_store(place, value);
    return true;
}

static void answer(struct rtn_control_call *call, const char *server, int before, int now, int64_t ms)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    rtn_json_object(&json);
    rtn_json_put_text(&json, "server", server[0] != '\0' ? server : NULL);
    rtn_json_put_text(&json, "before", rtn_log_level_name((enum rtn_log_level) before));
    rtn_json_put_text(&json, "level", rtn_log_level_name((enum rtn_log_level) now));
    rtn_json_key(&json, "for_ms");
    if (ms > 0)
        rtn_json_int(&json, ms);
    else
        rtn_json_null(&json);
    rtn_json_end(&json);
    rtn_buf_append_char(&text, '\n');
    rtn_control_answer(call, 200, rtn_buf_str(&text));
}

static void run(struct rtn_control_call *call, const char *server, int value, int64_t ms)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf why = { 0 };
    char duration[RTN_FORMAT_MAX];
    _Atomic int *place = find_level(call->daemon, server);
    if (place == NULL) {
        rtn_control_refuse(call, 409, "server \"%s\" has stopped", server);
        return;
    }
    int before = atomic_load(place);
    if (!change(call->daemon, server, value, ms)) {
        rtn_control_refuse(call, 500, "memory is out");
        return;
    }
    if (ms > 0)
        rtn_buf_printf(&why, "for %s, by retinuectl", rtn_format_duration(duration, ms));
    else
        rtn_buf_append_text(&why, "by retinuectl");
    log_change(server, value, why.data);
    answer(call, server, before, value, ms);
}

void rtn_control_order_log_level(struct rtn_control_call *call)
{
    const char *name = rtn_control_request_parameter(&call->request, "level");
    const char *time = rtn_control_request_parameter(&call->request, "for");
    enum rtn_log_level level;
    struct rtn_run *of;
    int64_t ms = 0;
    if (!rtn_control_find(call, &of))
        return;
    if (name == NULL || rtn_log_level_parse(rtn_str_of(name), &level) < 0)
        rtn_control_refuse(call, 400, "level must be trace, debug, info, notice, warn, error, fatal or none");
    else if (time != NULL && (rtn_parse_duration(rtn_str_of(time), &ms) < 0 || ms <= 0 || ms > LONGEST_MS))
        rtn_control_refuse(call, 400, "for must be a duration up to 7d, such as 10m");
    else
        run(call, of != NULL ? of->name : "", (int) level, ms);
}

void rtn_control_level_done(struct rtn_daemon *daemon)
{
    RTN_LIST_FOREACH (node, &daemon->levels)
        level_free(daemon->ev, RTN_CONTAINER_OF(node, struct rtn_control_level, node));
}
