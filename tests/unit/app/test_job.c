/* Work on workers: where it runs, where its end is told, the bound of the queue, and files. */
#include "site_support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "app/task.h"

struct state {
    atomic_uint begun;
    atomic_uint done;
    atomic_uint go; /* 0: run() waits */
    atomic_uint inside; /* of done() now */
    atomic_uint overlaps;
    atomic_bool ran_on_worker; /* of several at once */
    bool told_on_worker;
    int result;
    int64_t transferred;
    char bytes[64];
};

static int run(void *data)
{
    struct state *state = data;
    state->ran_on_worker = rtn_pool_on_worker();
    atomic_fetch_add(&state->begun, 1);
    while (atomic_load(&state->go) == 0)
        busy_for(1);
    return 42;
}

static void on_done(int result, void *data)
{
    struct state *state = data;
    if (atomic_fetch_add(&state->inside, 1) > 0)
        atomic_fetch_add(&state->overlaps, 1);
    state->result = result;
    state->told_on_worker = rtn_pool_on_worker();
    busy_for(5);
    atomic_fetch_sub(&state->inside, 1);
    atomic_fetch_add(&state->done, 1);
}

static int begin(struct state *state)
{
    const struct rtn_task_spec spec = { .run = run, .done = on_done, .data = state };
    return rtn_task_begin(&site, &instance, &spec);
}

static enum rtn_threads models[] = { RTN_THREADS_LOOP, RTN_THREADS_SERIAL, RTN_THREADS_PARALLEL };

Test(job, runs_on_a_worker_and_is_told_where_the_instance_is)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { .go = 1 };
        start_site(models[i]);
        cr_assert_eq(begin(&state), 0);
        cr_expect(runs_until(&state.done, 1));
        cr_expect(atomic_load(&state.ran_on_worker));
        cr_expect_eq(state.told_on_worker, models[i] != RTN_THREADS_LOOP);
        cr_expect_eq(state.result, 42);
        end_site();
    }
}

Test(job, the_end_is_told_under_the_promise_of_the_instance)
{
    struct state state = { .go = 1 };
    start_site(RTN_THREADS_SERIAL);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(begin(&state), 0);
    cr_expect(runs_until(&state.done, 4));
    cr_expect_eq(atomic_load(&state.overlaps), 0);
    end_site();
}

/* Two workers, two that wait. */
Test(job, a_full_queue_refuses)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(begin(&state), 0);
    cr_expect_eq(begin(&state), -EAGAIN);
    atomic_store(&state.go, 1);
    cr_expect(runs_until(&state.done, 4));
    cr_expect_eq(begin(&state), 0);
    cr_expect(runs_until(&state.done, 5));
    end_site();
}

Test(job, what_has_not_begun_at_the_end_is_cancelled)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state first[2] = { 0 };
        struct state waiting = { .go = 1 };
        start_site(models[i]);
        for (size_t j = 0; j < 2; j++) {
            cr_assert_eq(begin(&first[j]), 0);
            cr_assert(runs_until(&first[j].begun, 1));
        }
        cr_assert_eq(begin(&waiting), 0);
        rtn_pendings_end(&site.pendings);
        cr_expect_eq(begin(&waiting), -ECANCELED);
        for (size_t j = 0; j < 2; j++)
            atomic_store(&first[j].go, 1);
        end_site();
        for (size_t j = 0; j < 2; j++)
            cr_expect_eq(first[j].result, 42);
        cr_expect_eq(atomic_load(&waiting.begun), 0);
        cr_expect_eq(atomic_load(&waiting.done), 1);
        cr_expect_eq(waiting.result, -ECANCELED);
    }
}

Test(job, without_anybody_to_tell)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { .go = 1 };
        const struct rtn_task_spec spec = { .run = run, .data = &state };
        start_site(models[i]);
        cr_assert_eq(rtn_task_begin(&site, &instance, &spec), 0);
        cr_expect(runs_until(&state.begun, 1));
        end_site();
    }
}

Test(job, needs_workers)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    struct rtn_pool *pool = site.pool;
    site.pool = NULL;
    cr_expect_eq(begin(&state), -ENOTSUP);
    site.pool = pool;
    end_site();
}

static void on_bytes(const void *bytes, int64_t result, void *data)
{
    struct state *state = data;
    state->transferred = result;
    if (result > 0)
        memcpy(state->bytes, bytes, (size_t) result);
    atomic_fetch_add(&state->done, 1);
}

static int begin_file(struct state *state, struct rtn_task_file_spec spec)
{
    spec.then = on_bytes;
    spec.data = state;
    atomic_store(&state->done, 0);
    return rtn_task_file_begin(&site, &instance, &spec);
}

static int open_temporary(void)
{
    char path[] = "/tmp/rtn-job-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void) unlink(path);
    return fd;
}

Test(job, files_are_written_and_read)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { 0 };
        start_site(models[i]);
        int fd = open_temporary();
        char text[] = "hello";
        cr_assert_eq(begin_file(&state,
                                (struct rtn_task_file_spec){
                                    .fd = fd, .offset = 2, .writes = true, .bytes = text, .length = 5 }),
                     0);
        memset(text, 'x', 5); /* it was copied */
        cr_expect(runs_until(&state.done, 1));
        cr_expect_eq(state.transferred, 5);
        int copy = dup(fd);
        cr_assert_eq(begin_file(&state, (struct rtn_task_file_spec){ .fd = copy, .length = 50 }), 0);
        (void) close(copy); /* it has one of its own */
        cr_expect(runs_until(&state.done, 1));
        cr_expect_eq(state.transferred, 7);
        cr_expect_eq(memcmp(state.bytes, "\0\0hello", 7), 0);
        (void) close(fd);
        end_site();
    }
}

Test(job, what_cannot_be_read_is_told)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    int fd = open_temporary();
    cr_expect_eq(begin_file(&state, (struct rtn_task_file_spec){ .fd = -1, .length = 5 }), -EBADF);
    cr_expect_eq(begin_file(&state, (struct rtn_task_file_spec){ .fd = fd, .length = SIZE_MAX }), -ENOMEM);
    cr_assert_eq(begin_file(&state, (struct rtn_task_file_spec){ .fd = fd, .offset = -1, .length = 5 }), 0);
    cr_expect(runs_until(&state.done, 1));
    cr_expect_eq(state.transferred, -EINVAL);
    rtn_pendings_end(&site.pendings);
    cr_expect_eq(begin_file(&state, (struct rtn_task_file_spec){ .fd = fd, .length = 5 }), -ECANCELED);
    (void) close(fd);
    end_site();
}
