/* A folder for one test, with files in it; it is removed at the end. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

static char folder[64];

static void folder_make(void)
{
    (void) snprintf(folder, sizeof(folder), "/tmp/rtn-static-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
}

static int folder_remove_one(const char *path, const struct stat *found, int kind, struct FTW *walk)
{
    (void) found;
    (void) kind;
    (void) walk;
    return remove(path);
}

static void folder_remove(void)
{
    (void) nftw(folder, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_folder(const char *name)
{
    static char path[512];
    (void) snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static inline void folder_dir(const char *name)
{
    cr_assert(mkdir(in_folder(name), 0755) == 0);
}

static inline void folder_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    cr_assert(file != NULL);
    cr_assert(fputs(text, file) >= 0);
    cr_assert(fclose(file) == 0);
}

static inline void folder_link(const char *name, const char *target)
{
    char copy[512]; /* target may be what in_folder() gave */
    (void) snprintf(copy, sizeof(copy), "%s", target);
    cr_assert(symlink(copy, in_folder(name)) == 0);
}

static inline void folder_time(const char *name, time_t seconds)
{
    const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
    cr_assert(utimensat(AT_FDCWD, in_folder(name), times, 0) == 0);
}

#endif
