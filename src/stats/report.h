/*
 * All that is counted, as text: for Prometheus (text format 0.0.4) and as JSON. Both take one picture of everything
 * first. Any thread; takes a millisecond or so, more with thousands of routes. [any]
 */
#ifndef RTN_STATS_REPORT_H
#define RTN_STATS_REPORT_H

#include "base/buf.h"

struct rtn_json;

#define RTN_STATS_PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * 0, or -ENOMEM, and nothing was appended. `more` adds members that others know of, not under the lock of what is
 * counted; NULL: there are none.
 */
int rtn_stats_prometheus(struct rtn_buf *out);
int rtn_stats_json(struct rtn_buf *out, void (*more)(struct rtn_json *json));

#endif
