/* What threads run, seen from outside: views, episodes and their ends, backtraces, progress of loops. */
#include "pool_support.h"

#include "loop/backtrace.h"
#include "loop/loop.h"
#include "loop/stalls.h"

#define TEXT "route \"/x\": module m: handler h"

static struct rtn_watched watched;
static const struct rtn_activity_label label = { "route \"/x\"", "m", "route \"/x\": module m" };

struct thread {
    pthread_t thread;
    enum rtn_activity_kind kind;
    struct gate gate;
    atomic_uint ended;
    const char *request;
};

/* By this name it is looked for. */
__attribute__((noinline)) static void stand_at_the_gate(struct thread *thread)
{
    gate_pass(&thread->gate);
    __asm__ volatile("");
}

static void *run(void *data)
{
    struct thread *thread = data;
    const struct rtn_activity_call call = { .label = &label, .what = "handler", .name = "h", .limit_ms = 1 };
    cr_assert_not_null(rtn_activity_begin(thread->kind, "get", "get/thread", &watched));
    const struct rtn_activity_call before = rtn_activity_enter(&call);
    (void) rtn_log_set_request(thread->request);
    stand_at_the_gate(thread);
    rtn_activity_leave(&before);
    atomic_fetch_add(&thread->ended, 1);
    rtn_activity_end();
    return NULL;
}

static void begin(struct thread *thread, enum rtn_activity_kind kind)
{
    *thread = (struct thread){ .kind = kind, .gate = GATE_CLOSED, .request = "id-1" };
    rtn_backtrace_init(NULL);
    cr_assert_eq(rtn_thread_start(&thread->thread, run, thread), 0);
    cr_assert(reaches(&thread->gate.entered, 1));
}

static void end(struct thread *thread)
{
    gate_open(&thread->gate);
    pthread_join(thread->thread, NULL);
}

struct seen {
    unsigned count;
    struct rtn_stall_view stall;
    char text[256];
    char backtrace[2000];
    char request_id[64];
};

static void note_stall(const struct rtn_stall_view *view, void *data)
{
    struct seen *seen = data;
    seen->count++;
    seen->stall = *view;
    (void) snprintf(seen->text, sizeof(seen->text), "%s", view->text);
    (void) snprintf(seen->backtrace, sizeof(seen->backtrace), "%s", view->backtrace);
    (void) snprintf(seen->request_id, sizeof(seen->request_id), "%s", view->request_id);
}

static struct seen look(void)
{
    struct seen seen = { 0 };
    rtn_stalls_look();
    rtn_stalls_each(note_stall, &seen);
    return seen;
}

static struct seen wait_for_stall(void)
{
    struct seen seen = look();
    for (int64_t until = rtn_clock_ms() + BOUND_MS; seen.count == 0 && rtn_clock_ms() < until; pause_ms(1))
        seen = look();
    return seen;
}

static void expect_json(const char *text)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    struct rtn_json json = { .out = &out };
    rtn_json_object(&json);
    rtn_stalls_put(&json);
    rtn_json_end(&json);
    cr_expect_not_null(strstr(out.data, text), "%s", out.data);
}

Test(stalls, a_worker_over_its_time)
{
    struct thread thread;
    begin(&thread, RTN_ACTIVITY_WORKER);
    const struct seen seen = wait_for_stall();
    cr_assert_eq(seen.count, 1);
    cr_expect_str_eq(seen.text, TEXT);
    cr_expect_str_eq(seen.stall.kind, "worker");
    cr_expect_str_eq(seen.request_id, "id-1");
    cr_expect_not_null(strstr(seen.backtrace, "stand_at_the_gate+0x"), "%s", seen.backtrace);
    cr_expect_eq(atomic_load(&watched.worker_stalls), 1);
    cr_expect_eq(atomic_load(&watched.stuck_workers), 1);
    expect_json("\"stuck\":[{\"server\":\"get\",\"thread\":\"get/thread\",\"kind\":\"worker\","
                "\"handler\":\"route \\\"/x\\\": module m: handler h\",\"request_id\":\"id-1\",\"ms\":");
    (void) look();
    cr_expect_eq(atomic_load(&watched.worker_stalls), 1);
    end(&thread);
    cr_expect_eq(atomic_load(&watched.stuck_workers), 0);
    cr_expect_eq(look().count, 0);
    expect_json("\"stuck\":[]");
}

Test(stalls, a_loop_by_the_time_of_its_server)
{
    struct thread thread;
    atomic_store(&watched.stall_ms, 0);
    begin(&thread, RTN_ACTIVITY_LOOP);
    pause_ms(10);
    (void) look();
    cr_expect_eq(look().count, 0);
    atomic_store(&watched.stall_ms, 1);
    cr_expect_eq(wait_for_stall().count, 1);
    cr_expect_eq(atomic_load(&watched.loop_stalls), 1);
    end(&thread);
}

