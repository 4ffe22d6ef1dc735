/*
 * A request and its reply: one pooled object with the read buffer, the header table and the first block of
 * the arena inside, so that the usual request allocates nothing. [owner's thread]: one thread holds it at a time
 *
 * The bytes of the request stay where they were read; names and values are views into the buffer. When the
 * buffer has to move (a long head, a large body), the views move with it.
 */
#ifndef RTN_PROTO_REQUEST_H
#define RTN_PROTO_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <llhttp.h>

#include "base/arena.h"
#include "loop/mailbox.h"
#include "loop/pool.h"

struct rtn_connection;
struct rtn_http1;
struct rtn_sink;
struct rtn_terms;

/* Bytes behind the buffer, for whoever wants to find its end by what it holds there. */
#define RTN_REQUEST_SPARE 16

struct rtn_header {
    struct rtn_str name; /* lower case */
    struct rtn_str value;
};

/* How far the request has been read. */
enum rtn_request_stage {
    RTN_REQUEST_EMPTY, /* no byte of it is there */
    RTN_REQUEST_HEAD,
    RTN_REQUEST_HEADED, /* the head is complete; `policy` may be set before parsing goes on */
    RTN_REQUEST_BODY, /* more is to come; `body` holds what has not been consumed */
    RTN_REQUEST_COMPLETE,
    RTN_REQUEST_BROKEN /* error_status and error_text say why; the connection has to be closed */
};

/* What holds for requests of one route. Frozen. */
struct rtn_policy {
    int request_body; /* enum rtn_config_body, never INHERIT */
    int64_t body_limit; /* bytes */
    int64_t body_timeout; /* ms, as the next */
    int64_t write_timeout;
    int64_t handler_timeout;
};

enum rtn_response_state {
    RTN_RESPONSE_NONE,
    RTN_RESPONSE_BEGUN, /* the head is written; content may follow */
    RTN_RESPONSE_ENDED /* complete, or given up: in the sink or on its way */
};

/* The reply under construction: fields gathered until the status is known. */
struct rtn_response {
    const char *request_id; /* goes out as X-Request-Id, whatever is reset; in the arena; NULL: none */
    char *fields; /* "name: value\r\n" ..., in the arena */
    size_t fields_length;
    size_t fields_capacity;
    bool has_content_type;
    bool plain_text; /* the type is not among the fields, but written with the head */
    enum rtn_response_state state;
    int status;
    int64_t announced; /* length of the content, before it is encoded; -1: unknown */
    uint64_t given; /* of it so far */
    uint64_t length; /* of the content as it is sent */
    bool chunked;
    bool open_end; /* may end at any time and be whole: a stream of events */
    bool no_content; /* HEAD, 204, 304: content is counted but not sent */
    size_t chunk_start; /* in the sink: where the prefix of the open chunk is; SIZE_MAX: none is open */
    struct rtn_encoder *encoder; /* compresses the content; NULL: none */
};

struct rtn_request {
    struct rtn_request *next; /* in a free list */
    struct rtn_http1 *http; /* whose pool it is from */
    struct rtn_terms *terms; /* that hold for it */
    struct rtn_connection *connection;
    const struct rtn_policy *policy;

    char *buffer;
    size_t capacity; /* RTN_REQUEST_SPARE bytes are behind it */
    size_t start; /* offset of the first byte of this request */
    size_t parsed; /* offset up to which the parser has seen */
    size_t end; /* offset up to which bytes were read */

    unsigned header_capacity; /* and no request may have more fields */
    struct rtn_header *headers;
    struct rtn_arena arena;
    llhttp_t parser; /* as it was left; made new when it is needed */

    /* From here to `response`: all 0 before the first byte of a request. First what its head says. */
    bool says_close; /* by the Connection field */
    bool says_keep_alive;
    bool keep_alive;
    bool expects_continue; /* and 100 was not sent yet */
    bool host_seen;
    bool coding_seen; /* Transfer-Encoding: chunked */
    bool length_seen; /* Content-Length */
    bool field_open; /* the parser is inside of field_value */
    bool hostile; /* broken in a way that only an attacker sends */
    uint8_t version; /* 10 or 11 */
    int error_status;
    const char *error_text;
    unsigned method; /* one RTN_METHOD_ bit */
    unsigned field_count;
    unsigned header_count;
    struct rtn_str method_name;
    struct rtn_str target;
    struct rtn_str content_type;
    struct rtn_str host; /* of the target when it is a URL, else of the Host field; port included; may be empty */
    struct rtn_str field_name; /* being parsed */
    struct rtn_str field_value;
    uint64_t content_length; /* what the field says */
    size_t head_length; /* offset of the body from start */

