/* Opening a module file from a private copy. [main] */
#ifndef RTN_APP_MODULE_FILE_H
#define RTN_APP_MODULE_FILE_H

#include "base/buf.h"

struct rtn_module_file {
    void *handle; /* dlopen; NULL: not open */
    int copy; /* the memory the handle was opened from */
};

/* Returns 0, or -EINVAL with what is wrong in `problem`, worded to follow the name of the file. */
int rtn_module_file_open(const char *path, struct rtn_module_file *ret, struct rtn_buf *problem);

/* Safe on one that is not open. */
void rtn_module_file_close(struct rtn_module_file *file);

#endif
