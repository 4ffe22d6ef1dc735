/* Handlers that do not come back, of one server and of all: looked for, counted, asked about. [main] */
#ifndef RTN_SERVER_SERVER_STALL_H
#define RTN_SERVER_SERVER_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "loop/pool.h"
#include "loop/stalls.h"

struct rtn_server;

struct rtn_server_stalls {
    struct rtn_watched watched;
    struct rtn_pool_stuck pool; /* at the last look */
    bool told; /* that no more workers are replaced */
};

struct rtn_stall_counts {
    uint64_t loop_stalls; /* so far, as the next three */
    uint64_t worker_stalls;
    uint64_t timed_out; /* requests that got 504 since a worker did not come back */
    uint64_t cut_off; /* that were cut off, since their replies had begun */
    unsigned stuck_loops; /* now, as the next two */
    unsigned stuck_workers;
    unsigned replaced; /* workers that others work in place of */
};

/* What holds for the server now, by its configuration. */
void rtn_server_stall_tune(struct rtn_server *server);

/* Looks at its workers, after rtn_stalls_look(). */
void rtn_server_stall_look(struct rtn_server *server);

void rtn_server_stall_count(const struct rtn_server *server, struct rtn_stall_counts *ret);

/* Appends the callbacks of its that are stuck, by thread; "its threads": none is known to be. */
void rtn_server_name_stuck(const struct rtn_server *server, struct rtn_buf *out);

/* True unless work waits and all workers are stuck, as of the last look. */
bool rtn_server_has_progress(const struct rtn_server *server);

#endif
