/*
 * Checks what a module takes and sends through the hub: the rows of its message handlers and all the types that it
 * names. The types are objects of the module, one for each name as a rule; where there are several of a name they
 * must mean the same.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/module_check.h"
#include "base/map.h"

#define TYPE_MIN RTN_SIZE_UP_TO(struct rtn_message_type, wired)
#define TYPE_NAME_MAX 63

/* The types seen so far, by name. */
struct types {
    struct rtn_map map;
    struct rtn_buf *problem;
};

/* Where a type is named, for messages. */
struct place {
    const struct rtn_loaded_messages *messages; /* NULL: of the module */
    size_t row; /* from 1; 0: in .sends */
};

/* in row 2 of message handler "jobs" */
static const char *describe(const struct place *place, struct rtn_buf *out)
{
    if (place->row > 0)
        rtn_buf_printf(out, "in row %zu", place->row);
    else
        rtn_buf_append_text(out, "in .sends");
    if (place->messages != NULL)
        rtn_buf_printf(out, " of message handler \"%s\"", place->messages->handler.name);
    return rtn_buf_str(out).data;
}

static bool is_type_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    if (name == NULL || name[0] == '\0' || rtn_is_digit(name[0]))
        return false;
    size_t length = strspn(name, letters);
    return length <= TYPE_NAME_MAX && name[length] == '\0';
}

static bool is_payload_size(size_t size)
{
    return size == RTN_PAYLOAD_BYTES || size <= RTN_MODULE_MEMORY_MAX;
}

static int check_type(const struct rtn_message_type *type, const struct place *place, struct rtn_buf *problem)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf where = { 0 };
    if (!rtn_module_is_size(type->struct_size, TYPE_MIN))
        return rtn_module_refuse(
            problem,
            "has a message type of an impossible struct size %s: it was not made by RTN_MESSAGE, or is damaged",
            describe(place, &where));
    if (!is_type_name(type->name))
        return rtn_module_refuse(problem,
                                 "has a message type with no valid name %s: a name is one of C, of 1 to 63 characters",
                                 describe(place, &where));
    if (!is_payload_size(type->size))
        return rtn_module_refuse(problem, "has message type \"%s\" with a payload of %zu bytes, which cannot be right",
                                 type->name, type->size);
    if (!is_payload_size(type->answer_size))
        return rtn_module_refuse(problem, "has message type \"%s\" with an answer of %zu bytes, which cannot be right",
                                 type->name, type->answer_size);
    return 0;
}

static bool means_the_same(const struct rtn_message_type *a, const struct rtn_message_type *b)
{
    return a->version == b->version && a->size == b->size && a->answer_size == b->answer_size;
}

static int add_type(struct types *types, const struct rtn_message_type *type, const struct place *place)
{
    if (check_type(type, place, types->problem) < 0)
        return -EINVAL;
    struct rtn_str name = rtn_str_of(type->name);
    const struct rtn_message_type *other = rtn_map_get(&types->map, name);
    if (other == NULL) {
        if (rtn_map_add(&types->map, name, (void *) (uintptr_t) type) < 0)
            abort();
        return 0;
    }
    if (other != type && !means_the_same(type, other))
        return rtn_module_refuse(types->problem,
                                 "has two message types called \"%s\" that differ in version or size: its files were "
                                 "compiled with different declarations",
                                 type->name);
    return 0;
}

static int add_sends(struct types *types, struct rtn_message_type *const *sends, size_t count,
                     const struct rtn_loaded_messages *messages)
{
    const struct place place = { .messages = messages };
    for (size_t i = 0; i < count; i++) {
        if (add_type(types, sends[i], &place) < 0)
            return -EINVAL;
    }
    return 0;
}

static bool is_taken_before(const struct rtn_loaded_messages *messages, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(messages->rows[i].type->name, messages->rows[at].type->name) == 0)
            return true;
    }
    return false;
}

static int add_row(struct types *types, const struct rtn_loaded_messages *messages, size_t at)
{
    const struct rtn_message_row *row = &messages->rows[at];
    const struct place place = { .messages = messages, .row = at + 1 };
    if (row->type == NULL || row->call == NULL || row->handle == NULL)
        return rtn_module_refuse(types->problem,
                                 "has message handler \"%s\" with no %s in row %zu: rows are made by RTN_ON",
                                 messages->handler.name, row->type == NULL ? "type" : "function", at + 1);
    if (add_type(types, row->type, &place) < 0)
        return -EINVAL;
    if (is_taken_before(messages, at))
        return rtn_module_refuse(types->problem, "has message handler \"%s\" with two rows for \"%s\"",
                                 messages->handler.name, row->type->name);
    return 0;
}

static int add_handler(struct types *types, const struct rtn_loaded_messages *messages)
{
    for (size_t i = 0; i < messages->row_count; i++) {
        if (add_row(types, messages, i) < 0)
            return -EINVAL;
    }
    return add_sends(types, messages->handler.sends, messages->send_count, messages);
}

int rtn_module_check_messages(const struct rtn_loaded *loaded, struct rtn_buf *problem)
{
    struct types types = { .problem = problem };
    int r = 0;
    for (size_t i = 0; i < loaded->message_count && r == 0; i++)
        r = add_handler(&types, &loaded->messages[i]);
    if (r == 0)
        r = add_sends(&types, loaded->module.sends, loaded->send_count, NULL);
    rtn_map_done(&types.map);
    return r;
}
