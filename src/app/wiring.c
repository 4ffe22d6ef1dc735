/*
 * Each type of the hub that is declared gets a record of who declared it first, who owns it and who sends it, for
 * errors that name both places and for printing. Types of the hub are found by all that a declaration says, so that a
 * name whose declaration has changed is another type; within one wiring a name means one of them.
 *
 * Modules of an older wiring that are still there have been wired to the same types, and stay so. A server that is
 * stopped stays in the wiring, without what its parties were: then only names are left of them.
 */
#include "app/wiring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/loaded.h"
#include "app/outbox.h"
#include "app/wiring_internal.h"
#include "config/memory.h"

/* What is added now, and where to. */
struct adding {
    struct rtn_wiring *wiring;
    const struct rtn_wiring_party *party;
    struct rtn_hub_port *port;
    struct rtn_diags *diags;
};

int rtn_wiring_new(struct rtn_hub *hub, struct rtn_wiring **ret)
{
    struct rtn_wiring *wiring = calloc(1, sizeof(*wiring));
    if (wiring == NULL)
        return -ENOMEM;
    wiring->hub = hub;
    rtn_arena_init(&wiring->arena, NULL, 0);
    *ret = wiring;
    return 0;
}

static void withdraw(const struct rtn_wiring *wiring)
{
    for (size_t i = 0; i < wiring->wires.count; i++) {
        const struct rtn_wire *wire = rtn_wiring_at(wiring, i);
        if (wire->early)
            rtn_hub_publish(wire->type, NULL, NULL);
    }
    rtn_hub_count_types(wiring->hub);
}

void rtn_wiring_free(struct rtn_wiring *wiring)
{
    if (wiring == NULL)
        return;
    if (!wiring->committed)
        withdraw(wiring);
    rtn_map_done(&wiring->wires);
    rtn_arena_done(&wiring->arena);
    free(wiring);
}

/* Errors */

static struct rtn_mark place_of(const struct rtn_wiring_party *party)
{
    return rtn_schema_mark(party->node, "module");
}

static void report_shape(const struct adding *adding, const struct rtn_hub_shape *shape, const struct rtn_wire *wire)
{
    const struct rtn_wiring_party *party = adding->party;
    const struct rtn_wiring_party *other = &wire->declared;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf here = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf there = { 0 };
    bool versions = shape->version != wire->type->shape.version;
    rtn_wiring_append_shape(&here, shape, versions);
    rtn_wiring_append_shape(&there, &wire->type->shape, versions);
    rtn_diags_error(adding->diags, place_of(party),
                    "server \"%s\": %s: message \"%s\" has %s in module \"%s\", but %s in module \"%s\"; they were not "
                    "compiled with the same declaration",
                    party->server->name, party->instance->place.text, shape->name, rtn_buf_str(&here).data,
                    party->instance->loaded->module.name, rtn_buf_str(&there).data,
                    other->instance->loaded->module.name);
    rtn_diags_note(adding->diags, place_of(other), "server \"%s\": %s has it too", other->server->name,
                   other->instance->place.text);
}

static void report_owners(const struct adding *adding, const struct rtn_wire *wire)
{
    const struct rtn_wiring_party *party = adding->party;
    const struct rtn_wiring_party *other = &wire->owner;
    rtn_diags_error(adding->diags, place_of(party),
                    "server \"%s\": %s: message \"%s\" is handled here and by server \"%s\": %s; one of them may",
                    party->server->name, party->instance->place.text, wire->type->shape.name, other->server->name,
                    other->instance->place.text);
    rtn_diags_note(adding->diags, place_of(other), "server \"%s\": %s handles it too", other->server->name,
                   other->instance->place.text);
}

static void report_no_owner(const struct rtn_wire *wire, const struct rtn_wiring_party *sender, struct rtn_diags *diags)
{
    rtn_diags_error(
        diags, place_of(sender),
        "server \"%s\": %s: message \"%s\" is sent here, but no server handles it; add the module that does "
        "to `modules` of one",
        sender->server->name, sender->instance->place.text, wire->type->shape.name);
}

/* Adding */

static struct rtn_wire *wire_new(const struct adding *adding, const struct rtn_hub_shape *shape)
{
    struct rtn_wiring *wiring = adding->wiring;
    struct rtn_wire *wire = rtn_config_alloc(&wiring->arena, sizeof(*wire));
    struct rtn_hub_type *type = rtn_hub_find(wiring->hub, shape);
    wire->type = type != NULL ? type : rtn_config_need(rtn_hub_add(wiring->hub, shape));
    wire->declared = *adding->party;
    if (rtn_map_add(&wiring->wires, rtn_str_of(wire->type->shape.name), wire) < 0)
        abort();
    return wire;
}

/* What a module has already it uses, perhaps now. */
static void join(struct rtn_message_type *declared, struct rtn_hub_type *type, const struct rtn_loaded *loaded)
{
    const struct rtn_outlet *connected = declared->wired;
    if (connected != NULL && connected->type == type)
        return;
    struct rtn_outlet *outlet = rtn_loaded_alloc(loaded, sizeof(*outlet));
    *outlet = (struct rtn_outlet){ .type = type, .loaded = loaded };
    declared->wired = outlet;
}

