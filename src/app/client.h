/*
 * The client of a request, which handlers, limits and logs see: the peer of the connection, or who a trusted peer says
 * it is. [owner's thread]
 */
#ifndef RTN_APP_CLIENT_H
#define RTN_APP_CLIENT_H

#include "base/cidr.h"
#include "proto/request.h"

/* Part of struct rtn_call. */
struct rtn_client {
    bool is_named; /* by the trusted peer; else it is the peer itself */
    struct rtn_ip ip; /* of one that is named */
    const char *scheme; /* static: "http" or "https" */
    const char *text; /* in the request's arena; NULL before it was asked for */
    const char *problem; /* static: why nobody knows who it is, and it is taken for the peer; NULL: it is known */
    int64_t retry_after; /* ms until a request of this client would be taken; 0: this one is */
};

/* The request is answered without a handler; its body is thrown away. */
static inline bool rtn_client_is_refused(const struct rtn_client *client)
{
    return client->problem != NULL || client->retry_after > 0;
}

/*
 * Fills call->client, which is all-zero, from the connection and, when its peer is trusted, from the fields, and takes
 * a token for the request. Returns the host that the client asked for, maybe with port: a view into the request. [loop]
 */
struct rtn_str rtn_client_read(struct rtn_request *request);

/* Answers one that is refused, and returns true: 400 when the fields cannot be believed, 429 without a token. */
bool rtn_client_refuse(struct rtn_request *request);

/* "192.0.2.1", "2001:db8::1", "unix:". As long as the request. */
const char *rtn_client_text(struct rtn_request *request);

#endif
