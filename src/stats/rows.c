/* The table of all numbers that the daemon itself counts. */
#include "stats/rows.h"

#define S RTN_STATS_FROM_SERVER
#define D RTN_STATS_FROM_DERIVED
#define R RTN_STATS_FROM_ROUTE
#define M RTN_STATS_FROM_MESSAGE
#define G RTN_STATS_FROM_SERVER_SOURCE
#define P RTN_STATS_FROM_PROCESS_SOURCE
#define COUNTER RTN_STATS_COUNTER
#define GAUGE RTN_STATS_GAUGE
#define HISTOGRAM RTN_STATS_HISTOGRAM

#define RECEIVED "Bytes that sockets of the server's connections gave."
#define SENT "Bytes that sockets of the server's connections took."
#define STATES "Connections by what they do."
#define CLOSED "Connections that have ended, by cause; those that the server made are among them."
#define PAUSES \
    "How often accepting paused: at limits.connections, or because the system was out of descriptors or memory."
#define QUEUED "Tasks that wait for a worker, by lane."
#define TASKS "Tasks that were queued for a worker, by lane."
#define REFUSED "Tasks that were refused because their queue was full, by lane."
#define STALLS "Handlers that held their loop longer than \"stall\", or a worker longer than timeouts.handler."
#define REQUESTS "Requests that have ended, by the class of their status; aborted: the client went away before a reply."
#define RELOADS "Reloads of the configuration, by what came of them."

