/*
 * A hash map from strings to pointers that remembers insertion order. Built by one thread; reading
 * a map nobody changes is safe from any thread. [owner's thread, then frozen]
 */
#ifndef RTN_BASE_MAP_H
#define RTN_BASE_MAP_H

#include "base/siphash.h"
#include "base/str.h"

struct rtn_map_entry {
    struct rtn_str key; /* the caller's bytes; must outlive the map */
    void *value;
    uint64_t hash;
};

struct rtn_map {
    struct rtn_map_entry *entries; /* in insertion order, `count` of them */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* open addressing: index + 1 into entries, 0 = free */
    size_t slot_count; /* a power of two */
    struct rtn_siphash_key key; /* of hashes; random per map: its keys may come from the network */
    bool trusted; /* they do not: they are hashed faster. To be set while the map is empty */
};

/* An all-zero struct is an empty map. done() frees the map's own memory, not keys or values. */
void rtn_map_done(struct rtn_map *map);

/* Returns 0, -EEXIST when the key is there already (nothing changes), -ENOMEM. */
int rtn_map_add(struct rtn_map *map, struct rtn_str key, void *value);

/* NULL when absent. */
void *rtn_map_get(const struct rtn_map *map, struct rtn_str key);

#endif
