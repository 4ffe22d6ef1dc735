/*
 * Entries come in blocks that stay where they are, so that senders look them up without a lock; the mutex is for those
 * who enter and leave. What a late sender adds to the backlog of an entry that is used again, it takes away again: the
 * sum is exact whoever the entry belongs to.
 */
#include "proto/directory.h"

#include <stdlib.h>

void rtn_directory_init(struct rtn_directory *directory, unsigned loop_index)
{
    *directory = (struct rtn_directory){ .loop_index = loop_index };
    pthread_mutex_init(&directory->mutex, NULL);
}

void rtn_directory_done(struct rtn_directory *directory)
{
    for (unsigned i = 0; i < RTN_DIRECTORY_BLOCKS; i++)
        free(atomic_load_explicit(&directory->blocks[i], memory_order_relaxed));
    pthread_mutex_destroy(&directory->mutex);
}

static struct rtn_entry *block_of(struct rtn_directory *directory, unsigned slot)
{
    unsigned block = slot / RTN_DIRECTORY_BLOCK;
    return block < RTN_DIRECTORY_BLOCKS ? atomic_load_explicit(&directory->blocks[block], memory_order_acquire) : NULL;
}

struct rtn_entry *rtn_directory_at(struct rtn_directory *directory, unsigned slot)
{
    struct rtn_entry *block = block_of(directory, slot);
    return block != NULL ? &block[slot % RTN_DIRECTORY_BLOCK] : NULL;
}

unsigned rtn_directory_size(struct rtn_directory *directory)
{
    pthread_mutex_lock(&directory->mutex);
    unsigned count = directory->count;
    pthread_mutex_unlock(&directory->mutex);
    return count;
}

unsigned rtn_directory_used(struct rtn_directory *directory)
{
    pthread_mutex_lock(&directory->mutex);
    unsigned used = directory->used;
    pthread_mutex_unlock(&directory->mutex);
    return used;
}

/* All entries of the new block become free ones, the lowest number first. */
static void add_block(struct rtn_directory *directory, struct rtn_entry *block)
{
    for (unsigned i = RTN_DIRECTORY_BLOCK; i-- > 0;) {
        block[i].slot = directory->count + i;
        block[i].next = directory->free_entries;
        directory->free_entries = &block[i];
    }
    atomic_store_explicit(&directory->blocks[directory->count / RTN_DIRECTORY_BLOCK], block, memory_order_release);
    directory->count += RTN_DIRECTORY_BLOCK;
}

static struct rtn_entry *take_free(struct rtn_directory *directory)
{
    if (directory->free_entries == NULL && directory->count < RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS) {
        struct rtn_entry *block = calloc(RTN_DIRECTORY_BLOCK, sizeof(*block));
        if (block != NULL)
            add_block(directory, block);
    }
    struct rtn_entry *entry = directory->free_entries;
    if (entry != NULL)
        directory->free_entries = entry->next;
    return entry;
}

struct rtn_entry *rtn_directory_enter(struct rtn_directory *directory)
{
    pthread_mutex_lock(&directory->mutex);
    struct rtn_entry *entry = take_free(directory);
    if (entry != NULL) {
        entry->id = rtn_directory_make_id(directory->loop_index, entry->slot, ++directory->ids);
        directory->used++;
    }
    pthread_mutex_unlock(&directory->mutex);
    return entry;
}

void rtn_directory_leave(struct rtn_directory *directory, struct rtn_entry *entry)
{
    entry->connection = NULL;
    entry->client = NULL;
    atomic_store_explicit(&entry->open_id, 0, memory_order_release);
    atomic_store_explicit(&entry->client_id, 0, memory_order_release);
    pthread_mutex_lock(&directory->mutex);
    entry->next = directory->free_entries;
    directory->free_entries = entry;
    directory->used--;
    pthread_mutex_unlock(&directory->mutex);
}
