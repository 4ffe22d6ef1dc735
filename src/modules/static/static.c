/*
 * static: files of a folder. A file that was asked for a moment ago is answered from the cache on the loop, without
 * asking the file system; for everything else the handler asks to be called again on a worker, where it may block.
 *
 * Here: the options, and the way from a path to an answer.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "static_answer.h"
#include "static_listing.h"
#include "static_path.h"

static int64_t now_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Below the root: what the route's '*' stands for; of a route without one, the whole path. */
static rtn_str path_of(const rtn_request *request)
{
    rtn_str rest = rtn_request_param(request, "*");
    if (rest.data != NULL)
        return rest;
    rtn_str path = rtn_request_path(request);
    return (rtn_str){ path.data + 1, path.length - 1 };
}

static bool is_folder_path(rtn_str path)
{
    return path.length == 0 || path.data[path.length - 1] == '/';
}

/* "AB" in memory of the request; NULL when it is out. */
static char *join(rtn_request *request, rtn_str a, rtn_str b)
{
    char *text = rtn_request_alloc(request, a.length + b.length + 1);
    if (text == NULL)
        return NULL;
    if (a.length > 0)
        memcpy(text, a.data, a.length);
    if (b.length > 0)
        memcpy(text + a.length, b.data, b.length);
    text[a.length + b.length] = '\0';
    return text;
}

static rtn_str str_of(const char *text)
{
    return (rtn_str){ text, strlen(text) };
}

/* An entry that was just loaded, or the one that is known already, of a file that is read only when it has changed. */
static struct static_entry *remember(const struct static_site *site, struct static_entry *entry)
{
    size_t room = 0;
    if (site->cache_size > 0 && site->cache_time > 0) {
        struct static_entry *before = static_cache_renew(site->cache, entry, now_ms(), &room);
        if (before != NULL)
            return before;
        static_entry_keep(entry, room);
    }
    return static_cache_put(site->cache, entry, now_ms());
}

/* Opens the file `name` for the path `known_as` and puts it into the cache. */
static int load(rtn_request *request, const struct static_site *site, const char *name, rtn_str known_as,
                struct static_entry **ret)
{
    struct static_entry *entry = NULL;
    int error = static_entry_load(&site->root, name, known_as, site->precompressed, &entry);
    if (error == -EMFILE || error == -ENFILE) { /* the cache is the first that can do without */
        static_cache_clear(site->cache);
        error = static_entry_load(&site->root, name, known_as, site->precompressed, &entry);
    }
    if (error < 0)
        return error;
    entry->type = rtn_media_type(rtn_request_server(request), str_of(name));
    *ret = remember(site, entry);
    return 0;
}

/* The first index file that is there. */
static int load_index(rtn_request *request, const struct static_site *site, rtn_str folder, struct static_entry **ret)
{
    int error = -ENOENT;
    for (size_t i = 0; i < site->index.count && static_answer_is_absence(error); i++) {
        const char *name = join(request, folder, str_of(site->index.items[i]));
        error = name != NULL ? load(request, site, name, folder, ret) : -ENOMEM;
    }
    return static_answer_is_absence(error) ? -ENOENT : error;
}

static int load_path(rtn_request *request, const struct static_site *site, rtn_str path, struct static_entry **ret)
{
    if (is_folder_path(path))
        return load_index(request, site, path, ret);
    const char *name = join(request, path, (rtn_str){ NULL, 0 });
    return name != NULL ? load(request, site, name, path, ret) : -ENOMEM;
}

/* The page of a folder without index file; -ENOENT when there are no such pages. */
static int make_listing(rtn_request *request, const struct static_site *site, rtn_str path, char **ret,
                        size_t *ret_length)
{
    if (!site->listing || !is_folder_path(path))
        return -ENOENT;
    const char *folder = join(request, path, (rtn_str){ NULL, 0 });
    const struct static_listing listing = { .root = &site->root,
                                            .folder = folder,
                                            .title = rtn_request_path(request),
                                            .parent = path.length > 0,
                                            .dot_files = site->dot_files };
    return folder != NULL ? static_listing_make(&listing, ret, ret_length) : -ENOMEM;
}

/* There is nothing at the path. */
static int answer_absent(rtn_request *request, const struct static_site *site, int error)
{
    struct static_entry *entry = NULL;
    if (site->fallback == NULL)
        return static_answer_error(request, error);
    error = load(request, site, site->fallback, str_of(site->fallback), &entry);
    return error < 0 ? static_answer_error(request, error) : static_answer_entry(request, site, entry);
}

static int serve_on_worker(rtn_request *request, const struct static_site *site, rtn_str path)
{
    struct static_entry *entry = NULL;
    char *page = NULL;
    size_t length = 0;
    int error = load_path(request, site, path, &entry);
    if (error == 0)
        return static_answer_entry(request, site, entry);
    static_cache_remove(site->cache, path);
    if (error == -EISDIR)
        return static_answer_redirect(request);
    if (error == -ENOENT)
        error = make_listing(request, site, path, &page, &length);
    if (error == 0)
        return static_answer_page(request, page, length);
    return static_answer_is_absence(error) ? answer_absent(request, site, error) : static_answer_error(request, error);
}

static int serve(rtn_request *request, void *instance)
{
    const struct static_site *site = instance;
    rtn_str path = path_of(request);
    if (!static_path_allowed(path, site->dot_files, site->well_known))
        return static_answer_error(request, -ENOENT);
    struct static_entry *entry = static_cache_get(site->cache, path, now_ms());
    if (entry != NULL)
        return static_answer_entry(request, site, entry);
    return rtn_may_block() ? serve_on_worker(request, site, path) : RTN_WORKER;
}

