/* Wirings that follow each other: what is staged is seen by nobody, and a commit changes where messages go at once. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>

#include "app/dispatch.h"
#include "app/inbox.h"
#include "app/outbox.h"
#include "app/wiring.h"
#include "generation_support.h"

#define OWNER "o: {protocol: worker, modules: [{module: wire_owner}]}"
#define SENDER "s: {protocol: worker, modules: [{module: wire_sender}]}"
#define PAIR OWNER "\n  " SENDER

/* One configuration: an instance of the first entry of each server. */
struct side {
    struct rtn_generation *generation;
    struct rtn_instance *instances[2];
    size_t count;
    struct rtn_wiring *wiring;
};

static struct rtn_hub *hub;
static struct rtn_hub_port *ports[2];
static struct rtn_site site;
static _Atomic int silent = RTN_LOG_NONE;
static struct rtn_log_context context = { .level = &silent };

static void start(void)
{
    rtn_log_set_context(&context);
    cr_assert_eq(rtn_hub_new(&hub), 0);
    for (size_t i = 0; i < 2; i++) {
        ports[i] = rtn_hub_add_port(hub, i == 0 ? "o" : "s", 10, rtn_inbox_deliver, rtn_inbox_drop);
        cr_assert_not_null(ports[i]);
        ports[i]->owner = &site;
    }
}

static void stop(void)
{
    for (size_t i = 0; i < 2; i++) {
        rtn_hub_close(ports[i]);
        rtn_hub_end(ports[i]);
    }
    rtn_hub_free(hub);
    rtn_diags_done(&diags);
}

TestSuite(wiring, .init = start, .fini = stop);

static struct rtn_instance *make(struct rtn_generation *generation, const struct side *old, size_t index)
{
    const struct rtn_config_server *server = server_of(generation, index);
    bool taken[2] = { 0 };
    struct rtn_instance_offer offer = { .taken = taken };
    if (old != NULL) {
        offer.items = old->instances;
        offer.count = old->count;
    }
    struct rtn_instance *instance = rtn_instance_new_use(generation, server, server->modules.items, &offer, &diags);
    cr_assert_not_null(instance, "%s", problems());
    return instance;
}

/* With a wiring that was checked. */
static struct side make_side(const struct side *old, const char *servers)
{
    struct side side = { .generation = generation_after(old != NULL ? old->generation : NULL, TEST_MODULES, servers) };
    cr_assert_eq(rtn_wiring_new(hub, &side.wiring), 0);
    side.count = side.generation->config->servers.count;
    for (size_t i = 0; i < side.count; i++) {
        const struct rtn_config_server *server = server_of(side.generation, i);
        side.instances[i] = make(side.generation, old, i);
        const struct rtn_config_use *use = server->modules.items;
        const struct rtn_wiring_party party = { side.instances[i], server, use->node };
        rtn_wiring_add(side.wiring, &party, ports[server->name[0] == 's'], &diags);
    }
    rtn_wiring_check(side.wiring, &diags);
    return side;
}

static void free_side(struct side *side)
{
    rtn_wiring_free(side->wiring);
    for (size_t i = 0; i < side->count; i++)
        rtn_instance_unref(side->instances[i]);
    rtn_generation_unref(side->generation);
}

static struct rtn_message_type *type_of_owner(const struct rtn_instance *owner)
{
    return owner->messages->rows[0].type;
}

/* As the module that has the type sends. */
static int send_one(const struct rtn_message_type *type)
{
    char payload[64] = { 0 };
    return rtn_send(type, payload, type->size);
}

/* How many its handler took, in this copy of the module. */
static int taken_by(const struct rtn_instance *owner)
{
    const atomic_int *taken = dlsym(owner->loaded->handle, "wire_taken");
    cr_assert_not_null(taken);
    return *taken;
}

static void open_ports(void)
{
    rtn_hub_open(ports[0]);
    rtn_hub_open(ports[1]);
}

