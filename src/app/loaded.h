/* A module in memory, by whoever has a use for it. [main], but references: [any] */
#ifndef RTN_APP_LOADED_H
#define RTN_APP_LOADED_H

#include "app/module.h"

/*
 * The module of the file at `path`, with a reference. One of `old` (`count` entries, of which some may be NULL) in
 * place of a new one when the file has the very same content now as it had then. NULL with what is wrong in `problem`,
 * worded to follow the name of the file.
 */
const struct rtn_loaded *rtn_loaded_open(const char *path, const struct rtn_loaded *const *old, size_t count,
                                         struct rtn_buf *problem);

/* Zeroed memory that lives as long as the module. [main] */
void *rtn_loaded_alloc(const struct rtn_loaded *loaded, size_t size);

#endif
