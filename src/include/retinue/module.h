/*
 * The module contract of Retinue: what a .so tells the daemon about itself, and what it may call.
 * The manual is retinue-module(3); hello world is at its top.
 *
 * C99, also compiles as C++ (rows of RTN_OPTION are C only). Visible structs are headed by their size or reached
 * through a sized head (struct rtn_module_head), so members are only ever appended and old modules load into newer
 * daemons.
 *
 * Conventions: functions return 0 or a negative errno unless they say otherwise. Strings of a request
 * live as long as the request. Who allocates frees. Any function may be called on the thread that
 * runs the handler ([owner's thread]); "any thread" is said where it holds.
 */
#ifndef RETINUE_MODULE_H
#define RETINUE_MODULE_H

#include <stdbool.h>

#include <retinue/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What this header offers. A module compiled at level N loads into daemons of level N and later. */
#define RTN_API_LEVEL 5

typedef struct rtn_request rtn_request; /* one request and its reply */
typedef struct rtn_connection rtn_connection; /* the connection a request came in on */
typedef struct rtn_server rtn_server; /* a named server */
typedef struct rtn_setup rtn_setup; /* a module being configured: place for errors */
struct rtn_ws_handler; /* <retinue/websocket.h> */
struct rtn_line_handler; /* <retinue/line.h> */
struct rtn_message_handler; /* <retinue/hub.h> */
struct rtn_message_type;

/*
 * How a module's handlers may be run. Each model promises all that the ones before it promise; a
 * handler may state a lower model than its module.
 */
enum rtn_threads {
    RTN_THREADS_SERIAL = 1, /* on a worker, one call at a time per instance */
    RTN_THREADS_PARALLEL, /* on workers, several calls at once */
    RTN_THREADS_LOOP /* never blocks: runs on the server's loops, several at once when `loops` > 1 */
};

/* What a handler returns. A negative value is an errno: the client gets 500, the log gets the reason. */
enum rtn_result {
    RTN_DONE = 0, /* a reply was given */
    RTN_NEXT = 1, /* not mine: the next matching route is asked (404 after the last) */
    RTN_LATER = 2, /* the reply comes later: see rtn_request_later() */
    RTN_WORKER = 3 /* from a handler on the loop: call me again on a worker, where I may block */
};

/* Options: typed values from `options:` of a route, stored into the instance before configure(). */

enum rtn_option_kind {
    RTN_OPTION_BOOL = 1, /* bool */
    RTN_OPTION_INT, /* int64_t */
    RTN_OPTION_SIZE, /* int64_t, bytes; written 16KiB */
    RTN_OPTION_DURATION, /* int64_t, milliseconds; written 250ms, 10s */
    RTN_OPTION_STRING, /* const char *; NULL when left out without fallback */
    RTN_OPTION_PATH, /* const char *; relative ones are taken from the folder of the YAML file */
    RTN_OPTION_CHOICE, /* int: index into choices */
    RTN_OPTION_STRINGS /* struct rtn_strings: a list, or one scalar */
};

struct rtn_strings {
    const char *const *items;
    size_t count;
};

struct rtn_option {
    const char *name; /* key under options: */
    enum rtn_option_kind kind;
    bool required;
    size_t offset; /* of the member that receives the value */
    const char *fallback; /* default as it would be written in YAML; NULL: zero, NULL or empty */
    int64_t min; /* bounds of numbers, checked when max > min; of STRINGS: number of items */
    int64_t max;
    const char *const *choices; /* of CHOICE; ends with NULL */
    const char *help; /* one sentence, shown by --modinfo */
};

/*
 * One row: RTN_OPTION(STRING, struct my, greeting, .name = "greeting", .fallback = "hi", .help = "..."),
 * A member of the wrong type is a compile error. The table ends with {0}.
 */
#define RTN_OPTION(kind_, struct_, member_, ...)                                                                       \
    {                                                                                                                  \
        .kind = RTN_OPTION_##kind_, .offset = RTN_TYPED_OFFSET(struct_, member_, RTN_OPTION_TYPE_##kind_), __VA_ARGS__ \
    }
#define RTN_OPTION_TYPE_BOOL bool
#define RTN_OPTION_TYPE_INT int64_t
#define RTN_OPTION_TYPE_SIZE int64_t
#define RTN_OPTION_TYPE_DURATION int64_t
#define RTN_OPTION_TYPE_STRING const char *
#define RTN_OPTION_TYPE_PATH const char *
#define RTN_OPTION_TYPE_CHOICE int
#define RTN_OPTION_TYPE_STRINGS struct rtn_strings
#if defined(__GNUC__) && !defined(__cplusplus)
#define RTN_TYPED_OFFSET(struct_, member_, type_)                                                                    \
    (offsetof(struct_, member_) + 0 * __extension__ _Generic(((struct_ *) 0)->member_, type_ : 0)) /* NOLINT: a type \
                                                                                                    */
