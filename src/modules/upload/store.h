/* Files that appear in a folder whole or not at all. [worker] */
#ifndef UPLOAD_STORE_H
#define UPLOAD_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct store {
    int folder;
    bool unnamed; /* the folder's file system has O_TMPFILE: nothing is left behind even when the daemon is killed */
    bool overwrite;
    bool sync;
};

struct store_file {
    int fd; /* -1: none is open */
    char hidden[32]; /* name until it gets its own; "" when it has none */
};

/* Opens the folder for writing into it. 0 or -errno; -1 is in store->folder when it is not open. */
int store_open(struct store *store, const char *path);
void store_close(struct store *store);

bool store_has(const struct store *store, const char *name);

/* 0 or -errno. A file that was begun ends with store_commit() or store_drop(); drop after commit does nothing. */
int store_begin(const struct store *store, struct store_file *file);
int store_write(const struct store_file *file, const void *data, size_t length);
void store_drop(const struct store *store, struct store_file *file);

/* Gives the file its name. 0: it is new; 1: it replaced another one; -EEXIST without `overwrite`; another -errno. */
int store_commit(const struct store *store, struct store_file *file, const char *name);

/* Takes back a commit. */
void store_remove(const struct store *store, const char *name);

#endif
