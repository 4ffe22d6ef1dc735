/*
 * One episode per thread at most: a thread is in one callback. What is reported is copied, since it may end.
 *
 * A thread that blocks the signal costs main the time that it is waited for. So one look waits for one such thread, and
 * reports the others at later ones. Whoever asks what is stuck does not wait for that: episodes that are open are in a
 * list of their own, under a lock that is held for moments only.
 */
#include "loop/stalls.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "log/log.h"
#include "loop/backtrace.h"
#include "stats/stats.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* a leaf */
static struct rtn_list open_ones = { &open_ones, &open_ones }; /* guarded by the mutex, as the texts of those in it */

static bool is_loop(const struct rtn_activity *activity)
{
    return activity->kind == RTN_ACTIVITY_LOOP;
}

static bool is_same(const struct rtn_activity_call *a, const struct rtn_activity_call *b)
{
    return a->label == b->label && a->what == b->what && a->since_ms == b->since_ms;
}

static const char *key_of(const struct rtn_activity *activity)
{
    return is_loop(activity) ? "stall" : "timeouts.handler";
}

static void count(struct rtn_activity *activity, bool begins)
{
    struct rtn_watched *watched = activity->watched;
    _Atomic unsigned *stuck = is_loop(activity) ? &watched->stuck_loops : &watched->stuck_workers;
    if (!begins) {
        atomic_fetch_sub_explicit(stuck, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(stuck, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(is_loop(activity) ? &watched->loop_stalls : &watched->worker_stalls, 1,
                              memory_order_relaxed);
    rtn_stats_add(rtn_stats_server(activity->server),
                  is_loop(activity) ? RTN_STATS_LOOP_STALLS : RTN_STATS_WORKER_STALLS, 1);
}

static void seconds(char out[32], int64_t ms)
{
    (void) snprintf(out, 32, "%" PRId64 ".%d s", ms / 1000, (int) (ms % 1000 / 100));
}

/* `backtrace` NULL: the thread does not answer. */
static void describe(struct rtn_episode *episode, const struct rtn_backtrace *backtrace)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf frames = { 0 };
    const struct rtn_activity_call *call = &episode->call;
    if (backtrace != NULL)
        rtn_backtrace_format(backtrace, sizeof(episode->backtrace) - 1, &frames);
    pthread_mutex_lock(&mutex);
    (void) snprintf(episode->text, sizeof(episode->text), "%s: %s%s%s", call->label->who, call->what,
                    call->name != NULL ? " " : "", call->name != NULL ? call->name : "");
    (void) snprintf(episode->backtrace, sizeof(episode->backtrace), "%s", rtn_buf_str(&frames).data);
    (void) snprintf(episode->request_id, sizeof(episode->request_id), "%s",
                    backtrace != NULL ? backtrace->request_id : "");
    if (!episode->open)
        rtn_list_append(&open_ones, &episode->node);
    pthread_mutex_unlock(&mutex);
}

/* False: it was not. */
static bool close_episode(struct rtn_activity *activity)
{
    struct rtn_episode *episode = &activity->episode;
    if (!episode->open)
        return false;
    episode->open = false;
    count(activity, false);
    pthread_mutex_lock(&mutex);
    rtn_list_remove(&episode->node);
    pthread_mutex_unlock(&mutex);
    return true;
}

void rtn_stalls_forget(struct rtn_activity *activity)
{
    (void) close_episode(activity);
}

struct look {
    int64_t last_ms; /* of the look before */
    int64_t now_ms;
    bool waited; /* for a thread that did not answer */
};

/* False when it came back before it answered. */
static bool take_backtrace(struct rtn_activity *activity, struct look *look)
{
    struct rtn_episode *episode = &activity->episode;
    struct rtn_backtrace backtrace;
    struct rtn_activity_call now = { 0 };
    bool taken = rtn_backtrace_take(activity, &backtrace);
    look->waited = !taken;
    if (!taken && !rtn_activity_read(activity, &now))
        return false;
    if (!is_same(taken ? &backtrace.call : &now, &episode->call))
        return false;
    describe(episode, taken ? &backtrace : NULL);
    return true;
}

static void log_episode(const struct rtn_activity *activity, int64_t ms, int64_t limit_ms)
{
    const struct rtn_episode *episode = &activity->episode;
    const char *id = episode->request_id[0] != '\0' ? episode->request_id : NULL;
    char duration[32];
    char limit[32];
    seconds(duration, ms);
    seconds(limit, limit_ms);
    const char *before = rtn_log_set_request(id);
    rtn_log(RTN_LOG_WARN, "server \"%s\": %s: has held %s for %s (%s is %s); %s%s", activity->server, episode->text,
            activity->name, duration, key_of(activity), limit,
            episode->backtrace[0] != '\0' ? "backtrace: " : "no backtrace: the thread does not answer",
            episode->backtrace);
    (void) rtn_log_set_request(before);
}

static void begin(struct rtn_activity *activity, struct look *look, int64_t ms, int64_t limit_ms)
{
    struct rtn_episode *episode = &activity->episode;
    if (look->waited || !take_backtrace(activity, look))
        return;
    if (!episode->open)
        count(activity, true);
    episode->open = true;
    episode->next_report_ms = ms * 10;
    log_episode(activity, ms, limit_ms);
}

static void end(struct rtn_activity *activity, int64_t now_ms)
{
    struct rtn_episode *episode = &activity->episode;
    char duration[32];
    if (!close_episode(activity))
        return;
    seconds(duration, now_ms - episode->since_ms);
    const char *before = rtn_log_set_request(episode->request_id[0] != '\0' ? episode->request_id : NULL);
    rtn_log(RTN_LOG_WARN, "server \"%s\": %s: came back after %s on %s", activity->server, episode->text, duration,
            activity->name);
    (void) rtn_log_set_request(before);
}

/*
 * A loop tells the time of its iteration, in which much else may have come before the callback: what has begun since
 * the last look has not held the loop for longer than that.
 */
static int64_t began(const struct rtn_activity *activity, const struct rtn_activity_call *call, const struct look *look)
{
    return is_loop(activity) && call->since_ms < look->last_ms ? look->now_ms : call->since_ms;
}

static void look_at(struct rtn_activity *activity, void *data)
{
    struct look *look = data;
    int64_t now_ms = look->now_ms;
    struct rtn_episode *episode = &activity->episode;
    struct rtn_activity_call call;
    if (activity->watched == NULL)
        return;
    if (!rtn_activity_read(activity, &call))
        call = (struct rtn_activity_call){ 0 };
    if (!is_same(&call, &episode->call)) {
        end(activity, now_ms);
        episode->call = call;
        episode->since_ms = began(activity, &call, look);
        return;
    }
    int64_t limit_ms = rtn_activity_limit_of(activity, &call);
    int64_t ms = now_ms - episode->since_ms;
    bool due = call.label != NULL && limit_ms > 0 && ms >= limit_ms;
    if (due && (!episode->open || ms >= episode->next_report_ms))
        begin(activity, look, ms, limit_ms);
}

void rtn_stalls_look(void)
{
    static int64_t last_ms;
    struct look look = { .last_ms = last_ms, .now_ms = rtn_activity_now_ms() };
    last_ms = look.now_ms;
    rtn_activity_each(look_at, &look);
}

/* Views */

struct reporter {
    void (*activity)(const struct rtn_activity_view *view, void *data);
    void *data;
    int64_t now_ms;
};

static struct rtn_stall_view view_of(const struct rtn_activity *activity, int64_t now_ms)
{
    const struct rtn_episode *episode = &activity->episode;
    return (struct rtn_stall_view){ .server = activity->server,
                                    .watched = activity->watched,
                                    .thread = activity->name,
                                    .kind = is_loop(activity) ? "loop" : "worker",
                                    .text = episode->text,
                                    .request_id = episode->request_id,
                                    .ms = now_ms - episode->since_ms,
                                    .backtrace = episode->backtrace };
}

void rtn_stalls_each(void (*report)(const struct rtn_stall_view *view, void *data), void *data)
{
    int64_t now_ms = rtn_activity_now_ms();
    pthread_mutex_lock(&mutex);
    RTN_LIST_FOREACH (node, &open_ones) {
        const struct rtn_stall_view view = view_of(RTN_CONTAINER_OF(node, struct rtn_activity, episode.node), now_ms);
        report(&view, data);
    }
    pthread_mutex_unlock(&mutex);
}

static void report_activity(struct rtn_activity *activity, void *data)
{
    const struct reporter *reporter = data;
    struct rtn_activity_call call;
    struct rtn_activity_view view = { .server = activity->server,
                                      .thread = activity->name,
                                      .kind = activity->kind,
                                      .stalled = activity->episode.open,
                                      .blocked = atomic_load_explicit(&activity->blocked, memory_order_relaxed) };
    if (rtn_activity_read(activity, &call) && call.label != NULL) {
        view.place = call.label->place;
        view.module = call.label->module;
        view.what = call.what;
        view.name = call.name;
        view.running_ms = RTN_MAX(reporter->now_ms - call.since_ms, 0);
    }
    reporter->activity(&view, reporter->data);
}

void rtn_stalls_activities(void (*report)(const struct rtn_activity_view *view, void *data), void *data)
{
    struct reporter reporter = { .activity = report, .data = data, .now_ms = rtn_activity_now_ms() };
    rtn_activity_each(report_activity, &reporter);
}

/* Progress */

struct progress {
    bool good;
    char *why;
    size_t size;
};

static void look_at_rounds(struct rtn_activity *activity, void *data)
{
    struct progress *progress = data;
    if (!is_loop(activity))
        return;
    unsigned rounds = atomic_load_explicit(&activity->rounds, memory_order_relaxed);
    bool stands = rounds == activity->episode.rounds && !atomic_load_explicit(&activity->waiting, memory_order_relaxed);
    activity->episode.rounds = rounds;
    if (!stands || !progress->good)
        return;
    progress->good = false;
    (void) snprintf(progress->why, progress->size, "%s does not come round%s%s", activity->name,
                    activity->episode.open ? ": " : "", activity->episode.open ? activity->episode.text : "");
}

bool rtn_stalls_loops_progress(char *why, size_t size)
{
    struct progress progress = { .good = true, .why = why, .size = size };
    rtn_activity_each(look_at_rounds, &progress);
    return progress.good;
}
