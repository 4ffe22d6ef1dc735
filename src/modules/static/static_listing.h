/* The page that lists a folder. [any] */
#ifndef STATIC_LISTING_H
#define STATIC_LISTING_H

#include <retinue/types.h>

#include "static_root.h"

/*
 * At most so many names are read and sorted, and no more are begun when the page is that long; the last line says what
 * is left out.
 */
#define STATIC_LISTING_MAX 10000
#define STATIC_LISTING_BYTES (256 * 1024)

struct static_listing {
    const struct static_root *root;
    const char *folder; /* below root, "" or with a slash at its end */
    rtn_str title; /* the path as the client knows it */
    bool parent; /* with a link to the folder above */
    bool dot_files; /* show them */
};

/* Reads the folder; may block. 0 with malloc'ed HTML in *ret; -errno. */
int static_listing_make(const struct static_listing *listing, char **ret, size_t *ret_length);

#endif
