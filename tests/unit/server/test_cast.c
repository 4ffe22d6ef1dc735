/*
 * Which hooks are called, in which order, and how often: each letter that a hook writes down is its name, the digit
 * behind it the instance. Threads that are to be at different epochs are made one after the other.
 */
#include "server/cast.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/macros.h"

#define COUNT 4

struct memory {
    unsigned number;
    int start_result;
    int thread_result;
};

static char journal[256];
static struct rtn_cast cast;
static struct rtn_instances registry;
static struct rtn_loaded loaded;
static struct memory memories[COUNT];
static struct rtn_instance instances[COUNT];
static const struct rtn_config_server owner = { .name = "get" };

static void note(char letter, const void *data)
{
    const struct memory *memory = data;
    size_t length = strlen(journal);
    cr_assert_lt(length + 3, sizeof(journal));
    journal[length] = letter;
    journal[length + 1] = (char) ('0' + memory->number);
}

static int start(void *data, rtn_server *server)
{
    (void) server;
    const struct memory *memory = data;
    note('a', data);
    return memory->start_result;
}

static int thread_start(void *data, rtn_server *server)
{
    (void) server;
    const struct memory *memory = data;
    note('t', data);
    return memory->thread_result;
}

static void thread_stop(void *data, rtn_server *server)
{
    (void) server;
    note('u', data);
}

static void quiesce(void *data, rtn_server *server)
{
    (void) server;
    note('q', data);
}

static void stop(void *data, rtn_server *server)
{
    (void) server;
    note('z', data);
}

static void begin(void)
{
    loaded.module = (struct rtn_module){ .name = "cast",
                                         .start = start,
                                         .thread_start = thread_start,
                                         .thread_stop = thread_stop,
                                         .quiesce = quiesce,
                                         .stop = stop };
    rtn_instances_init(&registry);
    cast.registry = &registry;
    rtn_cast_init(&cast, NULL);
    for (unsigned i = 0; i < COUNT; i++) {
        memories[i] = (struct memory){ .number = i };
        instances[i] = (struct rtn_instance){
            .loaded = &loaded, .data = &memories[i], .server = &owner, .label = { .who = "it: module cast" }
        };
    }
}

static void end(void)
{
    RTN_LIST_FOREACH (node, &cast.roles)
        rtn_cast_remove(&cast, RTN_CONTAINER_OF(node, struct rtn_role, node));
    rtn_cast_done(&cast);
    rtn_instances_done(&registry);
}

TestSuite(cast, .init = begin, .fini = end);

static void add(unsigned number)
{
    cr_assert_eq(rtn_cast_add(&cast, &instances[number]), 0);
}

static struct rtn_role *role(unsigned number)
{
    return rtn_cast_find(&cast, &instances[number]);
}

/* What was written since the last time. */
static void expect(const char *wanted)
{
    cr_expect_str_eq(journal, wanted);
    memset(journal, 0, sizeof(journal));
}

static void let_leave(unsigned number)
{
    role(number)->stage = RTN_ROLE_LEAVING;
    rtn_cast_let_leave(&cast);
}

Test(cast, life_of_a_server)
{
    add(0);
    add(1);
    rtn_cast_let_enter(&cast);
    cr_expect_eq(rtn_cast_start(&cast), 0);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    expect("a0a1t0t1");
    rtn_cast_quiesce(&cast, true);
    rtn_cast_leave(&cast);
    rtn_cast_stop(&cast, true);
    expect("q0q1u1u0z1z0");
    rtn_cast_quiesce(&cast, true);
    rtn_cast_leave(&cast);
    rtn_cast_stop(&cast, true);
    expect("");
}

Test(cast, one_comes_and_one_goes)
{
    add(0);
    add(1);
    rtn_cast_let_enter(&cast);
    cr_expect_eq(rtn_cast_start(&cast), 0);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    add(2);
    expect("a0a1t0t1");
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    expect("");
    cr_expect_eq(rtn_cast_start(&cast), 0);
    rtn_cast_let_enter(&cast);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    expect("a2t2");
    role(0)->quiesce_due = true;
    rtn_cast_quiesce(&cast, false);
    let_leave(0);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    role(0)->stop_due = true;
    rtn_cast_stop(&cast, false);
    rtn_cast_remove(&cast, role(0));
    expect("q0u0z0");
    cr_expect_null(instances[0].keeper);
    cr_expect_null(instances[0].registry);
    rtn_cast_leave(&cast);
    rtn_cast_stop(&cast, true);
    expect("u2u1z2z1");
}

Test(cast, failing_start_ends_the_round_and_is_not_stopped)
{
    add(0);
    add(1);
    add(2);
    memories[1].start_result = -EIO;
    cr_expect_eq(rtn_cast_start(&cast), -EIO);
    rtn_cast_quiesce(&cast, true);
    rtn_cast_stop(&cast, true);
    expect("a0a1q0z0");
}

Test(cast, the_first_failure_of_a_new_one_is_reported_until_it_is_forgotten)
{
    struct rtn_diags diags = { 0 };
    rtn_cast_report_failure(&cast, &diags);
    cr_assert_eq(diags.errors, 0);
    memories[1].start_result = -EIO;
    add(0);
    add(1);
    cr_assert_eq(rtn_cast_start(&cast), -EIO);
    memories[1].start_result = -EPERM;
    cr_assert_eq(rtn_cast_start(&cast), -EPERM);
    rtn_cast_report_failure(&cast, &diags);
    cr_assert_eq(diags.errors, 1);
    cr_assert_str_eq(diags.items[0].message, "server \"get\": it: module cast: start failed: Input/output error");
    rtn_cast_forget_failure(&cast);
    rtn_cast_report_failure(&cast, &diags);
    cr_assert_eq(diags.count, 1);
    rtn_diags_done(&diags);
}

Test(cast, failing_thread_start_is_undone)
{
    add(0);
    rtn_cast_let_enter(&cast);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    add(1);
    add(2);
    add(3);
    memories[2].thread_result = -EIO;
    rtn_cast_let_enter(&cast);
    cr_expect_eq(rtn_cast_refresh(&cast), -EIO);
    expect("t0t1t2u1");
    for (unsigned i = 1; i < COUNT; i++)
        role(i)->stage = RTN_ROLE_LEAVING;
    rtn_cast_let_leave(&cast);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    expect("");
    rtn_cast_leave(&cast);
    expect("u0");
}

Test(cast, what_has_gone_before_it_was_seen_is_left_out)
{
    rtn_cast_let_enter(&cast);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    add(0);
    rtn_cast_let_enter(&cast);
    let_leave(0);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    rtn_cast_leave(&cast);
    expect("");
}

static void *live(void *data)
{
    (void) data;
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    rtn_cast_leave(&cast);
    return NULL;
}

Test(cast, each_thread_is_at_its_own_epoch)
{
    pthread_t thread;
    add(0);
    rtn_cast_let_enter(&cast);
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    add(1);
    rtn_cast_let_enter(&cast);
    let_leave(0);
    expect("t0");
    cr_assert_eq(pthread_create(&thread, NULL, live, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    expect("t1u1");
    cr_expect_eq(rtn_cast_refresh(&cast), 0);
    expect("t1u0");
    rtn_cast_leave(&cast);
    expect("u1");
}
