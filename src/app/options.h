/* Options of a module: their types, and reading them from YAML into an instance. [main] */
#ifndef RTN_APP_OPTIONS_H
#define RTN_APP_OPTIONS_H

#include "app/module.h"

struct rtn_option_type {
    const char *name; /* as people read it: "duration" */
    size_t size; /* of the member that receives the value */
    size_t alignment;
};

/* NULL for a number that is no kind. */
const struct rtn_option_type *rtn_option_type(enum rtn_option_kind kind);

/* True when min and max of the option say something. */
static inline bool rtn_option_bounded(const struct rtn_option *option)
{
    return option->max > option->min;
}

/*
 * The number `text` stands for in an option of kind INT, SIZE, DURATION, BOOL (0, 1) or CHOICE (the index). 0, or a
 * negative errno when it is written wrongly; other kinds give -EINVAL.
 */
int rtn_option_parse(const struct rtn_option *option, const char *text, int64_t *ret);

/*
 * Checks `node` (NULL: nothing given) against the options of the module and stores the values into `object`, which
 * has instance_size zeroed bytes. Errors start with `where`; what is missing is reported at `mark`. Memory for
 * values comes from `arena`. Returns 0, or -EINVAL after adding errors.
 */
int rtn_options_read(const struct rtn_loaded *loaded, const struct rtn_node *node, struct rtn_mark mark,
                     const char *where, void *object, struct rtn_arena *arena, struct rtn_diags *diags);

#endif
