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
#define RTN_API_LEVEL 4

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
     * Also when a WebSocket was refused on it. Not for outgoing connections.
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

/*
 * Value of the first field of that name (any case), spaces around it removed; absent when there is none, or when
 * `header_fields` leaves it out, which goes for this function and the next only.
 */
rtn_str rtn_request_header(const rtn_request *request, const char *name);

/* Field number `index` from 0, in the order received; false past the last. */
bool rtn_request_header_at(const rtn_request *request, size_t index, rtn_str *name, rtn_str *value);

/*
 * The whole body, transfer coding removed; absent when there is none, when request_body is none, and in handlers that
 * take it in pieces.
 */
rtn_str rtn_request_body(const rtn_request *request);

/* Value of a field that followed a chunked body (RFC 9112, 7.1.2); absent when there is none. Only in handle. */
rtn_str rtn_request_trailer(const rtn_request *request, const char *name);

/*
 * The host that the client asked for, lower case, without port ("example.org", "[::1]"); may be empty. Behind a
 * trusted proxy, the one that the proxy was asked for.
 */
rtn_str rtn_request_host(rtn_request *request);

/* "http", or "https" when a trusted proxy says so. */
const char *rtn_request_scheme(rtn_request *request);

/* The address of the client without its port; behind a trusted proxy, the real one. "unix:" on a unix socket. */
const char *rtn_request_client(rtn_request *request);

/* The id of the request: taken from X-Request-Id, or made (`request_id` in the YAML). As in the logs. */
const char *rtn_request_id(rtn_request *request);

/* True when the client has gone away: nobody will read the reply. Asks the system: not for every byte. */
bool rtn_request_gone(rtn_request *request);

/*
 * A pointer on the request, for what is begun in one call and finished in another. destroy(data) is called once, when
 * the request has ended in whatever way or the pointer is replaced, on the kind of thread that handlers run on.
 */
void rtn_request_set_data(rtn_request *request, void *data, void (*destroy)(void *data));
void *rtn_request_data(const rtn_request *request);

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

/* Value of the cookie `name` in the Cookie fields (RFC 6265, 5.4), quotes removed; absent when there is none. */
rtn_str rtn_cookie_value(rtn_request *request, const char *name);

/*
 * Which of `offers` (ends with NULL) the client likes best, by the field "accept" (RFC 9110, 12.5.1: offers are media
 * types), "accept-language" or "accept-encoding". The index; the first of equals; -1: none is acceptable, or another
 * field. Without the field everything is, but of encodings only "identity".
 */
int rtn_negotiate(rtn_request *request, const char *field, const char *const *offers);

/* The media type of a file name by its extension, `daemon.media_types` included; NULL when it is not known. */
const char *rtn_media_type(const rtn_server *server, rtn_str file_name);

/* Pair number `index` from 0, both sides decoded; false past the last. */
bool rtn_query_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value);
bool rtn_form_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value);

/* The reply: once per request. A second one is refused with -EALREADY. */

/*
 * Adds a header field to the reply that will be given. -EINVAL: name or value has characters that no field may
 * hold (a CR or LF above all), or the field is one the daemon writes itself (Content-Length, Transfer-Encoding,
 * Connection, Date, those of a WebSocket handshake). Name and value are copied.
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

/* Set-Cookie (RFC 6265, 4.1). Members may be left out but struct_size, name and value. */
struct rtn_cookie {
    size_t struct_size; /* sizeof(struct rtn_cookie) */
    const char *name;
    const char *value;
    const char *path;
    const char *domain;
    int64_t max_age; /* seconds; 0: until the browser ends; negative: the cookie is removed */
    const char *same_site; /* "Strict", "Lax" or "None" */
    bool secure;
    bool http_only;
};

/* Adds the cookie to the reply. -EINVAL, logged, for characters that a cookie must not have. */
int rtn_reply_cookie(rtn_request *request, const struct rtn_cookie *cookie);

/*
 * A reply in pieces. `length` of the content, or -1: chunked, or in HTTP/1.0 ended by the end of the connection. Then
 * write, as often as needed, and end. A handler that returns RTN_DONE has ended a reply of unknown length.
 *
 * write: small pieces are gathered; flush sends them. On a worker write waits for a slow client (timeouts.write). On
 * a loop it takes nothing and returns -EAGAIN while too much waits for the client: set rtn_reply_on_drain() and
 * return RTN_LATER. -EPIPE, -ECONNRESET, -ETIMEDOUT: the client has gone; return what write returned.
 */
int rtn_reply_begin(rtn_request *request, int status, int64_t length);
int rtn_reply_write(rtn_request *request, const void *data, size_t length);
int rtn_reply_flush(rtn_request *request);
int rtn_reply_end(rtn_request *request);

/* then(request, data) is called once, as a continuation of the handler, when rtn_reply_write() will take more. */
int rtn_reply_on_drain(rtn_request *request, int (*then)(rtn_request *request, void *data), void *data);

/*
 * Server-sent events (WHATWG HTML, 9.2). begin: text/event-stream, not cached. event: name and id may be NULL; lines
 * of text become data: lines; it is sent at once. Returns as rtn_reply_write(). A NULL text with NULL name is a comment
 * that keeps the connection alive.
 */
int rtn_reply_events(rtn_request *request);
int rtn_reply_event(rtn_request *request, const char *name, const char *id, const char *text);

