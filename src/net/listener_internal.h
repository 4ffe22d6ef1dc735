/* What the files of listeners share. [main] */
#ifndef RTN_NET_LISTENER_INTERNAL_H
#define RTN_NET_LISTENER_INTERNAL_H

#include "net/listener.h"

/* A bound socket that does not listen yet, or -errno. `v6_only` -1: not IPv6. */
int rtn_listener_bind(const struct sockaddr *address, socklen_t length, bool reuse_port, int v6_only);

/* Listens, and adds the socket for `loop`; it is closed on failure. 0 or -errno. */
int rtn_listener_listen(struct rtn_listener *listener, int fd, int loop);

/* Appends the address that `fd` really has to the text, and stores it in *ret. */
int rtn_listener_note_address(struct rtn_listener *listener, int fd, struct sockaddr_storage *ret,
                              socklen_t *ret_length);

int rtn_listener_open_unix(struct rtn_listener *listener, const struct rtn_addr *addr, mode_t mode,
                           struct rtn_activation *activation);

/* The file of a unix socket, if it is still the one that was bound. */
void rtn_listener_remove_file(struct rtn_listener *listener);

#endif
