/* Wirings as people and programs read them. */
#include <string.h>

#include "app/wiring_internal.h"

static void append_size(struct rtn_buf *out, size_t size)
{
    if (size == SIZE_MAX)
        rtn_buf_append_text(out, "any bytes");
    else
        rtn_buf_printf(out, "%zu bytes", size);
}

/* 40 bytes, version 2, answer 16 bytes */
void rtn_wiring_append_shape(struct rtn_buf *out, const struct rtn_hub_shape *shape, bool version)
{
    append_size(out, shape->size);
    if (version)
        rtn_buf_printf(out, ", version %u", shape->version);
    if (shape->answer_size == 0)
        return;
    rtn_buf_append_text(out, ", answer ");
    append_size(out, shape->answer_size);
}

size_t rtn_wiring_count(const struct rtn_wiring *wiring)
{
    return wiring->wires.count;
}

/* Each server counts once, though several of its instances send. */
static bool is_first(const struct rtn_wire *wire, const struct rtn_wiring_sender *sender)
{
    const struct rtn_wiring_sender *before = wire->senders;
    while (strcmp(before->server, sender->server) != 0)
        before = before->next;
    return before == sender;
}

static void append_senders(const struct rtn_wire *wire, struct rtn_buf *out)
{
    for (const struct rtn_wiring_sender *sender = wire->senders; sender != NULL; sender = sender->next) {
        if (is_first(wire, sender))
            rtn_buf_printf(out, "%s%s", sender != wire->senders ? ", " : "", sender->server);
    }
}

static void put_senders(struct rtn_json *json, const struct rtn_wire *wire)
{
    rtn_json_key(json, "from");
    rtn_json_array(json);
    for (const struct rtn_wiring_sender *sender = wire->senders; sender != NULL; sender = sender->next) {
        if (is_first(wire, sender))
            rtn_json_text(json, sender->server);
    }
    rtn_json_end(json);
}

static void put_size(struct rtn_json *json, const char *key, size_t size)
{
    rtn_json_key(json, key);
    if (size == SIZE_MAX)
        rtn_json_null(json);
    else
        rtn_json_int(json, (int64_t) size);
}

void rtn_wiring_json(const struct rtn_wiring *wiring, struct rtn_json *json)
{
    rtn_json_array(json);
    for (size_t i = 0; i < wiring->wires.count; i++) {
        const struct rtn_wire *wire = rtn_wiring_at(wiring, i);
        const struct rtn_hub_type *type = wire->type;
        rtn_json_object(json);
        rtn_json_put_text(json, "type", type->shape.name);
        rtn_json_put_int(json, "version", type->shape.version);
        put_size(json, "size", type->shape.size); /* null: any */
        put_size(json, "answer_size", type->shape.answer_size); /* 0: no answer */
        put_senders(json, wire);
        rtn_json_put_text(json, "to", wire->to);
        rtn_json_put_int(json, "waiting", wire->port != NULL ? rtn_hub_waiting(wire->port) : 0);
        rtn_json_end(json);
    }
    rtn_json_end(json);
}

void rtn_wiring_print(const struct rtn_wiring *wiring, const char *prefix, struct rtn_buf *out)
{
    for (size_t i = 0; i < wiring->wires.count; i++) {
        const struct rtn_wire *wire = rtn_wiring_at(wiring, i);
        const struct rtn_hub_type *type = wire->type;
        rtn_buf_printf(out, "%smessage %s (", prefix, type->shape.name);
        rtn_wiring_append_shape(out, &type->shape, type->shape.version != 1);
        rtn_buf_append_text(out, "): ");
        append_senders(wire, out);
        rtn_buf_printf(out, "%s-> %s\n", wire->senders != NULL ? " " : "nobody ",
                       wire->to != NULL ? wire->to : "nobody");
    }
}
