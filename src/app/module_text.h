/* Words for what modules declare, in messages and --modinfo. [any] */
#ifndef RTN_APP_MODULE_TEXT_H
#define RTN_APP_MODULE_TEXT_H

#include <retinue/module.h>

/* "loop", "parallel" or "serial". */
const char *rtn_threads_name(enum rtn_threads threads);

/* What that means, as half a sentence. */
const char *rtn_threads_meaning(enum rtn_threads threads);

#endif
