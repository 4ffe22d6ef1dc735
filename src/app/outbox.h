/* Messages that threads of this process send: what they are wired to, and who sends. [any] */
#ifndef RTN_APP_OUTBOX_H
#define RTN_APP_OUTBOX_H

#include <retinue/module.h>

#include "app/module.h"
#include "hub/message.h"

/* What `wired` of a type of a module points to. It lives as long as the module. */
struct rtn_outlet {
    struct rtn_hub_type *type;
    const struct rtn_loaded *loaded; /* the module */
};

/* What a type of a module was wired to; NULL, logged, when the module does not list it. */
const struct rtn_hub_type *rtn_outbox_type(const struct rtn_message_type *type);

/* The name of the server whose thread calls; "": of none. */
const char *rtn_outbox_sender(void);

/* What became of a message, at trace. */
void rtn_outbox_log(const struct rtn_hub_letter *letter, int result);

#endif
