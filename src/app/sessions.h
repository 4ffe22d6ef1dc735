/*
 * Connections that take messages, by number, wherever their loops are. What belongs to the loop that calls is done at
 * once, without a lock; the rest goes to the loops by mail. `kinds` as in proto/session_send.h. [any]
 */
#ifndef RTN_APP_SESSIONS_H
#define RTN_APP_SESSIONS_H

#include "proto/http1.h"

/* A loop, for as long as it takes to tell it something. */
struct rtn_sessions_target {
    struct rtn_http1 *http; /* NULL: there is no such loop */
    bool here; /* it is the caller */
};

/* The loop of a connection. */
struct rtn_sessions_target rtn_sessions_hold(uint64_t id);
void rtn_sessions_release(struct rtn_sessions_target target);

/* As the functions of proto/session_send.h. */
int rtn_sessions_send(unsigned kinds, uint64_t id, enum rtn_ws_opcode type, struct rtn_str content);
int rtn_sessions_close(unsigned kinds, uint64_t id, int code, struct rtn_str reason);
bool rtn_sessions_is_open(unsigned kinds, uint64_t id);

/* How many did not take it, and which when `failed` is not NULL, grouped by loop; or -ENOMEM: nobody got it. */
int64_t rtn_sessions_send_many(unsigned kinds, const uint64_t *ids, size_t count, enum rtn_ws_opcode type,
                               struct rtn_str content, uint64_t *failed);

#endif
