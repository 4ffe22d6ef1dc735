/*
 * The flags that every thread may ask for: the daemon has begun to stop, or the server that the thread belongs to.
 * [main] sets them, [any] reads
 */
#ifndef RTN_APP_STOPPING_H
#define RTN_APP_STOPPING_H

#include <stdatomic.h>
#include <stdbool.h>

void rtn_stopping_begin(void);

/* The server whose flag that is. */
void rtn_stopping_begin_server(atomic_bool *flag);

/* The calling thread belongs to the server whose flag that is, which must outlive it. [loop] [worker] */
void rtn_stopping_enter(const atomic_bool *flag);

#endif
