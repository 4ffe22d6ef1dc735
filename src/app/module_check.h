/* Reading what a module declares: any level and size in, our own sizes out. [main] */
#ifndef RTN_APP_MODULE_CHECK_H
#define RTN_APP_MODULE_CHECK_H

#include "app/module.h"
#include "base/arena.h"

/*
 * Calls the entry function of loaded->handle and fills all members from module to built_with. Returns 0, or -EINVAL
 * with what is wrong in `problem`, worded to follow the name of the file. Copied tables come from `arena`.
 */
int rtn_module_check(struct rtn_loaded *loaded, struct rtn_arena *arena, struct rtn_buf *problem);

#endif
