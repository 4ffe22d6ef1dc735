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

static int send(struct rtn_hub_letter letter, const struct rtn_message_type *type)
{
    const struct rtn_outlet *outlet = find_outlet(type);
    letter.sender = rtn_outbox_sender();
    if (outlet == NULL) {
        if (letter.release != NULL)
            letter.release(letter.release_data);
        return -ENOENT;
    }
    letter.type = outlet->type;
    if (letter.release != NULL)
        keep_module(&letter, outlet->loaded);
    int r = rtn_hub_send(&letter);
    rtn_outbox_log(&letter, r);
    return r;
}

int rtn_send(const struct rtn_message_type *type, const void *payload, size_t length)
{
    return send((struct rtn_hub_letter){ .payload = payload, .length = length }, type);
}

int rtn_move(const struct rtn_message_type *type, const void *payload, size_t length, void (*release)(void *data),
             void *data)
{
    return send(
        (struct rtn_hub_letter){
            .payload = payload, .length = length, .moved = true, .release = release, .release_data = data },
        type);
}