static bool is_control(char c)
{
    return (unsigned char) c < 0x20 || c == 0x7f;
}

/* What is wrong with a value of Cache-Control; NULL: nothing. */
static const char *field_value_problem(const char *text)
{
    size_t length = strlen(text);
    if (length == 0)
        return "there is nothing in it; leave it out for none";
    for (size_t i = 0; i < length; i++) {
        if (is_control(text[i]))
            return "it has a character that no header field may hold";
    }
    return text[0] == ' ' || text[length - 1] == ' ' ? "it begins or ends with a space" : NULL;
}

static int check_cache_control(const struct static_site *site, rtn_setup *setup)
{
    const char *problem = site->cache_control != NULL ? field_value_problem(site->cache_control) : NULL;
    return problem != NULL ? rtn_setup_error(setup, "cache_control", "%s", problem) : 0;
}

static bool is_file_path(rtn_str path)
{
    return !is_folder_path(path) && static_path_allowed(path, true, true);
}

static int configure(void *instance, rtn_setup *setup)
{
    struct static_site *site = instance;
    site->root = (struct static_root){ .fd = -1, .symlinks = site->symlinks };
    for (size_t i = 0; i < site->index.count; i++) {
        if (!static_path_is_name(site->index.items[i]))
            return rtn_setup_error(setup, "index", "\"%s\" is no file name", site->index.items[i]);
    }
    if (check_cache_control(site, setup) < 0)
        return -EINVAL;
    if (site->fallback != NULL && !is_file_path(str_of(site->fallback)))
        return rtn_setup_error(setup, "fallback", "\"%s\" is no path of a file below root, as \"index.html\"",
                               site->fallback);
    return 0;
}

static int ready(void *instance, rtn_setup *setup)
{
    struct static_site *site = instance;
    int error = static_root_open(&site->root, site->folder);
    if (error == -ENOENT)
        return rtn_setup_error(setup, "root", "there is no folder %s", site->folder);
    if (error < 0)
        return rtn_setup_error(setup, "root", "cannot open the folder %s: %s", site->folder, strerror(-error));
    if (site->root.walk && site->symlinks == STATIC_SYMLINKS_INSIDE)
        rtn_log(RTN_LOG_NOTICE, "static: this system has no openat2(): links below %s are not followed", site->folder);
    site->cache = static_cache_new((size_t) site->cache_size, (size_t) site->cache_memory, site->cache_time);
    return site->cache != NULL ? 0 : -ENOMEM;
}

static void unload(void *instance)
{
    struct static_site *site = instance;
    static_cache_free(site->cache);
    static_root_close(&site->root);
}

static const char *const symlink_choices[] = { "inside", "none", "all", NULL };

static const struct rtn_option options[] = {
    RTN_OPTION(PATH, struct static_site, folder, .name = "root", .required = true, .help = "Folder that is served."),
    RTN_OPTION(STRINGS, struct static_site, index, .name = "index", .fallback = "index.html",
               .help = "Files that stand for their folder, tried in this order."),
    RTN_OPTION(BOOL, struct static_site, listing, .name = "listing", .fallback = "false",
               .help = "Lists folders that have no index file."),
    RTN_OPTION(BOOL, struct static_site, dot_files, .name = "dot_files", .fallback = "false",
               .help = "Serves names that begin with a dot; false: they are not there."),
    RTN_OPTION(BOOL, struct static_site, well_known, .name = "well_known", .fallback = "true",
               .help = "Serves the folder .well-known in root all the same."),
    RTN_OPTION(CHOICE, struct static_site, symlinks, .name = "symlinks", .choices = symlink_choices,
               .fallback = "inside",
               .help = "Links that are followed: inside (relative ones that stay below root), none, all."),
    RTN_OPTION(BOOL, struct static_site, precompressed, .name = "precompressed", .fallback = "true",
               .help = "Sends FILE.br, FILE.zst or FILE.gz to clients that take it, unless it is older than FILE."),
    RTN_OPTION(STRING, struct static_site, cache_control, .name = "cache_control",
               .help = "Cache-Control of files, as \"public, max-age=3600\"; default none."),
    RTN_OPTION(INT, struct static_site, cache_size, .name = "cache", .fallback = "512", .min = 0, .max = 100000,
               .help = "Files that stay open between requests, at most."),
    RTN_OPTION(DURATION, struct static_site, cache_time, .name = "cache_time", .fallback = "1s", .min = 0,
               .max = 86400000, .help = "How long an open file is used before it is looked at again."),
    RTN_OPTION(SIZE, struct static_site, cache_memory, .name = "cache_memory", .fallback = "16MiB", .min = 0,
               .max = INT64_C(1) << 40,
               .help = "Bytes of open files of up to 128 KiB that are kept in memory, at most."),
    RTN_OPTION(STRING, struct static_site, fallback, .name = "fallback",
               .help = "File below root that is sent, with 200, instead of 404; for single-page applications."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "files",
      .summary = "Serves the files of a folder.",
      .handle = serve,
      .methods = RTN_METHOD_GET,
      .worker = true },
    { 0 },
};

static const struct rtn_module module = {
    .name = "static",
    .version = "1.0",
    .summary = "Files of a folder.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct static_site),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .ready = ready,
    .unload = unload,
};
RTN_REGISTER_MODULE(module)
