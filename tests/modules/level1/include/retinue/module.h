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
#define RTN_API_LEVEL 1

typedef struct rtn_request rtn_request; /* one request and its reply */
typedef struct rtn_connection rtn_connection; /* the connection a request came in on */
typedef struct rtn_server rtn_server; /* a named server */
typedef struct rtn_setup rtn_setup; /* a module being configured: place for errors */

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
    RTN_NEXT = 1 /* not mine: the next matching route is asked (404 after the last) */
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
};

/*
 * A module. Members may be left out; NULL and 0 have the documented default. An *instance* is the
 * module as configured at one place in the YAML (one route): instance_size zeroed bytes, filled with
 * the options.
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
     * A connection on which this instance has handled a request was closed. On the kind of thread that the instance's
     * handlers run on, under the same promise. Runs before the destructor of the connection's data.
     */
    void (*connection_closed)(rtn_connection *connection, enum rtn_close_cause cause, const char *detail,
                              void *instance);
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
#define RTN_REGISTER_MODULE(module_)                                                                              \
    RTN_EXTERN_C RTN_EXPORT const struct rtn_module_head *rtn_module_entry_v1(void);                              \
    RTN_EXTERN_C RTN_EXPORT const struct rtn_module_head *rtn_module_entry_v1(void)                               \
    {                                                                                                             \
        static const struct rtn_module_head head = {                                                              \
            RTN_MODULE_MAGIC,          sizeof(struct rtn_module_head),  RTN_API_LEVEL, sizeof(struct rtn_module), \
            sizeof(struct rtn_option), sizeof(struct rtn_http_handler), &(module_),    RTN_BUILT_WITH             \
        };                                                                                                        \
        return &head;                                                                                             \
    }

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* Setting up (configure and ready only) */

/*
 * Adds an error at the place of option `option` in the YAML (NULL: at the route) and returns -EINVAL, so
 * that it can be returned: return rtn_setup_error(setup, "root", "no such folder: %s", root);
 */
int rtn_setup_error(rtn_setup *setup, const char *option, const char *format, ...) RTN_FORMAT_LIKE_PRINTF(3, 4);

/* True when the YAML gives the option (false: the fallback is in place). */
bool rtn_setup_given(const rtn_setup *setup, const char *option);

/* Name of the server the instance belongs to, and the path of its route. Valid during the call. */
const char *rtn_setup_server(const rtn_setup *setup);
const char *rtn_setup_route(const rtn_setup *setup);

/* The daemon */

/* The API level of the running daemon. Any thread. */
unsigned rtn_api_level(void);

/* True once the daemon has begun to stop: long work should come to an end. Any thread. */
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

/* Sleeps between rtn_block_begin() and rtn_block_end(); shorter when the daemon is stopping. */
void rtn_suspend(int64_t milliseconds);

/* The request */

/* One RTN_METHOD_ bit. HEAD shows as RTN_METHOD_GET; see rtn_request_is_head(). */
enum rtn_method rtn_request_method(const rtn_request *request);
bool rtn_request_is_head(const rtn_request *request);
rtn_str rtn_request_method_name(const rtn_request *request); /* as sent */

/* As sent: "/a%20b?c=d". */
rtn_str rtn_request_target(const rtn_request *request);

/* Percent-decoded, dot segments removed (RFC 3986, 5.2.4): "/a b". What routes are matched against. */
rtn_str rtn_request_path(const rtn_request *request);

/* Behind the '?', as sent; absent when there is none. */
rtn_str rtn_request_query(const rtn_request *request);

/* The value of {name} in the route's path, or with "*" what a final '*' stands for. Absent when there is none. */
rtn_str rtn_request_param(const rtn_request *request, const char *name);

/* 10 or 11. */
int rtn_request_version(const rtn_request *request);

/* Value of the first field of that name (any case), spaces around it removed; absent when there is none. */
rtn_str rtn_request_header(const rtn_request *request, const char *name);

/* Field number `index` from 0, in the order received; false past the last. */
bool rtn_request_header_at(const rtn_request *request, size_t index, rtn_str *name, rtn_str *value);

/* The whole body, transfer coding removed; absent when there is none, or the server's request_body is none. */
rtn_str rtn_request_body(const rtn_request *request);

/* Memory that lives as long as the request, aligned for anything, not zeroed. NULL when memory is out. */
void *rtn_request_alloc(rtn_request *request, size_t size);

rtn_connection *rtn_request_connection(rtn_request *request);
rtn_server *rtn_request_server(rtn_request *request);

/*
 * Values of `name` in the query, or in an application/x-www-form-urlencoded body, percent-decoded and '+' as
 * space. `index` counts repeated names from 0. Absent (data NULL) when there is none; an empty value has data.
 */
rtn_str rtn_query_value(rtn_request *request, const char *name, size_t index);
rtn_str rtn_form_value(rtn_request *request, const char *name, size_t index);

/* Pair number `index` from 0, both sides decoded; false past the last. */
bool rtn_query_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value);
bool rtn_form_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value);

/* The reply: once per request. A second one is refused with -EALREADY. */

/*
 * Adds a header field to the reply that will be given. -EINVAL: name or value has characters that no field may
 * hold (a CR or LF above all), or the field is one the daemon writes itself (Content-Length, Transfer-Encoding,
 * Connection, Date). Name and value are copied.
 */
int rtn_reply_header(rtn_request *request, const char *name, const char *value);
int rtn_reply_header_str(rtn_request *request, const char *name, rtn_str value);

/*
 * Reply with a status from 200 to 599. All return RTN_DONE or a negative errno, so that a handler can end in
 * `return rtn_reply...`. Content-Length is added; for HEAD, 204 and 304 no body is sent.
 */
int rtn_reply(rtn_request *request, int status, const void *body, size_t length); /* body is copied */
int rtn_reply_status(rtn_request *request, int status); /* no body */
int rtn_reply_text(rtn_request *request, int status, const char *text); /* text/plain; charset=utf-8 unless set */
int rtn_reply_format(rtn_request *request, int status, const char *format, ...) RTN_FORMAT_LIKE_PRINTF(3, 4); /* same */
int rtn_reply_redirect(rtn_request *request, int status, const char *location); /* 301 302 303 307 308 */

/* The body is sent from where it is and must never change or go away (a constant, a mapped file of the module). */
int rtn_reply_static(rtn_request *request, int status, const void *body, size_t length);

/* The body is sent from where it is; release(data) is called exactly once, on any thread, also when the call fails. */
int rtn_reply_release(rtn_request *request, int status, const void *body, size_t length, void (*release)(void *data),
                      void *data);

/* The connection */

/* Unique among all connections of this run of the daemon; never 0. */
uint64_t rtn_connection_id(const rtn_connection *connection);

/* "127.0.0.1:41234", "[::1]:41234", or "unix:" for a peer on a unix socket. */
const char *rtn_connection_peer(rtn_connection *connection);

/*
 * A pointer of this instance on the connection, kept from request to request. destroy(data) is called when the
 * connection is closed or the pointer replaced, on the kind of thread that handlers run on. Only inside a handler or
 * connection_closed. 0 or -ENOMEM.
 */
int rtn_connection_set_data(rtn_connection *connection, void *data, void (*destroy)(void *data));
void *rtn_connection_data(const rtn_connection *connection);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
