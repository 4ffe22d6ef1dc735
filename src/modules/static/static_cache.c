/*
 * A hash table with chains, and a list in the order of use, both through the entries themselves; one mutex, held for a
 * few pointers at a time. Entries that leave are gathered under the lock and closed after it.
 *
 * Each put also lets go of what nobody has asked for in a while: a file that was deleted takes room on its disk as long
 * as it is open here.
 */
#include "static_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_MS 60000
#define LEAST_BUCKETS 16

struct static_cache {
    pthread_mutex_t mutex; /* guards everything below, and the cache's members of entries */
    struct static_entry **buckets;
    size_t mask; /* number of buckets, a power of two, less 1 */
    struct static_entry *newest;
    struct static_entry *oldest;
    size_t descriptors;
    size_t capacity;
    size_t bytes; /* in memory */
    size_t most_bytes;
    int64_t trust_ms;
};

/* FNV-1a. Only files that exist are here, so that nobody can choose keys to collide. */
static uint32_t hash_path(rtn_str path)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < path.length; i++)
        hash = (hash ^ (unsigned char) path.data[i]) * 16777619U;
    return hash;
}

static struct static_entry **find(struct static_cache *cache, rtn_str path, uint32_t hash)
{
    struct static_entry **at = &cache->buckets[hash & cache->mask];
    while (*at != NULL && ((*at)->hash != hash || (*at)->path_length != path.length ||
                           (path.length > 0 && memcmp((*at)->path, path.data, path.length) != 0)))
        at = &(*at)->same_bucket;
    return at;
}

static void list_add(struct static_cache *cache, struct static_entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    if (cache->newest != NULL)
        cache->newest->newer = entry;
    else
        cache->oldest = entry;
    cache->newest = entry;
}

static void list_remove(struct static_cache *cache, struct static_entry *entry)
{
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        cache->newest = entry->older;
    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        cache->oldest = entry->newer;
}

static void use(struct static_cache *cache, struct static_entry *entry, int64_t now_ms)
{
    entry->used_ms = now_ms;
    if (cache->newest == entry)
        return;
    list_remove(cache, entry);
    list_add(cache, entry);
}

static rtn_str path_of(const struct static_entry *entry)
{
    return (rtn_str){ entry->path, entry->path_length };
}

static void add(struct static_cache *cache, struct static_entry *entry, int64_t now_ms)
{
    struct static_entry **bucket = &cache->buckets[entry->hash & cache->mask];
    entry->same_bucket = *bucket;
    *bucket = entry;
    list_add(cache, entry);
    entry->used_ms = now_ms;
    cache->descriptors += entry->count;
    cache->bytes += entry->kept;
}

/* Takes the entry at `at` out and puts it before *gone, linked by same_bucket. */
static void take_out(struct static_cache *cache, struct static_entry **at, struct static_entry **gone)
{
    struct static_entry *entry = *at;
    *at = entry->same_bucket;
    list_remove(cache, entry);
    cache->descriptors -= entry->count;
    cache->bytes -= entry->kept;
    entry->same_bucket = *gone;
    *gone = entry;
}

static void take_out_oldest(struct static_cache *cache, struct static_entry **gone)
{
    struct static_entry *oldest = cache->oldest;
    take_out(cache, find(cache, path_of(oldest), oldest->hash), gone);
}

static void take_out_old(struct static_cache *cache, int64_t now_ms, struct static_entry **gone)
{
    while (cache->oldest != NULL && (cache->descriptors > cache->capacity || now_ms - cache->oldest->used_ms > IDLE_MS))
        take_out_oldest(cache, gone);
}

static void unref_all(struct static_entry *gone)
{
    while (gone != NULL) {
        struct static_entry *next = gone->same_bucket;
        static_entry_unref(gone);
        gone = next;
    }
}

struct static_cache *static_cache_new(size_t descriptors, size_t bytes, int64_t trust_ms)
{
    size_t buckets = LEAST_BUCKETS;
    while (buckets < descriptors)
        buckets *= 2;
    struct static_cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return NULL;
    cache->buckets = calloc(buckets, sizeof(struct static_entry *));
    if (cache->buckets == NULL) {
        free(cache);
        return NULL;
    }
    (void) pthread_mutex_init(&cache->mutex, NULL);
    cache->mask = buckets - 1;
    cache->capacity = descriptors;
    cache->most_bytes = bytes;
    cache->trust_ms = trust_ms;
    return cache;
}

