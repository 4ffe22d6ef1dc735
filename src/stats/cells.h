/* What is counted: the cells of each kind of block. rows.c says how they are shown. [any] */
#ifndef RTN_STATS_CELLS_H
#define RTN_STATS_CELLS_H

#include <retinue/types.h>

#include "stats/histogram.h"

/* Lanes of a pool, as enum rtn_lane_kind has them. */
#define RTN_STATS_LANES 3

enum rtn_stats_server_cell {
    RTN_STATS_BYTES_IN, /* of all connections, as the socket gave and took them */
    RTN_STATS_BYTES_OUT,
    RTN_STATS_REQUESTS_BEGUN, /* their head was complete, or broken */
    RTN_STATS_REQUESTS_ENDED,
    RTN_STATS_ACCEPTED,
    RTN_STATS_OUTGOING_BEGUN, /* connections made by us, from the attempt on */
    RTN_STATS_OUTGOING_ENDED,
    RTN_STATS_WEBSOCKETS_BEGUN, /* accepted ones */
    RTN_STATS_WEBSOCKETS_ENDED,
    RTN_STATS_LINES_BEGUN, /* the same */
    RTN_STATS_LINES_ENDED,
    RTN_STATS_CLOSED, /* and one for each enum rtn_close_cause; outgoing ones included */
    RTN_STATS_CLOSED_LAST = RTN_STATS_CLOSED + RTN_CLOSE_BACKLOG,
    RTN_STATS_REFUSED_CONNECTIONS, /* limits of one client, as the next */
    RTN_STATS_REFUSED_REQUESTS,
    RTN_STATS_PAUSED_LIMIT, /* accepting paused at limits.connections */
    RTN_STATS_PAUSED_SYSTEM, /* the same for lack of descriptors or memory */
    RTN_STATS_POOL_TAKEN, /* and one for each lane: tasks that were queued */
    RTN_STATS_POOL_REFUSED = RTN_STATS_POOL_TAKEN + RTN_STATS_LANES, /* the same: the queue was full */
    RTN_STATS_WS_IN = RTN_STATS_POOL_REFUSED + RTN_STATS_LANES, /* messages, outgoing connections included */
    RTN_STATS_WS_IN_BYTES, /* of content */
    RTN_STATS_WS_OUT,
    RTN_STATS_WS_OUT_BYTES,
    RTN_STATS_WS_DROPPED, /* messages that did not fit into a backlog */
    RTN_STATS_LINE_IN, /* the same of lines */
    RTN_STATS_LINE_IN_BYTES,
    RTN_STATS_LINE_OUT,
    RTN_STATS_LINE_OUT_BYTES,
    RTN_STATS_LINE_DROPPED,
    RTN_STATS_LINE_TOO_LONG,
    RTN_STATS_ACCESS_LOG_DROPPED, /* lines that did not fit into its buffer */
    RTN_STATS_LOOP_STALLS, /* a callback held its loop longer than `stall` */
    RTN_STATS_WORKER_STALLS, /* a handler did not come back within timeouts.handler */
    RTN_STATS_POOL_REPLACEMENTS, /* workers started in place of stuck ones */
    RTN_STATS_SERVER_CELLS
};

enum rtn_stats_route_cell {
    RTN_STATS_ABORTED, /* requests that got no reply: the client went away before one was begun */
    RTN_STATS_STATUS_1XX, /* requests by status class, in order up to 5xx */
    RTN_STATS_STATUS_2XX,
    RTN_STATS_STATUS_3XX,
    RTN_STATS_STATUS_4XX,
    RTN_STATS_STATUS_5XX,
    RTN_STATS_DURATION, /* histogram, us: from the complete head until the reply was handed to the socket */
    RTN_STATS_QUEUE_WAIT = RTN_STATS_DURATION + RTN_HISTOGRAM_CELLS, /* the same: before a worker took it */
    RTN_STATS_HANDLER = RTN_STATS_QUEUE_WAIT + RTN_HISTOGRAM_CELLS, /* the same: in its handler on workers */
    RTN_STATS_ROUTE_CELLS = RTN_STATS_HANDLER + RTN_HISTOGRAM_CELLS
};

enum rtn_stats_message_cell {
    RTN_STATS_MESSAGE_SENT, /* put into the queue of its server */
    RTN_STATS_MESSAGE_TAKEN, /* out of it, by the handler */
    RTN_STATS_MESSAGE_REFUSED, /* the queue was full */
    RTN_STATS_MESSAGE_CELLS
};

#endif