static void note_activity(const struct rtn_activity_view *view, void *data)
{
    unsigned *found = data;
    if (view->place == NULL)
        return;
    *found += 1;
    cr_expect_str_eq(view->server, "get");
    cr_expect_str_eq(view->place, label.place);
    cr_expect_str_eq(view->module, "m");
    cr_expect_str_eq(view->name, "h");
}

Test(stalls, what_runs_now)
{
    struct thread thread;
    unsigned found = 0;
    begin(&thread, RTN_ACTIVITY_WORKER);
    rtn_stalls_activities(note_activity, &found);
    cr_expect_eq(found, 1);
    end(&thread);
    rtn_stalls_activities(note_activity, &found);
    cr_expect_eq(found, 1);
}

Test(stalls, calls_nest)
{
    const struct rtn_activity_call outer = { .label = &label, .what = "handler", .name = "outer" };
    const struct rtn_activity_call inner = { .label = &label, .what = "timer" };
    struct rtn_activity_call now;
    struct rtn_activity *activity = rtn_activity_begin(RTN_ACTIVITY_MAIN, NULL, "main", NULL);
    const struct rtn_activity_call none = rtn_activity_enter(&outer);
    const struct rtn_activity_call before = rtn_activity_enter(&inner);
    cr_assert(rtn_activity_read(activity, &now));
    cr_expect_str_eq(now.what, "timer");
    cr_expect_null(now.name);
    rtn_activity_leave(&before);
    cr_assert(rtn_activity_read(activity, &now));
    cr_expect_str_eq(now.name, "outer");
    rtn_activity_leave(&none);
    cr_assert(rtn_activity_read(activity, &now));
    cr_expect_null(now.label);
    rtn_activity_end();
}

static int64_t since_of(const struct rtn_activity *activity)
{
    const struct rtn_activity_call call = { .label = &label, .what = "handler" };
    struct rtn_activity_call now = { 0 };
    const struct rtn_activity_call before = rtn_activity_enter(&call);
    cr_expect(rtn_activity_read(activity, &now));
    rtn_activity_leave(&before);
    return now.since_ms;
}

/* What a loop is told holds for one callback: that took time which nobody knows. Nor is it known after a wait. */
Test(stalls, a_loop_that_knows_the_time_does_not_ask)
{
    const int64_t marked = 12345;
    struct rtn_activity *activity = rtn_activity_begin(RTN_ACTIVITY_LOOP, "get", "get", NULL);
    rtn_activity_tell(marked);
    cr_expect_eq(since_of(activity), marked);
    cr_expect_geq(since_of(activity), rtn_activity_now_ms() - 1000);
    rtn_activity_tell(marked);
    rtn_activity_wait(true);
    rtn_activity_wait(false);
    cr_expect_neq(since_of(activity), marked);
    rtn_activity_end();
}

/* It may wait for a task in between. */
Test(stalls, a_worker_asks_for_the_time)
{
    struct rtn_activity *activity = rtn_activity_begin(RTN_ACTIVITY_WORKER, "get", "get", NULL);
    rtn_activity_tell(12345);
    cr_expect_neq(since_of(activity), 12345);
    rtn_activity_end();
    rtn_activity_tell(12345);
}

/* At a look there was no callback yet, though the iteration had begun. */
Test(stalls, what_came_before_in_the_iteration_is_not_the_handlers)
{
    const struct rtn_activity_call call = { .label = &label, .what = "handler", .name = "h" };
    cr_assert_not_null(rtn_activity_begin(RTN_ACTIVITY_LOOP, "get", "get", &watched));
    rtn_backtrace_init(NULL);
    atomic_store(&watched.stall_ms, 60000);
    (void) look();
    rtn_activity_tell(rtn_activity_now_ms() - 3600000);
    const struct rtn_activity_call before = rtn_activity_enter(&call);
    (void) look();
    cr_expect_eq(look().count, 0);
    atomic_store(&watched.stall_ms, 1);
    pause_ms(20);
    const struct seen seen = look();
    cr_expect_eq(seen.count, 1);
    cr_expect_lt(seen.stall.ms, 3600000);
    rtn_activity_leave(&before);
    rtn_activity_end();
}

/* It comes back because it is asked where it is. */
static void *sleep_once(void *data)
{
    struct thread *thread = data;
    const struct rtn_activity_call call = { .label = &label, .what = "handler", .name = "h" };
    const struct timespec long_time = { .tv_sec = 3600 };
    cr_assert_not_null(rtn_activity_begin(RTN_ACTIVITY_LOOP, "get", "get/thread", &watched));
    const struct rtn_activity_call before = rtn_activity_enter(&call);
    (void) nanosleep(&long_time, NULL);
    rtn_activity_leave(&before);
    atomic_fetch_add(&thread->ended, 1);
    gate_pass(&thread->gate);
    rtn_activity_end();
    return NULL;
}

