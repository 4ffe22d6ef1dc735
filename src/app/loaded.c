/*
 * Each module has a home: the mapped file, the tables that were made of its descriptor, and the number of those who
 * refer to it: sets of modules, instances, and messages whose payload it releases. The last one closes the file.
 * Whether a file has changed is decided by its bytes alone, compared with the copy that the module was opened from; a
 * file that is touched or written anew with the same content is the same module.
 */
#include "app/loaded.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "app/module_check.h"
#include "app/module_file.h"
#include "base/fd.h"
#include "config/memory.h"

struct rtn_loaded_home {
    struct rtn_loaded loaded;
    struct rtn_module_file file;
    struct rtn_arena arena;
    atomic_uint references;
};

static void home_free(struct rtn_loaded_home *home)
{
    rtn_module_file_close(&home->file);
    rtn_arena_done(&home->arena);
    free(home);
}

static struct rtn_loaded_home *home_new(const char *path)
{
    struct rtn_loaded_home *home = rtn_config_need(calloc(1, sizeof(*home)));
    rtn_arena_init(&home->arena, NULL, 0);
    atomic_init(&home->references, 1);
    home->loaded.home = home;
    home->loaded.path = rtn_config_strdup(&home->arena, rtn_str_of(path));
    return home;
}

void rtn_loaded_ref(const struct rtn_loaded *loaded)
{
    atomic_fetch_add_explicit(&loaded->home->references, 1, memory_order_relaxed);
}

void rtn_loaded_unref(const struct rtn_loaded *loaded)
{
    if (loaded != NULL && atomic_fetch_sub_explicit(&loaded->home->references, 1, memory_order_acq_rel) == 1)
        home_free(loaded->home);
}

void *rtn_loaded_alloc(const struct rtn_loaded *loaded, size_t size)
{
    return rtn_config_alloc(&loaded->home->arena, size);
}

/* Takes the copy. */
static const struct rtn_loaded *load(const char *path, int copy, struct rtn_buf *problem)
{
    struct rtn_loaded_home *home = home_new(path);
    if (rtn_module_file_open(copy, path, &home->file, problem) == 0) {
        home->loaded.handle = home->file.handle;
        if (rtn_module_check(&home->loaded, &home->arena, problem) == 0)
            return &home->loaded;
    }
    home_free(home);
    return NULL;
}

const struct rtn_loaded *rtn_loaded_open(const char *path, const struct rtn_loaded *const *old, size_t count,
                                         struct rtn_buf *problem)
{
    int copy = rtn_module_file_copy(path, problem);
    if (copy < 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (old[i] == NULL || !rtn_module_file_is_same(copy, old[i]->home->file.copy))
            continue;
        rtn_fd_close(&copy);
        rtn_loaded_ref(old[i]);
        return old[i];
    }
    return load(path, copy, problem);
}
