/*
 * One loaded configuration, and what was made of it that belongs to no single server: the modules, the media types. It
 * lives as long as something refers to it: the daemon while it is the current one, programs, instances. [main] makes it
 * and frees it; references are taken and given back by [any]
 */
#ifndef RTN_APP_GENERATION_H
#define RTN_APP_GENERATION_H

#include <stdatomic.h>
#include <time.h>

#include "app/media.h"
#include "app/module.h"
#include "config/config.h"

struct rtn_generation {
    unsigned number; /* 1 is the one that the daemon was started with */
    struct timespec made; /* real time */
    struct rtn_config *config;
    struct rtn_modules *modules;
    struct rtn_media *media;
    atomic_uint references;
    struct rtn_list node; /* of all that are alive, in order; [main] */
};

/*
 * Takes over `config`, also on failure. `old` is the generation whose modules are adopted where the files have the same
 * content; NULL: none. The modules themselves are loaded when they are first asked for. 0 or -ENOMEM.
 */
int rtn_generation_new(struct rtn_config *config, const struct rtn_generation *old, struct rtn_generation **ret);

void rtn_generation_ref(struct rtn_generation *generation);

/* Accepts NULL. The last one frees it; only main may give that one back. */
void rtn_generation_unref(struct rtn_generation *generation);

#endif
