/* What proto tells of outgoing WebSockets alone: they are made before they open, and forgotten after the last try. */
#include "app/ws_events.h"

#include <errno.h>

#include "app/session_events.h"
#include "app/slots.h"
#include "app/step.h"
#include "proto/ws_client.h"

/* What the module gave with the order is there from the start. */
static void on_made(struct rtn_ws *ws)
{
    const struct rtn_ws_client_spec *spec = &ws->client->spec;
    struct rtn_connection *connection = ws->session.connection;
    if (rtn_instance_is_ending(spec->owner)) /* it was ordered just before */
        rtn_ws_client_stop(ws->client);
    struct rtn_slot *slot = spec->data != NULL ? rtn_slots_make(connection, spec->owner) : NULL;
    if (slot != NULL)
        slot->data = spec->data;
    int r = rtn_session_prepare(&ws->session);
    if (r < 0 || (slot == NULL && spec->data != NULL))
        connection->broken = -ENOMEM;
}

static void destroy_data(struct rtn_ws_client *client)
{
    if (client->spec.destroy != NULL)
        client->spec.destroy(client->spec.data);
}

static void free_client(struct rtn_ws_client *client)
{
    struct rtn_instance *instance = client->spec.owner;
    rtn_ws_client_free(client);
    rtn_instance_over(instance);
}

static void on_destroyed(struct rtn_mail *mail)
{
    free_client(RTN_CONTAINER_OF(mail, struct rtn_ws_client, mail));
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
    if (client->spec.destroy != NULL && !rtn_session_runs_on_loop(instance)) {
        client->task = (struct rtn_task){ .run = destroy_on_worker,
                                          .serial = rtn_step_serial(instance),
                                          .what = instance->place.text };
        if (rtn_pool_submit_always(rtn_site_of(client->http)->pool, &client->task))
            return;
    }
    destroy_data(client);
    free_client(client);
}

const struct rtn_ws_events rtn_ws_upward_events = {
    .made = on_made,
    .forget = on_forget,
};
