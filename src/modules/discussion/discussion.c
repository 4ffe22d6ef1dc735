/*
 * discussion: a table and its guests, on two servers of one daemon or of two. The table passes on what each one says to
 * all the others; the guests come by themselves, answer what they hear, and go when they have said everything. Shows
 * both ends of WebSocket: a handler for those who connect, one for connections that are made, a topic between them.
 *
 * Thread model: loop. What several loops share is counted by atomics; what belongs to one connection is its data.
 */
#include "discussion.h"

#include <stdio.h>

static int configure(void *instance, rtn_setup *setup)
{
    struct discussion *self = instance;
    (void) setup;
    /* Topics are the same for the whole daemon: two tables must not hear each other. */
    (void) snprintf(self->topic, sizeof(self->topic), "discussion/%p", instance);
    return 0;
}

static const struct rtn_option options[] = {
    RTN_OPTION(INT, struct discussion, guests, .name = "guests", .fallback = "10", .min = 1, .max = 10000,
               .help = "Of the handler server: how many have to be there before the discussion begins."),
    RTN_OPTION(INT, struct discussion, rounds, .name = "rounds", .fallback = "3", .min = 1, .max = 20,
               .help = "Of the handler client: answers that each guest gives before it goes."),
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "server",
      .summary = "The table: passes on what each guest says to all the others.",
      .open = table_open,
      .message = table_message,
      .close = table_close },
    { .name = "client",
      .summary = "A guest: says hello, answers what it hears, and goes.",
      .open = guest_open,
      .message = guest_message,
      .close = guest_close },
    { 0 },
};

static const struct rtn_module module = {
    .name = "discussion",
    .version = "1.0",
    .summary = "A table and guests who discuss with each other over WebSocket.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct discussion),
    .options = options,
    .websocket = ws_handlers,
    .configure = configure,
};
RTN_REGISTER_MODULE(module)
