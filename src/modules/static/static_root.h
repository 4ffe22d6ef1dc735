/* The folder that is served: opens what is below it and nothing else. [any] */
#ifndef STATIC_ROOT_H
#define STATIC_ROOT_H

#include <stdbool.h>

/* What becomes of symbolic links below the root. */
enum static_symlinks {
    STATIC_SYMLINKS_INSIDE, /* followed as long as they stay below it */
    STATIC_SYMLINKS_NONE, /* not there */
    STATIC_SYMLINKS_ALL /* followed wherever they lead */
};

struct static_root {
    int fd; /* -1: not open */
    int symlinks; /* enum static_symlinks */
    bool walk; /* the kernel has no openat2(): segment by segment, and no links at all unless ALL */
};

/* 0 or -errno. The folder itself may be reached through links. */
int static_root_open(struct static_root *root, const char *folder);
void static_root_close(struct static_root *root);

/*
 * Opens a path that static_path_allowed() has let through; "" is the root itself. A descriptor or -errno: -EXDEV and
 * -ELOOP for links that are not followed.
 */
int static_root_file(const struct static_root *root, const char *path, int flags);

#endif
