/* Opening a module file from a private copy. [main] */
#ifndef RTN_APP_MODULE_FILE_H
#define RTN_APP_MODULE_FILE_H

#include <stdbool.h>

#include "base/buf.h"

struct rtn_module_file {
    void *handle; /* dlopen; NULL: not open */
    int copy; /* the memory the handle was opened from */
};

/*
 * A descriptor of the copy, in memory: the file was checked to be whole, and not to change meanwhile. -EINVAL with what
 * is wrong in `problem`, worded to follow the name of the file, as below.
 */
int rtn_module_file_copy(const char *path, struct rtn_buf *problem);

/* True when both copies have the same bytes. */
bool rtn_module_file_is_same(int copy, int other);

/* Opens a copy, which it takes in any case; `path` is for messages. 0 or -EINVAL. */
int rtn_module_file_open(int copy, const char *path, struct rtn_module_file *ret, struct rtn_buf *problem);

/* Safe on one that is not open. [any] */
void rtn_module_file_close(struct rtn_module_file *file);

#endif
