/*
 * What proto tells of WebSockets: called on the loop at once, or left to a task of the connection when its handler runs
 * on workers.
 */
#include "app/ws_events.h"

#include <errno.h>

#include "app/step.h"
#include "app/ws_call.h"
#include "app/ws_log.h"
#include "app/ws_work.h"
#include "proto/ws_client.h"

bool rtn_ws_tell_closed(struct rtn_connection *connection)
{
    struct rtn_ws *ws = connection->ws;
    bool tell = ws->opened || ws->client != NULL;
    if (tell && rtn_ws_runs_on_loop(ws->owner))
        rtn_ws_call_close(connection);
    if (ws->handling == NULL)
        return true;
    if (tell)
        rtn_ws_work_add_end(ws);
    else
        rtn_ws_work_drop(ws);
    return !tell;
}

static void on_failure(struct rtn_ws *ws, int error)
{
    rtn_ws_log_failure(ws, error);
    rtn_ws_close_failed(ws);
}

static void on_open(struct rtn_ws *ws)
{
    rtn_ws_log_open(ws);
    if (!rtn_ws_runs_on_loop(ws->owner)) {
        rtn_ws_work_add_open(ws);
        return;
    }
    int r = rtn_ws_call_open(ws->connection);
    if (r < 0)
        on_failure(ws, r);
}

static void on_message(struct rtn_ws *ws, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last)
{
    if (!rtn_ws_runs_on_loop(ws->owner)) {
        rtn_ws_work_add_message(ws, type, data, length, last);
        return;
    }
    int r = rtn_ws_call_message(ws->connection, (enum rtn_ws_type) type, data, length, last);
    if (r < 0)
        on_failure(ws, r);
}

static void on_drain(struct rtn_ws *ws)
{
    if (ws->handler->drain == NULL)
        return;
    if (rtn_ws_runs_on_loop(ws->owner))
        rtn_ws_call_drain(ws->connection);
    else
        rtn_ws_work_add_drain(ws);
}

/* What the module gave with the order is there from the start. */
static void on_made(struct rtn_ws *ws)
{
    const struct rtn_ws_client_spec *spec = &ws->client->spec;
    ws->handler = spec->handler;
    struct rtn_slot *slot = spec->data != NULL ? rtn_connection_make_slot(ws->connection, ws->owner) : NULL;
    if (slot != NULL)
        slot->data = spec->data;
    int r = rtn_ws_runs_on_loop(ws->owner) ? 0 : rtn_ws_work_prepare(ws);
    if (r < 0 || (slot == NULL && spec->data != NULL))
        ws->connection->broken = -ENOMEM;
}

static void destroy_data(struct rtn_ws_client *client)
{
    if (client->spec.destroy != NULL)
        client->spec.destroy(client->spec.data);
}

static void on_destroyed(struct rtn_mail *mail)
{
    rtn_ws_client_free(RTN_CONTAINER_OF(mail, struct rtn_ws_client, mail));
}

static void destroy_on_worker(struct rtn_task *task)
{
    struct rtn_ws_client *client = RTN_CONTAINER_OF(task, struct rtn_ws_client, task);
    destroy_data(client);
    client->mail.deliver = on_destroyed;
    rtn_loop_post(client->http->loop, &client->mail);
}

static void on_forget(struct rtn_ws_client *client)
{
    struct rtn_instance *instance = client->spec.owner;
    if (client->spec.destroy != NULL && !rtn_ws_runs_on_loop(instance)) {
        client->task = (struct rtn_task){ .run = destroy_on_worker,
                                          .serial = rtn_step_serial(instance),
                                          .what = instance->place.text };
        if (rtn_pool_submit_always(rtn_site_of(client->http)->pool, &client->task))
            return;
    }
    destroy_data(client);
    rtn_ws_client_free(client);
}

const struct rtn_ws_events rtn_ws_upward_events = {
    .open = on_open,
    .message = on_message,
    .drain = on_drain,
    .made = on_made,
    .forget = on_forget,
};
