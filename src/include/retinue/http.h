/*
 * HTTP for modules: what handlers read of requests, and how they reply. Included by <retinue/module.h>, which says what
 * holds for all of this, and has the table of handlers. [owner's thread] unless a function says otherwise
 */
#ifndef RETINUE_HTTP_H
#define RETINUE_HTTP_H

#ifndef RETINUE_MODULE_H
#error "include <retinue/module.h>, which includes this file"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

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
    const void *bytes; /* the same, in memory until the release, and sent from there; NULL: they are not */
    bool in_memory; /* reading fd never waits for a disk, as with memfd_create(): a loop sends it itself */
    unsigned char reserved[sizeof(void *) - 1]; /* 0: later members may be here, which this struct_size includes */
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
 * descriptor. Call it before returning RTN_LATER. 0; else then is not called: -ENOTSUP when the server has `threads:
 * 0`, -EBADF, -EMFILE, -ENOMEM, -ECANCELED when the server is at its end.
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

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
