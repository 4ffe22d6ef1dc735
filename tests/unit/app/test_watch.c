/* Watched descriptors: what is ready is told, on workers not twice at once, and nothing comes after the end. */
#include "site_support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "app/watch.h"

struct state {
    int fds[2]; /* the first is watched */
    atomic_uint told;
    atomic_uint ended;
    atomic_uint inside; /* of ready() now */
    atomic_uint overlaps;
    atomic_uint faults;
    unsigned told_at_end;
    unsigned events; /* of the last call */
    uint64_t number;
    bool cancels; /* in ready() */
    bool keeps; /* what there is to read */
};

static void ready(int fd, unsigned events, void *data)
{
    struct state *state = data;
    char byte;
    if (atomic_fetch_add(&state->inside, 1) > 0)
        atomic_fetch_add(&state->overlaps, 1);
    state->events = events;
    bool good = fd == state->fds[0];
    if ((events & RTN_WATCH_READ) != 0 && !state->keeps)
        good = read(fd, &byte, 1) >= 0 && good;
    if (state->cancels)
        good = rtn_cancel(state->number) == 0 && good;
    if (!good)
        atomic_fetch_add(&state->faults, 1);
    busy_for(2);
    atomic_fetch_sub(&state->inside, 1);
    atomic_fetch_add(&state->told, 1);
}

static void on_end(void *data)
{
    struct state *state = data;
    state->told_at_end = atomic_load(&state->told);
    atomic_fetch_add(&state->ended, 1);
}

static int begin_on(struct state *state, int fd, unsigned events)
{
    const struct rtn_watch_spec spec = { .fd = fd, .events = events, .ready = ready, .end = on_end, .data = state };
    return rtn_watch_begin(&site, &instance, &spec, &state->number);
}

static void start(struct state *state, enum rtn_threads threads)
{
    start_site(threads);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, state->fds), 0);
}

static void stop(struct state *state)
{
    end_site();
    cr_expect_eq(atomic_load(&state->ended), 1);
    cr_expect_eq(atomic_load(&state->faults), 0);
    cr_expect_eq(state->told_at_end, atomic_load(&state->told));
    (void) close(state->fds[0]);
    (void) close(state->fds[1]);
}

static enum rtn_threads models[] = { RTN_THREADS_LOOP, RTN_THREADS_SERIAL, RTN_THREADS_PARALLEL };

static void run_for(int64_t ms)
{
    int64_t until = rtn_clock_ms() + ms;
    while (rtn_clock_ms() < until)
        (void) ev_run(test_loop.ev, EVRUN_NOWAIT);
}

Test(watch, tells_what_can_be_read_each_time)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { 0 };
        start(&state, models[i]);
        cr_assert_eq(begin_on(&state, state.fds[0], RTN_WATCH_READ), 0);
        run_for(5);
        cr_expect_eq(atomic_load(&state.told), 0);
        for (unsigned turn = 1; turn <= 3; turn++) {
            cr_assert_eq(write(state.fds[1], "x", 1), 1);
            cr_expect(runs_until(&state.told, turn));
            cr_expect_eq(state.events, RTN_WATCH_READ);
        }
        run_for(5);
        cr_expect_eq(atomic_load(&state.told), 3);
        stop(&state);
    }
}

Test(watch, tells_again_what_was_not_read_but_not_twice_at_once)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { .keeps = true };
        start(&state, models[i]);
        cr_assert_eq(begin_on(&state, state.fds[0], RTN_WATCH_READ | RTN_WATCH_WRITE), 0);
        cr_expect(runs_until(&state.told, 1));
        cr_expect_eq(state.events, RTN_WATCH_WRITE);
        cr_assert_eq(write(state.fds[1], "x", 1), 1);
        cr_expect(runs_until(&state.told, atomic_load(&state.told) + 5));
        cr_expect_eq(state.events, RTN_WATCH_READ | RTN_WATCH_WRITE);
        stop(&state);
        cr_expect_eq(atomic_load(&state.overlaps), 0);
    }
}

Test(watch, is_cancelled_in_its_own_call)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { .cancels = true, .keeps = true };
        start(&state, models[i]);
        cr_assert_eq(write(state.fds[1], "x", 1), 1);
        cr_assert_eq(begin_on(&state, state.fds[0], RTN_WATCH_READ), 0);
        cr_expect(runs_until(&state.ended, 1));
        cr_expect_eq(rtn_cancel(state.number), -ENOENT);
        stop(&state);
        cr_expect_eq(atomic_load(&state.told), 1);
    }
}

Test(watch, can_be_begun_again_after_the_end)
{
    struct state state = { 0 };
    start(&state, RTN_THREADS_LOOP);
    for (unsigned turn = 1; turn <= 3; turn++) {
        cr_assert_eq(begin_on(&state, state.fds[0], RTN_WATCH_READ), 0);
        cr_expect_eq(begin_on(&state, state.fds[0], RTN_WATCH_WRITE), -EEXIST);
        cr_expect_eq(rtn_cancel(state.number), 0);
        cr_expect_eq(atomic_load(&state.ended), turn);
    }
    atomic_store(&state.ended, 1);
    stop(&state);
}

