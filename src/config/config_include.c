/*
 * Files of a configuration. Each is read once; its text stays in the arena for excerpts. Included
 * files hold only servers, which are put behind those of the main file, so that everything above
 * sees one tree. Names and patterns are relative to the folder of the file that holds them.
 */
#include "config/config_include.h"

#include <errno.h>
#include <glob.h>
#include <sys/stat.h>

#include "base/map.h"
#include "config/memory.h"
#include "config/yaml_tree.h"

struct file {
    struct rtn_source source;
    dev_t device;
    ino_t inode;
    struct rtn_mark from; /* the pattern that brought it in; no source: the main file */
    struct file *next;
};

struct rtn_config_files {
    struct file *first;
};

static struct file *add_file(struct rtn_config *config, const char *path, struct rtn_str text)
{
    struct file *file = rtn_config_alloc(&config->arena, sizeof(*file));

    if (config->files == NULL)
        config->files = rtn_config_alloc(&config->arena, sizeof(*config->files));
    text = rtn_yaml_strip_bom(text);
    file->source.path = rtn_config_strdup(&config->arena, rtn_str_of(path));
    file->source.text.data = rtn_config_strdup(&config->arena, text);
    file->source.text.length = text.length;
    file->next = config->files->first;
    config->files->first = file;
    return file;
}

/* NULL with nothing reported: the file is empty. */
static struct rtn_node *read_tree(struct rtn_config *config, const struct file *file, struct rtn_diags *diags)
{
    struct rtn_mark start = { .source = &file->source, .line = 1, .column = 1, .length = 1 };
    size_t errors = diags->errors;

    if (file->source.text.length > RTN_YAML_SIZE_MAX) {
        rtn_diags_error(diags, start, "the file is larger than 1MiB");
        return NULL;
    }
    struct rtn_node *root = rtn_yaml_read(&file->source, &config->arena, diags);
    if (root == NULL || root->kind == RTN_NODE_MAP)
        return root;
    if (errors == diags->errors)
        rtn_diags_error(diags, root->mark, "the top level must be keys such as \"servers:\", not %s",
                        root->kind == RTN_NODE_LIST ? "a list" : "plain text");
    return NULL;
}

struct rtn_node *rtn_config_read_text(struct rtn_config *config, const char *name, struct rtn_str text,
                                      struct rtn_diags *diags)
{
    const struct file *file = add_file(config, name, text);
    size_t errors = diags->errors;
    struct rtn_node *root = read_tree(config, file, diags);

    if (root == NULL && diags->errors == errors)
        rtn_diags_error(diags, (struct rtn_mark){ .source = &file->source, .line = 1, .column = 1 },
                        "the file is empty; it needs at least one server");
    return root;
}

static void report_unreadable(struct rtn_mark mark, const char *path, int code, struct rtn_diags *diags)
{
    if (code == -EFBIG)
        rtn_diags_error(diags, mark, "%s is larger than 1MiB", path);
    else
        rtn_diags_error(diags, mark, "cannot read %s: %s", path, strerrordesc_np(-code));
}

/* Who has no default file and gave none may not know how to. */
static void report_main_unreadable(const char *path, int code, struct rtn_diags *diags)
{
    if (code == -ENOENT && strcmp(path, RTN_CONFIG_FILE) == 0)
        rtn_diags_error(diags, (struct rtn_mark){ 0 }, "cannot read %s: %s; name another with -c", path,
                        strerrordesc_np(-code));
    else
        report_unreadable((struct rtn_mark){ 0 }, path, code, diags);
}

/* 0 or -errno. */
static int slurp(const char *path, struct rtn_buf *text, struct stat *info)
{
    if (stat(path, info) < 0)
        return -errno;
    if (S_ISDIR(info->st_mode))
        return -EISDIR;
    return rtn_buf_read_file(text, path, RTN_YAML_SIZE_MAX);
}