const struct rtn_stats_row rtn_stats_rows[] = {
    { P, RTN_STATS_LOG_DROPS, COUNTER, "retinue_log_lines_dropped_total", "Lines of the log that were lost.", NULL,
      NULL, "log.drops" },
    { P, RTN_STATS_GENERATION, GAUGE, "retinue_generation",
      "Number of the configuration in force; 1 is the one of the start.", NULL, NULL, "generation.current" },
    { P, RTN_STATS_GENERATIONS, GAUGE, "retinue_generations", "Configurations that are in force or still in use.", NULL,
      NULL, "generation.alive" },
    { P, RTN_STATS_RELOAD_TIME, GAUGE, "retinue_reload_timestamp_seconds",
      "When the configuration in force was loaded, since 1970.", NULL, NULL, "generation.loaded" },
    { P, RTN_STATS_RELOADS, COUNTER, "retinue_reloads_total", RELOADS, "result", "good", "generation.reloads.good" },
    { P, RTN_STATS_RELOADS, COUNTER, "retinue_reloads_total", RELOADS, "result", "bad", "generation.reloads.bad" },
    { G, RTN_STATS_SERVER_UP, GAUGE, "retinue_server_up", "1: the server serves; 0: it is stopping.", NULL, NULL,
      "up" },
    { S, RTN_STATS_BYTES_IN, COUNTER, "retinue_received_bytes_total", RECEIVED, NULL, NULL, "bytes.in" },
    { S, RTN_STATS_BYTES_OUT, COUNTER, "retinue_sent_bytes_total", SENT, NULL, NULL, "bytes.out" },
    { S, RTN_STATS_ACCEPTED, COUNTER, "retinue_connections_accepted_total", "Connections that were accepted.", NULL,
      NULL, "connections.accepted" },
    { D, RTN_STATS_OPEN, GAUGE, NULL, NULL, NULL, NULL, "connections.open" },
    { D, RTN_STATS_IDLE, GAUGE, "retinue_connections", STATES, "state", "idle", "connections.idle" },
    { D, RTN_STATS_ACTIVE, GAUGE, "retinue_connections", STATES, "state", "active", "connections.active" },
    { D, RTN_STATS_WEBSOCKETS, GAUGE, "retinue_connections", STATES, "state", "websocket", "connections.websocket" },
    { D, RTN_STATS_LINES, GAUGE, "retinue_connections", STATES, "state", "line", "connections.line" },
    { D, RTN_STATS_OUTGOING, GAUGE, "retinue_connections", STATES, "state", "outgoing", "connections.outgoing" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_NORMAL, COUNTER, "retinue_connections_closed_total", CLOSED, "cause", "normal",
      "connections.closed.normal" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_CLIENT, COUNTER, "retinue_connections_closed_total", CLOSED, "cause", "client",
      "connections.closed.client" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_LOST, COUNTER, "retinue_connections_closed_total", CLOSED, "cause", "lost",
      "connections.closed.lost" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_TIMEOUT, COUNTER, "retinue_connections_closed_total", CLOSED, "cause", "timeout",
      "connections.closed.timeout" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_PROTOCOL, COUNTER, "retinue_connections_closed_total", CLOSED, "cause",
      "protocol", "connections.closed.protocol" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_SECURITY, COUNTER, "retinue_connections_closed_total", CLOSED, "cause",
      "security", "connections.closed.security" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_NETWORK, COUNTER, "retinue_connections_closed_total", CLOSED, "cause", "network",
      "connections.closed.network" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_HANDLER, COUNTER, "retinue_connections_closed_total", CLOSED, "cause", "handler",
      "connections.closed.handler" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_SHUTDOWN, COUNTER, "retinue_connections_closed_total", CLOSED, "cause",
      "shutdown", "connections.closed.shutdown" },
    { S, RTN_STATS_CLOSED + RTN_CLOSE_BACKLOG, COUNTER, "retinue_connections_closed_total", CLOSED, "cause", "backlog",
      "connections.closed.backlog" },
    { S, RTN_STATS_REFUSED_CONNECTIONS, COUNTER, "retinue_connections_refused_total",
      "Connections that were refused because their client had too many.", NULL, NULL, "connections.refused" },
    { S, RTN_STATS_PAUSED_LIMIT, COUNTER, "retinue_accept_pauses_total", PAUSES, "reason", "limit",
      "connections.pauses.limit" },
    { S, RTN_STATS_PAUSED_SYSTEM, COUNTER, "retinue_accept_pauses_total", PAUSES, "reason", "system",
      "connections.pauses.system" },
    { D, RTN_STATS_ACTIVE, GAUGE, "retinue_requests_active", "Requests that have begun and not ended.", NULL, NULL,
      NULL },
    { S, RTN_STATS_REFUSED_REQUESTS, COUNTER, "retinue_requests_refused_total",
      "Requests that were refused because their client sent too many.", NULL, NULL, NULL },
    { R, RTN_STATS_ABORTED, COUNTER, "retinue_requests_total", REQUESTS, "status", "aborted", NULL },
    { R, RTN_STATS_STATUS_1XX, COUNTER, "retinue_requests_total", REQUESTS, "status", "1xx", NULL },
    { R, RTN_STATS_STATUS_2XX, COUNTER, "retinue_requests_total", REQUESTS, "status", "2xx", NULL },
    { R, RTN_STATS_STATUS_3XX, COUNTER, "retinue_requests_total", REQUESTS, "status", "3xx", NULL },
    { R, RTN_STATS_STATUS_4XX, COUNTER, "retinue_requests_total", REQUESTS, "status", "4xx", NULL },
    { R, RTN_STATS_STATUS_5XX, COUNTER, "retinue_requests_total", REQUESTS, "status", "5xx", NULL },
    { R, RTN_STATS_DURATION, HISTOGRAM, "retinue_request_duration_seconds",
      "From the complete head of a request until the socket had taken the reply.", NULL, NULL, NULL },
    { R, RTN_STATS_QUEUE_WAIT, HISTOGRAM, "retinue_request_queue_seconds", "How long requests waited for a worker.",
      NULL, NULL, NULL },
    { R, RTN_STATS_HANDLER, HISTOGRAM, "retinue_request_handler_seconds",
      "How long requests were in handlers on workers.", NULL, NULL, NULL },
    { G, RTN_STATS_POOL_THREADS, GAUGE, "retinue_pool_threads", "Workers.", NULL, NULL, "pool.threads" },
    { G, RTN_STATS_POOL_THREADS_MAX, GAUGE, "retinue_pool_threads_max", "How many workers there may be.", NULL, NULL,
      "pool.max" },
    { G, RTN_STATS_POOL_RUNNING, GAUGE, "retinue_pool_running", "Workers inside of a task.", NULL, NULL,
      "pool.running" },
    { G, RTN_STATS_POOL_BLOCKED, GAUGE, "retinue_pool_blocked", "Workers inside of a task that said that it waits.",
      NULL, NULL, "pool.blocked" },
    { G, RTN_STATS_POOL_STUCK, GAUGE, "retinue_pool_stuck",
      "Workers inside of a handler for longer than timeouts.handler.", NULL, NULL, "pool.stuck" },
    { S, RTN_STATS_POOL_REPLACEMENTS, COUNTER, "retinue_pool_replacements_total",
      "Workers that were started in place of stuck ones.", NULL, NULL, "pool.replacements" },
    { G, RTN_STATS_POOL_QUEUED, GAUGE, "retinue_pool_queued", QUEUED, "lane", "clients", "pool.queued.clients" },
    { G, RTN_STATS_POOL_QUEUED, GAUGE, "retinue_pool_queued", QUEUED, "lane", "callbacks", "pool.queued.callbacks" },
    { G, RTN_STATS_POOL_QUEUED, GAUGE, "retinue_pool_queued", QUEUED, "lane", "tasks", "pool.queued.tasks" },
    { S, RTN_STATS_POOL_TAKEN + 0, COUNTER, "retinue_pool_tasks_total", TASKS, "lane", "clients",
      "pool.taken.clients" },
    { S, RTN_STATS_POOL_TAKEN + 1, COUNTER, "retinue_pool_tasks_total", TASKS, "lane", "callbacks",
      "pool.taken.callbacks" },
    { S, RTN_STATS_POOL_TAKEN + 2, COUNTER, "retinue_pool_tasks_total", TASKS, "lane", "tasks", "pool.taken.tasks" },
    { S, RTN_STATS_POOL_REFUSED + 0, COUNTER, "retinue_pool_refused_total", REFUSED, "lane", "clients",
      "pool.refused.clients" },
    { S, RTN_STATS_POOL_REFUSED + 1, COUNTER, "retinue_pool_refused_total", REFUSED, "lane", "callbacks",
      "pool.refused.callbacks" },
    { S, RTN_STATS_POOL_REFUSED + 2, COUNTER, "retinue_pool_refused_total", REFUSED, "lane", "tasks",
      "pool.refused.tasks" },
    { G, RTN_STATS_HUB_WAITING, GAUGE, "retinue_hub_waiting", "Messages to the server that were not begun.", NULL, NULL,
      "hub.waiting" },
    { G, RTN_STATS_HUB_CAPACITY, GAUGE, "retinue_hub_capacity", "How many messages may wait.", NULL, NULL,
      "hub.capacity" },
    { S, RTN_STATS_WS_IN, COUNTER, "retinue_websocket_received_messages_total", "WebSocket messages that came.", NULL,
      NULL, "websocket.in" },
    { S, RTN_STATS_WS_IN_BYTES, COUNTER, "retinue_websocket_received_bytes_total", "Their content.", NULL, NULL,
      "websocket.in_bytes" },
    { S, RTN_STATS_WS_OUT, COUNTER, "retinue_websocket_sent_messages_total", "WebSocket messages that were sent.", NULL,
      NULL, "websocket.out" },
    { S, RTN_STATS_WS_OUT_BYTES, COUNTER, "retinue_websocket_sent_bytes_total", "Their content.", NULL, NULL,
      "websocket.out_bytes" },
    { S, RTN_STATS_WS_DROPPED, COUNTER, "retinue_websocket_dropped_messages_total",
      "WebSocket messages that did not fit into the backlog of a slow peer.", NULL, NULL, "websocket.dropped" },
    { S, RTN_STATS_LINE_IN, COUNTER, "retinue_line_received_lines_total", "Lines that came.", NULL, NULL, "line.in" },
    { S, RTN_STATS_LINE_IN_BYTES, COUNTER, "retinue_line_received_bytes_total", "Their content.", NULL, NULL,
      "line.in_bytes" },
    { S, RTN_STATS_LINE_OUT, COUNTER, "retinue_line_sent_lines_total", "Lines that were sent.", NULL, NULL,
      "line.out" },
    { S, RTN_STATS_LINE_OUT_BYTES, COUNTER, "retinue_line_sent_bytes_total", "Their content.", NULL, NULL,
      "line.out_bytes" },
    { S, RTN_STATS_LINE_DROPPED, COUNTER, "retinue_line_dropped_lines_total",
      "Lines that did not fit into the backlog of a slow peer.", NULL, NULL, "line.dropped" },
    { S, RTN_STATS_LINE_TOO_LONG, COUNTER, "retinue_line_long_lines_total",
      "Lines that came and were longer than limits.line.", NULL, NULL, "line.too_long" },
    { S, RTN_STATS_LOOP_STALLS, COUNTER, "retinue_stalls_total", STALLS, "where", "loop", "stalls.loop" },
    { S, RTN_STATS_WORKER_STALLS, COUNTER, "retinue_stalls_total", STALLS, "where", "worker", "stalls.worker" },
    { S, RTN_STATS_ACCESS_LOG_DROPPED, COUNTER, "retinue_access_log_lines_dropped_total",
      "Lines of the access log that did not fit into its buffer.", NULL, NULL, "access_log.drops" },
    { G, RTN_STATS_OLD_PROGRAMS, GAUGE, "retinue_old_programs",
      "Configurations of the server that are not in force any more but still in use.", NULL, NULL, "old.programs" },
    { G, RTN_STATS_OLD_SESSIONS, GAUGE, "retinue_old_sessions", "WebSockets and line connections under them.", NULL,
      NULL, "old.sessions" },
    { M, RTN_STATS_MESSAGE_SENT, COUNTER, "retinue_hub_sent_messages_total",
      "Messages that were put into the queue of their server.", NULL, NULL, "sent" },
    { M, RTN_STATS_MESSAGE_TAKEN, COUNTER, "retinue_hub_taken_messages_total", "Messages that were taken out of it.",
      NULL, NULL, "taken" },
    { M, RTN_STATS_MESSAGE_REFUSED, COUNTER, "retinue_hub_refused_messages_total",
      "Messages that were refused because it was full.", NULL, NULL, "refused" },
};
const size_t rtn_stats_row_count = RTN_ARRAY_LENGTH(rtn_stats_rows);

