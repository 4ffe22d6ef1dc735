/*
 * Each type of the hub gets a record of who declared it first, who owns it and who sends it, for errors that name both
 * places and for printing. Receivers and inboxes, which messages are delivered to, are made here too.
 */
#include "app/wiring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/inbox.h"
#include "config/memory.h"

struct sender {
    const struct rtn_instance *instance;
    struct sender *next;
};

struct wire {
    const struct rtn_instance *declared; /* first */
    const struct rtn_instance *owner; /* NULL: none */
    struct sender *senders; /* in the order of the configuration */
    struct rtn_receiver receiver;
};

struct rtn_wiring {
    struct rtn_hub *hub;
    struct rtn_arena arena;
};

/* What is added now, and where to. */
struct adding {
    struct rtn_wiring *wiring;
    struct rtn_instance *instance;
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

void rtn_wiring_free(struct rtn_wiring *wiring)
{
    if (wiring == NULL)
        return;
    for (struct rtn_hub_type *type = NULL; (type = rtn_hub_next(wiring->hub, type)) != NULL;) {
        type->receiver = NULL;
        type->wiring = NULL;
    }
    rtn_arena_done(&wiring->arena);
    free(wiring);
}

static struct rtn_mark place_of(const struct rtn_instance *instance)
{
    return rtn_schema_mark(instance->place.node, "module");
}

static void append_size(struct rtn_buf *out, size_t size)
{
    if (size == SIZE_MAX)
        rtn_buf_append_text(out, "any bytes");
    else
        rtn_buf_printf(out, "%zu bytes", size);
}

/* 40 bytes, version 2, answer 16 bytes */
static void append_shape(struct rtn_buf *out, const struct rtn_hub_shape *shape, bool version)
{
    append_size(out, shape->size);
    if (version)
        rtn_buf_printf(out, ", version %u", shape->version);
    if (shape->answer_size == 0)
        return;
    rtn_buf_append_text(out, ", answer ");
    append_size(out, shape->answer_size);
}

/* Errors */

static void report_shape(const struct adding *adding, const struct rtn_hub_shape *shape,
                         const struct rtn_hub_type *type)
{
    const struct rtn_instance *other = ((const struct wire *) type->wiring)->declared;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf here = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf there = { 0 };
    bool versions = shape->version != type->shape.version;
    append_shape(&here, shape, versions);
    append_shape(&there, &type->shape, versions);
    rtn_diags_error(adding->diags, place_of(adding->instance),
                    "server \"%s\": %s: message \"%s\" has %s in module \"%s\", but %s in module \"%s\"; they were not "
                    "compiled with the same declaration",
                    adding->instance->server->name, adding->instance->place.text, shape->name, rtn_buf_str(&here).data,
                    adding->instance->loaded->module.name, rtn_buf_str(&there).data, other->loaded->module.name);
    rtn_diags_note(adding->diags, place_of(other), "server \"%s\": %s has it too", other->server->name,
                   other->place.text);
}

static void report_owners(const struct adding *adding, const struct rtn_hub_type *type)
{
    const struct rtn_instance *other = ((const struct wire *) type->wiring)->owner;
    rtn_diags_error(adding->diags, place_of(adding->instance),
                    "server \"%s\": %s: message \"%s\" is handled here and by server \"%s\": %s; one of them may",
                    adding->instance->server->name, adding->instance->place.text, type->shape.name, other->server->name,
                    other->place.text);
    rtn_diags_note(adding->diags, place_of(other), "server \"%s\": %s handles it too", other->server->name,
                   other->place.text);
}

static void report_no_owner(const struct rtn_hub_type *type, const struct rtn_instance *sender, struct rtn_diags *diags)
{
    rtn_diags_error(
        diags, place_of(sender),
        "server \"%s\": %s: message \"%s\" is sent here, but no server handles it; add the module that does "
        "to `modules` of one",
        sender->server->name, sender->place.text, type->shape.name);
}

/* Adding */

static bool is_same(const struct rtn_hub_shape *a, const struct rtn_hub_shape *b)
{
    return a->version == b->version && a->size == b->size && a->answer_size == b->answer_size;
}

/* The type of the hub; NULL after an error. */
static struct rtn_hub_type *declare(const struct adding *adding, struct rtn_message_type *declared)
{
    const struct rtn_hub_shape shape = { .name = declared->name,
                                         .version = declared->version,
                                         .size = declared->size,
                                         .answer_size = declared->answer_size };
    struct rtn_hub_type *type = rtn_hub_find(adding->wiring->hub, shape.name);
    if (type == NULL) {
        struct wire *wire = rtn_config_alloc(&adding->wiring->arena, sizeof(*wire));
        *wire = (struct wire){ .declared = adding->instance };
        type = rtn_config_need(rtn_hub_add(adding->wiring->hub, &shape));
        type->wiring = wire;
    }
    if (!is_same(&type->shape, &shape)) {
        report_shape(adding, &shape, type);
        return NULL;
    }
    declared->wired = type;
    return type;
}

static void add_row(const struct adding *adding, const struct rtn_message_row *row, struct rtn_inbox *inbox)
{
    struct rtn_hub_type *type = declare(adding, row->type);
    struct wire *wire = type != NULL ? type->wiring : NULL;
    if (wire == NULL)
        return;
    if (wire->owner != NULL) {
        report_owners(adding, type);
        return;
    }
    wire->owner = adding->instance;
    wire->receiver =
        (struct rtn_receiver){ .inbox = inbox, .handler = adding->instance->messages->handler.name, .row = row };
    type->port = adding->port;
    type->port->type_count++;
    type->receiver = &wire->receiver;
}

static void add_sends(const struct adding *adding, struct rtn_message_type *const *types, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rtn_hub_type *type = declare(adding, types[i]);
        struct wire *wire = type != NULL ? type->wiring : NULL;
        struct sender **last = wire != NULL ? &wire->senders : NULL;
        if (last == NULL)
            continue;
        while (*last != NULL && (*last)->instance != adding->instance)
            last = &(*last)->next;
        if (*last != NULL)
            continue;
        *last = rtn_config_alloc(&adding->wiring->arena, sizeof(**last));
        **last = (struct sender){ .instance = adding->instance };
    }
}

