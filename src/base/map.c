/*
 * The map: entries in an array in insertion order, found through a table of slots with open addressing
 * and linear probing. Nothing is ever removed, so there are no tombstones.
 */
#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

enum { MAP_FIRST_SLOTS = 16, MAP_SHORT_KEY = 7 };

/* Up to MAP_SHORT_KEY bytes as a number; with the length, each text has its own. */
static inline uint64_t short_word(const char *data, size_t length)
{
    uint32_t first = 0;
    uint32_t last = 0;
    if (length < sizeof(first)) {
        for (size_t i = 0; i < length; i++)
            first = first << 8 | (unsigned char) data[i];
        return first;
    }
    memcpy(&first, data, sizeof(first));
    memcpy(&last, data + length - sizeof(last), sizeof(last));
    return first | (uint64_t) last << 32;
}

/* The highest bits of a product depend on all others; swapped, they are those that choose a slot. */
static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    const uint64_t golden_ratio = 0x9e3779b97f4a7c15;
    return __builtin_bswap64((hash ^ word) * golden_ratio);
}

/* Spreads keys well that nobody chooses to collide. Short ones of one length have each a hash of their own. */
static inline uint64_t quick_hash(struct rtn_str key)
{
    uint64_t hash = key.length;
    uint64_t word;
    for (; key.length >= sizeof(word); key.data += sizeof(word), key.length -= sizeof(word)) {
        memcpy(&word, key.data, sizeof(word));
        hash = mix(hash, word);
    }
    return mix(hash, short_word(key.data, key.length));
}

static inline uint64_t hash_key(const struct rtn_map *map, struct rtn_str key)
{
    return map->trusted ? quick_hash(key) : rtn_siphash(&map->key, key);
}

static inline bool is_key(const struct rtn_map *map, const struct rtn_map_entry *entry, struct rtn_str key,
                          uint64_t hash)
{
    if (entry->hash != hash || entry->key.length != key.length)
        return false;
    bool known = map->trusted && key.length <= MAP_SHORT_KEY;
    return known || rtn_str_equal(entry->key, key);
}

void rtn_map_done(struct rtn_map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct rtn_map){ .trusted = map->trusted };
}

/* Where the key is, or the free slot where it belongs. There is always a free slot. */
static inline size_t find_slot(const struct rtn_map *map, struct rtn_str key, uint64_t hash)
{
    size_t mask = map->slot_count - 1;
    size_t slot = hash & mask;

    for (; map->slots[slot] != 0; slot = (slot + 1) & mask) {
        const struct rtn_map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (is_key(map, entry, key, hash))
            break;
    }
    return slot;
}

static int grow_slots(struct rtn_map *map)
{
    size_t slot_count = map->slot_count > 0 ? map->slot_count * 2 : MAP_FIRST_SLOTS;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;
    if (map->slot_count == 0 && !map->trusted)
        rtn_siphash_choose_key(&map->key);
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

/* Room for one more, with at least half of the slots free: a key that is not there is looked for in 2 or 3 of them. */
static int make_room(struct rtn_map *map)
{
    int r = 0;

    if ((map->count + 1) * 2 > map->slot_count)
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
    uint64_t hash = hash_key(map, key);
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
