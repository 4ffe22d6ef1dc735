/* Answers to questions on the control socket. [main] Each ends in the answer, some of them later. */
#ifndef RTN_DAEMON_CONTROL_SHOW_H
#define RTN_DAEMON_CONTROL_SHOW_H

#include "daemon/control_client.h"

struct rtn_run;

/* control_show.c: what main knows by itself */
void rtn_control_show_status(struct rtn_control_call *call);
void rtn_control_show_routes(struct rtn_control_call *call);
void rtn_control_show_modules(struct rtn_control_call *call);
void rtn_control_show_messages(struct rtn_control_call *call);

/* control_stats.c: what is counted */
void rtn_control_show_metrics(struct rtn_control_call *call);
void rtn_control_show_stats(struct rtn_control_call *call);

/* control_survey.c: what loops are asked for */
void rtn_control_show_servers(struct rtn_control_call *call);
void rtn_control_show_connections(struct rtn_control_call *call);

/* "serving", "draining", ... */
const char *rtn_control_state(const struct rtn_run *run);

/*
 * The server that the parameter `server` names, when it is there: true with *ret, NULL without one. False when there is
 * none of that name: the call has been answered then.
 */
bool rtn_control_find(struct rtn_control_call *call, struct rtn_run **ret);

#endif
