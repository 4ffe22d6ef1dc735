/*
 * A hash table with open addressing, in shards with a lock each, so that the loops of a server seldom meet. The token
 * bucket is one number per client: the time at which the bucket would be full again if nothing more was taken.
 *
 * A client about whom there is nothing to remember is removed by a hand that goes round the table, a few slots with
 * each call; removing moves the followers up, so there are no tombstones.
 */
#include "net/clients.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/siphash.h"

#define SHARDS 16
#define FIRST_SLOTS 16
#define IDLE_MOST 4096 /* clients without connections that a shard remembers */
#define HAND_STEP 4
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SECOND INT64_C(1000000000)

struct client {
    struct rtn_ip key;
    int64_t full_at; /* ns */
    unsigned open;
    bool used; /* else the slot is free */
};

struct shard {
    _Alignas(RTN_CACHE_LINE) pthread_mutex_t lock; /* guards the rest */
    struct client *slots;
    size_t slot_count; /* a power of two; never all used */
    size_t count;
    size_t idle; /* clients without connections */
    size_t hand;
};

struct rtn_clients {
    _Atomic unsigned connections; /* as in the limits */
    _Atomic int64_t cost; /* ns that a token takes to come back; 0: no limit */
    _Atomic int64_t depth; /* ns that an empty bucket takes to be full */
    struct rtn_siphash_key seed;
    struct shard shards[SHARDS];
};

static struct rtn_ip key_of(const struct rtn_ip *address)
{
    struct rtn_ip key = *address;
    if (!rtn_ip_is_v4(address))
        memset(key.bytes + 8, 0, 8);
    return key;
}

static uint64_t hash_of(const struct rtn_clients *clients, const struct rtn_ip *key)
{
    return rtn_siphash(&clients->seed, (struct rtn_str){ (const char *) key->bytes, sizeof(key->bytes) });
}

static struct shard *shard_of(struct rtn_clients *clients, const struct rtn_ip *key)
{
    return &clients->shards[hash_of(clients, key) >> 32 & (SHARDS - 1)];
}

static size_t next_slot(const struct shard *shard, size_t slot)
{
    return (slot + 1) & (shard->slot_count - 1);
}

static size_t home_slot(const struct rtn_clients *clients, const struct shard *shard, const struct rtn_ip *key)
{
    return hash_of(clients, key) & (shard->slot_count - 1);
}

/* Where the client is, or the free slot where it belongs. */
static struct client *find(const struct rtn_clients *clients, const struct shard *shard, const struct rtn_ip *key)
{
    size_t slot = home_slot(clients, shard, key);
    while (shard->slots[slot].used && memcmp(&shard->slots[slot].key, key, sizeof(*key)) != 0)
        slot = next_slot(shard, slot);
    return &shard->slots[slot];
}

/* Frees the slot, and closes the gap: who could stand in it, because its home is not behind it, moves there. */
static void remove_slot(const struct rtn_clients *clients, struct shard *shard, size_t gap)
{
    size_t mask = shard->slot_count - 1;
    shard->count--;
    if (shard->slots[gap].open == 0)
        shard->idle--;
    for (size_t slot = next_slot(shard, gap); shard->slots[slot].used; slot = next_slot(shard, slot)) {
        size_t home = home_slot(clients, shard, &shard->slots[slot].key);
        if (((slot - home) & mask) < ((slot - gap) & mask))
            continue;
        shard->slots[gap] = shard->slots[slot];
        gap = slot;
    }
    shard->slots[gap].used = false;
}

static bool is_forgettable(const struct client *client, int64_t now)
{
    return client->used && client->open == 0 && client->full_at <= now;
}

/* Moves the hand on by `steps` slots. */
static void tidy(const struct rtn_clients *clients, struct shard *shard, int64_t now, size_t steps)
{
    for (size_t i = 0; i < steps; i++) {
        shard->hand &= shard->slot_count - 1;
        if (is_forgettable(&shard->slots[shard->hand], now))
            remove_slot(clients, shard, shard->hand);
        else
            shard->hand++;
    }
}

/* Forgets a client without connections although it has debts. There is one. */
static void evict(const struct rtn_clients *clients, struct shard *shard)
{
    for (;; shard->hand++) {
        shard->hand &= shard->slot_count - 1;
        const struct client *client = &shard->slots[shard->hand];
        if (client->used && client->open == 0)
            break;
    }
    remove_slot(clients, shard, shard->hand);
}

static int grow(const struct rtn_clients *clients, struct shard *shard)
{
    struct shard larger = { .slot_count = shard->slot_count * 2 };
    larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
    if (larger.slots == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < shard->slot_count; i++) {
        if (shard->slots[i].used)
            *find(clients, &larger, &shard->slots[i].key) = shard->slots[i];
    }
    free(shard->slots);
    shard->slots = larger.slots;
    shard->slot_count = larger.slot_count;
    return 0;
}

static bool is_crowded(const struct shard *shard)
{
    return (shard->count + 1) * 4 > shard->slot_count * 3;
}

/* Room for a client who is not there yet. */
static int make_room(const struct rtn_clients *clients, struct shard *shard, int64_t now)
{
    if (is_crowded(shard))
        tidy(clients, shard, now, shard->slot_count);
    if (shard->idle >= IDLE_MOST)
        evict(clients, shard);
    /* Only half full, so that the next time is far away. */
    return shard->count > shard->slot_count / 2 && is_crowded(shard) ? grow(clients, shard) : 0;
}

