/*
 * Events of connections that take messages and whose handler runs on workers: kept in order, run by one task of the
 * connection at a time. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_SESSION_WORK_H
#define RTN_APP_SESSION_WORK_H

#include "app/dispatch.h"
#include "proto/session.h"

/* Makes what the connection's events need, in session->handling. 0 or -ENOMEM. */
int rtn_session_work_prepare(struct rtn_session *session);

/* Frees it when no event ever came. */
void rtn_session_work_drop(struct rtn_session *session);

void rtn_session_work_add_open(struct rtn_session *session);
void rtn_session_work_add_message(struct rtn_session *session, enum rtn_ws_opcode type, const unsigned char *data,
                                  size_t length, bool last);
void rtn_session_work_add_drain(struct rtn_session *session);

/* The last event; rtn_dispatch_end_slots() follows when it has run. */
void rtn_session_work_add_end(struct rtn_session *session);

/* The tasks of this iteration go to the pool, and everything that was sent leaves. Before a wait, when
 * there is something. */
void rtn_session_work_flush(struct rtn_site *site, struct rtn_http1 *http);

#endif