/* NULL after an error. */
static struct rtn_wire *declare(const struct adding *adding, struct rtn_message_type *declared)
{
    const struct rtn_hub_shape shape = { .name = declared->name,
                                         .version = declared->version,
                                         .size = declared->size,
                                         .answer_size = declared->answer_size };
    struct rtn_wire *wire = rtn_map_get(&adding->wiring->wires, rtn_str_of(shape.name));
    if (wire == NULL)
        wire = wire_new(adding, &shape);
    if (!rtn_hub_is_shape(&wire->type->shape, &shape)) {
        report_shape(adding, &shape, wire);
        return NULL;
    }
    join(declared, wire->type, adding->party->instance->loaded);
    return wire;
}

static void add_row(const struct adding *adding, size_t row)
{
    struct rtn_instance *instance = adding->party->instance;
    struct rtn_wire *wire = declare(adding, instance->messages->rows[row].type);
    if (wire == NULL)
        return;
    if (wire->owner.instance != NULL) {
        report_owners(adding, wire);
        return;
    }
    wire->owner = *adding->party;
    wire->to = rtn_config_strdup(&adding->wiring->arena, rtn_str_of(adding->party->server->name));
    wire->port = adding->port;
    wire->receiver = &instance->inbox->receivers[row];
}

static void add_sender(const struct adding *adding, struct rtn_wire *wire)
{
    struct rtn_wiring_sender **last = &wire->senders;
    while (*last != NULL && (*last)->party.instance != adding->party->instance)
        last = &(*last)->next;
    if (*last != NULL)
        return;
    *last = rtn_config_alloc(&adding->wiring->arena, sizeof(**last));
    **last = (struct rtn_wiring_sender){
        .party = *adding->party,
        .server = rtn_config_strdup(&adding->wiring->arena, rtn_str_of(adding->party->server->name)),
    };
}

static void add_sends(const struct adding *adding, struct rtn_message_type *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rtn_wire *wire = declare(adding, types[i]);
        if (wire != NULL)
            add_sender(adding, wire);
    }
}

void rtn_wiring_add(struct rtn_wiring *wiring, const struct rtn_wiring_party *party, struct rtn_hub_port *port,
                    struct rtn_diags *diags)
{
    const struct adding adding = { wiring, party, port, diags };
    const struct rtn_loaded_messages *messages = party->instance->messages;
    const struct rtn_loaded *loaded = party->instance->loaded;
    add_sends(&adding, loaded->module.sends, loaded->send_count);
    if (messages == NULL)
        return;
    add_sends(&adding, messages->handler.sends, messages->send_count);
    for (size_t i = 0; i < messages->row_count; i++)
        add_row(&adding, i);
}

void rtn_wiring_check(const struct rtn_wiring *wiring, struct rtn_diags *diags)
{
    for (size_t i = 0; i < wiring->wires.count; i++) {
        const struct rtn_wire *wire = rtn_wiring_at(wiring, i);
        const struct rtn_wiring_sender *sender = wire->senders;
        for (; sender != NULL && wire->owner.instance == NULL; sender = sender->next)
            report_no_owner(wire, &sender->party, diags);
    }
}

/* Coming into force */

void rtn_wiring_prepare(struct rtn_wiring *wiring)
{
    for (size_t i = 0; i < wiring->wires.count; i++) {
        struct rtn_wire *wire = rtn_wiring_at(wiring, i);
        if (wire->receiver == NULL || atomic_load(&wire->type->port) != NULL)
            continue;
        rtn_hub_publish(wire->type, wire->port, wire->receiver);
        wire->early = true;
    }
    rtn_hub_count_types(wiring->hub);
}

/* The record of a type of the hub, which may be one of its name that is out of use. */
static const struct rtn_wire *wire_of(const struct rtn_wiring *wiring, const struct rtn_hub_type *type)
{
    const struct rtn_wire *wire = rtn_map_get(&wiring->wires, rtn_str_of(type->shape.name));
    return wire != NULL && wire->type == type ? wire : NULL;
}

/* Before a type is there, so that nobody is refused. */
static void open_ports(const struct rtn_wiring *wiring)
{
    for (size_t i = 0; i < wiring->wires.count; i++) {
        const struct rtn_wire *wire = rtn_wiring_at(wiring, i);
        if (wire->port != NULL)
            rtn_hub_expect_type(wire->port);
    }
}

void rtn_wiring_commit(struct rtn_wiring *wiring)
{
    open_ports(wiring);
    for (struct rtn_hub_type *type = NULL; (type = rtn_hub_next(wiring->hub, type)) != NULL;) {
        const struct rtn_wire *wire = wire_of(wiring, type);
        rtn_hub_publish(type, wire != NULL ? wire->port : NULL, wire != NULL ? wire->receiver : NULL);
    }
    rtn_hub_count_types(wiring->hub);
    wiring->committed = true;
}
