/*
 * A file that is open for replies, with its precompressed siblings. Frozen once loaded; lives until the last reply
 * that uses it was sent. [any]
 */
#ifndef STATIC_ENTRY_H
#define STATIC_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include <retinue/types.h>

#include "static_root.h"

#define STATIC_VARIANTS 4 /* the file itself and one for each coding */
#define STATIC_ETAG_SIZE 48
#define STATIC_KEPT_MOST 131072 /* bytes of one file */
#define STATIC_BYTES_MOST 16384 /* above it a copy of the file is kept, which is sent without copying it again */

/* One file: the original is the first of an entry, and has no coding. */
struct static_variant {
    int fd;
    dev_t dev;
    ino_t ino;
    int64_t size;
    struct timespec modified;
    struct timespec changed;
    char *bytes; /* what is in it, as long as nothing has changed; NULL: not kept so */
    bool in_memory; /* fd is that of a copy in memory */
    const char *coding; /* Content-Encoding; NULL: none */
    char etag[STATIC_ETAG_SIZE];
};

struct static_entry {
    atomic_uint refs;
    const char *type; /* media type of the original; set by the loader before the entry is shared */
    unsigned count;
    size_t kept; /* bytes in memory */
    bool young; /* what is kept was changed so lately that times may not tell when it is changed again */
    struct static_variant variants[STATIC_VARIANTS];

    /* Of the cache, under its mutex. */
    struct static_entry *same_bucket;
    struct static_entry *newer;
    struct static_entry *older;
    int64_t checked_ms;
    int64_t used_ms;
    uint32_t hash;
    size_t path_length;
    char path[]; /* what was asked for */
};

/*
 * Opens the file `name` below root, to be known as `path`, with its precompressed siblings; may block. 0 with
 * one reference in *ret; -EISDIR: a folder; -ENOENT also for what is neither file nor folder; another -errno.
 */
int static_entry_load(const struct static_root *root, const char *name, rtn_str path, bool precompressed,
                      struct static_entry **ret);

/* Bytes that static_entry_keep() would take into memory. */
size_t static_entry_keepable(const struct static_entry *entry, size_t room);

/* Takes what is small enough into memory, up to `room` bytes; may block. Before the entry is shared. */
void static_entry_keep(struct static_entry *entry, size_t room);

/*
 * True when both are the same files in the same state, and what is kept in memory is known to be in them still.
 */
bool static_entry_same(const struct static_entry *a, const struct static_entry *b);

struct static_entry *static_entry_ref(struct static_entry *entry);

/* The last reference closes the files. Takes void * to be a release function; accepts NULL. */
void static_entry_unref(void *data);

#endif
