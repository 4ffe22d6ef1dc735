/* Reading what a module declares: any level and size in, our own sizes out. [main] */
#ifndef RTN_APP_MODULE_CHECK_H
#define RTN_APP_MODULE_CHECK_H

#include "app/module.h"
#include "base/arena.h"

/* How large a struct is at least that has `member`. */
#define RTN_SIZE_UP_TO(type_, member_) (offsetof(type_, member_) + sizeof(((type_ *) 0)->member_))

#define RTN_MODULE_TABLE_MAX 1024 /* rows of a table, entries of a list */
#define RTN_MODULE_MEMORY_MAX (INT64_C(1) << 30) /* bytes of an instance, of a payload */

/*
 * Calls the entry function of loaded->handle and fills all members from module to built_with. Returns 0, or -EINVAL
 * with what is wrong in `problem`, worded to follow the name of the file. Copied tables come from `arena`.
 */
int rtn_module_check(struct rtn_loaded *loaded, struct rtn_arena *arena, struct rtn_buf *problem);

/* Its steps, in this order; each gives 0, or -EINVAL as above. Of the tables: copies them into our sizes. */
int rtn_module_check_tables(struct rtn_loaded *loaded, const struct rtn_module_head *head, struct rtn_arena *arena,
                            struct rtn_buf *problem);

/* Of the rows: names, functions, thread models. */
int rtn_module_check_handlers(const struct rtn_loaded *loaded, struct rtn_buf *problem);

/* What handlers of messages take and what is sent: rows and types. */
int rtn_module_check_messages(const struct rtn_loaded *loaded, struct rtn_buf *problem);

#define RTN_MODULE_BAD_SIZES "states impossible struct sizes: it was not made by RTN_REGISTER_MODULE, or is damaged"

/* Appends to `problem` and returns -EINVAL. */
int rtn_module_refuse(struct rtn_buf *problem, const char *format, ...) RTN_PRINTF(2, 3);

/* True for what can be the size of a struct that has at least `minimum` bytes. */
bool rtn_module_is_size(size_t size, size_t minimum);

/* What modules and handlers may be called: letters, digits, '-', '_'. NULL is no name. */
bool rtn_module_is_name(const char *name);

bool rtn_module_is_thread_model(enum rtn_threads threads);

#endif
