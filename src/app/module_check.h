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

/* The second half: names, functions, thread models. 0, or -EINVAL as above. */
int rtn_module_check_handlers(const struct rtn_loaded *loaded, struct rtn_buf *problem);

/* Appends to `problem` and returns -EINVAL. */
int rtn_module_refuse(struct rtn_buf *problem, const char *format, ...) RTN_PRINTF(2, 3);

/* What modules and handlers may be called: letters, digits, '-', '_'. NULL is no name. */
bool rtn_module_is_name(const char *name);

bool rtn_module_is_thread_model(enum rtn_threads threads);

#endif
