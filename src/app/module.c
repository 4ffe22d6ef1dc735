/*
 * The set of modules of one configuration. Two maps lead to the same entries: by the name asked for, which also
 * remembers names that failed, and by real path, so that a file reached by two names is opened once. A module of an
 * older set that was reached in one of these ways is taken over when it has the content of the file.
 */
#include "app/module.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/loaded.h"
#include "base/map.h"
#include "config/memory.h"

#define SUGGEST_MAX 256

struct entry {
    const struct rtn_loaded *loaded; /* a reference; NULL: what is wrong was reported */
    struct entry *next;
};

struct rtn_modules {
    struct rtn_arena arena;
    const char **folders;
    size_t folder_count;
    struct rtn_map asked; /* name or absolute path -> struct entry */
    struct rtn_map opened; /* real path -> struct entry */
    struct entry *entries; /* newest first */
    const struct rtn_modules *old; /* NULL: none */
};

int rtn_modules_new(const struct rtn_schema_strings *folders, const struct rtn_modules *old, struct rtn_modules **ret)
{
    struct rtn_modules *modules = calloc(1, sizeof(*modules));
    if (modules == NULL)
        return -ENOMEM;
    rtn_arena_init(&modules->arena, NULL, 0);
    modules->folders = rtn_config_alloc(&modules->arena, folders->count * sizeof(*modules->folders));
    modules->folder_count = folders->count;
    modules->old = old;
    for (size_t i = 0; i < folders->count; i++)
        modules->folders[i] = rtn_config_strdup(&modules->arena, rtn_str_of(folders->items[i]));
    *ret = modules;
    return 0;
}

void rtn_modules_forget_old(struct rtn_modules *modules)
{
    modules->old = NULL;
}

void rtn_modules_free(struct rtn_modules *modules)
{
    if (modules == NULL)
        return;
    for (struct entry *entry = modules->entries; entry != NULL; entry = entry->next)
        rtn_loaded_unref(entry->loaded);
    rtn_map_done(&modules->asked);
    rtn_map_done(&modules->opened);
    rtn_arena_done(&modules->arena);
    free(modules);
}

static struct entry *entry_new(struct rtn_modules *modules)
{
    struct entry *entry = rtn_config_alloc(&modules->arena, sizeof(*entry));
    entry->next = modules->entries;
    modules->entries = entry;
    return entry;
}

/* Loading aborts when memory is out, as everywhere in the configuration. */
static void remember(struct rtn_map *map, const char *key, struct entry *entry)
{
    if (rtn_map_add(map, rtn_str_of(key), entry) == -ENOMEM)
        abort();
}

/* Finding the file */

/* A relative path is taken from the folder of the file that holds it, like all paths in the configuration. */
static const char *absolute_path(struct rtn_modules *modules, const char *path, struct rtn_mark mark)
{
    const char *file = mark.source != NULL ? mark.source->path : "";
    const char *slash = strrchr(file, '/');
    if (path[0] == '/' || slash == NULL)
        return rtn_config_strdup(&modules->arena, rtn_str_of(path));
    return rtn_config_printf(&modules->arena, "%.*s/%s", (int) (slash - file), file, path);
}

/* NULL when no folder has it. A file that cannot be reached counts as found: the user meant it. */
static const char *find_file(struct rtn_modules *modules, const char *name)
{
    for (size_t i = 0; i < modules->folder_count; i++) {
        struct stat info;
        const char *path = rtn_config_printf(&modules->arena, "%s/%s.so", modules->folders[i], name);
        if (stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR))
            return path;
    }
    return NULL;
}

static int is_module(const struct dirent *file)
{
    return rtn_str_ends_with(rtn_str_of(file->d_name), RTN_STR(".so"));
}

