/*
 * Entries come in blocks that stay where they are, so that senders look them up without a lock; the mutex is for those
 * who enter and leave. What a late sender adds to the backlog of an entry that is used again, it takes away again: the
 * sum is exact whoever the entry belongs to.
 */
#include "proto/directory.h"

#include <sys/mman.h>

struct rtn_directory_block {
    struct rtn_seat seats[RTN_DIRECTORY_BLOCK];
    struct rtn_entry entries[RTN_DIRECTORY_BLOCK];
};

void rtn_directory_init(struct rtn_directory *directory, unsigned loop_index)
{
    *directory = (struct rtn_directory){ .loop_index = loop_index };
    pthread_mutex_init(&directory->mutex, NULL);
}

/* Pages that nobody has written to take no memory, which no allocator promises. */
static struct rtn_directory_block *make_block(void)
{
    const int rights = PROT_READ | PROT_WRITE;
    /* -1 is what a mapping without a file has (mmap(2)). */
    /* cppcheck-suppress invalidFunctionArg */
    void *block = mmap(NULL, sizeof(struct rtn_directory_block), rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block != MAP_FAILED ? block : NULL;
}

void rtn_directory_done(struct rtn_directory *directory)
{
    for (unsigned i = 0; i < directory->count / RTN_DIRECTORY_BLOCK; i++)
        (void) munmap(atomic_load_explicit(&directory->blocks[i], memory_order_relaxed),
                      sizeof(struct rtn_directory_block));
    pthread_mutex_destroy(&directory->mutex);
}

static struct rtn_directory_block *block_of(struct rtn_directory *directory, unsigned slot)
{
    unsigned block = slot / RTN_DIRECTORY_BLOCK;
    return block < RTN_DIRECTORY_BLOCKS ? atomic_load_explicit(&directory->blocks[block], memory_order_acquire) : NULL;
}

struct rtn_entry *rtn_directory_at(struct rtn_directory *directory, unsigned slot)
{
    struct rtn_directory_block *block = block_of(directory, slot);
    return block != NULL ? &block->entries[slot % RTN_DIRECTORY_BLOCK] : NULL;
}

struct rtn_seat *rtn_directory_seat(struct rtn_directory *directory, unsigned slot)
{
    struct rtn_directory_block *block = block_of(directory, slot);
    return block != NULL ? &block->seats[slot % RTN_DIRECTORY_BLOCK] : NULL;
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
static void add_block(struct rtn_directory *directory, struct rtn_directory_block *block)
{
    for (unsigned i = RTN_DIRECTORY_BLOCK; i-- > 0;) {
        block->seats[i].next = directory->free;
        directory->free = directory->count + i + 1;
    }
    atomic_store_explicit(&directory->blocks[directory->count / RTN_DIRECTORY_BLOCK], block, memory_order_release);
    directory->count += RTN_DIRECTORY_BLOCK;
}

/* Its number and one; 0: there is none. */
static unsigned take_free(struct rtn_directory *directory)
{
    if (directory->free == 0 && directory->count < RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS) {
        struct rtn_directory_block *block = make_block();
        if (block != NULL)
            add_block(directory, block);
    }
    unsigned taken = directory->free;
    if (taken != 0)
        directory->free = rtn_directory_seat(directory, taken - 1)->next;
    return taken;
}

static uint64_t enter(struct rtn_directory *directory)
{
    unsigned taken = take_free(directory);
    if (taken == 0)
        return 0;
    directory->used++;
    uint64_t id = rtn_directory_make_id(directory->loop_index, taken - 1, ++directory->ids);
    rtn_directory_seat(directory, taken - 1)->id = id;
    return id;
}

uint64_t rtn_directory_enter(struct rtn_directory *directory)
{
    pthread_mutex_lock(&directory->mutex);
    uint64_t id = enter(directory);
    pthread_mutex_unlock(&directory->mutex);
    return id;
}

/* Writes only where somebody took messages: see make_block(). */
static void forget(struct rtn_entry *entry)
{
    if (atomic_load_explicit(&entry->open_id, memory_order_relaxed) != 0)
        atomic_store_explicit(&entry->open_id, 0, memory_order_release);
    if (atomic_load_explicit(&entry->client_id, memory_order_relaxed) != 0)
        atomic_store_explicit(&entry->client_id, 0, memory_order_release);
    if (entry->client != NULL)
        entry->client = NULL;
}

void rtn_directory_leave(struct rtn_directory *directory, uint64_t id)
{
    unsigned slot = rtn_directory_slot_of(id);
    struct rtn_seat *seat = rtn_directory_seat(directory, slot);
    seat->connection = NULL;
    forget(rtn_directory_at(directory, slot));
    pthread_mutex_lock(&directory->mutex);
    seat->next = directory->free;
    directory->free = slot + 1;
    directory->used--;
    pthread_mutex_unlock(&directory->mutex);
}
