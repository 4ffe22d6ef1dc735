/* How what is counted is shown: one row for each number of a server, a route, a message type or the process. [any] */
#ifndef RTN_STATS_ROWS_H
#define RTN_STATS_ROWS_H

#include "stats/picture.h"

enum rtn_stats_type { RTN_STATS_COUNTER, RTN_STATS_GAUGE, RTN_STATS_HISTOGRAM };

/* Where the number comes from. */
enum rtn_stats_from {
    RTN_STATS_FROM_SERVER, /* a cell of its block */
    RTN_STATS_FROM_DERIVED, /* computed from its cells: enum rtn_stats_derived */
    RTN_STATS_FROM_ROUTE, /* a cell, or a histogram */
    RTN_STATS_FROM_MESSAGE, /* a cell */
    RTN_STATS_FROM_SERVER_SOURCE, /* enum rtn_stats_gauge */
    RTN_STATS_FROM_PROCESS_SOURCE /* the same */
};

/* States of connections: what has begun and has not ended. */
enum rtn_stats_derived {
    RTN_STATS_OPEN,
    RTN_STATS_IDLE,
    RTN_STATS_ACTIVE, /* a request that has not ended */
    RTN_STATS_WEBSOCKETS,
    RTN_STATS_LINES,
    RTN_STATS_OUTGOING
};

/*
 * Rows of one family stand side by side, and so do rows whose `json` begins with the same words: that is a path of
 * members, "connections.closed.lost".
 */
struct rtn_stats_row {
    enum rtn_stats_from from;
    unsigned index;
    enum rtn_stats_type type;
    const char *family; /* for Prometheus; NULL: not shown there */
    const char *help;
    const char *label; /* beside those of the block; NULL: none */
    const char *value; /* of it */
    const char *json; /* NULL: not shown there, or written apart */
};

extern const struct rtn_stats_row rtn_stats_rows[];
extern const size_t rtn_stats_row_count;

int64_t rtn_stats_derive(const uint64_t *cells, enum rtn_stats_derived what);

#endif
