/*
 * Events of WebSocket connections whose handler runs on workers: kept in order, run by one task of the connection at a
 * time. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_WS_WORK_H
#define RTN_APP_WS_WORK_H

#include "app/dispatch.h"

/* Makes what the connection's events need, in ws->handling. 0 or -ENOMEM. */
int rtn_ws_work_prepare(struct rtn_ws *ws);

/* Frees it when no event ever came. */
void rtn_ws_work_drop(struct rtn_ws *ws);

void rtn_ws_work_add_open(struct rtn_ws *ws);
void rtn_ws_work_add_message(struct rtn_ws *ws, enum rtn_ws_opcode type, const unsigned char *data, size_t length,
                             bool last);

void rtn_ws_work_add_drain(struct rtn_ws *ws);

/* The last event; rtn_dispatch_end_slots() follows when it has run. */
void rtn_ws_work_add_end(struct rtn_ws *ws);

/* The tasks of this iteration go to the pool, and everything that was sent leaves. Before every wait. */
void rtn_ws_work_flush(struct rtn_site *site, struct rtn_http1 *http);

#endif
