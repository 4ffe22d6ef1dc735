/* One instance: the options of a route, and what is made of them. [frozen] */
#ifndef STATIC_SITE_H
#define STATIC_SITE_H

#include <retinue/module.h>

#include "static_cache.h"

struct static_site {
    const char *folder;
    struct rtn_strings index;
    bool listing;
    bool dot_files;
    bool well_known;
    int symlinks; /* enum static_symlinks */
    bool precompressed;
    const char *cache_control; /* NULL: none */
    int64_t cache_size;
    int64_t cache_time;
    int64_t cache_memory;
    const char *fallback; /* NULL: none */

    struct static_root root;
    struct static_cache *cache;
};

#endif