struct rtn_node *rtn_config_read_main(struct rtn_config *config, const char *path, struct rtn_diags *diags)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct stat info;
    int code = slurp(path, &text, &info);

    if (code < 0) {
        report_main_unreadable(path, code, diags);
        return NULL;
    }
    struct rtn_node *root = rtn_config_read_text(config, path, rtn_buf_str(&text), diags);
    config->files->first->device = info.st_dev;
    config->files->first->inode = info.st_ino;
    return root;
}

/* State of following the includes of one file. */
struct includes {
    struct rtn_config *config;
    struct rtn_diags *diags;
    struct rtn_buf pairs; /* struct rtn_node_pair: the servers found */
    struct rtn_map names; /* of servers -> struct rtn_node_pair * */
};

static bool is_new(const struct includes *includes, const char *path, const struct stat *info, struct rtn_mark from)
{
    for (const struct file *file = includes->config->files->first; file != NULL; file = file->next) {
        if (file->device != info->st_dev || file->inode != info->st_ino)
            continue;
        if (file->from.source == NULL) {
            rtn_diags_error(includes->diags, from, "%s includes itself", path);
            return false;
        }
        rtn_diags_error(includes->diags, from, "%s is included twice", path);
        rtn_diags_note(includes->diags, file->from, "the first time is here");
        return false;
    }
    return true;
}

/* Two files cannot both define one server. `pair` must stay where it is. */
static void add_server(struct includes *includes, struct rtn_node_pair *pair)
{
    struct rtn_arena *arena = &includes->config->arena;

    if (rtn_map_add(&includes->names, pair->name, pair) == 0) {
        rtn_buf_append(&includes->pairs, pair, sizeof(*pair));
        return;
    }
    const struct rtn_node_pair *other = rtn_map_get(&includes->names, pair->name);
    rtn_diags_error(includes->diags, pair->name_mark, "server %s is defined twice", rtn_node_quote(pair->name, arena));
    if (other != NULL)
        rtn_diags_note(includes->diags, other->name_mark, "the first one is here");
}

static void add_servers(struct includes *includes, const struct rtn_node *root)
{
    for (size_t i = 0; i < root->count; i++) {
        const struct rtn_node_pair *pair = &root->pairs[i];
        if (!rtn_str_equal(pair->name, RTN_STR("servers")))
            rtn_diags_error(includes->diags, pair->name_mark, "%s cannot stand in an included file, only \"servers\"",
                            rtn_node_quote(pair->name, &includes->config->arena));
        else if (pair->value->broken)
            continue;
        else if (rtn_node_is_null(pair->value))
            rtn_diags_error(includes->diags, pair->name_mark, "\"servers\" has no value");
        else if (pair->value->kind != RTN_NODE_MAP)
            rtn_diags_error(includes->diags, pair->value->mark, "\"servers\" must be a map of names, not %s",
                            rtn_node_describe(pair->value, &includes->config->arena));
        else
            for (size_t j = 0; j < pair->value->count; j++)
                add_server(includes, &pair->value->pairs[j]);
    }
}

static void include_file(struct includes *includes, const char *path, struct rtn_mark from)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct stat info;
    int code = slurp(path, &text, &info);

    if (code < 0) {
        report_unreadable(from, path, code, includes->diags);
        return;
    }
    if (!is_new(includes, path, &info, from))
        return;
    struct file *file = add_file(includes->config, path, rtn_buf_str(&text));
    file->device = info.st_dev;
    file->inode = info.st_ino;
    file->from = from;
    const struct rtn_node *root = read_tree(includes->config, file, includes->diags);
    if (root != NULL)
        add_servers(includes, root);
}

/* The pattern as a path from the working folder. */
static const char *from_folder(const struct rtn_node *pattern, struct rtn_arena *arena)
{
    const char *file = pattern->mark.source->path;
    const char *slash = strrchr(file, '/');

    if (pattern->text.data[0] == '/' || slash == NULL)
        return pattern->text.data;
    return rtn_config_printf(arena, "%.*s/%s", (int) (slash - file), file, pattern->text.data);
}

