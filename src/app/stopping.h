/*
 * The one flag that every thread may ask for: the daemon has begun to stop. [main] sets it, [any] reads
 */
#ifndef RTN_APP_STOPPING_H
#define RTN_APP_STOPPING_H

void rtn_stopping_begin(void);

#endif
