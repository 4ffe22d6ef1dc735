/* What vector instructions of every machine take at once; it may be at any address, in bytes of any kind. [any] */
#ifndef RTN_BASE_LANE_H
#define RTN_BASE_LANE_H

#include <stdint.h>

typedef uint64_t rtn_lane __attribute__((vector_size(16), aligned(1), may_alias));

#endif
