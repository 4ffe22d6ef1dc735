/*
 * Entries that were loaded a moment ago, by the path that was asked for. Bounded by the number of descriptors; the one
 * that was not used for the longest time goes first. What is not there is not remembered. [any]
 */
#ifndef STATIC_CACHE_H
#define STATIC_CACHE_H

#include "static_entry.h"

struct static_cache;

/*
 * Keeps up to `descriptors` open (0: none), each trusted for `trust_ms` after it was loaded, and with them up to
 * `bytes` in memory: entries for which there is no room forget theirs. NULL when memory is out.
 */
struct static_cache *static_cache_new(size_t descriptors, size_t bytes, int64_t trust_ms);

/* Accepts NULL. Entries that replies still use stay until those are sent. */
void static_cache_free(struct static_cache *cache);

/* A reference to the entry when there is one and it is still trusted; else NULL. No system call, no wait for one. */
struct static_entry *static_cache_get(struct static_cache *cache, rtn_str path, int64_t now_ms);

/*
 * Before an entry that was just loaded is taken into memory. When it is the one that is there, and that has as much in
 * memory as there is room for, that one is trusted again: returns a reference to it, and the reference to `entry` is
 * taken. Else NULL, and *room gets the bytes that `entry` may keep, those of the one whose place it takes included.
 */
struct static_entry *static_cache_renew(struct static_cache *cache, struct static_entry *entry, int64_t now_ms,
                                        size_t *room);

/*
 * Puts an entry that was just loaded, whose reference is taken, and returns a reference to the one to use: when nothing
 * has changed, and it has not less in memory, the one that was there before, trusted again.
 */
struct static_entry *static_cache_put(struct static_cache *cache, struct static_entry *entry, int64_t now_ms);

/* The path leads nowhere any more. */
void static_cache_remove(struct static_cache *cache, rtn_str path);

/* Forgets everything, so that others can have the descriptors. */
void static_cache_clear(struct static_cache *cache);

/* Bytes that one more entry may keep in memory; for tests. */
size_t static_cache_room(struct static_cache *cache);

/* Descriptors in use; for tests. */
size_t static_cache_descriptors(struct static_cache *cache);

#endif
