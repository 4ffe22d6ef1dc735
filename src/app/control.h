/*
 * What modules may ask of main: to stop one server, or all of them. Process-wide by nature: threads of modules that the
 * daemon knows nothing of may ask. [main] makes it; rtn_server_stop() and rtn_shutdown(), in api_control.c, are [any]
 */
#ifndef RTN_APP_CONTROL_H
#define RTN_APP_CONTROL_H

#include <stdbool.h>

#include "base/list.h"
#include "loop/mailbox.h"

/* One thing that can be asked for, once. */
struct rtn_wish {
    const char *server; /* that is to stop; NULL: all are */
    struct rtn_mail mail; /* to main; its deliver is main's */
    const char *by; /* when it is delivered: name of the server whose thread asked; NULL: a thread of none */
    bool asked; /* as long as the mail may be on its way, and afterwards */
    struct rtn_list node;
};

struct rtn_control {
    struct rtn_mailbox *mailbox; /* of main; NULL: nothing is ever done, as with -n */
    struct rtn_list wishes;
};

/* A wish is there to be asked / no longer; while the control is set. */
void rtn_control_add(struct rtn_control *to, struct rtn_wish *wish);
void rtn_control_remove(struct rtn_wish *wish);

/* From now on it is there to be asked; NULL: no longer. */
void rtn_control_set(struct rtn_control *control);

#endif
