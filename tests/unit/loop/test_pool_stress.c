/*
 * Looks for lost wake-ups: several submitters send batches of random size, each waits until its batch has run before
 * it goes on, and pauses now and then so that workers fall asleep or retire. A wake-up that is lost leaves a batch
 * unfinished, which shows as a bound that passes.
 */
#include "pool_support.h"

#include <stdlib.h>

#define SUBMITTERS 4
#define MOST_JOBS 12
#define SECONDS 5

struct submitter {
    struct rtn_pool *pool;
    struct rtn_serial serial;
    pthread_t thread;
    unsigned seed;
    bool blocks;
    unsigned least;
    unsigned rounds;
    uint64_t jobs;
    bool stuck;
};

struct stress_job {
    struct job job;
    bool blocks;
};

static void run_stress(struct rtn_task *task)
{
    struct stress_job *job = RTN_CONTAINER_OF(job_of(task), struct stress_job, job);
    if (job->blocks) {
        rtn_pool_block_begin();
        sched_yield();
        rtn_pool_block_end();
    }
    atomic_fetch_add(job->job.count, 1); /* the last look at it: the submitter goes on now */
}

/* Spins for a while, since most batches take microseconds. */
static bool wait_for(atomic_uint *done, unsigned count)
{
    for (unsigned i = 0; i < 2000; i++) {
        if (atomic_load(done) == count)
            return true;
        sched_yield();
    }
    return reaches(done, count);
}

static bool run_round(struct submitter *submitter)
{
    struct stress_job jobs[MOST_JOBS];
    atomic_uint done = 0;
    unsigned count = 1 + (unsigned) rand_r(&submitter->seed) % MOST_JOBS;
    struct rtn_list list;
    rtn_list_init(&list);
    for (unsigned i = 0; i < count; i++) {
        set_job(&jobs[i].job, i, NULL, &done);
        jobs[i].job.task.run = run_stress;
        jobs[i].job.task.serial = rand_r(&submitter->seed) % 4 == 0 ? &submitter->serial : NULL;
        jobs[i].blocks = submitter->blocks && rand_r(&submitter->seed) % 4 == 0;
        rtn_list_append(&list, &jobs[i].job.task.node);
    }
    if (rtn_pool_submit(submitter->pool, &list, count) != 0)
        return false;
    submitter->rounds++;
    submitter->jobs += count;
    return wait_for(&done, count);
}

/* Longer on a machine that is busy with other things. */
static bool goes_on(const struct submitter *submitter, int64_t until)
{
    int64_t now = rtn_clock_ms();
    return now < until || (submitter->rounds < submitter->least && now < until + BOUND_MS);
}

static void *submit_rounds(void *data)
{
    struct submitter *submitter = data;
    int64_t until = rtn_clock_ms() + SECONDS * 1000;
    while (goes_on(submitter, until)) {
        if (!run_round(submitter)) {
            submitter->stuck = true;
            return NULL;
        }
        if (rand_r(&submitter->seed) % 64 == 0)
            pause_ms(rand_r(&submitter->seed) % 3);
    }
    return NULL;
}

static void stress(unsigned threads, unsigned active, int64_t retire_ms, bool blocks, unsigned least_rounds)
{
    struct rtn_pool_options options = options_of(threads, active, PLENTY);
    options.retire_ms = retire_ms;
    struct rtn_pool *pool = start_pool(&options);
    static struct submitter submitters[SUBMITTERS];
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){
            .pool = pool, .seed = 4711 + i, .blocks = blocks, .least = least_rounds / SUBMITTERS + 1
        };
        rtn_serial_init(&submitters[i].serial);
        cr_assert_eq(pthread_create(&submitters[i].thread, NULL, submit_rounds, &submitters[i]), 0);
    }
    unsigned rounds = 0;
    bool stuck = false;
    for (unsigned i = 0; i < SUBMITTERS; i++) {
        pthread_join(submitters[i].thread, NULL);
        rounds += submitters[i].rounds;
        stuck = stuck || submitters[i].stuck;
    }
    cr_assert_not(stuck, "a batch did not run within %d ms, after %u rounds", BOUND_MS, rounds);
    cr_expect_gt(rounds, least_rounds, "%u rounds", rounds);
    end_pool(pool);
}

Test(pool_stress, no_wake_up_is_lost, .timeout = 60)
{
    stress(4, 3, 60000, false, 1000);
}

Test(pool_stress, nor_with_blocked_stretches, .timeout = 60)
{
    stress(6, 2, 60000, true, 1000);
}

Test(pool_stress, nor_while_threads_retire_and_start, .timeout = 60)
{
    stress(5, 3, 1, true, 500);
}
