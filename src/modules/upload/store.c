/*
 * Atomic files. A file without a name (O_TMPFILE) is linked into the folder when it is whole; where the file system has
 * no such files, it has a hidden name until then. Both ways to get the name refuse one that is taken, in one step, so
 * that of several uploads of one name exactly one wins. To replace a file, a hidden name is renamed over it.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MODE 0666 /* the umask takes away from it */
#define DESCRIPTOR_PATH_MAX 32

static void descriptor_path(int fd, char out[DESCRIPTOR_PATH_MAX])
{
    (void) snprintf(out, DESCRIPTOR_PATH_MAX, "/proc/self/fd/%d", fd);
}

/* True when files without a name can be made here, and named later. */
static bool has_unnamed(int folder)
{
    int fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, MODE);
    if (fd < 0)
        return false;
    char path[DESCRIPTOR_PATH_MAX];
    descriptor_path(fd, path);
    bool reachable = access(path, F_OK) == 0;
    close(fd);
    return reachable;
}

int store_open(struct store *store, const char *path)
{
    store->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->folder < 0)
        return -errno;
    if (faccessat(store->folder, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return -errno;
    store->unnamed = has_unnamed(store->folder);
    return 0;
}

void store_close(struct store *store)
{
    if (store->folder >= 0)
        close(store->folder);
    store->folder = -1;
}

bool store_has(const struct store *store, const char *name)
{
    return faccessat(store->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int make_hidden_name(char out[sizeof(((struct store_file *) NULL)->hidden)])
{
    uint64_t number;
    if (getrandom(&number, sizeof(number), 0) != (ssize_t) sizeof(number))
        return -errno;
    (void) snprintf(out, sizeof(((struct store_file *) NULL)->hidden), ".upload-%016llx", (unsigned long long) number);
    return 0;
}

static int begin_hidden(const struct store *store, struct store_file *file)
{
    int r = make_hidden_name(file->hidden);
    if (r == 0)
        file->fd = openat(store->folder, file->hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (r == 0 && file->fd < 0)
        r = -errno;
    if (r < 0)
        file->hidden[0] = '\0';
    return r;
}

int store_begin(const struct store *store, struct store_file *file)
{
    *file = (struct store_file){ .fd = -1 };
    if (!store->unnamed)
        return begin_hidden(store, file);
    file->fd = openat(store->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, MODE);
    return file->fd < 0 ? -errno : 0;
}

int store_write(const struct store_file *file, const void *data, size_t length)
{
    const char *next = data;
    while (length > 0) {
        ssize_t n = write(file->fd, next, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        next += n;
        length -= (size_t) n;
    }
    return 0;
}

void store_drop(const struct store *store, struct store_file *file)
{
    if (file->hidden[0] != '\0')
        (void) unlinkat(store->folder, file->hidden, 0);
    file->hidden[0] = '\0';
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

void store_remove(const struct store *store, const char *name)
{
    (void) unlinkat(store->folder, name, 0);
}

static int link_unnamed(const struct store *store, const struct store_file *file, const char *name)
{
    char path[DESCRIPTOR_PATH_MAX];
    descriptor_path(file->fd, path);
    return linkat(AT_FDCWD, path, store->folder, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* Some file systems cannot rename without replacing; a second link can be made everywhere where there are links. */
static int rename_hidden(const struct store *store, struct store_file *file, const char *name)
{
    int r = renameat2(store->folder, file->hidden, store->folder, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
    if (r == -EINVAL || r == -ENOSYS) {
        r = linkat(store->folder, file->hidden, store->folder, name, 0) < 0 ? -errno : 0;
        if (r == 0)
            (void) unlinkat(store->folder, file->hidden, 0);
    }
    if (r == 0)
        file->hidden[0] = '\0';
    return r;
}

static int replace(const struct store *store, struct store_file *file, const char *name)
{
    if (file->hidden[0] == '\0') {
        char hidden[sizeof(file->hidden)];
        int r = make_hidden_name(hidden);
        if (r == 0)
            r = link_unnamed(store, file, hidden);
        if (r < 0)
            return r;
        memcpy(file->hidden, hidden, sizeof(hidden));
    }
    if (renameat(store->folder, file->hidden, store->folder, name) < 0)
        return -errno;
    file->hidden[0] = '\0';
    return 1;
}

static int give_name(const struct store *store, struct store_file *file, const char *name)
{
    int r = file->hidden[0] != '\0' ? rename_hidden(store, file, name) : link_unnamed(store, file, name);
    return r == -EEXIST && store->overwrite ? replace(store, file, name) : r;
}

/* The name has to reach the disk as well as the content. Some file systems do not sync folders. */
static int sync_folder(const struct store *store)
{
    return store->sync && fsync(store->folder) < 0 && errno != EINVAL ? -errno : 0;
}

int store_commit(const struct store *store, struct store_file *file, const char *name)
{
    if (store->sync && fsync(file->fd) < 0)
        return -errno;
    int outcome = give_name(store, file, name);
    if (outcome < 0)
        return outcome;
    store_drop(store, file);
    int r = sync_folder(store);
    if (r < 0 && outcome == 0)
        store_remove(store, name);
    return r < 0 ? r : outcome;
}
