/*
 * Handlers run in steps: begin, pieces of the body, handle, continuations, the end of a request that comes to nothing.
 * Each step runs on the loop or, as one task, on a worker, by the thread model of its handler. Between steps the loop
 * has the request. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_STEP_H
#define RTN_APP_STEP_H

#include "app/dispatch.h"

/* Goes on with a request that has been routed, if there is anything to go on with. */
enum rtn_outcome rtn_step_run(struct rtn_request *request);

/* The callbacks of struct rtn_http1_handler. */
enum rtn_outcome rtn_step_fail(struct rtn_request *request, int status, const char *text);
void rtn_step_send_files(struct rtn_connection *connection);
void rtn_step_taken(struct rtn_connection *connection, bool answered);

/* Gives the pool the tasks of this iteration; new requests that do not fit are answered with 503. Before a
 * wait, when there are any. */
void rtn_step_flush(struct rtn_site *site);

/*
 * Gives the pool the tasks of a batch, which is empty then; `refused` is called for each that does not fit, and may add
 * to the batch.
 */
void rtn_step_submit(const struct rtn_site *site, struct rtn_list *batch, unsigned *count,
                     void (*refused)(struct rtn_task *task));

/* Cancels and forgets what the handler left on the request. On the kind of thread the handler runs on. */
void rtn_step_end_call(struct rtn_call *call, bool cancelled);

/* The request comes to nothing: the same, with what is kept on it. */
void rtn_step_cancel(const struct rtn_request *request);

/* NULL when calls of the instance may run beside each other. */
struct rtn_serial *rtn_step_serial(struct rtn_instance *instance);

/* Per worker thread, from the pool's hooks: the sink that workers write replies to. 0 or -ENOMEM. [worker] */
int rtn_step_worker_begin(void);
void rtn_step_worker_end(void);

#endif