Test(wiring, what_is_staged_is_not_in_force)
{
    struct side side = make_side(NULL, PAIR);
    cr_assert_eq(diags.errors, 0, "%s", problems());
    cr_expect_eq(rtn_wiring_count(side.wiring), 1);
    open_ports();
    cr_expect_eq(send_one(side.instances[1]->loaded->module.sends[0]), -ENOENT);
    rtn_wiring_commit(side.wiring);
    open_ports();
    cr_expect_eq(send_one(side.instances[1]->loaded->module.sends[0]), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(side.instances[0]), 1);
    free_side(&side);
}

Test(wiring, what_is_prepared_can_be_sent_until_it_is_given_up)
{
    struct side side = make_side(NULL, PAIR);
    const struct rtn_message_type *type = side.instances[1]->loaded->module.sends[0];
    rtn_wiring_prepare(side.wiring);
    open_ports();
    cr_expect_eq(send_one(type), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(side.instances[0]), 1);
    cr_expect_eq(send_one(type), 0); /* which is on its way at the end */
    rtn_wiring_free(side.wiring);
    side.wiring = NULL;
    cr_expect_eq(send_one(type), -ENOENT);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(rtn_hub_waiting(ports[0]), 0);
    cr_expect_eq(atomic_load(&ports[0]->unhandled), 1);
    cr_expect_eq(taken_by(side.instances[0]), 1);
    free_side(&side);
}

/* Who runs already is not disturbed by what is prepared beside it. */
Test(wiring, a_type_with_an_owner_keeps_it_until_the_commit)
{
    struct side first = make_side(NULL, PAIR);
    rtn_wiring_commit(first.wiring);
    open_ports();
    struct side second = make_side(&first, "o: {protocol: worker, modules: [{module: wire_both}]}\n  " SENDER);
    cr_assert_eq(diags.errors, 0, "%s", problems());
    const struct rtn_message_type *type = first.instances[1]->loaded->module.sends[0];
    cr_expect_eq(first.instances[1], second.instances[1]);
    cr_expect_neq(first.instances[0], second.instances[0]);
    rtn_wiring_prepare(second.wiring);
    cr_expect_eq(send_one(type), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(first.instances[0]), 1);
    cr_expect_eq(send_one(type), 0); /* before, and handed out afterwards: to who owns it then */
    rtn_wiring_commit(second.wiring);
    cr_expect_eq(send_one(type_of_owner(first.instances[0])), 0); /* the old module, while it still runs */
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(first.instances[0]), 1);
    cr_expect_eq(taken_by(second.instances[0]), 2);
    free_side(&first);
    cr_expect_eq(send_one(type), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(second.instances[0]), 3);
    free_side(&second);
}

Test(wiring, an_owner_that_stays_is_not_touched)
{
    struct side first = make_side(NULL, PAIR);
    rtn_wiring_commit(first.wiring);
    open_ports();
    const void *wired = type_of_owner(first.instances[0])->wired;
    struct side second = make_side(&first, PAIR);
    cr_expect_eq(second.instances[0], first.instances[0]);
    cr_expect_eq(type_of_owner(second.instances[0])->wired, wired);
    rtn_wiring_commit(second.wiring);
    free_side(&first);
    cr_expect_eq(send_one(type_of_owner(second.instances[0])), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(second.instances[0]), 1);
    free_side(&second);
}

Test(wiring, a_type_that_nobody_owns_any_more_comes_to_nothing)
{
    struct side first = make_side(NULL, PAIR);
    rtn_wiring_commit(first.wiring);
    open_ports();
    const struct rtn_message_type *type = first.instances[1]->loaded->module.sends[0];
    cr_expect_eq(send_one(type), 0);
    struct side second = make_side(&first, "o: {protocol: worker, modules: [{module: hook_only}]}");
    rtn_wiring_commit(second.wiring);
    cr_expect_eq(send_one(type), -ENOENT);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(first.instances[0]), 0);
    cr_expect_eq(atomic_load(&ports[0]->unhandled), 1);
    free_side(&first);
    free_side(&second);
}