void rtn_wiring_add(struct rtn_wiring *wiring, struct rtn_instance *instance, struct rtn_hub_port *port,
                    struct rtn_diags *diags)
{
    const struct adding adding = { wiring, instance, port, diags };
    const struct rtn_loaded_messages *messages = instance->messages;
    add_sends(&adding, instance->loaded->module.sends, instance->loaded->send_count);
    if (messages == NULL)
        return;
    add_sends(&adding, messages->handler.sends, messages->send_count);
    struct rtn_inbox *inbox = rtn_config_alloc(&wiring->arena, sizeof(*inbox));
    rtn_inbox_init(inbox, instance);
    for (size_t i = 0; i < messages->row_count; i++)
        add_row(&adding, &messages->rows[i], inbox);
}

void rtn_wiring_check(const struct rtn_wiring *wiring, struct rtn_diags *diags)
{
    for (struct rtn_hub_type *type = NULL; (type = rtn_hub_next(wiring->hub, type)) != NULL;) {
        const struct wire *wire = type->wiring;
        for (const struct sender *sender = wire->senders; sender != NULL && wire->owner == NULL; sender = sender->next)
            report_no_owner(type, sender->instance, diags);
    }
}

/* Printing */

size_t rtn_wiring_count(const struct rtn_wiring *wiring)
{
    size_t count = 0;
    for (struct rtn_hub_type *type = NULL; (type = rtn_hub_next(wiring->hub, type)) != NULL;)
        count++;
    return count;
}

/* Each server once, though several of its instances send. */
static void append_senders(const struct wire *wire, struct rtn_buf *out)
{
    for (const struct sender *sender = wire->senders; sender != NULL; sender = sender->next) {
        const struct sender *before = wire->senders;
        while (before != sender && before->instance->server != sender->instance->server)
            before = before->next;
        if (before == sender)
            rtn_buf_printf(out, "%s%s", sender != wire->senders ? ", " : "", sender->instance->server->name);
    }
}

void rtn_wiring_print(const struct rtn_wiring *wiring, const char *prefix, struct rtn_buf *out)
{
    for (struct rtn_hub_type *type = NULL; (type = rtn_hub_next(wiring->hub, type)) != NULL;) {
        const struct wire *wire = type->wiring;
        rtn_buf_printf(out, "%smessage %s (", prefix, type->shape.name);
        append_shape(out, &type->shape, type->shape.version != 1);
        rtn_buf_append_text(out, "): ");
        append_senders(wire, out);
        rtn_buf_printf(out, "%s-> %s\n", wire->senders != NULL ? " " : "nobody ",
                       wire->owner != NULL ? wire->owner->server->name : "nobody");
    }
}