/* Sums are not taken at one instant: what began last may already have ended. */
static int64_t difference(uint64_t more, uint64_t less)
{
    return RTN_MAX((int64_t) (more - less), (int64_t) 0);
}

static uint64_t closed(const uint64_t *cells)
{
    uint64_t sum = 0;
    for (unsigned i = RTN_STATS_CLOSED; i <= RTN_STATS_CLOSED_LAST; i++)
        sum += cells[i];
    return sum;
}

int64_t rtn_stats_derive(const uint64_t *cells, enum rtn_stats_derived what)
{
    int64_t open = difference(cells[RTN_STATS_ACCEPTED] + cells[RTN_STATS_OUTGOING_BEGUN], closed(cells));
    int64_t active = difference(cells[RTN_STATS_REQUESTS_BEGUN], cells[RTN_STATS_REQUESTS_ENDED]);
    int64_t websockets = difference(cells[RTN_STATS_WEBSOCKETS_BEGUN], cells[RTN_STATS_WEBSOCKETS_ENDED]);
    int64_t lines = difference(cells[RTN_STATS_LINES_BEGUN], cells[RTN_STATS_LINES_ENDED]);
    int64_t outgoing = difference(cells[RTN_STATS_OUTGOING_BEGUN], cells[RTN_STATS_OUTGOING_ENDED]);
    int64_t idle = open - active - websockets - lines - outgoing;
    const int64_t values[] = {
        [RTN_STATS_OPEN] = open,     [RTN_STATS_IDLE] = RTN_MAX(idle, (int64_t) 0),
        [RTN_STATS_ACTIVE] = active, [RTN_STATS_WEBSOCKETS] = websockets,
        [RTN_STATS_LINES] = lines,   [RTN_STATS_OUTGOING] = outgoing,
    };
    return values[what];
}