    enum rtn_request_stage stage; /* here the head ends */
    bool reads_body; /* it waits for more of the body */
    bool wants_room; /* it waits for room for more of the reply */
    bool failed; /* the handler did; a connection that ends with it ends with RTN_CLOSE_HANDLER */
    unsigned trailer_count;
    struct rtn_header *trailers; /* in the arena, made when the request is complete; names lower case */
    struct rtn_str body; /* content that is there and was not consumed */
    uint64_t body_left; /* of the content, or of the chunk that is being read */
    uint64_t body_received; /* content bytes, stored or thrown away */
    uint64_t body_mark; /* body_received when the body timeout was begun */
    uint64_t body_overhead; /* chunk sizes and extensions */
    int64_t body_deadline; /* ms, monotonic, as the next; 0: not begun */
    int64_t handler_deadline; /* 0: none */
    int64_t busy_since; /* it does not wait for the client; 0: it does */
    void *call; /* the state of the layer above while it is handled, in the arena */
    struct rtn_response response;

    bool leaving; /* its reply is on its way, which the layer above has not been told */
    bool active; /* the layer above has it: from the first run to the end of the reply */
    uint8_t body_state; /* of http1_body.c, as the next */
    uint8_t chunk_digits; /* of the chunk size that is being read */

    /* Of http1_trailer.c, while it reads. */
    uint8_t trailer_state;
    char *trailer_text; /* in the arena: "name\0value\0" of the trailer fields kept */
    size_t trailer_capacity;
    size_t trailer_length; /* used of it */
    size_t trailer_field; /* offset in it of the field that is being read */
    size_t trailer_size; /* bytes of the trailer section so far */
    unsigned trailer_field_count; /* all fields, also those that are not kept */

    int64_t write_deadline; /* ms, monotonic, of an active request; 0: nothing waits to be sent */

    /* While it is handled; used by the layer above. */
    uint64_t id; /* for rtn_http1_post(); never 0 */
    struct rtn_task task;
    struct rtn_mail ended; /* its connection was closed before its reply, and a worker has told its handler */
    struct rtn_sink *sink; /* of the thread that handles it */
    int64_t started_us;

    size_t inline_capacity;
    char *inline_buffer;
    void *inline_arena;
    size_t inline_arena_size;
};

/* A new object with everything inside, with the terms in force, which do not count it; NULL when memory is out. */
struct rtn_request *rtn_request_new(struct rtn_http1 *http, unsigned header_capacity);
void rtn_request_free(struct rtn_request *request);

/* For a new connection or after its last byte was used: empty buffer, nothing parsed. */
void rtn_request_clear(struct rtn_request *request);

/* The same when it has not been used since: only what was read into the buffer is forgotten. */
void rtn_request_empty(struct rtn_request *request);

/* For the request that follows in the same buffer: keeps what was read but not parsed. */
void rtn_request_next(struct rtn_request *request);

/* Back to before the first byte of the head was looked at. */
void rtn_request_forget_head(struct rtn_request *request);

/*
 * Makes room for at least `wanted` more bytes behind `end`, moving the request to the front of the buffer or to a
 * larger one. 0 or -ENOMEM.
 */
int rtn_request_make_room(struct rtn_request *request, size_t wanted);

/*
 * Parses what was read. Returns the stage reached: stops once at HEADED, so that the caller can set the policy (the
 * server's is in place), and goes on when called again, whether or not more was read; at COMPLETE what follows the
 * request stays unparsed. Strict: see http1_parse.c for what is refused beyond RFC 9112's MUSTs.
 */
enum rtn_request_stage rtn_request_parse(struct rtn_request *request);

/* Streamed bodies: the content in `body` was used; its room is free for the next read. Only at BODY or COMPLETE. */
void rtn_request_consume(struct rtn_request *request);

#endif
