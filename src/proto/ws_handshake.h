/*
 * The opening handshake (RFC 6455, 4): what a client's request must have, the answer to its key, and on our own
 * connections the request and the check of the server's answer. SHA-1, base64 and random bytes by OpenSSL. [any]
 */
#ifndef RTN_PROTO_WS_HANDSHAKE_H
#define RTN_PROTO_WS_HANDSHAKE_H

#include "base/buf.h"
#include "base/str.h"
#include "base/ws_url.h"
#include "proto/request.h"
#include "proto/ws_deflate.h"

#define RTN_WS_KEY_SIZE 25 /* base64 of 16 bytes, with NUL */
#define RTN_WS_ACCEPT_SIZE 29 /* base64 of 20 bytes, with NUL */

/* True when the request wants WebSocket: the field Upgrade names it, which in HTTP/1.0 has no meaning (RFC 9110, 7.8).
 */
bool rtn_ws_is_asked_for(const struct rtn_request *request);

/*
 * What is wrong with a request that wants WebSocket: 0, or the status for the answer with *text: 426 for a version
 * other than 13 (the answer needs Sec-WebSocket-Version: 13), 400 for everything else: not GET, a body,
 * Connection without upgrade, extensions that are malformed, a key that is missing, doubled, or not 16 bytes.
 */
int rtn_ws_handshake_check(const struct rtn_request *request, const char **text);

/* Sec-WebSocket-Accept for a key of the right form (RFC 6455, 4.2.2). */
void rtn_ws_accept_of(struct rtn_str key, char out[RTN_WS_ACCEPT_SIZE]);

/*
 * True when the request may come from where its Origin field says: there is none (no browser), or it is one of
 * `origins`: "all", "same" (the host that was asked for, `host` with its port, whatever the scheme), or
 * "https://example.org[:port]" (default ports may be left out on both sides). More than one Origin field: false.
 */
bool rtn_ws_origin_is_welcome(const struct rtn_request *request, const struct rtn_schema_strings *origins,
                              struct rtn_str host);

/* The value of the first field of that name (lower case); absent when there is none. */
struct rtn_str rtn_ws_field(const struct rtn_request *request, const char *name);

/*
 * All values of list fields of that name joined by commas, in the request's arena when there are several; absent: none,
 * or memory is out.
 */
struct rtn_str rtn_ws_fields(struct rtn_request *request, const char *name);

/* True when the list of tokens has this one, compared as it is. */
bool rtn_ws_list_has(struct rtn_str list, struct rtn_str token);

/* Outgoing */

struct rtn_ws_request {
    const struct rtn_ws_url *url;
    char key[RTN_WS_KEY_SIZE]; /* made by rtn_ws_key_make() */
    const char *const *headers; /* "Name: value", each checked; ends with NULL; may be NULL */
    const char *const *protocols; /* ends with NULL; may be NULL */
    struct rtn_str extensions; /* value of the field; empty: none */
};

/* A random key. 0 or -EIO. */
int rtn_ws_key_make(char out[RTN_WS_KEY_SIZE]);

void rtn_ws_request_write(const struct rtn_ws_request *request, struct rtn_buf *out);

#define RTN_WS_MESSAGE_SIZE 96

/* What the server answered; views into the bytes that were read. */
struct rtn_ws_answer {
    int status; /* 0: not read so far */
    struct rtn_str protocol; /* absent: none */
    struct rtn_str extensions; /* absent: none */
    size_t length; /* of the whole head: frames begin behind it */
    char message[RTN_WS_MESSAGE_SIZE]; /* room for *text */
};

#define RTN_WS_ANSWER_MOST 16384 /* bytes of a head */

/*
 * Reads and checks the answer (RFC 6455, 4.1): 1: good, frames may follow; 0: the head is not complete, to be called
 * again with all bytes so far; -EPROTO with *text, valid as long as *answer: anything else, *answer has the status when
 * there was one.
 */
int rtn_ws_answer_read(const struct rtn_ws_request *request, struct rtn_str bytes, struct rtn_ws_answer *answer,
                       const char **text);

#endif
