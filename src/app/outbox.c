/* Sending: bodies of the public functions that send messages without waiting for answers. */
#include "app/outbox.h"

#include <errno.h>
#include <string.h>

const struct rtn_hub_type *rtn_outbox_type(const struct rtn_message_type *type)
{
    const struct rtn_hub_type *wired = type->wired;
    if (wired == NULL)
        rtn_log(RTN_LOG_ERROR, "message %s is not sent: the module has it neither in `sends` nor in a handler",
                type->name);
    return wired;
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
    const struct rtn_hub_port *port = letter->type->port;
    rtn_log(RTN_LOG_TRACE, "message %s (%zu bytes) to server \"%s\": %s", letter->type->shape.name, letter->length,
            port != NULL ? port->server : "", result == 0 ? "sent" : strerrordesc_np(-result));
}

static int send(struct rtn_hub_letter letter, const struct rtn_message_type *type)
{
    letter.type = rtn_outbox_type(type);
    letter.sender = rtn_outbox_sender();
    if (letter.type == NULL) {
        if (letter.release != NULL)
            letter.release(letter.release_data);
        return -ENOENT;
    }
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
