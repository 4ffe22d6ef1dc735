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
#include "base/list.h"
#include "config/config.h"

struct rtn_generation {
    unsigned number; /* 1 is the one that the daemon was started with */
    struct timespec made; /* real time */
    struct rtn_config *config;
    struct rtn_modules *modules; /* NULL: superseded */
    struct rtn_media *media;
    atomic_uint references;
    struct rtn_list node; /* ring of all that are alive, in order; [main] */
};

/*
 * Takes over `config`, also on failure; the configuration may be wrong, when only its modules are to be checked. `old`
 * is the generation in force, whose modules are adopted where the files have the same content; NULL: none. The modules
 * themselves are loaded when they are first asked for. 0 or -ENOMEM.
 */
int rtn_generation_new(struct rtn_config *config, struct rtn_generation *old, struct rtn_generation **ret);

void rtn_generation_ref(struct rtn_generation *generation);

/* Accepts NULL. The last one frees it; only main may give that one back. */
void rtn_generation_unref(struct rtn_generation *generation);

/*
 * `now`, which was made with `old`, is in force: all its programs were made, and modules that only `old` has are not
 * kept for being looked up any more. [main]
 */
void rtn_generation_supersede(struct rtn_generation *old, struct rtn_generation *now);

/* How many are alive, and which of them is the oldest; `generation` is any of them. */
unsigned rtn_generation_count(const struct rtn_generation *generation);
const struct rtn_generation *rtn_generation_oldest(const struct rtn_generation *generation);

#endif