#else
#define RTN_TYPED_OFFSET(struct_, member_, type_) offsetof(struct_, member_)
#endif

/* Handlers */

struct rtn_http_handler {
    const char *name; /* named in YAML by handler:; the table ends with {0} */
    const char *summary; /* one sentence for --modinfo */
    int (*handle)(rtn_request *request, void *instance);
    enum rtn_threads threads; /* 0: the module's; may only be lower */
    unsigned methods; /* enum rtn_method bits; 0: all but OPTIONS, which the daemon answers */

    /* Since level 2. */
    bool worker; /* of a handler on the loop: may return RTN_WORKER */

    /*
     * Bodies in pieces (`request_body: streamed`, the default of handlers that have `body`). begin: the head is there,
     * nothing of the body was read; may be NULL. body: a piece, valid during the call; not called for an empty body.
     * handle: the body is complete. The client is not read while one of them runs, and not before RTN_LATER is
     * resumed. begin and body return RTN_DONE to go on (without a reply), or give the reply early: the connection is
     * then closed after it. begin may return RTN_NEXT. With `request_body: buffered` body gets everything at once;
     * `none` is refused.
     */
    int (*begin)(rtn_request *request, void *instance);
    int (*body)(rtn_request *request, const void *data, size_t length, void *instance);
};

/*
 * A module. Members may be left out; NULL and 0 have the documented default. An *instance* is the
 * module as configured at one place in the YAML (a route, a client, an entry of `modules`): instance_size zeroed bytes,
 * filled with the options.
 *
 * Order of calls: configure, ready (main thread, nothing runs yet; also under `retinued -n`), start (loop
 * thread of the server), thread_start (every loop and worker thread), handlers, quiesce (loop thread,
 * stopping has begun, connections still open), thread_stop, stop (loop thread), unload (main thread).
 * unload is called for every instance whose configure returned 0 (or that has none), also when a later step failed.
 */
struct rtn_module {
    const char *name; /* letters, digits, '-', '_'; as in NAME.so */
    const char *version;
    const char *summary; /* one sentence */
    enum rtn_threads threads; /* mandatory */
    unsigned required_level; /* lowest API level of a daemon this module works with; 0: the level it was compiled at */
    size_t instance_size;
    const struct rtn_option *options;
    const struct rtn_http_handler *http;

    /* Checks options against each other and prepares the instance. Says what is wrong with rtn_setup_error(). */
    int (*configure)(void *instance, rtn_setup *setup);
    /* Opens what handlers need (files, databases). A failure stops the start with the error shown. */
    int (*ready)(void *instance, rtn_setup *setup);
    int (*start)(void *instance, rtn_server *server);
    int (*thread_start)(void *instance, rtn_server *server);
    void (*thread_stop)(void *instance, rtn_server *server);
    void (*quiesce)(void *instance, rtn_server *server);
    void (*stop)(void *instance, rtn_server *server);
    void (*unload)(void *instance);

    /*
     * A connection on which this instance was asked was closed. On the kind of thread that the instance's handlers run
     * on, under the same promise. Runs before the destructor of the connection's data; of a WebSocket, after `close`.
     * Also when a WebSocket was refused on it. Not for outgoing connections and those of lines.
     */
    void (*connection_closed)(rtn_connection *connection, enum rtn_close_cause cause, const char *detail,
                              void *instance);

    /* Since level 3. */
    const struct rtn_ws_handler *websocket;

    /* Since level 4. A module has handlers of at least one kind, or a start hook. */
    const struct rtn_line_handler *line;
    const struct rtn_message_handler *messages;
    struct rtn_message_type *const *sends; /* types that are sent or asked; ends with NULL */
};

/* The head: never changes. Sizes are those of the compiling side. */
struct rtn_module_head {
    uint32_t magic;
    uint32_t head_size;
    uint32_t api_level;
    uint32_t module_size;
    uint32_t option_size;
    uint32_t http_handler_size;
    const struct rtn_module *module;
    const char *built_with; /* compiler, for messages only */
    uint32_t ws_handler_size; /* since level 3 */
    uint32_t line_handler_size; /* since level 4, as the next */
    uint32_t message_handler_size;
    uint32_t message_row_size;
};

#define RTN_MODULE_MAGIC 0x52544e31u /* "RTN1" */
#define RTN_MODULE_ENTRY "rtn_module_entry_v1"

