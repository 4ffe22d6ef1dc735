/* How instances end: who is told what, once, and that nothing begins any more. */
#include <errno.h>

#include "app/instances.h"
#include "app/pending.h"
#include "generation_support.h"
#include "loop/mailbox.h"

#define ROUTE "a: {listen: 127.0.0.1:1, routes: [{path: /x, module: lifecycle, handler: loop}]}"

static struct rtn_generation *generation;
static struct rtn_instance *instance;
static struct rtn_mailbox mailbox;
static struct ev_loop *ev;
static unsigned unused;
static unsigned idle;

static void on_unused(struct rtn_instance *told)
{
    cr_expect_eq(told, instance);
    unused++;
}

static void on_idle(struct rtn_instance *told)
{
    cr_expect_eq(told, instance);
    idle++;
}

static const struct rtn_instance_keeper keeper = { .mailbox = &mailbox, .unused = on_unused, .idle = on_idle };

static void start(void)
{
    ev = ev_loop_new(EVFLAG_AUTO);
    cr_assert_not_null(ev);
    rtn_mailbox_init(&mailbox, ev);
    generation = generation_after(NULL, TEST_MODULES, ROUTE);
    const struct rtn_config_server *server = server_of(generation, 0);
    instance = rtn_instance_new(generation, server, server->routes.items, NULL, &diags);
    cr_assert_not_null(instance, "%s", problems());
}

static void stop(void)
{
    rtn_generation_unref(generation);
    rtn_mailbox_done(&mailbox);
    ev_loop_destroy(ev);
    rtn_diags_done(&diags);
}

TestSuite(instance_life, .init = start, .fini = stop);

static void expect_told(unsigned unused_times, unsigned idle_times)
{
    rtn_mailbox_deliver(&mailbox);
    cr_expect_eq(unused, unused_times);
    cr_expect_eq(idle, idle_times);
}

Test(instance_life, without_a_keeper_the_last_user_frees_it)
{
    rtn_instance_ref(instance);
    rtn_instance_unref(instance);
    rtn_generation_ref(generation);
    rtn_generation_unref(generation);
    cr_expect_eq(atomic_load(&generation->references), 2);
    rtn_instance_unref(instance);
    cr_expect_eq(atomic_load(&generation->references), 1);
}

Test(instance_life, a_keeper_hears_of_the_last_user_once)
{
    instance->keeper = &keeper;
    rtn_instance_ref(instance);
    rtn_instance_unref(instance);
    expect_told(0, 0);
    rtn_instance_unref(instance);
    expect_told(1, 0);
    rtn_instance_ref(instance); /* its last callbacks */
    rtn_instance_unref(instance);
    expect_told(1, 0);
    rtn_instance_free(instance);
}

Test(instance_life, it_is_idle_when_what_runs_is_over)
{
    instance->keeper = &keeper;
    cr_expect(rtn_instance_begin(instance));
    cr_expect(rtn_instance_begin(instance));
    rtn_instance_over(instance);
    rtn_instance_unref(instance);
    expect_told(1, 0);
    rtn_instance_end(instance);
    cr_expect_not(rtn_instance_begin(instance));
    rtn_instance_settle(instance);
    expect_told(1, 0);
    rtn_instance_begin_part(instance);
    rtn_instance_over(instance);
    expect_told(1, 0);
    rtn_instance_over(instance);
    expect_told(1, 1);
    cr_expect_not(rtn_instance_begin(instance));
    expect_told(1, 1);
    rtn_instance_free(instance);
}

Test(instance_life, one_that_has_nothing_running_is_idle_when_it_is_settled)
{
    instance->keeper = &keeper;
    rtn_instance_unref(instance);
    rtn_instance_end(instance);
    expect_told(1, 0);
    rtn_instance_settle(instance);
    expect_told(1, 1);
    rtn_instance_free(instance);
}

Test(instance_life, it_is_found_by_what_its_callbacks_get)
{
    struct rtn_instances instances;
    rtn_instances_init(&instances);
    cr_expect_null(rtn_instances_find(&instances, instance->data));
    rtn_instances_add(&instances, instance);
    cr_expect_null(rtn_instances_find(&instances, NULL));
    cr_expect_null(rtn_instances_find(&instances, &instances));
    {
        RTN_CLEANUP(rtn_instances_give_back)
        struct rtn_instance *found = rtn_instances_find(&instances, instance->data);
        cr_expect_eq(found, instance);
        cr_expect_eq(atomic_load(&instance->users), 2);
    }
    cr_expect_eq(atomic_load(&instance->users), 1);
    void *data = instance->data;
    rtn_instance_unref(instance);
    cr_expect_null(rtn_instances_find(&instances, data));
    rtn_instances_done(&instances);
}

/* What an instance has waiting */

static unsigned cancelled[2];

static void on_cancel(struct rtn_pending *pending)
{
    cancelled[pending->instance == instance]++;
}

Test(instance_life, only_what_it_has_waiting_is_cancelled)
{
    struct rtn_pendings pendings;
    struct rtn_pending mine[40] = { 0 };
    struct rtn_pending others[40] = { 0 };
    rtn_pendings_init(&pendings, 0);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(mine); i++) {
        mine[i] =
            (struct rtn_pending){ .number = rtn_pendings_number(&pendings), .instance = instance, .cancel = on_cancel };
        others[i] = (struct rtn_pending){ .number = rtn_pendings_number(&pendings), .cancel = on_cancel };
        cr_assert_eq(rtn_pendings_add(&pendings, &mine[i]), 0);
        cr_assert_eq(rtn_pendings_add(&pendings, &others[i]), 0);
    }
    rtn_instance_end(instance);
    rtn_pendings_end_ending(&pendings);
    cr_expect_eq(cancelled[true], RTN_ARRAY_LENGTH(mine));
    cr_expect_eq(cancelled[false], 0);
    cr_expect_null(rtn_pendings_find(&pendings, mine[0].number));
    cr_expect_eq(rtn_pendings_find(&pendings, others[0].number), &others[0]);
    cr_expect_eq(rtn_pendings_add(&pendings, &mine[0]), -ECANCELED);
    rtn_pendings_end(&pendings);
    cr_expect_eq(cancelled[false], RTN_ARRAY_LENGTH(others));
    rtn_pendings_done(&pendings);
    rtn_instance_unref(instance);
}
