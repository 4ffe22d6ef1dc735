/*
 * The line of one request in an access log. Nothing that a client sends can end a line, leave its quotes, or make a
 * line longer than RTN_ACCESS_LINE_MAX: long values are shortened in the middle. [any]
 */
#ifndef RTN_APP_ACCESS_LINE_H
#define RTN_APP_ACCESS_LINE_H

#include "config/config.h"
#include "config/config_access.h"
#include "proto/request.h"

#define RTN_ACCESS_LINE_MAX 8192 /* newline included */
#define RTN_ACCESS_NO_REPLY 499 /* as other servers say that the client was gone before there was a status */

/* What there is to be said. Absent texts are "-", in JSON null. */
struct rtn_access_entry {
    struct rtn_str client;
    struct rtn_str host;
    struct rtn_str method; /* absent: the request line was not understood, or never came whole */
    struct rtn_str target;
    struct rtn_str version;
    int status; /* 0: no reply was begun */
    uint64_t bytes;
    int64_t duration_us;
    struct rtn_str request_id;
    struct rtn_str server;
    struct rtn_str route;
    uint64_t connection;
    bool aborted; /* the reply did not leave whole */
    const struct rtn_header *headers;
    unsigned header_count;
};

/* The status of the entry, or RTN_ACCESS_NO_REPLY. */
int rtn_access_status(const struct rtn_access_entry *entry);

/*
 * Writes the line with its newline to `out`, RTN_ACCESS_LINE_MAX bytes, and returns its length. The pattern is of
 * RTN_ACCESS_CUSTOM.
 */
size_t rtn_access_line(enum rtn_config_access_format format, const struct rtn_access_pattern *pattern,
                       const struct rtn_access_entry *entry, char *out);

#endif