/* A part of a file system, as the body of a reply. Members may be left out but struct_size, fd and size. */
struct rtn_file {
    size_t struct_size; /* sizeof(struct rtn_file) */
    int fd; /* of a regular file; must stay open until the release */
    int64_t size; /* bytes */
    int64_t modified; /* seconds since 1970; 0: no Last-Modified */
    const char *etag; /* with its quotes; NULL: none */
    const char *type; /* media type; NULL: as set, or application/octet-stream */
    void (*release)(void *data); /* called once in every case, on any thread; NULL: fd is closed by the daemon */
    void *data;
};

/*
 * Replies with a file to GET or HEAD: conditions (RFC 9110, 13), ranges (14), Last-Modified, ETag and Accept-Ranges are
 * seen to; other methods get the whole file. The bytes go from the disk to the socket without a copy, and never hold
 * up a loop.
 */
int rtn_reply_fd(rtn_request *request, const struct rtn_file *file);

/* The same by path: opened on a worker, so that on a loop it returns RTN_WORKER. 404 when there is none. */
int rtn_reply_file(rtn_request *request, const char *path);

/* Later replies */

/*
 * A request that is answered later, by number: safe to keep for ever, on any thread; when the request has ended, it
 * just finds nothing. 0 is never one.
 *
 * In a handler: rtn_later later = rtn_request_later(request, cancel, data); then return RTN_LATER. From then on the
 * request must not be touched but in continuations. cancel(data) is called once, on the kind of thread that handlers
 * run on, when the request ends before it was finished: the client has gone, or timeouts.handler passed (504).
 */
typedef uint64_t rtn_later;
rtn_later rtn_request_later(rtn_request *request, void (*cancel)(void *data), void *data);

/*
 * Any thread: continues the request. then(request, data) runs where its handler runs, in the order of these calls, one
 * at a time, and returns what a handler returns: RTN_LATER to wait for more. When the request is gone, drop(data) is
 * called instead (any thread; may be NULL). One of both happens in every case. 0: on its way; -ENOENT (no such request
 * can be) or -ENOMEM after drop.
 */
int rtn_resume(rtn_later later, int (*then)(rtn_request *request, void *data), void (*drop)(void *data), void *data);

/*
 * Any thread: a whole reply for the request; type may be NULL. Body is copied. 0: on its way, dropped when the request
 * has ended meanwhile; -EINVAL for a status outside of 200 to 599; -ENOENT or -ENOMEM.
 */
int rtn_later_reply(rtn_later later, int status, const char *type, const void *body, size_t length);

/*
 * Reads or writes a file on a worker, and continues the request with the result: bytes read (fewer at the end of the
 * file) or written, or a negative errno. `bytes` are valid during `then`; those to write are copied, and so is the
 * descriptor. Call it before returning RTN_LATER. 0; else then is not called: -ENOTSUP when the server has `threads: 0`,
 * -EBADF, -EMFILE, -ENOMEM, -ECANCELED when the server is at its end.
 */
typedef int (*rtn_file_then)(rtn_request *request, const void *bytes, int64_t result, void *data);
int rtn_file_read(rtn_request *request, int fd, int64_t offset, size_t length, rtn_file_then then, void *data);
int rtn_file_write(rtn_request *request, int fd, int64_t offset, const void *bytes, size_t length, rtn_file_then then,
                   void *data);

/*
 * multipart/form-data (RFC 7578), read as it comes: feed it the pieces of the body. It keeps no content; memory is
 * bounded by `header` whatever is uploaded.
 */
typedef struct rtn_multipart rtn_multipart;

/* Its views are valid until part_end. */
struct rtn_part {
    size_t struct_size; /* as compiled into the daemon: later members are there when it is larger */
    rtn_str name; /* of the form field */
    rtn_str filename; /* as sent, without folders; absent when the part is no file */
    rtn_str type; /* Content-Type of the part; text/plain when it has none */
    size_t index; /* from 0 */
};

struct rtn_multipart_options {
    size_t struct_size; /* sizeof(struct rtn_multipart_options) */
    int64_t parts; /* most parts; 0: 100 */
    int64_t header; /* most bytes of one part's header; 0: 8 KiB */
    int64_t part_size; /* most bytes of content of one part; 0: no limit but limits.body */
    void *data; /* of the callbacks. Each returns 0, or a negative errno that feed then returns. */
    int (*part_begin)(void *data, const struct rtn_part *part);
    int (*part_data)(void *data, const void *bytes, size_t length);
    int (*part_end)(void *data);
};

/*
 * By the request's Content-Type. Ends with the request; nothing to free. 0 with *ret; -EINVAL: no multipart/form-data
 * with a boundary (answer 415), or, logged, no struct_size; -ENOMEM.
 */
int rtn_multipart_new(rtn_request *request, const struct rtn_multipart_options *options, rtn_multipart **ret);

/* 0; -EBADMSG: malformed (400); -EMSGSIZE: over a limit (413); or what a callback returned. An error stays. */
int rtn_multipart_feed(rtn_multipart *multipart, const void *data, size_t length);

/* When the body is complete: 0; -EBADMSG when the closing boundary is missing; or the error of feed. */
int rtn_multipart_finish(rtn_multipart *multipart);

/* What was wrong, in words for the client: "part 3: the header is too large". "" without an error. */
const char *rtn_multipart_error(const rtn_multipart *multipart);

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

#include <retinue/hub.h>
#include <retinue/line.h>
#include <retinue/task.h>
#include <retinue/websocket.h>

#endif
