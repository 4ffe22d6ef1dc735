/*
 * A file that is open for replies, with its precompressed siblings. Frozen once loaded; lives until the last reply
 * that uses it was sent. [any]
 */
#ifndef STATIC_ENTRY_H
#define STATIC_ENTRY_H

#include <stdatomic.h>
#include <sys/stat.h>

#include <retinue/types.h>

#include "static_root.h"

#define STATIC_VARIANTS 4 /* the file itself and one for each coding */
#define STATIC_ETAG_SIZE 48

/* One file: the original is the first of an entry, and has no coding. */
struct static_variant {
    int fd;
    dev_t dev;
    ino_t ino;
    int64_t size;
    struct timespec modified;
    const char *coding; /* Content-Encoding; NULL: none */
    char etag[STATIC_ETAG_SIZE];
};

struct static_entry {
    atomic_uint refs;
    const char *type; /* media type of the original; set by the loader before the entry is shared */
    unsigned count;
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
 * Opens the file `name` below root, to be known as `path`; may block. 0 with one reference in *ret; -EISDIR: a folder;
 * -ENOENT also for what is neither file nor folder; another -errno.
 */
int static_entry_load(const struct static_root *root, const char *name, rtn_str path, bool precompressed,
                      struct static_entry **ret);

/* True when both are the same files in the same state. */
bool static_entry_same(const struct static_entry *a, const struct static_entry *b);

struct static_entry *static_entry_ref(struct static_entry *entry);

/* The last reference closes the files. Takes void * to be a release function; accepts NULL. */
void static_entry_unref(void *data);

#endif