static void follow_pattern(struct includes *includes, const struct rtn_node *pattern)
{
    glob_t found;

    if (pattern->kind != RTN_NODE_SCALAR || pattern->text.length == 0 || pattern->broken || rtn_node_is_null(pattern))
        return; /* the table of `daemon` reports it */
    const char *path = from_folder(pattern, &includes->config->arena);
    if (strpbrk(pattern->text.data, "*?[") == NULL) {
        include_file(includes, path, pattern->mark);
        return;
    }
    int code = glob(path, 0, NULL, &found); /* NOLINT(concurrency-mt-unsafe): only main loads */
    if (code == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            include_file(includes, found.gl_pathv[i], pattern->mark);
        globfree(&found);
    } else if (code != GLOB_NOMATCH) {
        rtn_diags_error(includes->diags, pattern->mark, "cannot search for %s", path);
    }
}

static void follow(struct includes *includes, const struct rtn_node *include)
{
    if (include->kind == RTN_NODE_SCALAR)
        follow_pattern(includes, include);
    for (size_t i = 0; include->kind == RTN_NODE_LIST && i < include->count; i++)
        follow_pattern(includes, include->items[i]);
}

/* A new root whose `servers` are all that were found. */
static void put_servers(struct includes *includes, struct rtn_node *root)
{
    struct rtn_arena *arena = &includes->config->arena;
    const struct rtn_node_pair *old = rtn_node_pair(root, "servers");
    struct rtn_node_pair *pairs = rtn_config_alloc(arena, (root->count + 1) * sizeof(*pairs));
    struct rtn_node *servers = rtn_config_alloc(arena, sizeof(*servers));
    size_t at = old != NULL ? (size_t) (old - root->pairs) : root->count;

    servers->kind = RTN_NODE_MAP;
    servers->count = includes->pairs.length / sizeof(*servers->pairs);
    servers->pairs = rtn_config_alloc(arena, includes->pairs.length);
    memcpy(servers->pairs, includes->pairs.data, includes->pairs.length);
    servers->mark = old != NULL ? old->value->mark : servers->pairs[0].name_mark;
    if (root->count > 0)
        memcpy(pairs, root->pairs, root->count * sizeof(*pairs));
    pairs[at].name = RTN_STR("servers");
    pairs[at].name_mark = old != NULL ? old->name_mark : servers->mark;
    pairs[at].value = servers;
    root->count += old == NULL;
    root->pairs = pairs;
}

void rtn_config_follow_includes(struct rtn_config *config, struct rtn_node *root, struct rtn_diags *diags)
{
    struct includes includes = { .config = config, .diags = diags };
    const struct rtn_node *include = rtn_node_get(rtn_node_get(root, "daemon"), "include");
    const struct rtn_node *servers = rtn_node_get(root, "servers");
    bool mergeable = servers == NULL || servers->kind == RTN_NODE_MAP || rtn_node_is_null(servers);

    if (include == NULL)
        return;
    for (size_t i = 0; servers != NULL && servers->kind == RTN_NODE_MAP && i < servers->count; i++)
        add_server(&includes, &servers->pairs[i]);
    follow(&includes, include);
    if (mergeable && includes.pairs.length > 0)
        put_servers(&includes, root);
    rtn_buf_done(&includes.pairs);
    rtn_map_done(&includes.names);
}

/* The newest is the first of the list. */
const char *rtn_config_file(const struct rtn_config *config, size_t index)
{
    const struct file *first = config->files != NULL ? config->files->first : NULL;
    size_t count = 0;
    for (const struct file *file = first; file != NULL; file = file->next)
        count++;
    if (index >= count)
        return NULL;
    for (size_t i = count - 1; i > index; i--)
        first = first->next;
    return first->source.path;
}