static void close_on_end(void *data)
{
    struct state *state = data;
    (void) close(state->fds[0]);
    atomic_fetch_add(&state->ended, 1);
}

/* The number of a descriptor that was closed in end() may be watched at once, as that of another. */
Test(watch, a_descriptor_is_closed_in_end_and_its_number_used_again)
{
    struct state state = { 0 };
    start(&state, RTN_THREADS_LOOP);
    int fd = state.fds[0];
    for (unsigned turn = 0; turn < 20; turn++) {
        const struct rtn_watch_spec spec = {
            .fd = fd, .events = RTN_WATCH_READ, .ready = ready, .end = close_on_end, .data = &state
        };
        cr_assert_eq(rtn_watch_begin(&site, &instance, &spec, &state.number), 0);
        cr_assert_eq(write(state.fds[1], "x", 1), 1);
        cr_assert(runs_until(&state.told, turn + 1));
        cr_assert_eq(rtn_cancel(state.number), 0);
        (void) close(state.fds[1]);
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, state.fds), 0);
        cr_assert_eq(state.fds[0], fd);
    }
    cr_expect_eq(atomic_load(&state.ended), 20);
    atomic_store(&state.ended, 1);
    state.told_at_end = 20;
    stop(&state);
}

Test(watch, refuses_what_cannot_be_waited_for)
{
    struct state state = { .number = 7 };
    char path[] = "/tmp/rtn-watch-XXXXXX";
    start(&state, RTN_THREADS_LOOP);
    int file = mkstemp(path);
    int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    cr_expect_eq(begin_on(&state, file, RTN_WATCH_READ), -EPERM);
    cr_expect_eq(begin_on(&state, folder, RTN_WATCH_READ), -EPERM);
    cr_expect_eq(begin_on(&state, null, RTN_WATCH_READ), -EPERM);
    cr_expect_eq(begin_on(&state, -1, RTN_WATCH_READ), -EBADF);
    (void) close(file);
    cr_expect_eq(begin_on(&state, file, RTN_WATCH_READ), -EBADF);
    cr_expect_eq(state.number, 7);
    (void) close(folder);
    (void) close(null);
    (void) unlink(path);
    end_site();
    cr_expect_eq(atomic_load(&state.ended), 0);
    (void) close(state.fds[0]);
    (void) close(state.fds[1]);
}

/* Against the rules; what can be noticed ends the watch. */

static void close_when_ready(int fd, unsigned events, void *data)
{
    (void) events;
    struct state *state = data;
    (void) syscall(SYS_close, fd); /* TSan would rightly say that the loop may be about to use it */
    atomic_fetch_add(&state->told, 1);
}

Test(watch, ends_when_the_descriptor_was_closed_on_a_worker)
{
    struct state state = { 0 };
    start(&state, RTN_THREADS_SERIAL);
    const struct rtn_watch_spec spec = {
        .fd = state.fds[0], .events = RTN_WATCH_WRITE, .ready = close_when_ready, .end = on_end, .data = &state
    };
    cr_assert_eq(rtn_watch_begin(&site, &instance, &spec, &state.number), 0);
    cr_expect(runs_until(&state.ended, 1));
    cr_expect_eq(rtn_cancel(state.number), -ENOENT);
    stop(&state);
}

static void *begin_on_thread(void *data)
{
    struct state *state = data;
    cr_expect_eq(begin_on(state, state->fds[0], RTN_WATCH_READ), 0);
    cr_expect_eq(begin_on(state, state->fds[0], RTN_WATCH_READ), -EEXIST);
    return NULL;
}

Test(watch, is_begun_on_another_thread)
{
    struct state state = { 0 };
    start(&state, RTN_THREADS_SERIAL);
    on_a_thread(begin_on_thread, &state);
    cr_assert_eq(write(state.fds[1], "x", 1), 1);
    cr_expect(runs_until(&state.told, 1));
    stop(&state);
}

static void *begin_too_late_on_thread(void *data)
{
    struct state *state = data;
    cr_expect_eq(begin_on(state, state->fds[0], RTN_WATCH_READ), -ECANCELED);
    return NULL;
}

Test(watch, ends_when_the_descriptor_was_closed_before_the_loop_heard_of_it)
{
    struct state state = { 0 };
    start(&state, RTN_THREADS_LOOP);
    on_a_thread(begin_on_thread, &state);
    (void) close(state.fds[0]);
    cr_expect(runs_until(&state.ended, 1));
    stop(&state);
}

Test(watch, begins_no_more_after_the_end)
{
    struct state state = { 0 };
    start(&state, RTN_THREADS_LOOP);
    on_a_thread(begin_on_thread, &state);
    rtn_pendings_end(&site.pendings);
    on_a_thread(begin_too_late_on_thread, &state);
    stop(&state);
    cr_expect_eq(atomic_load(&state.told), 0);
}
