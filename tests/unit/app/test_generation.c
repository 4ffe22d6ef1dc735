/* Generations, and the modules that one takes over from the other: by the content of the file alone. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "generation_support.h"

#define SERVERS "a: {listen: 127.0.0.1:1, routes: [{path: /, status: 404}]}"

static char folder[] = "/tmp/rtn-generation-XXXXXX";

static void start(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void stop(void)
{
    char command[64];
    rtn_diags_done(&diags);
    (void) snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(generation, .init = start, .fini = stop);

static const char *path_of(const char *file)
{
    static char path[128];
    (void) snprintf(path, sizeof(path), "%s/%s", folder, file);
    return path;
}

/* The test module `name` as `file` of the folder, in place of what is there; cut to a part of it when asked for. */
static void put(const char *name, const char *file, bool half)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 };
    char from[512];
    (void) snprintf(from, sizeof(from), "%s/%s.so", TEST_MODULES, name);
    cr_assert_eq(rtn_buf_read_file(&content, from, 100 << 20), 0);
    RTN_CLEANUP(rtn_fd_close) int fd = open(path_of(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    size_t length = half ? content.length / 2 : content.length;
    cr_assert_eq(write(fd, content.data, length), (ssize_t) length);
}

static const struct rtn_loaded *get(const struct rtn_generation *generation, const char *name)
{
    return rtn_modules_get(generation->modules, name, (struct rtn_mark){ 0 }, &diags);
}

Test(generation, a_module_of_the_same_content_is_taken_over)
{
    put("counter", "mine.so", false);
    struct rtn_generation *first = generation_after(NULL, folder, SERVERS);
    const struct rtn_loaded *loaded = get(first, "mine");
    cr_assert_not_null(loaded, "%s", problems());
    cr_assert_eq(unlink(path_of("mine.so")), 0);
    put("counter", "mine.so", false); /* another file, of another time */
    struct rtn_generation *second = generation_after(first, folder, SERVERS);
    cr_expect_eq(get(second, "mine"), loaded);
    rtn_generation_supersede(first, second);
    rtn_generation_unref(first);
    cr_expect_str_eq(loaded->module.name, "counter");
    rtn_generation_unref(second);
}

Test(generation, a_module_of_other_content_is_another)
{
    put("counter", "mine.so", false);
    struct rtn_generation *first = generation_after(NULL, folder, SERVERS);
    const struct rtn_loaded *loaded = get(first, "mine");
    struct stat before;
    cr_assert_eq(stat(path_of("mine.so"), &before), 0);
    put("serial", "mine.so", false);
    const struct timespec times[2] = { before.st_atim, before.st_mtim };
    cr_assert_eq(utimensat(AT_FDCWD, path_of("mine.so"), times, 0), 0); /* who looks at times alone sees nothing */
    struct rtn_generation *second = generation_after(first, folder, SERVERS);
    const struct rtn_loaded *other = get(second, "mine");
    cr_assert_not_null(other, "%s", problems());
    cr_expect_neq(other, loaded);
    cr_expect_str_eq(other->module.name, "serial");
    cr_expect_str_eq(loaded->module.name, "counter");
    put("counter", "mine.so", false);
    struct rtn_generation *third = generation_after(second, folder, SERVERS);
    cr_expect_str_eq(get(third, "mine")->module.name, "counter");
    rtn_generation_unref(third);
    rtn_generation_unref(second);
    rtn_generation_unref(first);
}

/* A byte behind everything that is mapped makes another file, which is not to be guessed from its parts. */
Test(generation, every_byte_counts)
{
    put("counter", "mine.so", false);
    struct rtn_generation *first = generation_after(NULL, folder, SERVERS);
    const struct rtn_loaded *loaded = get(first, "mine");
    FILE *file = fopen(path_of("mine.so"), "a");
    cr_assert_not_null(file);
    (void) fputc(0, file);
    cr_assert_eq(fclose(file), 0);
    struct rtn_generation *second = generation_after(first, folder, SERVERS);
    cr_assert_not_null(get(second, "mine"), "%s", problems());
    cr_expect_neq(get(second, "mine"), loaded);
    rtn_generation_unref(second);
    rtn_generation_unref(first);
}

Test(generation, half_a_file_is_an_error_and_harms_nobody)
{
    put("counter", "mine.so", false);
    struct rtn_generation *first = generation_after(NULL, folder, SERVERS);
    const struct rtn_loaded *loaded = get(first, "mine");
    put("counter", "mine.so", true);
    struct rtn_generation *second = generation_after(first, folder, SERVERS);
    cr_expect_null(get(second, "mine"));
    cr_expect_not_null(strstr(problems(), "is cut short"), "%s", problems());
    rtn_generation_unref(second);
    cr_expect_str_eq(loaded->module.name, "counter");
    rtn_generation_unref(first);
}

Test(generation, a_file_that_others_may_write_is_refused_also_when_it_is_the_same)
{
    put("counter", "mine.so", false);
    struct rtn_generation *first = generation_after(NULL, folder, SERVERS);
    cr_assert_not_null(get(first, "mine"), "%s", problems());
    cr_assert_eq(chmod(path_of("mine.so"), 0666), 0);
    struct rtn_generation *second = generation_after(first, folder, SERVERS);
    cr_expect_null(get(second, "mine"));
    cr_expect_not_null(strstr(problems(), "can be written by others"), "%s", problems());
    rtn_generation_unref(second);
    rtn_generation_unref(first);
}

/* As when a link to a folder is turned round. */
Test(generation, the_place_of_the_file_does_not_count)
{
    char inner[128];
    put("counter", "mine.so", false);
    struct rtn_generation *first = generation_after(NULL, folder, SERVERS);
    const struct rtn_loaded *loaded = get(first, "mine");
    (void) snprintf(inner, sizeof(inner), "%s/inner", folder);
    cr_assert_eq(mkdir(inner, 0755), 0);
    put("counter", "inner/mine.so", false);
    struct rtn_generation *second = generation_after(first, inner, SERVERS);
    cr_expect_eq(get(second, "mine"), loaded);
    rtn_generation_unref(second);
    rtn_generation_unref(first);
}

Test(generation, those_that_are_alive_are_counted)
{
    struct rtn_generation *first = generation_after(NULL, folder, SERVERS);
    struct rtn_generation *second = generation_after(first, folder, SERVERS);
    struct rtn_generation *third = generation_after(second, folder, SERVERS);
    cr_expect_eq(first->number, 1);
    cr_expect_eq(third->number, 3);
    cr_expect_eq(rtn_generation_count(third), 3);
    cr_expect_eq(rtn_generation_oldest(third), first);
    rtn_generation_ref(second);
    rtn_generation_unref(second);
    rtn_generation_unref(first);
    cr_expect_eq(rtn_generation_count(third), 2);
    cr_expect_eq(rtn_generation_oldest(third), second);
    rtn_generation_unref(second);
    cr_expect_eq(rtn_generation_count(third), 1);
    cr_expect_eq(rtn_generation_oldest(third), third);
    rtn_generation_unref(third);
}

Test(generation, equal_media_types_are_one)
{
    struct rtn_generation *first = generation_after(NULL, "/x, /y], media_types: {a: text/a}, include: [", SERVERS);
    struct rtn_generation *second = generation_after(first, "/x], media_types: {A: text/a}, include: [", SERVERS);
    struct rtn_generation *third = generation_after(second, "/x], media_types: {a: text/b}, include: [", SERVERS);
    cr_expect_eq(first->media, second->media);
    cr_expect_neq(second->media, third->media);
    rtn_generation_unref(first);
    cr_expect_str_eq(rtn_media_lookup(second->media, RTN_STR("x.a")), "text/a");
    cr_expect_str_eq(rtn_media_lookup(third->media, RTN_STR("x.a")), "text/b");
    rtn_generation_unref(third);
    rtn_generation_unref(second);
}
