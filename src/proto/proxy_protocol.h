/*
 * The header of the PROXY protocol, versions 1 and 2, that a proxy sends in front of a connection's own bytes to say
 * who its client is. Pure functions. [any]
 */
#ifndef RTN_PROTO_PROXY_PROTOCOL_H
#define RTN_PROTO_PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define RTN_PROXY_V1_MAX 107 /* bytes, the line end included */
#define RTN_PROXY_V2_MAX 4096 /* bytes, the first 16 included; the format would allow 65551 */

enum rtn_proxy_result {
    RTN_PROXY_MORE, /* so far it is the beginning of a header */
    RTN_PROXY_COMPLETE,
    RTN_PROXY_BROKEN
};

struct rtn_proxy_header {
    size_t length; /* of the header; what follows belongs to the protocol inside */
    bool local; /* LOCAL or UNKNOWN: the addresses of the socket hold, the next ones are not set */
    struct sockaddr_storage source; /* AF_INET, AF_INET6, or AF_UNIX without a path */
    struct sockaddr_storage destination;
    socklen_t address_length; /* of both */
};

/*
 * Looks at all bytes that have come. *ret is filled when the header is complete; *problem, in words, when it is
 * broken. More bytes turn neither into anything else.
 */
enum rtn_proxy_result rtn_proxy_parse(const void *bytes, size_t length, struct rtn_proxy_header *ret,
                                      const char **problem);

#endif
