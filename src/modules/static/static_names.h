/* The names in a folder that a listing shows, with what it says about them. [any] */
#ifndef STATIC_NAMES_H
#define STATIC_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "static_root.h"

struct static_name {
    char *name;
    bool folder;
    int64_t size;
    time_t modified;
};

struct static_names {
    struct static_name *items; /* folders first, then by name, byte by byte */
    size_t count;
    size_t capacity;
    bool cut; /* there are more than `max` */
};

/*
 * Reads the folder at `path` below root ("" or with a slash at its end): what a client could ask for, and nothing else.
 * An all-zero struct is an empty list. 0 or -errno.
 */
int static_names_read(struct static_names *names, const struct static_root *root, const char *path, bool dot_files,
                      size_t max);
void static_names_done(struct static_names *names);

#endif
