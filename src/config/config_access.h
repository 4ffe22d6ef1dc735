/*
 * The pattern of a custom access log: literal text and the values named in {braces}, taken apart once
 * and put together per request by the app layer. "{{" is a brace. [main, then frozen]
 *
 *     {client} {method} {path} {status} {header:Referer}
 */
#ifndef RTN_CONFIG_CONFIG_ACCESS_H
#define RTN_CONFIG_CONFIG_ACCESS_H

#include "base/arena.h"
#include "base/str.h"

enum rtn_access_field {
    RTN_ACCESS_TEXT, /* not a field: literal text */
    RTN_ACCESS_CLIENT, /* address of the client, behind trusted proxies the real one */
    RTN_ACCESS_HOST, /* that was asked for */
    RTN_ACCESS_METHOD,
    RTN_ACCESS_TARGET, /* as it came, with the query */
    RTN_ACCESS_PATH, /* target without the query */
    RTN_ACCESS_QUERY, /* without "?" */
    RTN_ACCESS_VERSION, /* HTTP/1.1 */
    RTN_ACCESS_STATUS,
    RTN_ACCESS_BYTES, /* of the reply's body, as sent */
    RTN_ACCESS_DURATION_US,
    RTN_ACCESS_DURATION_MS,
    RTN_ACCESS_TIME, /* 10/Oct/2000:13:55:36 +0200 */
    RTN_ACCESS_TIME_ISO, /* 2000-10-10T13:55:36.123Z */
    RTN_ACCESS_REQUEST_ID,
    RTN_ACCESS_SERVER, /* name in the configuration */
    RTN_ACCESS_ROUTE, /* path of the route, as written */
    RTN_ACCESS_REFERER,
    RTN_ACCESS_USER_AGENT,
    RTN_ACCESS_CONNECTION, /* number of the connection */
    RTN_ACCESS_HEADER /* field of the request: {header:NAME} */
};

struct rtn_access_part {
    enum rtn_access_field field;
    struct rtn_str text; /* of TEXT: what to write; of HEADER: name of the field, lower case; otherwise empty */
};

struct rtn_access_pattern {
    struct rtn_access_part *parts; /* never two TEXT in a row */
    size_t count;
};

/*
 * Returns NULL with *ret filled, or what is wrong with `text` in words. What either points to comes from
 * `arena`; *ret keeps nothing of `text`. Aborts when memory is out, as all loading does.
 */
const char *rtn_access_pattern_parse(struct rtn_str text, struct rtn_arena *arena, struct rtn_access_pattern *ret);

#endif
