/* Sending: bodies of the public functions that send messages without waiting for answers. */
#include "app/outbox.h"

#include <errno.h>
#include <string.h>

static const struct rtn_outlet *find_outlet(const struct rtn_message_type *type)
{
    if (type->wired == NULL)
        rtn_log(RTN_LOG_ERROR, "message %s is not sent: the module has it neither in `sends` nor in a handler",
                type->name);
    return type->wired;
}

const struct rtn_hub_type *rtn_outbox_type(const struct rtn_message_type *type)
{
    const struct rtn_outlet *outlet = find_outlet(type);
    return outlet != NULL ? outlet->type : NULL;
}

const char *rtn_outbox_sender(void)
{
    const struct rtn_log_context *context = rtn_log_get_context();
    return context != NULL && context->server != NULL ? context->server : "";
}

void rtn_outbox_log(const struct rtn_hub_letter *letter, int result)
{
    if (!rtn_log_enabled(RTN_LOG_TRACE))
        return;
    const struct rtn_hub_port *port = atomic_load(&letter->type->port);
    rtn_log(RTN_LOG_TRACE, "message %s (%zu bytes) to server \"%s\": %s", letter->type->shape.name, letter->length,
            port != NULL ? port->server : "", result == 0 ? "sent" : strerrordesc_np(-result));
}

static void let_go(const void *keeper)
{
    rtn_loaded_unref(keeper);
}

/* Its code is to be there when the payload is released, which may be after the end of the instance that sends. */
static void keep_module(struct rtn_hub_letter *letter, const struct rtn_loaded *loaded)
{
    rtn_loaded_ref(loaded);
    letter->let_go = let_go;
    letter->keeper = loaded;
}

static int send(const struct rtn_hub_letter *letter)
{
    int r = rtn_hub_send(letter);
    rtn_outbox_log(letter, r);
    return r;
}

int rtn_send(const struct rtn_message_type *type, const void *payload, size_t length)
{
    const struct rtn_outlet *outlet = find_outlet(type);
    if (RTN_UNLIKELY(outlet == NULL))
        return -ENOENT;
    const struct rtn_hub_letter letter = {
        .type = outlet->type, .payload = payload, .length = length, .sender = rtn_outbox_sender()
    };
    return send(&letter);
}

int rtn_move(const struct rtn_message_type *type, const void *payload, size_t length, void (*release)(void *data),
             void *data)
{
    const struct rtn_outlet *outlet = find_outlet(type);
    if (outlet == NULL) {
        if (release != NULL)
            release(data);
        return -ENOENT;
    }
    struct rtn_hub_letter letter = { .type = outlet->type,
                                     .payload = payload,
                                     .length = length,
                                     .moved = true,
                                     .release = release,
                                     .release_data = data,
                                     .sender = rtn_outbox_sender() };
    if (release != NULL)
        keep_module(&letter, outlet->loaded);
    return send(&letter);
}