void static_cache_free(struct static_cache *cache)
{
    if (cache == NULL)
        return;
    static_cache_clear(cache);
    (void) pthread_mutex_destroy(&cache->mutex);
    free(cache->buckets);
    free(cache);
}

struct static_entry *static_cache_get(struct static_cache *cache, rtn_str path, int64_t now_ms)
{
    uint32_t hash = hash_path(path);
    (void) pthread_mutex_lock(&cache->mutex);
    struct static_entry *entry = *find(cache, path, hash);
    if (entry != NULL && now_ms - entry->checked_ms < cache->trust_ms) {
        use(cache, entry, now_ms);
        (void) static_entry_ref(entry);
    } else {
        entry = NULL;
    }
    (void) pthread_mutex_unlock(&cache->mutex);
    return entry;
}

/* Under the lock: it is as it was when it was loaded. */
static struct static_entry *trust_again(struct static_cache *cache, struct static_entry *entry, int64_t now_ms)
{
    entry->checked_ms = now_ms;
    use(cache, entry, now_ms);
    return static_entry_ref(entry);
}

struct static_entry *static_cache_renew(struct static_cache *cache, struct static_entry *entry, int64_t now_ms,
                                        size_t *room)
{
    uint32_t hash = hash_path(path_of(entry));
    (void) pthread_mutex_lock(&cache->mutex);
    struct static_entry *before = *find(cache, path_of(entry), hash);
    size_t kept = before != NULL ? before->kept : 0;
    *room = cache->most_bytes - cache->bytes + kept;
    if (before != NULL && static_entry_same(before, entry) && kept >= static_entry_keepable(entry, *room))
        before = trust_again(cache, before, now_ms);
    else
        before = NULL;
    (void) pthread_mutex_unlock(&cache->mutex);
    if (before != NULL)
        static_entry_unref(entry);
    return before;
}

/* Under the lock: what static_cache_put() returns. An entry that is not to be used joins *gone. */
static struct static_entry *put(struct static_cache *cache, struct static_entry *entry, int64_t now_ms,
                                struct static_entry **gone)
{
    struct static_entry **at = find(cache, path_of(entry), entry->hash);
    struct static_entry *before = *at;
    if (before != NULL && static_entry_same(before, entry) && before->kept >= entry->kept) {
        entry->same_bucket = *gone;
        *gone = entry;
        return trust_again(cache, before, now_ms);
    }
    if (before != NULL)
        take_out(cache, at, gone);
    if (entry->count > cache->capacity || entry->kept > cache->most_bytes - cache->bytes)
        return entry;
    add(cache, static_entry_ref(entry), now_ms);
    return entry;
}

struct static_entry *static_cache_put(struct static_cache *cache, struct static_entry *entry, int64_t now_ms)
{
    struct static_entry *gone = NULL;
    entry->hash = hash_path(path_of(entry));
    entry->checked_ms = now_ms;
    (void) pthread_mutex_lock(&cache->mutex);
    entry = put(cache, entry, now_ms, &gone);
    take_out_old(cache, now_ms, &gone);
    (void) pthread_mutex_unlock(&cache->mutex);
    unref_all(gone);
    return entry;
}

void static_cache_remove(struct static_cache *cache, rtn_str path)
{
    struct static_entry *gone = NULL;
    uint32_t hash = hash_path(path);
    (void) pthread_mutex_lock(&cache->mutex);
    struct static_entry **at = find(cache, path, hash);
    if (*at != NULL)
        take_out(cache, at, &gone);
    (void) pthread_mutex_unlock(&cache->mutex);
    unref_all(gone);
}

void static_cache_clear(struct static_cache *cache)
{
    struct static_entry *gone = NULL;
    (void) pthread_mutex_lock(&cache->mutex);
    while (cache->oldest != NULL)
        take_out_oldest(cache, &gone);
    (void) pthread_mutex_unlock(&cache->mutex);
    unref_all(gone);
}

size_t static_cache_room(struct static_cache *cache)
{
    (void) pthread_mutex_lock(&cache->mutex);
    size_t room = cache->most_bytes - cache->bytes;
    (void) pthread_mutex_unlock(&cache->mutex);
    return room;
}

size_t static_cache_descriptors(struct static_cache *cache)
{
    (void) pthread_mutex_lock(&cache->mutex);
    size_t descriptors = cache->descriptors;
    (void) pthread_mutex_unlock(&cache->mutex);
    return descriptors;
}
