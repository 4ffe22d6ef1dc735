/* What the system says of the process. [any] */
#ifndef RTN_STATS_PROCESS_H
#define RTN_STATS_PROCESS_H

#include <stdint.h>

struct rtn_stats_process {
    int64_t time_ms; /* now, wall clock */
    int64_t started_ms; /* the same, of the start */
    int64_t uptime_ms;
    int64_t user_ms; /* of processor time */
    int64_t system_ms;
    int64_t resident; /* bytes, as the next; -1 where the system does not say, as all that follow */
    int64_t virtual_size;
    int64_t descriptors;
    int64_t descriptors_max;
    int64_t threads;
};

void rtn_stats_process_read(struct rtn_stats_process *ret);

#endif
