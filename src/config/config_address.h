/* How addresses to listen on are written. Nothing is resolved here; net/addr.h makes socket addresses of them. [main]
 */
#ifndef RTN_CONFIG_CONFIG_ADDRESS_H
#define RTN_CONFIG_CONFIG_ADDRESS_H

#include "base/arena.h"

/*
 * `claims`: what the address takes for itself, in one spelling, so that equal ones clash. A bare port
 * takes two, for IPv4 and IPv6; port 0 takes none, as the kernel picks one.
 */
struct rtn_config_address {
    bool is_unix;
    bool is_abstract; /* unix:@NAME */
    const char *claims[2]; /* NULL: none */
};

/* Returns NULL with *ret filled, or what is wrong with `text`. Memory comes from `arena`. */
const char *rtn_config_address_read(const char *text, struct rtn_arena *arena, struct rtn_config_address *ret);

/* True when both are the same address, maybe written in two ways. Port 0 is the same only when it is written the same.
 */
bool rtn_config_is_same_address(const char *a, const char *b);

/* True when nobody else can have the address. */
bool rtn_config_is_own_address(const char *address);

/* The number of a port, 0 to 65535, or what is wrong with `text`. */
const char *rtn_config_port_read(struct rtn_str text, struct rtn_arena *arena, int64_t *ret);

/* Labels of letters, digits, - and _ between dots; none in front, none at the end. */
bool rtn_config_is_host_name(struct rtn_str host);

#endif
