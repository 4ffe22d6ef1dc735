/*
 * Writing a reply: head and content go into the sink of the thread that holds the request, in one piece.
 * [owner's thread]
 */
#ifndef RTN_PROTO_RESPONSE_H
#define RTN_PROTO_RESPONSE_H

#include "net/stream.h"
#include "proto/request.h"

/*
 * Adds a field; the value is copied. -EINVAL: a character that no field may hold, or a field the daemon writes
 * itself; -EALREADY: the reply was given; -ENOMEM.
 */
int rtn_response_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value);

/* The same of a name and a value that are known to be good, before a reply is given. 0 or -ENOMEM. */
int rtn_response_add(struct rtn_request *request, struct rtn_str name, struct rtn_str value);

/* The next field of the name, from *at on (0 at first; moved on), of those added so far. False: there is none. */
bool rtn_response_next_field(const struct rtn_request *request, struct rtn_str name, size_t *at, struct rtn_str *ret);

/* Takes all fields of the name out. */
void rtn_response_remove_field(struct rtn_request *request, struct rtn_str name);

/*
 * Gives the reply. content->release, when set, is called once in every case. -EINVAL: status outside of 200 to 599;
 * -EALREADY; another -errno when the connection is broken (the reply counts as given then).
 */
int rtn_response_give(struct rtn_request *request, int status, const struct rtn_piece *content);

/* The same, never encoded: of what has been said already that it is those bytes. */
int rtn_response_give_as_is(struct rtn_request *request, int status, const struct rtn_piece *content);

/*
 * The same in steps. begin: writes the head; `length` of the content, or -1 when it is not known (chunked; in HTTP/1.0
 * the end of the connection). -EINVAL, -EALREADY, -ENOMEM. After an -errno other than these the connection is broken.
 */
int rtn_response_begin(struct rtn_request *request, int status, int64_t length);

/*
 * Content. Small pieces gather in the sink. Takes the whole piece whatever the queue holds (see
 * rtn_response_full). -EINVAL: nothing was begun, or a file for a reply that is encoded; -EMSGSIZE: more than
 * announced; -ENOMEM; another -errno: the connection is broken. content->release is called once in every case.
 */
int rtn_response_write(struct rtn_request *request, const struct rtn_piece *content);

/* Sends what has gathered, in the encoder too. 0, or -errno when the connection is broken. */
int rtn_response_flush(struct rtn_request *request);

/* The content is complete. -EINVAL: nothing was begun; -EMSGSIZE: less than announced, the connection will be cut. */
int rtn_response_end(struct rtn_request *request);

/* True when so much waits for the client that a writer should wait for it to be sent. */
bool rtn_response_full(const struct rtn_request *request);

/* Gives up a reply that was begun: the connection is cut, so that the client sees that it is not whole. */
void rtn_response_abort(struct rtn_request *request);

/* As give, with "text/plain; charset=utf-8" unless a content type was set. */
int rtn_response_text(struct rtn_request *request, int status, struct rtn_str text);

/* Forgets the fields gathered so far. */
void rtn_response_reset(struct rtn_request *request);

/* The daemon's own answer: "404 Not Found: text\n" as plain text. `text` may be NULL. */
int rtn_response_error(struct rtn_request *request, int status, const char *text);

/* The answer 101 with the fields gathered (RFC 9110, 15.2.2); nothing of HTTP follows it. */
void rtn_response_switch_protocols(struct rtn_request *request);

/* Appends "HTTP/1.1 100 Continue" and its empty line (RFC 9110, 15.2.1). */
void rtn_response_continue(struct rtn_request *request);

#endif