Test(wiring, another_declaration_of_a_name_is_another_type)
{
    struct side first = make_side(NULL, PAIR);
    rtn_wiring_commit(first.wiring);
    open_ports();
    const struct rtn_message_type *type = first.instances[1]->loaded->module.sends[0];
    struct side second = make_side(&first, "o: {protocol: worker, modules: [{module: wire_owner_more}]}\n"
                                           "  s: {protocol: worker, modules: [{module: wire_size}]}");
    cr_assert_eq(diags.errors, 0, "%s", problems());
    const struct rtn_message_type *other = second.instances[1]->loaded->module.sends[0];
    cr_expect_neq(rtn_outbox_type(type), rtn_outbox_type(other));
    cr_expect_eq(rtn_wiring_count(second.wiring), 1);
    rtn_wiring_commit(second.wiring);
    cr_expect_eq(send_one(type), -ENOENT);
    cr_expect_eq(send_one(other), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(second.instances[0]), 1);
    struct side third = make_side(&second, PAIR); /* and back: the type of then */
    rtn_wiring_commit(third.wiring);
    cr_expect_eq(rtn_outbox_type(third.instances[1]->loaded->module.sends[0]), rtn_outbox_type(type));
    cr_expect_eq(send_one(type), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(taken_by(third.instances[0]), 1);
    free_side(&first);
    free_side(&second);
    free_side(&third);
}

Test(wiring, within_one_a_name_is_declared_once)
{
    struct side side = make_side(NULL, "o: {protocol: worker, modules: [{module: wire_owner}]}\n"
                                       "  s: {protocol: worker, modules: [{module: wire_size}]}");
    cr_expect_not_null(strstr(problems(), "compiled with the same declaration"), "%s", problems());
    free_side(&side);
}

Test(wiring, messages_follow_their_type_to_another_server)
{
    struct side first = make_side(NULL, PAIR);
    rtn_wiring_commit(first.wiring);
    open_ports();
    const struct rtn_message_type *type = first.instances[1]->loaded->module.sends[0];
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(send_one(type), 0);
    struct side second = make_side(&first, "o: {protocol: worker, modules: [{module: wire_sender}]}\n"
                                           "  s: {protocol: worker, modules: [{module: wire_owner}]}");
    cr_assert_eq(diags.errors, 0, "%s", problems());
    rtn_wiring_commit(second.wiring);
    open_ports();
    cr_expect_eq(send_one(type), 0);
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(rtn_hub_waiting(ports[0]), 0);
    cr_expect_eq(rtn_hub_waiting(ports[1]), 4);
    rtn_hub_run(ports[1], 0);
    cr_expect_eq(rtn_hub_waiting(ports[1]), 0);
    cr_expect_eq(taken_by(second.instances[1]), 4);
    free_side(&first);
    free_side(&second);
}

/* A payload may be released after its sender has gone, by code of the sender's module. */
static atomic_uint released;

static void on_release(void *data)
{
    (void) data;
    atomic_fetch_add(&released, 1);
}

Test(wiring, a_moved_payload_keeps_the_module_of_its_sender)
{
    static const char payload[64];
    struct side first = make_side(NULL, PAIR);
    rtn_wiring_commit(first.wiring);
    open_ports();
    const struct rtn_message_type *type = first.instances[1]->loaded->module.sends[0];
    cr_expect_eq(rtn_move(type, payload, type->size, on_release, NULL), 0);
    struct side second = make_side(&first, OWNER);
    rtn_wiring_commit(second.wiring);
    rtn_generation_supersede(first.generation, second.generation);
    free_side(&first);
    cr_expect_eq(atomic_load(&released), 0);
    cr_expect_str_eq(type->name, "wire_job"); /* which is in the module */
    rtn_hub_run(ports[0], 0);
    cr_expect_eq(atomic_load(&released), 1);
    free_side(&second);
}
