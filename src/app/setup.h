/* What a module sees of the configuration while it is configured. [main] */
#ifndef RTN_APP_SETUP_H
#define RTN_APP_SETUP_H

#include "app/instance.h"

struct rtn_setup {
    const struct rtn_instance *instance;
    struct rtn_diags *diags;
};

/*
 * An error at `mark` that starts with the server, and the route or client. Of an entry of `modules` the text has to
 * name the module itself.
 */
void rtn_setup_report(const struct rtn_setup *setup, struct rtn_mark mark, const char *format, ...) RTN_PRINTF(3, 4);

#endif
