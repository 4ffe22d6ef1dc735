/*
 * Generations: who has made something of a configuration refers to it, and the last one frees all of it, modules
 * included. Those that are alive form a ring, in the order in which they were made.
 */
#include "app/generation.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static struct rtn_generation *generation_of(struct rtn_list *node)
{
    return RTN_CONTAINER_OF(node, struct rtn_generation, node);
}

static void generation_free(struct rtn_generation *generation)
{
    rtn_list_remove(&generation->node);
    rtn_modules_free(generation->modules);
    rtn_media_unref(generation->media);
    rtn_config_free(generation->config);
    free(generation);
}

/* So that those that servers keep are few. */
static void share_media(struct rtn_generation *generation, const struct rtn_generation *old)
{
    if (old == NULL || !rtn_media_is_same(old->media, generation->media))
        return;
    rtn_media_unref(generation->media);
    generation->media = old->media;
    rtn_media_ref(generation->media);
}

/* The members of a generation, from its configuration. */
static int make(struct rtn_generation *generation, const struct rtn_generation *old)
{
    const struct rtn_config_daemon *config = &generation->config->daemon;
    generation->media = rtn_media_new(config->media_types);
    if (generation->media == NULL)
        return -ENOMEM;
    share_media(generation, old);
    return rtn_modules_new(&config->modules, old != NULL ? old->modules : NULL, &generation->modules);
}

int rtn_generation_new(struct rtn_config *config, struct rtn_generation *old, struct rtn_generation **ret)
{
    struct rtn_generation *generation = calloc(1, sizeof(*generation));
    if (generation == NULL) {
        rtn_config_free(config);
        return -ENOMEM;
    }
    generation->config = config;
    generation->number = old != NULL ? old->number + 1 : 1;
    (void) clock_gettime(CLOCK_REALTIME, &generation->made);
    atomic_init(&generation->references, 1);
    rtn_list_init(&generation->node);
    int r = make(generation, old);
    if (r < 0) {
        generation_free(generation);
        return r;
    }
    if (old != NULL)
        rtn_list_append(old->node.next, &generation->node);
    *ret = generation;
    return 0;
}

void rtn_generation_ref(struct rtn_generation *generation)
{
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
}

void rtn_generation_unref(struct rtn_generation *generation)
{
    if (generation != NULL && atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) == 1)
        generation_free(generation);
}

void rtn_generation_supersede(struct rtn_generation *old, struct rtn_generation *now)
{
    rtn_modules_forget_old(now->modules);
    rtn_modules_free(old->modules);
    old->modules = NULL;
}

unsigned rtn_generation_count(const struct rtn_generation *generation)
{
    unsigned count = 1;
    RTN_LIST_FOREACH (node, &generation->node)
        count++;
    return count;
}

const struct rtn_generation *rtn_generation_oldest(const struct rtn_generation *generation)
{
    const struct rtn_generation *oldest = generation;
    RTN_LIST_FOREACH (node, &generation->node) {
        if (generation_of(node)->number < oldest->number)
            oldest = generation_of(node);
    }
    return oldest;
}
