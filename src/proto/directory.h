/*
 * Who is there: the connections of one loop by number, and for those that take messages how much waits for them, which
 * senders on any thread look up. An entry is used again, so that its number has a count: a late sender finds nothing.
 *
 * [loop] unless a function says otherwise. Entries never move and are freed with the directory. What only those that
 * take messages need stands apart: it takes no memory where nobody does.
 */
#ifndef RTN_PROTO_DIRECTORY_H
#define RTN_PROTO_DIRECTORY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct rtn_connection;
struct rtn_ws_client;

#define RTN_DIRECTORY_BLOCK 1024 /* entries */
#define RTN_DIRECTORY_BLOCKS 1024

/* Of every connection. */
struct rtn_seat {
    struct rtn_connection *connection; /* with a socket; NULL: none */
    _Atomic uint64_t id; /* of the connection, whatever it speaks; late mail looks at it while others enter */
    unsigned next; /* of the free ones: its number and one; 0: the last */
};

/* Of those that take messages, and outgoing ones. All-zero as long as none at that number did. */
struct rtn_entry {
    struct rtn_ws_client *client; /* whose entry it is, between two of its connections too; NULL: of a connection */
    _Atomic uint64_t open_id; /* the connection's id while it takes messages; else 0 */
    _Atomic uint64_t client_id; /* of `client`; else 0 */
    _Atomic(const void *) owner; /* of the same: of the layer above, never followed here */
    _Atomic int64_t mailed; /* bytes on their way to it in mail */
    _Atomic int64_t queued; /* bytes that wait on its loop, which alone writes this */
    _Atomic int64_t backlog_limit;
    _Atomic unsigned char kind; /* enum rtn_session_kind; of the last that took messages */
    _Atomic bool waits; /* the socket takes no more at the moment */
    _Atomic bool drain_due; /* a sender was told to wait */
    _Atomic bool drops; /* its backlog_policy */
};

struct rtn_directory_block;

struct rtn_directory {
    unsigned loop_index;
    pthread_mutex_t mutex; /* of what follows; outgoing connections are entered by any thread */
    unsigned free; /* as next of struct rtn_seat */
    unsigned count; /* entries made */
    unsigned used; /* of them */
    uint64_t ids; /* given out */
    _Atomic(struct rtn_directory_block *) blocks[RTN_DIRECTORY_BLOCKS];
};

void rtn_directory_init(struct rtn_directory *directory, unsigned loop_index);
void rtn_directory_done(struct rtn_directory *directory);

/*
 * All bytes on their way to it. Any thread. Mail is looked at first: what goes over from there to the queue meanwhile
 * is counted twice, not missed.
 */
static inline int64_t rtn_entry_backlog(const struct rtn_entry *entry)
{
    int64_t mailed = atomic_load(&entry->mailed);
    return mailed + atomic_load(&entry->queued);
}

/* A new entry: its id; 0 when memory is out or all numbers are in use. Any thread. */
uint64_t rtn_directory_enter(struct rtn_directory *directory);

/* The entry may be used again. Nothing may wait for it but mail. */
void rtn_directory_leave(struct rtn_directory *directory, uint64_t id);

/* The entry at that number, in use or not; NULL: there is none. Any thread. */
struct rtn_entry *rtn_directory_at(struct rtn_directory *directory, unsigned slot);
struct rtn_seat *rtn_directory_seat(struct rtn_directory *directory, unsigned slot);

/* Numbers below this may have entries. Any thread. */
unsigned rtn_directory_size(struct rtn_directory *directory);

/* How many are in use: connections, and clients between two of theirs. Any thread. */
unsigned rtn_directory_used(struct rtn_directory *directory);

/*
 * Ids of connections, from the top: 10 bits of the loop's number and one, 20 of the entry, 34 that tell connections of
 * one entry apart. Loop and slot are where they are in ids of requests (http1.h). Never 0.
 */
static inline uint64_t rtn_directory_make_id(unsigned loop_index, unsigned slot, uint64_t count)
{
    return (uint64_t) (loop_index + 1) << 54 | (uint64_t) slot << 34 | (count & ((UINT64_C(1) << 34) - 1));
}

/* Of requests' ids, too. */
static inline unsigned rtn_directory_slot_of(uint64_t id)
{
    return (unsigned) (id >> 34) & 0xfffff;
}

#endif