#if defined(__VERSION__)
#define RTN_BUILT_WITH __VERSION__
#else
#define RTN_BUILT_WITH "unknown compiler"
#endif

#ifdef __cplusplus
#define RTN_EXTERN_C extern "C"
#else
#define RTN_EXTERN_C
#endif

/* Once per module, at file scope: makes the one function a module exports. */
#define RTN_REGISTER_MODULE(module_)                                                     \
    RTN_EXTERN_C RTN_EXPORT const struct rtn_module_head *rtn_module_entry_v1(void);     \
    RTN_EXTERN_C RTN_EXPORT const struct rtn_module_head *rtn_module_entry_v1(void)      \
    {                                                                                    \
        static const struct rtn_module_head head = { RTN_MODULE_MAGIC,                   \
                                                     sizeof(struct rtn_module_head),     \
                                                     RTN_API_LEVEL,                      \
                                                     sizeof(struct rtn_module),          \
                                                     sizeof(struct rtn_option),          \
                                                     sizeof(struct rtn_http_handler),    \
                                                     &(module_),                         \
                                                     RTN_BUILT_WITH,                     \
                                                     sizeof(struct rtn_ws_handler),      \
                                                     sizeof(struct rtn_line_handler),    \
                                                     sizeof(struct rtn_message_handler), \
                                                     sizeof(struct rtn_message_row) };   \
        return &head;                                                                    \
    }

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Setting up (configure and ready only) */

/*
 * Adds an error at the place of option `option` in the YAML (NULL: at the route, client or module) and returns -EINVAL,
 * so that it can be returned: return rtn_setup_error(setup, "root", "no such folder: %s", root);
 */
int rtn_setup_error(rtn_setup *setup, const char *option, const char *format, ...) RTN_FORMAT_LIKE_PRINTF(3, 4);

/* True when the YAML gives the option (false: the fallback is in place). */
bool rtn_setup_given(const rtn_setup *setup, const char *option);

/*
 * Name of the server the instance belongs to, and the path of its route, or its client's URL; "" in `modules`. Valid
 * during the call.
 */
const char *rtn_setup_server(const rtn_setup *setup);
const char *rtn_setup_route(const rtn_setup *setup);

/* The daemon */

/* The API level of the running daemon. Any thread. */
unsigned rtn_api_level(void);

/* True once the daemon, or the server whose thread calls, has begun to stop: long work should come to an end. Any
 * thread.
 */
bool rtn_stopping(void);

/* Valid as long as the server runs. Any thread. */
const char *rtn_server_name(const rtn_server *server);

/* "get/worker-3": name of the calling thread, as in ps -L; "" on a thread the daemon does not know. */
const char *rtn_thread_name(void);

/* Blocking work (workers; no effect elsewhere) */

/*
 * Between begin and end the calling handler does not count against `active_threads`: another worker may
 * run in its place. end may wait for its turn to come back. Pairs do not nest.
 */
void rtn_block_begin(void);
void rtn_block_end(void);

/* Sleeps between rtn_block_begin() and rtn_block_end(); shorter once rtn_stopping() is true. */
void rtn_suspend(int64_t milliseconds);

/* True on a worker. A handler on a loop, where this is false, returns RTN_WORKER before it blocks. Any thread. */
bool rtn_may_block(void);

/* The connection */

/* Unique among all connections of this run of the daemon; never 0. */
uint64_t rtn_connection_id(const rtn_connection *connection);

/*
 * "127.0.0.1:41234", "[::1]:41234", or "unix:" for a peer on a unix socket. Behind a proxy that speaks the PROXY
 * protocol, its client; see rtn_request_client() for what header fields say.
 */
const char *rtn_connection_peer(rtn_connection *connection);

/*
 * A pointer of this instance on the connection, kept from request to request. destroy(data) is called when the
 * connection is closed or the pointer replaced, on the kind of thread that handlers run on. Only inside a handler or
 * connection_closed. 0 or -ENOMEM.
 */
int rtn_connection_set_data(rtn_connection *connection, void *data, void (*destroy)(void *data));
void *rtn_connection_data(const rtn_connection *connection);

/* "normal", "client", "lost" and so on, as in the log; "unknown" for what is no cause. Since level 3. Any thread. */
const char *rtn_close_cause_name(enum rtn_close_cause cause);

/* The server it belongs to. Since level 3. */
rtn_server *rtn_connection_server(const rtn_connection *connection);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#include <retinue/http.h>
#include <retinue/hub.h>
#include <retinue/line.h>
#include <retinue/metrics.h>
#include <retinue/task.h>
#include <retinue/websocket.h>

#endif
