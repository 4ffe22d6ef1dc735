/*
 * Bodies of the public functions that begin something for an instance: tasks, files, timers, watched descriptors.
 * Wherever they are called, they choose the loop that keeps it.
 */
#include <errno.h>

#include "app/loops.h"
#include "app/task.h"
#include "app/timer.h"
#include "app/watch.h"
#include "server/server_loop.h"

#define WATCH_ANY (RTN_WATCH_READ | RTN_WATCH_WRITE)

struct rtn_instance *rtn_server_instance(struct rtn_server *server, const void *data)
{
    return server != NULL ? rtn_instances_find(&server->instances, data) : NULL;
}

struct rtn_site *rtn_server_site(struct rtn_server *server)
{
    struct rtn_http1 *here = rtn_loops_here();
    if (here != NULL && rtn_site_of(here)->server == server)
        return rtn_site_of(here);
    return &server->loops[0].site;
}

/* Logs the first thing that is wrong with a call; `problem` when nothing is wrong with the instance. */
static bool is_good(const struct rtn_instance *owner, const char *function, const char *problem)
{
    if (owner == NULL)
        problem = "the instance is none of the server";
    if (problem != NULL)
        rtn_log(RTN_LOG_ERROR, "%s: %s", function, problem);
    return problem == NULL;
}

int rtn_task(rtn_server *server, void *instance, int (*run)(void *data), void (*done)(int result, void *data),
             void *data)
{
    const struct rtn_task_spec spec = { .run = run, .done = done, .data = data };
    RTN_CLEANUP(rtn_instances_give_back) struct rtn_instance *owner = rtn_server_instance(server, instance);
    if (!is_good(owner, "rtn_task", run == NULL ? "there is nothing to run" : NULL))
        return -EINVAL;
    return rtn_task_begin(rtn_server_site(server), owner, &spec);
}

static const char *find_timer_problem(const struct rtn_timer_spec *spec)
{
    if (spec->fire == NULL)
        return "there is nothing to call";
    return spec->after < 0 || spec->every < 0 ? "a time is negative" : NULL;
}

int rtn_timer_start(rtn_server *server, void *instance, int64_t after, int64_t every, void (*fire)(void *data),
                    void (*end)(void *data), void *data, rtn_number *timer)
{
    const struct rtn_timer_spec spec = { .after = after, .every = every, .fire = fire, .end = end, .data = data };
    RTN_CLEANUP(rtn_instances_give_back) struct rtn_instance *owner = rtn_server_instance(server, instance);
    if (!is_good(owner, "rtn_timer_start", find_timer_problem(&spec)))
        return -EINVAL;
    return rtn_timer_begin(rtn_server_site(server), owner, &spec, timer);
}

static const char *find_watch_problem(const struct rtn_watch_spec *spec)
{
    if (spec->ready == NULL)
        return "there is nothing to call";
    if (spec->events == 0)
        return "there is nothing to wait for";
    return (spec->events & ~WATCH_ANY) != 0 ? "there are events that it does not know" : NULL;
}

int rtn_watch_start(rtn_server *server, void *instance, int fd, unsigned events,
                    void (*ready)(int fd, unsigned events, void *data), void (*end)(void *data), void *data,
                    rtn_number *watch)
{
    const struct rtn_watch_spec spec = { .fd = fd, .events = events, .ready = ready, .end = end, .data = data };
    RTN_CLEANUP(rtn_instances_give_back) struct rtn_instance *owner = rtn_server_instance(server, instance);
    if (!is_good(owner, "rtn_watch_start", find_watch_problem(&spec)))
        return -EINVAL;
    return rtn_watch_begin(rtn_server_site(server), owner, &spec, watch);
}

static const char *find_file_problem(const struct rtn_task_file_spec *spec)
{
    if (spec->then == NULL)
        return "there is nothing to call";
    return spec->writes && spec->bytes == NULL && spec->length > 0 ? "there is nothing to write" : NULL;
}

static int begin_file(rtn_server *server, void *instance, const char *function, const struct rtn_task_file_spec *spec)
{
    RTN_CLEANUP(rtn_instances_give_back) struct rtn_instance *owner = rtn_server_instance(server, instance);
    if (!is_good(owner, function, find_file_problem(spec)))
        return -EINVAL;
    return rtn_task_file_begin(rtn_server_site(server), owner, spec);
}

int rtn_task_file_read(rtn_server *server, void *instance, int fd, int64_t offset, size_t length,
                       rtn_task_file_then then, void *data)
{
    const struct rtn_task_file_spec spec = { .fd = fd, .offset = offset, .length = length, .then = then, .data = data };
    return begin_file(server, instance, "rtn_task_file_read", &spec);
}

int rtn_task_file_write(rtn_server *server, void *instance, int fd, int64_t offset, const void *bytes, size_t length,
                        rtn_task_file_then then, void *data)
{
    const struct rtn_task_file_spec spec = {
        .fd = fd, .offset = offset, .writes = true, .bytes = bytes, .length = length, .then = then, .data = data
    };
    return begin_file(server, instance, "rtn_task_file_write", &spec);
}
