/*
 * The messages of the hub measurements and the ways to send them: hub_bench.c has the handlers, and drives the senders.
 * It is for that one file, and has its state.
 */
#ifndef BENCH_HUB_WAYS_H
#define BENCH_HUB_WAYS_H

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <retinue/module.h>

#include "latency.h"

#define STAMP_EVERY 64 /* messages at full speed */
#define LARGEST (1 << 20)

struct small {
    int64_t stamp; /* 0: none */
    char rest[8];
};
struct middle {
    int64_t stamp;
    char rest[1016];
};
struct large {
    int64_t stamp;
    char rest[LARGEST - 8];
};

RTN_MESSAGE_BYTES(bench_bytes)
RTN_QUESTION(bench_small, struct small, struct small)
RTN_QUESTION(bench_middle, struct middle, struct small)
RTN_QUESTION(bench_large, struct large, struct small)
RTN_MESSAGE(bench_out, struct small)
RTN_MESSAGE(bench_back, struct small)

struct hub_bench {
    int64_t number; /* of the sender, from 1; 0: none */
    rtn_server *server;
    unsigned generation; /* of the command that it does */
    uint64_t begun; /* questions or pairs */
    _Atomic uint64_t over; /* of them; the loop counts */
    unsigned batches; /* under way */
    int64_t sent;
    char *payload;
};

/* How one is sent. */
struct way {
    const char *name;
    int (*send)(struct hub_bench *self);
    bool returns; /* something comes back to the loop of the sender */
};

static struct {
    const struct way *way;
    bool paced;
    bool worker;
    unsigned senders;
    unsigned window;
    size_t size;
    int64_t count;
} command;
static atomic_uint generation = 1; /* of the command; odd: there is none */
static _Atomic int64_t done;

static void came(int64_t stamp)
{
    if (stamp != 0)
        latency_add(latency_now() - stamp);
    atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
}

static bool goes_on(const struct hub_bench *self)
{
    return atomic_load(&generation) == self->generation && (command.count == 0 || self->sent < command.count);
}

static void keep_payload(void *data)
{
    (void) data;
}

/* Large messages are few, and cost more than a look at the clock. */
static int64_t next_stamp(const struct hub_bench *self)
{
    bool stamped = command.paced || command.size > sizeof(struct middle) || self->sent % STAMP_EVERY == 0;
    return stamped ? latency_now() : 0;
}

/* All of one command share the payload: only its stamp counts. */
static int send_one(struct hub_bench *self)
{
    int64_t stamp = next_stamp(self);
    memcpy(self->payload, &stamp, sizeof(stamp));
    int r = command.way->send(self);
    if (r < 0)
        return r;
    self->sent++;
    self->begun += command.way->returns;
    return 0;
}

static int send_bytes(struct hub_bench *self)
{
    return rtn_send_bench_bytes(self->payload, command.size);
}

static int move_bytes(struct hub_bench *self)
{
    return rtn_move_bench_bytes(self->payload, command.size, keep_payload, NULL);
}

static int send_out(struct hub_bench *self)
{
    return rtn_send_bench_out((const struct small *) (const void *) self->payload);
}

/* One has come back to the loop. */
static void come_back(struct hub_bench *self, int64_t stamp)
{
    uint64_t over = atomic_load_explicit(&self->over, memory_order_relaxed);
    atomic_store_explicit(&self->over, over + 1, memory_order_relaxed);
    came(stamp);
    if (!command.worker && !command.paced && goes_on(self))
        (void) send_one(self);
}

/* None fails, unless the servers stop. */
static void on_answer(int result, const struct small *answer, void *data)
{
    if (result == 0)
        come_back(data, answer->stamp);
}

static int ask(struct hub_bench *self)
{
    const void *payload = self->payload;
    switch (command.size) {
    case sizeof(struct small):
        return rtn_ask_bench_small(self->server, self, payload, 60000, on_answer, self);
    case sizeof(struct middle):
        return rtn_ask_bench_middle(self->server, self, payload, 60000, on_answer, self);
    case sizeof(struct large):
        return rtn_ask_bench_large(self->server, self, payload, 60000, on_answer, self);
    default:
        return -EINVAL;
    }
}

static const struct way ways[] = {
    { "send", send_bytes, false },
    { "move", move_bytes, false },
    { "ask", ask, true },
    { "pair", send_out, true },
};

static const struct way *find_way(const char *name)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(ways[i].name, name) == 0)
            return &ways[i];
    }
    return NULL;
}

#endif
