/* Body of the public function that ends what waits on a loop, by number: on that loop at once, else by mail. */
#include <retinue/module.h>

#include <errno.h>
#include <stdlib.h>

#include "app/dispatch.h"
#include "app/loops.h"

struct cancellation {
    struct rtn_mail mail;
    uint64_t number;
};

/* 0, or -ENOENT: it is over. */
static int cancel(struct rtn_pendings *pendings, uint64_t number)
{
    struct rtn_pending *pending = rtn_pendings_find(pendings, number);
    if (pending == NULL)
        return -ENOENT;
    rtn_pendings_remove(pendings, pending);
    pending->cancel(pending);
    return 0;
}

static void on_cancellation(struct rtn_mail *mail)
{
    struct cancellation *cancellation = RTN_CONTAINER_OF(mail, struct cancellation, mail);
    const struct rtn_http1 *here = rtn_loops_here();
    if (here != NULL) /* else the loop has ended, and what it had with it */
        (void) cancel(&rtn_site_of(here)->pendings, cancellation->number);
    free(cancellation);
}

static int send_cancellation(uint64_t number)
{
    struct cancellation *cancellation = malloc(sizeof(*cancellation));
    if (cancellation == NULL)
        return -ENOMEM;
    *cancellation = (struct cancellation){ .mail = { .deliver = on_cancellation }, .number = number };
    if (rtn_loops_post(rtn_http1_loop_of(number), &cancellation->mail))
        return 0;
    free(cancellation);
    return -ENOENT;
}

/* One that was begun on another thread a moment ago comes by mail, and so must what ends it. */
int rtn_cancel(rtn_number number)
{
    struct rtn_http1 *here = rtn_loops_here();
    if (here == NULL || here->loop_index != rtn_http1_loop_of(number))
        return send_cancellation(number);
    struct rtn_pendings *pendings = &rtn_site_of(here)->pendings;
    int r = cancel(pendings, number);
    return r == -ENOENT && rtn_pendings_expects(pendings) ? send_cancellation(number) : r;
}
