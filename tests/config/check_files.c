/*
 * Loads every file in bad/ and good/ of a folder. What the loader says about bad/NAME.yaml must be
 * bad/NAME.expected, to the letter. A file in good/ must load without a word, its dump must be
 * good/NAME.dump, and the dump must load again to the same values.
 *
 *     check_files FOLDER            compares, prints what differs, status 1 then
 *     check_files FOLDER --update   writes the .expected and .dump files; read the difference
 *     check_files --schema          prints the JSON Schema, for check_schema.py
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config.h"

static bool update;

/* Replaces every `from`: folders of this machine have no place in expected files. */
static void replace(struct rtn_buf *buf, const char *from, const char *to)
{
    struct rtn_buf result = { 0 };
    const char *at = rtn_buf_str(buf).data;

    for (const char *hit; (hit = strstr(at, from)) != NULL; at = hit + strlen(from)) {
        rtn_buf_append(&result, at, (size_t) (hit - at));
        rtn_buf_append_text(&result, to);
    }
    rtn_buf_append_text(&result, at);
    rtn_buf_done(buf);
    *buf = result;
}

static void hide_folders(struct rtn_buf *buf)
{
    char *folder = getcwd(NULL, 0);

    replace(buf, folder, "@FOLDER@");
    replace(buf, RTN_MODULE_DIR, "@MODULES@");
    free(folder);
}

static bool write_file(const char *path, const struct rtn_buf *buf)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return false;
    bool ok = fwrite(rtn_buf_str(buf).data, 1, buf->length, file) == buf->length;
    return fclose(file) == 0 && ok;
}

/* `actual` against the file NAME.SUFFIX. */
static bool matches(const char *name, const char *suffix, const struct rtn_buf *actual)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf path = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf expected = { 0 };

    rtn_buf_printf(&path, "%.*s.%s", (int) (strlen(name) - strlen(".yaml")), name, suffix);
    if (update)
        return write_file(path.data, actual);
    int code = rtn_buf_read_file(&expected, path.data, 1 << 20);
    if (code == 0 && rtn_str_equal(rtn_buf_str(&expected), rtn_buf_str(actual)))
        return true;
    printf("%s: %s\n--- expected\n%s--- actual\n%s\n", path.data, code == 0 ? "differs" : strerrordesc_np(-code),
           rtn_buf_str(&expected).data, rtn_buf_str(actual).data);
    return false;
}

static bool check_bad(const char *name)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf shown = { 0 };
    struct rtn_diags diags = { 0 };
    struct rtn_config *config;

    int code = rtn_config_load(name, &config, &diags);
    rtn_diags_render(&diags, &shown, false);
    rtn_diags_done(&diags);
    rtn_config_free(config);
    if (code != -EINVAL)
        printf("%s: loads, but should not\n", name);
    return code == -EINVAL && matches(name, "expected", &shown);
}

/* Without the place at the end of each line. */
static void drop_places(struct rtn_buf *dump)
{
    struct rtn_buf result = { 0 };
    struct rtn_str rest = rtn_buf_str(dump);

    while (rest.length > 0) {
        const char *end = memchr(rest.data, '\n', rest.length);
        size_t length = end != NULL ? (size_t) (end - rest.data) : rest.length;
        for (size_t i = length; i > 2; i--) {
            if (memcmp(rest.data + i - 3, "  # ", 3) == 0) {
                rtn_buf_append(&result, rest.data, i - 3);
                break;
            }
        }
        rtn_buf_append_char(&result, '\n');
        length += end != NULL;
        rest = (struct rtn_str){ rest.data + length, rest.length - length };
    }
    rtn_buf_done(dump);
    *dump = result;
}

/* The include line is a comment in a dump, and gone when that is read. */
static void drop_includes(struct rtn_buf *dump)
{
    char *start = strstr(dump->data, "  # include:");
    if (start == NULL)
        return;
    char *end = strchr(start, '\n') + 1;
    memmove(start, end, strlen(end) + 1);
    dump->length -= (size_t) (end - start);
}

static bool loads_again(const char *name, struct rtn_buf *dump)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf again = { 0 };
    struct rtn_diags diags = { 0 };
    struct rtn_config *config;

    int code = rtn_config_load_text("dump.yaml", rtn_buf_str(dump), &config, &diags);
    if (code == 0)
        rtn_config_dump(config, &again);
    else
        rtn_diags_render(&diags, &again, false);
    rtn_diags_done(&diags);
    rtn_config_free(config);
    drop_places(&again);
    drop_includes(dump);
    drop_places(dump);
    bool same = code == 0 && rtn_str_equal(rtn_buf_str(&again), rtn_buf_str(dump));
    if (!same)
        printf("%s: the dump loads differently\n--- dump\n%s--- loaded\n%s\n", name, dump->data, again.data);
    return same;
}

static bool check_good(const char *name)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf dump = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf shown = { 0 };
    struct rtn_diags diags = { 0 };
    struct rtn_config *config;

    rtn_config_load(name, &config, &diags);
    rtn_diags_render(&diags, &shown, false);
    bool ok = diags.count == 0;
    if (!ok)
        printf("%s: should load without a word\n%s\n", name, shown.data);
    else
        rtn_config_dump(config, &dump);
    rtn_diags_done(&diags);
    rtn_config_free(config);
    if (!ok || !loads_again(name, &dump))
        return false;
    return true;
}

static bool check_dump(const char *name)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf dump = { 0 };
    struct rtn_diags diags = { 0 };
    struct rtn_config *config;

    if (rtn_config_load(name, &config, &diags) == 0)
        rtn_config_dump(config, &dump);
    hide_folders(&dump);
    rtn_diags_done(&diags);
    rtn_config_free(config);
    return matches(name, "dump", &dump);
}

static bool check_good_and_dump(const char *name)
{
    return check_good(name) && check_dump(name);
}

static int is_yaml(const struct dirent *entry)
{
    return rtn_str_ends_with(rtn_str_of(entry->d_name), RTN_STR(".yaml"));
}

/* Returns how many failed; an empty folder is a failure too. */
static int check_folder(const char *root, const char *folder, bool (*check)(const char *name))
{
    struct dirent **entries = NULL;
    int failed = 0;

    if (chdir(root) < 0 || chdir(folder) < 0) {
        perror(folder);
        return 1;
    }
    int count = scandir(".", &entries, is_yaml, alphasort);
    for (int i = 0; i < count; i++) {
        failed += !check(entries[i]->d_name);
        free(entries[i]);
    }
    free((void *) entries);
    printf("%s: %d files, %d failed\n", folder, count, failed);
    return count <= 0 ? 1 : failed;
}

static int print_schema(void)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf schema = { 0 };

    rtn_config_schema(&schema);
    return fputs(schema.data, stdout) == EOF;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "--schema") == 0)
        return print_schema();
    update = argc > 2 && strcmp(argv[2], "--update") == 0;
    setenv("RTN_TEST_PORT", "8099", 1);
    setenv("RTN_TEST_EMPTY", "", 1);
    unsetenv("RTN_TEST_UNSET");
    char *root = realpath(argv[1], NULL);
    if (root == NULL)
        return 2;
    int failed = check_folder(root, "bad", check_bad) + check_folder(root, "good", check_good_and_dump);
    free(root);
    return failed > 0 ? 1 : 0;
}