/* The client, made when it is new: without connections and with a full bucket. NULL when memory is out. */
static struct client *find_or_add(const struct rtn_clients *clients, struct shard *shard, const struct rtn_ip *key,
                                  int64_t now)
{
    tidy(clients, shard, now, HAND_STEP);
    struct client *client = find(clients, shard, key);
    if (client->used)
        return client;
    if (make_room(clients, shard, now) < 0)
        return NULL;
    client = find(clients, shard, key);
    *client = (struct client){ .key = *key, .full_at = now, .used = true };
    shard->count++;
    shard->idle++;
    return client;
}

static int64_t cost_of(const struct rtn_clients *clients)
{
    return atomic_load_explicit(&clients->cost, memory_order_relaxed);
}

bool rtn_clients_limit_requests(const struct rtn_clients *clients)
{
    return cost_of(clients) > 0;
}

bool rtn_clients_counts(const struct rtn_clients *clients)
{
    return atomic_load_explicit(&clients->connections, memory_order_relaxed) > 0;
}

bool rtn_clients_open(struct rtn_clients *clients, const struct rtn_ip *address, int64_t now_ms)
{
    unsigned most = atomic_load_explicit(&clients->connections, memory_order_relaxed);
    if (most == 0)
        return true;
    struct rtn_ip key = key_of(address);
    struct shard *shard = shard_of(clients, &key);
    pthread_mutex_lock(&shard->lock);
    struct client *client = find_or_add(clients, shard, &key, now_ms * NS_PER_MS);
    bool taken = client != NULL && client->open < most;
    if (taken && client->open++ == 0)
        shard->idle--;
    pthread_mutex_unlock(&shard->lock);
    return taken;
}

void rtn_clients_close(struct rtn_clients *clients, const struct rtn_ip *address, int64_t now_ms)
{
    struct rtn_ip key = key_of(address);
    struct shard *shard = shard_of(clients, &key);
    pthread_mutex_lock(&shard->lock);
    struct client *client = find(clients, shard, &key);
    if (client->used && client->open > 0 && --client->open == 0) {
        shard->idle++;
        if (is_forgettable(client, now_ms * NS_PER_MS))
            remove_slot(clients, shard, (size_t) (client - shard->slots));
        else if (shard->idle > IDLE_MOST)
            evict(clients, shard);
    }
    pthread_mutex_unlock(&shard->lock);
}

/* Takes a token. The ns until there is one when there is none. */
static int64_t take_token(const struct rtn_clients *clients, struct client *client, int64_t now)
{
    int64_t depth = atomic_load_explicit(&clients->depth, memory_order_relaxed);
    int64_t full_at = RTN_MAX(client->full_at, now) + cost_of(clients);
    if (full_at - now > depth)
        return full_at - now - depth;
    client->full_at = full_at;
    return 0;
}

int64_t rtn_clients_request(struct rtn_clients *clients, const struct rtn_ip *address, int64_t now_ms)
{
    if (cost_of(clients) == 0)
        return 0;
    struct rtn_ip key = key_of(address);
    struct shard *shard = shard_of(clients, &key);
    int64_t now = now_ms * NS_PER_MS;
    pthread_mutex_lock(&shard->lock);
    struct client *client = find_or_add(clients, shard, &key, now);
    int64_t wait = client != NULL ? take_token(clients, client, now) : cost_of(clients);
    pthread_mutex_unlock(&shard->lock);
    return (wait + NS_PER_MS - 1) / NS_PER_MS;
}

size_t rtn_clients_count(struct rtn_clients *clients)
{
    size_t count = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&clients->shards[i].lock);
        count += clients->shards[i].count;
        pthread_mutex_unlock(&clients->shards[i].lock);
    }
    return count;
}

static int init_shards(struct rtn_clients *clients)
{
    int r = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &clients->shards[i];
        *shard = (struct shard){ .lock = PTHREAD_MUTEX_INITIALIZER, .slot_count = FIRST_SLOTS };
        shard->slots = calloc(FIRST_SLOTS, sizeof(*shard->slots));
        if (shard->slots == NULL)
            r = -ENOMEM;
    }
    return r;
}

/* A loop may see the new cost with the old depth for a moment, which does no harm. */
void rtn_clients_tune(struct rtn_clients *clients, const struct rtn_clients_limits *limits)
{
    int64_t cost = limits->rate > 0 ? RTN_MAX(NS_PER_SECOND / limits->rate, 1) : 0;
    atomic_store_explicit(&clients->connections, limits->connections, memory_order_relaxed);
    atomic_store_explicit(&clients->depth, cost * RTN_MAX(limits->burst, 1U), memory_order_relaxed);
    atomic_store_explicit(&clients->cost, cost, memory_order_relaxed);
}

int rtn_clients_new(const struct rtn_clients_limits *limits, struct rtn_clients **ret)
{
    struct rtn_clients *clients = aligned_alloc(_Alignof(struct rtn_clients), sizeof(*clients));
    if (clients == NULL)
        return -ENOMEM;
    *clients = (struct rtn_clients){ 0 };
    rtn_clients_tune(clients, limits);
    rtn_siphash_choose_key(&clients->seed);
    if (init_shards(clients) < 0) {
        rtn_clients_free(clients);
        return -ENOMEM;
    }
    *ret = clients;
    return 0;
}

void rtn_clients_free(struct rtn_clients *clients)
{
    if (clients == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++)
        free(clients->shards[i].slots);
    free(clients);
}
