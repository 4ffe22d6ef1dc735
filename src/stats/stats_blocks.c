/*
 * Blocks: where the cells of each kind are, and which labels they belong to. Cells of one kind lie side by side in
 * chunks of that kind, so that one look at the chunk table is enough for all cells of a block. Chunk 0 is never shown:
 * it takes what is counted without a block.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "stats/stats_internal.h"

#define OTHER "other"

struct room {
    size_t size; /* of a block */
    size_t most; /* blocks that have labels */
    rtn_stats_block next; /* in the chunk that is being filled */
    size_t left; /* blocks in it */
    size_t count; /* blocks that have labels */
    struct rtn_list entries;
    rtn_stats_block *free; /* blocks that were given back */
    size_t free_count;
};

static struct room rooms[RTN_STATS_KINDS] = {
    [RTN_STATS_OF_SERVER] = { .size = RTN_STATS_SERVER_CELLS, .most = 1024 },
    [RTN_STATS_OF_ROUTE] = { .size = RTN_STATS_ROUTE_CELLS, .most = RTN_STATS_ROUTES_MAX },
    [RTN_STATS_OF_MESSAGE] = { .size = RTN_STATS_MESSAGE_CELLS, .most = 4096 },
    [RTN_STATS_OF_METRIC] = { .size = 1 },
    [RTN_STATS_OF_HISTOGRAM] = { .size = RTN_HISTOGRAM_CELLS },
};
static struct rtn_map index_of_blocks; /* kind and labels -> struct rtn_stats_entry */
static struct rtn_arena arena; /* entries and labels */
static uint32_t next_chunk = 1;

_Static_assert(RTN_STATS_ROUTE_CELLS <= RTN_STATS_CHUNK && RTN_STATS_SERVER_CELLS <= RTN_STATS_CHUNK,
               "a block does not fit into a chunk");

static struct rtn_list *entries_of(struct room *room)
{
    if (room->entries.next == NULL)
        rtn_list_init(&room->entries);
    return &room->entries;
}

const struct rtn_list *rtn_stats_entries(enum rtn_stats_kind kind)
{
    return entries_of(&rooms[kind]);
}

size_t rtn_stats_entry_count(enum rtn_stats_kind kind)
{
    return rooms[kind].count;
}

size_t rtn_stats_size(enum rtn_stats_kind kind)
{
    return rooms[kind].size;
}

rtn_stats_block rtn_stats_take_block(enum rtn_stats_kind kind)
{
    struct room *room = &rooms[kind];
    if (room->free_count > 0)
        return room->free[--room->free_count];
    if (room->left == 0) {
        if (next_chunk == RTN_STATS_CHUNKS)
            return 0;
        room->next = next_chunk++ * RTN_STATS_CHUNK;
        room->left = RTN_STATS_CHUNK / room->size;
    }
    rtn_stats_block block = room->next;
    room->next += (rtn_stats_block) room->size;
    room->left--;
    return block;
}

void rtn_stats_give_block(enum rtn_stats_kind kind, rtn_stats_block block)
{
    struct room *room = &rooms[kind];
    if (block == 0)
        return;
    rtn_stats_clear(block, room->size);
    rtn_stats_block *more = reallocarray(room->free, room->free_count + 1, sizeof(*more));
    if (more == NULL)
        return; /* the cells are lost, which the bound on metrics bounds as well */
    room->free = more;
    room->free[room->free_count++] = block;
}

static struct rtn_stats_entry *make_entry(enum rtn_stats_kind kind, struct rtn_str key, const char *const labels[2])
{
    struct room *room = &rooms[kind];
    if (arena.extra == NULL)
        rtn_arena_init(&arena, NULL, 0);
    struct rtn_stats_entry *entry = rtn_arena_zalloc(&arena, sizeof(*entry));
    char *kept = rtn_arena_alloc(&arena, key.length);
    rtn_stats_block block = rtn_stats_take_block(kind);
    if (entry == NULL || kept == NULL || block == 0)
        return NULL;
    entry->block = block;
    for (size_t i = 0; i < 2; i++) {
        entry->labels[i] = labels[i] != NULL ? rtn_arena_strdup(&arena, rtn_str_of(labels[i])) : NULL;
        if (entry->labels[i] == NULL && labels[i] != NULL)
            return NULL;
    }
    memcpy(kept, key.data, key.length);
    if (rtn_map_add(&index_of_blocks, (struct rtn_str){ kept, key.length }, entry) < 0)
        return NULL;
    rtn_list_append(entries_of(room), &entry->node);
    room->count++;
    return entry;
}

/* The key of labels; in `scratch`. Data is NULL when memory is out. */
static struct rtn_str make_key(struct rtn_arena *scratch, enum rtn_stats_kind kind, const char *const labels[2])
{
    const char *second = labels[1] != NULL ? labels[1] : "";
    const char *text = rtn_arena_printf(scratch, "%d/%zu/%s%s", (int) kind, strlen(labels[0]), labels[0], second);
    return text != NULL ? rtn_str_of(text) : (struct rtn_str){ 0 };
}

static const struct rtn_stats_entry *find_entry(enum rtn_stats_kind kind, const char *const labels[2], bool make)
{
    char bytes[256];
    struct rtn_arena scratch;
    rtn_arena_init(&scratch, bytes, sizeof(bytes));
    struct rtn_str key = make_key(&scratch, kind, labels);
    const struct rtn_stats_entry *entry = key.data != NULL ? rtn_map_get(&index_of_blocks, key) : NULL;
    if (entry == NULL && key.data != NULL && make)
        entry = make_entry(kind, key, labels);
    rtn_arena_done(&scratch);
    return entry;
}

static rtn_stats_block find(enum rtn_stats_kind kind, const char *const labels[2])
{
    static const char *const others[2] = { OTHER, OTHER };
    pthread_mutex_lock(&rtn_stats_mutex);
    const struct rtn_stats_entry *entry = find_entry(kind, labels, rooms[kind].count < rooms[kind].most);
    if (entry == NULL && rooms[kind].count >= rooms[kind].most)
        entry = find_entry(kind, others, true);
    pthread_mutex_unlock(&rtn_stats_mutex);
    return entry != NULL ? entry->block : 0;
}

rtn_stats_block rtn_stats_server(const char *server)
{
    return server != NULL ? find(RTN_STATS_OF_SERVER, (const char *const[2]){ server, NULL }) : 0;
}

rtn_stats_block rtn_stats_route(const char *server, const char *host, const char *path)
{
    if (host == NULL)
        return find(RTN_STATS_OF_ROUTE, (const char *const[2]){ server, path });
    struct rtn_arena scratch;
    rtn_arena_init(&scratch, NULL, 0);
    const char *route = rtn_arena_printf(&scratch, "%s%s", host, path);
    rtn_stats_block block = route != NULL ? find(RTN_STATS_OF_ROUTE, (const char *const[2]){ server, route }) : 0;
    rtn_arena_done(&scratch);
    return block;
}

rtn_stats_block rtn_stats_message(const char *type)
{
    return find(RTN_STATS_OF_MESSAGE, (const char *const[2]){ type, NULL });
}