/* Appends the names of modules in `folder` to names[count..SUGGEST_MAX); the new count. */
static size_t list_folder(const char *folder, const char **names, size_t count, struct rtn_arena *arena)
{
    struct dirent **files = NULL;
    int found = scandir(folder, &files, is_module, alphasort);
    for (int i = 0; i < found; i++) {
        struct rtn_str name = { files[i]->d_name, strlen(files[i]->d_name) - strlen(".so") };
        if (count < SUGGEST_MAX)
            names[count++] = rtn_config_strdup(arena, name);
        free(files[i]);
    }
    free(files);
    return count;
}

static void report_missing(struct rtn_modules *modules, const char *name, struct rtn_mark mark, struct rtn_diags *diags)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf folders = { 0 };
    const char *names[SUGGEST_MAX];
    size_t count = 0;
    for (size_t i = 0; i < modules->folder_count; i++) {
        rtn_buf_printf(&folders, "%s%s", i > 0 ? ", " : "", modules->folders[i]);
        count = list_folder(modules->folders[i], names, count, &modules->arena);
    }
    if (modules->folder_count == 0) {
        rtn_diags_error(diags, mark, "module \"%s\": no folder to look in; write the path of the file", name);
        return;
    }
    rtn_diags_error(diags, mark, "module \"%s\": no %s.so in %s%s", name, name, folders.data,
                    rtn_schema_suggest(rtn_str_of(name), names, count, &modules->arena));
}

/* Opening it */

static const struct rtn_loaded *loaded_of(const struct rtn_map *map, const char *key)
{
    const struct entry *entry = rtn_map_get(map, rtn_str_of(key));
    return entry != NULL ? entry->loaded : NULL;
}

/* What is asked for: how it is written, the key of that, and the file found. */
struct search {
    const char *name;
    const char *key;
    const char *path;
    const char *real; /* path */
};

static const struct rtn_loaded *open_file(struct rtn_modules *modules, const struct search *search,
                                          struct rtn_mark mark, struct rtn_diags *diags)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf problem = { 0 };
    const struct rtn_loaded *old[2] = { 0 };
    if (modules->old != NULL) {
        old[0] = loaded_of(&modules->old->asked, search->key);
        old[1] = loaded_of(&modules->old->opened, search->real);
    }
    const struct rtn_loaded *loaded = rtn_loaded_open(search->path, old, RTN_ARRAY_LENGTH(old), &problem);
    if (loaded != NULL)
        return loaded;
    if (strchr(search->name, '/') != NULL)
        rtn_diags_error(diags, mark, "module %s %s", search->path, problem.data);
    else
        rtn_diags_error(diags, mark, "module \"%s\": %s %s", search->name, search->path, problem.data);
    return NULL;
}

/* The entry of the file, opened now unless it is already. */
static struct entry *entry_of(struct rtn_modules *modules, struct search *search, struct rtn_mark mark,
                              struct rtn_diags *diags)
{
    char *resolved = realpath(search->path, NULL);
    search->real = rtn_config_strdup(&modules->arena, rtn_str_of(resolved != NULL ? resolved : search->path));
    free(resolved);
    struct entry *entry = rtn_map_get(&modules->opened, rtn_str_of(search->real));
    if (entry != NULL)
        return entry;
    entry = entry_new(modules);
    remember(&modules->opened, search->real, entry);
    entry->loaded = open_file(modules, search, mark, diags);
    return entry;
}

const struct rtn_loaded *rtn_modules_get(struct rtn_modules *modules, const char *name, struct rtn_mark mark,
                                         struct rtn_diags *diags)
{
    bool is_path = strchr(name, '/') != NULL;
    struct search search = { .name = name };
    search.key = is_path ? absolute_path(modules, name, mark) : rtn_config_strdup(&modules->arena, rtn_str_of(name));
    struct entry *entry = rtn_map_get(&modules->asked, rtn_str_of(search.key));
    if (entry == NULL) {
        search.path = is_path ? search.key : find_file(modules, name);
        if (search.path == NULL)
            report_missing(modules, name, mark, diags);
        entry = search.path != NULL ? entry_of(modules, &search, mark, diags) : entry_new(modules);
        remember(&modules->asked, search.key, entry);
    }
    return entry->loaded;
}
