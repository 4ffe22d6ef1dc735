/*
 * The map: entries in an array in insertion order, found through a table of slots with open addressing
 * and linear probing. Nothing is ever removed, so there are no tombstones.
 *
 * Keys are hashed with SipHash-1-3 under a random key per map: somebody who chooses the keys cannot
 * choose them to collide.
 */
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"

enum { MAP_FIRST_SLOTS = 16 };

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* The words are read in the machine's byte order: hashes never leave the process. */
static uint32_t hash_key(const struct rtn_map *map, struct rtn_str key)
{
    uint64_t v[4] = { map->seed[0] ^ 0x736f6d6570736575, map->seed[1] ^ 0x646f72616e646f6d,
                      map->seed[0] ^ 0x6c7967656e657261, map->seed[1] ^ 0x7465646279746573 };
    uint64_t word = 0;
    size_t done = 0;

    for (; key.length - done >= sizeof(word); done += sizeof(word)) {
        memcpy(&word, key.data + done, sizeof(word));
        sip_word(v, word);
    }
    word = 0;
    if (key.length > done)
        memcpy(&word, key.data + done, key.length - done);
    sip_word(v, word ^ (uint64_t) key.length << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    uint64_t hash = v[0] ^ v[1] ^ v[2] ^ v[3];
    return (uint32_t) (hash ^ hash >> 32);
}

void rtn_map_done(struct rtn_map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct rtn_map){ 0 };
}

/* Where the key is, or the free slot where it belongs. There is always a free slot. */
static size_t find_slot(const struct rtn_map *map, struct rtn_str key, uint32_t hash)
{
    size_t mask = map->slot_count - 1;
    size_t slot = hash & mask;

    for (; map->slots[slot] != 0; slot = (slot + 1) & mask) {
        const struct rtn_map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->hash == hash && rtn_str_equal(entry->key, key))
            break;
    }
    return slot;
}

static void choose_seed(struct rtn_map *map)
{
    if (getrandom(map->seed, sizeof(map->seed), GRND_NONBLOCK) == (ssize_t) sizeof(map->seed))
        return;
    /* Only in the first moments of a machine's life; guessable, but the map works. */
    map->seed[0] = (uint64_t) rtn_clock_us();
    map->seed[1] = (uintptr_t) map;
}

static int grow_slots(struct rtn_map *map)
{
    size_t slot_count = map->slot_count > 0 ? map->slot_count * 2 : MAP_FIRST_SLOTS;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;
    if (map->slot_count == 0)
        choose_seed(map);
    free(map->slots);
    map->slots = slots;
    map->slot_count = slot_count;
    for (size_t i = 0; i < map->count; i++) {
        const struct rtn_map_entry *entry = &map->entries[i];
        slots[find_slot(map, entry->key, entry->hash)] = (uint32_t) (i + 1);
    }
    return 0;
}

static int grow_entries(struct rtn_map *map)
{
    size_t capacity = map->capacity > 0 ? map->capacity * 2 : MAP_FIRST_SLOTS / 2;
    if (capacity >= UINT32_MAX)
        return -ENOMEM;
    struct rtn_map_entry *entries = reallocarray(map->entries, capacity, sizeof(*entries));
    if (entries == NULL)
        return -ENOMEM;
    map->entries = entries;
    map->capacity = capacity;
    return 0;
}

/* Room for one more, with at least a quarter of the slots free. */
static int make_room(struct rtn_map *map)
{
    int r = 0;

    if ((map->count + 1) * 4 > map->slot_count * 3)
        r = grow_slots(map);
    if (r == 0 && map->count == map->capacity)
        r = grow_entries(map);
    return r;
}

int rtn_map_add(struct rtn_map *map, struct rtn_str key, void *value)
{
    int r = make_room(map);
    if (r < 0)
        return r;
    uint32_t hash = hash_key(map, key);
    size_t slot = find_slot(map, key, hash);
    if (map->slots[slot] != 0)
        return -EEXIST;
    map->entries[map->count] = (struct rtn_map_entry){ .key = key, .value = value, .hash = hash };
    map->slots[slot] = (uint32_t) ++map->count;
    return 0;
}

void *rtn_map_get(const struct rtn_map *map, struct rtn_str key)
{
    if (map->count == 0)
        return NULL;
    size_t slot = find_slot(map, key, hash_key(map, key));
    return map->slots[slot] != 0 ? map->entries[map->slots[slot] - 1].value : NULL;
}
