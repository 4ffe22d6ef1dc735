/*
 * One request on the control socket: HTTP/1.1 as far as it is needed there. Bytes in, a path and parameters out;
 * nothing here waits or sends. [owner's thread]
 *
 * Parameters stand in the query. A body is read and thrown away.
 */
#ifndef RTN_DAEMON_CONTROL_REQUEST_H
#define RTN_DAEMON_CONTROL_REQUEST_H

#include <llhttp.h>
#include <stdbool.h>

#include "base/buf.h"

#define RTN_CONTROL_TARGET_MAX 2048 /* bytes, as the next two */
#define RTN_CONTROL_HEAD_MAX 8192
#define RTN_CONTROL_BODY_MAX 65536
#define RTN_CONTROL_PARAMETERS 8

enum rtn_control_stage { RTN_CONTROL_READING, RTN_CONTROL_COMPLETE, RTN_CONTROL_BROKEN };

struct rtn_control_request {
    llhttp_t parser;
    enum rtn_control_stage stage;
    bool begun; /* some of it has come */
    bool post; /* else GET */
    bool keep_alive; /* of a complete one */
    int status; /* of a broken one, as the next */
    const char *problem; /* a sentence */
    size_t head_length; /* so far */
    size_t body_length;
    struct rtn_buf target; /* as sent; its escapes are resolved in place, when complete, with NUL behind each part */
    const char *path;
    struct {
        const char *name;
        const char *value; /* "" without = */
    } parameters[RTN_CONTROL_PARAMETERS];
    size_t parameter_count;
};

/* In place. To be done, also when it is to be used for the next request. */
void rtn_control_request_init(struct rtn_control_request *request);
void rtn_control_request_done(struct rtn_control_request *request);

/* Reads bytes up to the end of the request. Returns how many are used; all of them unless it is complete or broken. */
size_t rtn_control_request_feed(struct rtn_control_request *request, const char *data, size_t length);

/* NULL: it is not there. */
const char *rtn_control_request_parameter(const struct rtn_control_request *request, const char *name);

/* The first parameter that is not among `names` (NULL-terminated); NULL: all are. */
const char *rtn_control_request_stranger(const struct rtn_control_request *request, const char *const *names);

#endif
