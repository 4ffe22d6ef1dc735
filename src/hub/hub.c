/*
 * Types and ports are made by main, in lists that nobody else walks. Senders have a type; what they find there, port
 * and receiver, may change at any time.
 *
 * Messages are pushed onto a stack, which the loop takes as a whole and turns round, so that the order of each sender
 * is kept; one mail tells the loop, however many come. It works them off before it waits, so many at a time that
 * sockets get their turn whatever other servers send.
 */
#include "hub/hub.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "hub/hub_internal.h"

struct rtn_hub {
    struct rtn_list types;
    struct rtn_list ports;
};

int rtn_hub_new(struct rtn_hub **ret)
{
    struct rtn_hub *hub = calloc(1, sizeof(*hub));
    if (hub == NULL)
        return -ENOMEM;
    rtn_list_init(&hub->types);
    rtn_list_init(&hub->ports);
    *ret = hub;
    return 0;
}

static void type_free(struct rtn_hub_type *type)
{
    free((char *) (uintptr_t) type->shape.name);
    free(type);
}

static void port_free(struct rtn_hub_port *port)
{
    free((char *) (uintptr_t) port->server);
    free(port);
}

void rtn_hub_free(struct rtn_hub *hub)
{
    struct rtn_list *node;
    if (hub == NULL)
        return;
    while ((node = rtn_list_pop(&hub->types)) != NULL)
        type_free(RTN_CONTAINER_OF(node, struct rtn_hub_type, node));
    while ((node = rtn_list_pop(&hub->ports)) != NULL)
        port_free(RTN_CONTAINER_OF(node, struct rtn_hub_port, node));
    free(hub);
}

/* Types */

bool rtn_hub_is_shape(const struct rtn_hub_shape *a, const struct rtn_hub_shape *b)
{
    return a->version == b->version && a->size == b->size && a->answer_size == b->answer_size &&
           strcmp(a->name, b->name) == 0;
}

struct rtn_hub_type *rtn_hub_find(const struct rtn_hub *hub, const struct rtn_hub_shape *shape)
{
    RTN_LIST_FOREACH (node, &hub->types) {
        struct rtn_hub_type *type = RTN_CONTAINER_OF(node, struct rtn_hub_type, node);
        if (rtn_hub_is_shape(&type->shape, shape))
            return type;
    }
    return NULL;
}

struct rtn_hub_type *rtn_hub_add(struct rtn_hub *hub, const struct rtn_hub_shape *shape)
{
    struct rtn_hub_type *type = calloc(1, sizeof(*type));
    if (type == NULL)
        return NULL;
    type->shape = *shape;
    type->shape.name = strdup(shape->name);
    if (type->shape.name == NULL) {
        free(type);
        return NULL;
    }
    type->stats = rtn_stats_message(type->shape.name);
    rtn_list_append(&hub->types, &type->node);
    return type;
}

void rtn_hub_publish(struct rtn_hub_type *type, struct rtn_hub_port *port, void *receiver)
{
    if (atomic_load(&type->port) != port)
        atomic_store(&type->receiver, NULL);
    atomic_store(&type->port, port);
    atomic_store(&type->receiver, receiver);
}

struct rtn_hub_type *rtn_hub_next(const struct rtn_hub *hub, const struct rtn_hub_type *type)
{
    struct rtn_list *next = type != NULL ? type->node.next : hub->types.next;
    return next != &hub->types ? RTN_CONTAINER_OF(next, struct rtn_hub_type, node) : NULL;
}

/* Ports */

static struct rtn_message *message_of(struct rtn_mail *mail)
{
    return mail != NULL ? RTN_CONTAINER_OF(mail, struct rtn_message, mail) : NULL;
}

static void append(struct rtn_hub_port *port, struct rtn_message *first, struct rtn_message *last)
{
    if (port->first == NULL)
        port->first = first;
    else
        port->last->mail.next = &first->mail;
    port->last = last;
}

static void take_arrived(struct rtn_hub_port *port)
{
    struct rtn_mail *newest;
    if (atomic_load_explicit(&port->arrived.top, memory_order_relaxed) == NULL)
        return;
    struct rtn_mail *oldest = rtn_mail_take(&port->arrived, &newest);
    append(port, message_of(oldest), message_of(newest));
}

void rtn_hub_put_back(struct rtn_hub_port *port, struct rtn_message *message)
{
    message->mail.next = NULL;
    append(port, message, message);
    port->taken--;
}

/* The next that waits; NULL: none does. */
static struct rtn_message *next_waiting(struct rtn_hub_port *port)
{
    struct rtn_message *message = port->first;
    if (message == NULL)
        return NULL;
    port->first = message_of(message->mail.next);
    port->taken++;
    return message;
}

/* Whoever sends from now on tells again; what was sent before is there. */
static void on_arrival(struct rtn_mail *mail)
{
    struct rtn_hub_port *port = RTN_CONTAINER_OF(mail, struct rtn_hub_port, arrival);
    (void) atomic_exchange(&port->told, false);
    take_arrived(port);
}

void rtn_hub_tell(struct rtn_hub_port *port)
{
    struct rtn_loop *loop = atomic_load(&port->loop);
    if (loop != NULL && !atomic_exchange(&port->told, true))
        rtn_loop_post(loop, &port->arrival);
}

/* So that starting a server again and again takes no memory. */
static struct rtn_hub_port *find_ended(const struct rtn_hub *hub, const char *server)
{
    RTN_LIST_FOREACH (node, &hub->ports) {
        struct rtn_hub_port *port = RTN_CONTAINER_OF(node, struct rtn_hub_port, node);
        if (port->ended && strcmp(port->server, server) == 0)
            return port;
    }
    return NULL;
}

