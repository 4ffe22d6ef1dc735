/*
 * Names that no request can have (control characters), that are neither file nor folder, and links that lead where
 * the root's policy does not let them are left out. A file that goes while the folder is read is just not there.
 */
#include "static_names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reader {
    const struct static_root *root;
    const char *path;
    DIR *dir;
};

static bool is_shown(const char *name, bool dot_files)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (name[0] == '.' && !dot_files))
        return false;
    for (; *name != '\0'; name++) {
        if ((unsigned char) *name < 0x20 || *name == 0x7f)
            return false;
    }
    return true;
}

/* What a link leads to, by the way that a request for it would take. */
static int follow(const struct reader *reader, const char *name, struct stat *found)
{
    char *path = NULL;
    if (asprintf(&path, "%s%s", reader->path, name) < 0)
        return -ENOMEM;
    int fd = static_root_file(reader->root, path, O_PATH);
    free(path);
    if (fd < 0)
        return fd;
    int error = fstat(fd, found) < 0 ? -errno : 0;
    (void) close(fd);
    return error;
}

static bool look_at(const struct reader *reader, const char *name, struct stat *found)
{
    if (fstatat(dirfd(reader->dir), name, found, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    if (S_ISLNK(found->st_mode) && follow(reader, name, found) < 0)
        return false;
    return S_ISREG(found->st_mode) || S_ISDIR(found->st_mode);
}

static int add(struct static_names *names, const char *name, const struct stat *found)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity > 0 ? 2 * names->capacity : 64;
        struct static_name *items = reallocarray(names->items, capacity, sizeof(*items));
        if (items == NULL)
            return -ENOMEM;
        names->items = items;
        names->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL)
        return -ENOMEM;
    names->items[names->count++] = (struct static_name){
        .name = copy, .folder = S_ISDIR(found->st_mode), .size = found->st_size, .modified = found->st_mtim.tv_sec
    };
    return 0;
}

static int read_all(struct static_names *names, const struct reader *reader, bool dot_files, size_t max)
{
    const struct dirent *entry;
    struct stat found;
    /* One thread reads this stream, which is all that readdir() asks for. */
    /* cppcheck-suppress readdirCalled */
    while (errno = 0, (entry = readdir(reader->dir)) != NULL) {
        if (!is_shown(entry->d_name, dot_files) || !look_at(reader, entry->d_name, &found))
            continue;
        if (names->count == max) {
            names->cut = true;
            return 0;
        }
        int error = add(names, entry->d_name, &found);
        if (error < 0)
            return error;
    }
    return -errno;
}

static int compare(const void *left, const void *right)
{
    const struct static_name *a = left;
    const struct static_name *b = right;
    if (a->folder != b->folder)
        return a->folder ? -1 : 1;
    return strcmp(a->name, b->name);
}

int static_names_read(struct static_names *names, const struct static_root *root, const char *path, bool dot_files,
                      size_t max)
{
    int fd = static_root_file(root, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return fd;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int error = -errno;
        (void) close(fd);
        return error;
    }
    int error = read_all(names, &(struct reader){ root, path, dir }, dot_files, max);
    (void) closedir(dir);
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(*names->items), compare);
    return error;
}

void static_names_done(struct static_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
    *names = (struct static_names){ 0 };
}