Test(stalls, a_sleep_that_the_question_ends)
{
    struct thread thread = { .gate = GATE_CLOSED };
    struct seen seen = { 0 };
    atomic_store(&watched.stall_ms, 1);
    rtn_backtrace_init(NULL);
    cr_assert_eq(rtn_thread_start(&thread.thread, sleep_once, &thread), 0);
    for (int64_t until = rtn_clock_ms() + BOUND_MS; atomic_load(&thread.ended) == 0 && rtn_clock_ms() < until;) {
        const struct seen now = look();
        seen = now.count > 0 ? now : seen;
        pause_ms(1);
    }
    cr_assert_eq(atomic_load(&thread.ended), 1);
    cr_expect_eq(atomic_load(&watched.loop_stalls), 1);
    cr_expect_eq(seen.count, 1);
    cr_expect_not_null(strstr(seen.backtrace, "sleep_once+0x"), "%s", seen.backtrace);
    cr_assert(reaches(&thread.gate.entered, 1));
    cr_expect_eq(look().count, 0);
    cr_expect_eq(atomic_load(&watched.stuck_loops), 0);
    end(&thread);
}

/* Progress */

static struct gate hook_gate = GATE_CLOSED;

static void on_hold(struct rtn_mail *mail)
{
    (void) mail;
    gate_pass(&hook_gate);
}

static bool comes_to(bool wanted, char *why, size_t size)
{
    for (int64_t until = rtn_clock_ms() + BOUND_MS; rtn_clock_ms() < until; pause_ms(5)) {
        if (rtn_stalls_loops_progress(why, size) == wanted)
            return true;
    }
    return false;
}

Test(stalls, a_loop_that_does_not_come_round)
{
    const struct rtn_loop_options options = { .server = "get", .log_level = &silent, .watched = &watched };
    struct rtn_loop loop;
    struct rtn_mail mail = { .deliver = on_hold };
    char why[128] = "";
    cr_assert_eq(rtn_loop_init(&loop, &options), 0);
    cr_assert_eq(rtn_loop_start(&loop), 0);
    cr_assert(comes_to(true, why, sizeof(why)));
    cr_expect(rtn_stalls_loops_progress(why, sizeof(why)), "an idle loop is no loop that stands");
    rtn_loop_post(&loop, &mail);
    cr_assert(comes_to(false, why, sizeof(why)));
    cr_expect_str_eq(why, "get/loop-0 does not come round");
    gate_open(&hook_gate);
    cr_assert(comes_to(true, why, sizeof(why)));
    cr_assert_eq(rtn_loop_stop(&loop, BOUND_MS), 0);
    rtn_loop_done(&loop);
}

static atomic_uint woken;

static void count_wake(void *data)
{
    atomic_fetch_add((atomic_uint *) data, 1);
}

Test(stalls, who_rests_is_woken_once_by_a_loop)
{
    cr_assert_not_null(rtn_activity_begin(RTN_ACTIVITY_LOOP, "get", "get", NULL));
    rtn_activity_set_waker(count_wake, &woken);
    rtn_activity_rest(true);
    rtn_activity_wait(true);
    cr_expect_eq(atomic_load(&woken), 0);
    rtn_activity_wait(false);
    rtn_activity_wait(true);
    rtn_activity_wait(false);
    cr_expect_eq(atomic_load(&woken), 1);
    rtn_activity_rest(true);
    rtn_activity_rest(false);
    rtn_activity_wait(false);
    cr_expect_eq(atomic_load(&woken), 1);
    rtn_activity_end();
}

/* As one that retires: no loop has anything to do with it. */
Test(stalls, who_rests_is_woken_once_by_a_worker_that_is_called)
{
    const struct rtn_activity_call call = { .label = &label, .what = "thread_stop" };
    cr_assert_not_null(rtn_activity_begin(RTN_ACTIVITY_WORKER, "get", "get", NULL));
    rtn_activity_set_waker(count_wake, &woken);
    struct rtn_activity_call before = rtn_activity_enter(&call);
    rtn_activity_rest(true);
    struct rtn_activity_call outer = rtn_activity_enter(&call);
    cr_expect_eq(atomic_load(&woken), 0, "main has seen it before it rested");
    rtn_activity_leave(&outer);
    rtn_activity_leave(&before);
    before = rtn_activity_enter(&call);
    cr_expect_eq(atomic_load(&woken), 1);
    cr_expect_not(rtn_activity_is_quiet());
    rtn_activity_leave(&before);
    before = rtn_activity_enter(&call);
    cr_expect_eq(atomic_load(&woken), 1);
    rtn_activity_leave(&before);
    rtn_activity_end();
}

Test(stalls, quiet_is_when_all_loops_wait_and_nobody_is_in_a_callback)
{
    struct thread worker;
    cr_expect(rtn_activity_is_quiet());
    begin(&worker, RTN_ACTIVITY_WORKER);
    cr_expect_not(rtn_activity_is_quiet());
    end(&worker);
    cr_assert_not_null(rtn_activity_begin(RTN_ACTIVITY_LOOP, "get", "get", NULL));
    cr_expect_not(rtn_activity_is_quiet());
    rtn_activity_wait(true);
    cr_expect(rtn_activity_is_quiet());
    rtn_activity_end();
}
