/*
 * URLs of outgoing WebSocket connections: "ws://host[:port]/path?query" and "ws+unix:/socket:/path?query". wss is a
 * fault: there is no TLS yet. [any]
 */
#ifndef RTN_BASE_WS_URL_H
#define RTN_BASE_WS_URL_H

#include "base/str.h"

/* Views into the text of the URL. */
struct rtn_ws_url {
    struct rtn_str host; /* without brackets; empty with a socket */
    struct rtn_str authority; /* for the Host field */
    struct rtn_str path; /* of a unix socket; absent: TCP */
    struct rtn_str target; /* "/path?query"; only "?query" when the path was left out, the slash is written then */
    int port;
};

enum rtn_ws_url_fault {
    RTN_WS_URL_GOOD,
    RTN_WS_URL_CHARACTER, /* a space, a control character, or beyond ASCII */
    RTN_WS_URL_FRAGMENT,
    RTN_WS_URL_SCHEME,
    RTN_WS_URL_TLS,
    RTN_WS_URL_USER,
    RTN_WS_URL_SOCKET_RELATIVE,
    RTN_WS_URL_SOCKET_LONG,
    RTN_WS_URL_SOCKET_TARGET, /* neither path nor query behind the socket */
    /* of rtn_ws_url_read() alone */
    RTN_WS_URL_NO_HOST,
    RTN_WS_URL_HOST_LONG,
    RTN_WS_URL_HOST_CHARACTER,
    RTN_WS_URL_LITERAL, /* in brackets, and no IPv6 address */
    RTN_WS_URL_BEHIND_HOST,
    RTN_WS_URL_PORT,
};

/* Takes it apart, without a look at the authority: that is as it was written, and there is no host and no port. */
enum rtn_ws_url_fault rtn_ws_url_split(struct rtn_str text, struct rtn_ws_url *ret);

/* All of it. */
enum rtn_ws_url_fault rtn_ws_url_read(struct rtn_str text, struct rtn_ws_url *ret);

/* The fault in English for who writes a module; NULL when there is none. */
const char *rtn_ws_url_words(enum rtn_ws_url_fault fault);

#endif
