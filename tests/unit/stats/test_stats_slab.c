#include "support.h"

#define THREADS 6
#define ROUNDS 40000

static rtn_stats_block route;
static atomic_bool over;

static void count(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        rtn_stats_add(route, RTN_STATS_STATUS_2XX, 1);
        rtn_stats_observe(route, RTN_STATS_DURATION, i);
        rtn_stats_count(RTN_STATS_BYTES_IN, 3);
    }
}

static void *count_with_slab(void *data)
{
    rtn_stats_thread_begin("get");
    count(*(unsigned *) data);
    rtn_stats_thread_end();
    return NULL;
}

static void *count_without_slab(void *data)
{
    count(*(unsigned *) data);
    return NULL;
}

Test(stats_slab, what_a_thread_has_counted_outlives_it)
{
    unsigned n = 5;
    route = rtn_stats_route("get", NULL, "/");
    for (int i = 0; i < 3; i++)
        run_thread(count_with_slab, &n);
    cr_assert_eq(sum_of(route, RTN_STATS_STATUS_2XX), 15);
    cr_assert_eq(sum_of(rtn_stats_server("get"), RTN_STATS_BYTES_IN), 45);
    cr_assert_eq(sum_of(route, RTN_STATS_DURATION + RTN_HISTOGRAM_SUM), 30);
    cr_assert_null(rtn_stats_slab);
}

Test(stats_slab, threads_without_a_slab_belong_to_no_server)
{
    unsigned n = 7;
    route = rtn_stats_route("get", NULL, "/");
    run_thread(count_without_slab, &n);
    cr_assert_eq(sum_of(route, RTN_STATS_STATUS_2XX), 7);
    cr_assert_eq(sum_of(rtn_stats_server("get"), RTN_STATS_BYTES_IN), 0);
}

Test(stats_slab, living_threads_are_summed)
{
    rtn_stats_thread_begin(NULL);
    rtn_stats_thread_begin("get"); /* the first one holds */
    unsigned n = 2;
    route = rtn_stats_route("get", NULL, "/");
    count(3);
    run_thread(count_with_slab, &n);
    cr_assert_eq(sum_of(route, RTN_STATS_STATUS_2XX), 5);
    cr_assert_eq(sum_of(rtn_stats_server("get"), RTN_STATS_BYTES_IN), 6);
    rtn_stats_thread_end();
    rtn_stats_thread_end();
    cr_assert_eq(sum_of(route, RTN_STATS_STATUS_2XX), 5);
}

Test(stats_slab, without_a_block_nothing_is_shown)
{
    rtn_stats_thread_begin("get");
    rtn_stats_add(0, RTN_STATS_HANDLER, 5);
    rtn_stats_observe(0, RTN_STATS_DURATION, 5);
    cr_assert_neq(rtn_stats_server("get"), 0);
    cr_assert_eq(sum_of(rtn_stats_server("get"), RTN_STATS_BYTES_OUT), 0);
    rtn_stats_thread_end();
}

static void *read_sums(void *data)
{
    uint64_t before = 0;
    (void) data;
    while (!atomic_load(&over)) {
        uint64_t now = sum_of(route, RTN_STATS_STATUS_2XX);
        cr_assert_geq(now, before);
        before = now;
    }
    return NULL;
}

/* Threads come and go while others read: sums never go back, and nothing is lost. */
Test(stats_slab, sums_never_go_back)
{
    pthread_t readers[2];
    pthread_t writers[THREADS];
    unsigned n = ROUNDS / 8;
    route = rtn_stats_route("get", NULL, "/");
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_create(&readers[i], NULL, read_sums, NULL), 0);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < THREADS; i++)
            cr_assert_eq(pthread_create(&writers[i], NULL, i % 3 == 2 ? count_without_slab : count_with_slab, &n), 0);
        for (int i = 0; i < THREADS; i++)
            cr_assert_eq(pthread_join(writers[i], NULL), 0);
    }
    atomic_store(&over, true);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(pthread_join(readers[i], NULL), 0);
    cr_assert_eq(sum_of(route, RTN_STATS_STATUS_2XX), (uint64_t) THREADS * ROUNDS);
    uint64_t sum = (uint64_t) THREADS * 8 * ((uint64_t) n * (n - 1) / 2);
    cr_assert_eq(sum_of(route, RTN_STATS_DURATION + RTN_HISTOGRAM_SUM), sum);
}