static struct rtn_hub_port *port_new(struct rtn_hub *hub, const char *server)
{
    struct rtn_hub_port *port = aligned_alloc(_Alignof(struct rtn_hub_port), sizeof(*port));
    char *name = strdup(server);
    if (port == NULL || name == NULL) {
        free(port);
        free(name);
        return NULL;
    }
    *port = (struct rtn_hub_port){ .server = name, .arrival = { .deliver = on_arrival }, .state = RTN_HUB_CLOSED };
    rtn_list_append(&hub->ports, &port->node);
    return port;
}

/* What one that has ended counted was said. */
static void begin_again(struct rtn_hub_port *port)
{
    port->ended = false;
    port->opened = false;
    port->type_count = 0;
    port->taken = 0;
    atomic_store(&port->refused, 0);
    atomic_store(&port->unhandled, 0);
    atomic_store(&port->over, false);
    atomic_store(&port->told, false);
}

struct rtn_hub_port *rtn_hub_add_port(struct rtn_hub *hub, const char *server, unsigned capacity,
                                      void (*deliver)(struct rtn_message *message),
                                      void (*drop)(struct rtn_message *message))
{
    struct rtn_hub_port *port = find_ended(hub, server);
    if (port != NULL)
        begin_again(port);
    else
        port = port_new(hub, server);
    if (port == NULL)
        return NULL;
    atomic_store(&port->capacity, capacity);
    port->deliver = deliver;
    port->drop = drop;
    return port;
}

void rtn_hub_open(struct rtn_hub_port *port)
{
    if (port->type_count == 0 || port->opened)
        return;
    port->opened = true;
    atomic_fetch_and(&port->state, ~RTN_HUB_CLOSED);
    rtn_log(RTN_LOG_NOTICE, "messages to server \"%s\": a queue of %u was made", port->server,
            atomic_load(&port->capacity));
}

void rtn_hub_count_types(struct rtn_hub *hub)
{
    RTN_LIST_FOREACH (node, &hub->ports)
        RTN_CONTAINER_OF(node, struct rtn_hub_port, node)->type_count = 0;
    RTN_LIST_FOREACH (node, &hub->types) {
        struct rtn_hub_port *port = atomic_load(&RTN_CONTAINER_OF(node, struct rtn_hub_type, node)->port);
        if (port != NULL)
            port->type_count++;
    }
    RTN_LIST_FOREACH (node, &hub->ports) {
        struct rtn_hub_port *port = RTN_CONTAINER_OF(node, struct rtn_hub_port, node);
        if (atomic_load(&port->loop) != NULL)
            rtn_hub_open(port);
    }
}

void rtn_hub_expect_type(struct rtn_hub_port *port)
{
    port->type_count++;
    if (atomic_load(&port->loop) != NULL)
        rtn_hub_open(port);
}

void rtn_hub_set_capacity(struct rtn_hub_port *port, unsigned capacity)
{
    atomic_store(&port->capacity, capacity);
}

/* Either we find what was sent before, or its sender finds the loop. */
void rtn_hub_attach(struct rtn_hub_port *port, struct rtn_loop *loop, void *owner)
{
    port->owner = owner;
    atomic_store(&port->loop, loop);
    if (atomic_load(&port->arrived.top) != NULL)
        rtn_hub_tell(port);
}

/* A send is short and never waits. */
void rtn_hub_close(struct rtn_hub_port *port)
{
    uint64_t before = atomic_fetch_or(&port->state, RTN_HUB_CLOSED);
    if (before & RTN_HUB_CLOSED)
        return;
    while (atomic_load(&port->state) & RTN_HUB_INSIDE_MASK)
        sched_yield();
}

void rtn_hub_give_up(struct rtn_hub_port *port)
{
    atomic_store(&port->over, true);
}

bool rtn_hub_is_late(const struct rtn_message *message)
{
    if (!atomic_load_explicit(&message->port->over, memory_order_relaxed))
        return false;
    (void) rtn_hub_note_unhandled(message);
    return true;
}

unsigned rtn_hub_note_unhandled(const struct rtn_message *message)
{
    return atomic_fetch_add_explicit(&message->port->unhandled, 1, memory_order_relaxed);
}

unsigned rtn_hub_waiting(const struct rtn_hub_port *port)
{
    uint32_t begun = atomic_load(&port->begun); /* first: it never overtakes the others */
    return rtn_hub_taken(atomic_load(&port->state)) - begun;
}

void rtn_hub_run(struct rtn_hub_port *port, unsigned most)
{
    struct rtn_message *message;
    take_arrived(port);
    for (unsigned i = 0; (most == 0 || i < most) && (message = next_waiting(port)) != NULL; i++)
        port->deliver(message);
    if (port->first != NULL)
        rtn_hub_tell(port);
}

static unsigned drop_all(struct rtn_hub_port *port)
{
    struct rtn_message *message;
    unsigned dropped = 0;
    take_arrived(port);
    for (; (message = next_waiting(port)) != NULL; dropped++)
        port->drop(message);
    return dropped;
}

void rtn_hub_end(struct rtn_hub_port *port)
{
    if (port->ended)
        return;
    atomic_store(&port->loop, NULL);
    port->ended = true;
    if (!port->opened)
        return;
    unsigned unhandled = drop_all(port) + atomic_load(&port->unhandled);
    rtn_log(RTN_LOG_NOTICE,
            "messages to server \"%s\": the queue is gone: %llu taken, %llu refused because it was full, %u not "
            "handled",
            port->server, (unsigned long long) port->taken, (unsigned long long) atomic_load(&port->refused),
            unhandled);
}
