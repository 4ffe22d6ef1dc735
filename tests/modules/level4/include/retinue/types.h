/*
 * What the daemon's own layers share with its modules: string views, the log, request methods and close
 * causes. Modules include <retinue/module.h>, which includes this file. [any]
 *
 * C99, also compiles as C++. Everything here is part of the module ABI: values never change,
 * enumerations only grow at the end.
 */
#ifndef RETINUE_TYPES_H
#define RETINUE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RTN_FORMAT_LIKE_PRINTF(format_, first_) __attribute__((format(printf, format_, first_)))
#define RTN_EXPORT __attribute__((visibility("default")))
#else
#define RTN_FORMAT_LIKE_PRINTF(format_, first_)
#define RTN_EXPORT
#endif

/* A view of bytes: not owned, not NUL-terminated, may hold any byte. {NULL, 0} means absent. */
typedef struct rtn_str {
    const char *data;
    size_t length;
} rtn_str;

/* For printf: printf("%.*s", RTN_STR_ARG(view)). */
#define RTN_STR_ARG(s) (int) (s).length, (s).data != NULL ? (s).data : ""

/* Log levels, lowest first. A level shows itself and everything above it; NONE shows nothing. */
enum rtn_log_level {
    RTN_LOG_TRACE,
    RTN_LOG_DEBUG,
    RTN_LOG_INFO,
    RTN_LOG_NOTICE,
    RTN_LOG_WARN,
    RTN_LOG_ERROR,
    RTN_LOG_FATAL,
    RTN_LOG_NONE
};

/* A line in the log, under the server and thread that call. errno is kept. Any thread. */
RTN_EXPORT void rtn_log(enum rtn_log_level level, const char *format, ...) RTN_FORMAT_LIKE_PRINTF(2, 3);

/* True when a line at `level` would be written: guards work that is only needed for the line. Any thread. */
RTN_EXPORT bool rtn_log_enabled(enum rtn_log_level level);

/* Request methods as bits, so that a handler or a route can name a set of them. */
enum rtn_method {
    RTN_METHOD_GET = 1 << 0, /* HEAD is answered from GET (RFC 9110, 9.3.2) */
    RTN_METHOD_HEAD = 1 << 1,
    RTN_METHOD_POST = 1 << 2,
    RTN_METHOD_PUT = 1 << 3,
    RTN_METHOD_DELETE = 1 << 4,
    RTN_METHOD_PATCH = 1 << 5,
    RTN_METHOD_OPTIONS = 1 << 6,
    RTN_METHOD_PROPFIND = 1 << 7, /* WebDAV, RFC 4918 */
    RTN_METHOD_PROPPATCH = 1 << 8,
    RTN_METHOD_MKCOL = 1 << 9,
    RTN_METHOD_COPY = 1 << 10,
    RTN_METHOD_MOVE = 1 << 11,
    RTN_METHOD_LOCK = 1 << 12,
    RTN_METHOD_UNLOCK = 1 << 13,
    RTN_METHOD_REPORT = 1 << 14, /* RFC 3253 */
    RTN_METHOD_SEARCH = 1 << 15 /* RFC 5323 */
};
#define RTN_METHOD_ALL 0xffffu

/* Why a connection was closed; behind the semicolon, of a WebSocket. Log levels are in retinue-module(3). */
enum rtn_close_cause {
    RTN_CLOSE_NORMAL, /* by us, after the last reply; rtn_ws_close() */
    RTN_CLOSE_CLIENT, /* by the client, between requests; the peer's close frame, whatever its code */
    RTN_CLOSE_LOST, /* by the client or the network, in the middle of a request or reply; without a close frame */
    RTN_CLOSE_TIMEOUT, /* one of `timeouts` passed */
    RTN_CLOSE_PROTOCOL, /* the client broke the protocol; the peer did, or sent more than limits.message */
    RTN_CLOSE_SECURITY, /* the client tried something that only an attacker does */
    RTN_CLOSE_NETWORK, /* a system call on the socket failed, or memory is out; an outgoing one could not be made */
    RTN_CLOSE_HANDLER, /* by us, after a last reply whose handler failed; a callback failed, or the queue was full */
    RTN_CLOSE_SHUTDOWN, /* the server is stopping */
    RTN_CLOSE_BACKLOG /* limits.backlog bytes waited for the peer */
};

#ifdef __cplusplus
}
#endif
#endif
