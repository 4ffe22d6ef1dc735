/*
 * Below the root the kernel is the guard: openat2() with RESOLVE_BENEATH takes no way that leads out, whatever a
 * path looks like and whoever moves folders meanwhile. Kernels and sandboxes without it get a walk that opens one
 * segment after the other and follows no link.
 *
 * Files are opened without waiting for a peer (a fifo) and without becoming somebody's terminal.
 */
#include "static_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ATTEMPTS 8 /* while somebody renames folders on the way */

static unsigned long long resolve_of(int symlinks)
{
    if (symlinks == STATIC_SYMLINKS_NONE)
        return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
}

static int open_beneath(const struct static_root *root, const char *path, int flags)
{
    const struct open_how how = { .flags = (unsigned) flags, .resolve = resolve_of(root->symlinks) };
    int fd = -1;
    for (int i = 0; i < ATTEMPTS; i++) {
        fd = (int) syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd >= 0 ? fd : -errno;
}

static int open_segment(int folder, const char *segment, size_t length, int flags)
{
    char name[NAME_MAX + 1];
    if (length > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(name, segment, length);
    name[length] = '\0';
    int fd = openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

/* Closes `folder` unless it is the root. */
static void leave(const struct static_root *root, int folder)
{
    if (folder != root->fd)
        (void) close(folder);
}

static int walk(const struct static_root *root, const char *path, int flags)
{
    int folder = root->fd;
    for (const char *slash; (slash = strchr(path, '/')) != NULL && slash[1] != '\0'; path = slash + 1) {
        int next = open_segment(folder, path, (size_t) (slash - path), O_PATH | O_DIRECTORY);
        leave(root, folder);
        if (next < 0)
            return next;
        folder = next;
    }
    size_t length = strcspn(path, "/");
    int fd = open_segment(folder, path, length, path[length] == '/' ? flags | O_DIRECTORY : flags);
    leave(root, folder);
    return fd;
}

int static_root_file(const struct static_root *root, const char *path, int flags)
{
    int all = flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if ((flags & O_PATH) != 0)
        all = flags | O_CLOEXEC;
    if (path[0] == '\0')
        path = ".";
    if (root->symlinks == STATIC_SYMLINKS_ALL) {
        int fd = openat(root->fd, path, all);
        return fd >= 0 ? fd : -errno;
    }
    return root->walk ? walk(root, path, all) : open_beneath(root, path, all);
}

int static_root_open(struct static_root *root, const char *folder)
{
    root->fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0)
        return -errno;
    int probe = open_beneath(root, ".", O_PATH | O_CLOEXEC);
    root->walk = probe == -ENOSYS || probe == -EPERM;
    if (probe >= 0)
        (void) close(probe);
    return 0;
}

void static_root_close(struct static_root *root)
{
    if (root->fd >= 0)
        (void) close(root->fd);
    root->fd = -1;
}
