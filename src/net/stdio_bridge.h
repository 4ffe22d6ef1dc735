/*
 * Standard input and output as a socket, for loops, which can wait for sockets only: a file would not tell them when it
 * can be read, and the flag that keeps a terminal from blocking would hold for the shell too. [main] or [loop] makes
 * and frees it
 */
#ifndef RTN_NET_STDIO_BRIDGE_H
#define RTN_NET_STDIO_BRIDGE_H

struct rtn_stdio_bridge;

/*
 * Starts a thread that carries bytes from standard input to *fd, a non-blocking socket of the caller, and from there to
 * standard output. The end of standard input ends what can be read there; when standard output is gone, so is its other
 * end. There may be one only. 0 or -errno.
 */
int rtn_stdio_bridge_new(struct rtn_stdio_bridge **ret, int *fd);

/*
 * What was sent to the socket before is still written, if standard output takes it soon. The socket must be closed.
 * Accepts NULL.
 */
void rtn_stdio_bridge_free(struct rtn_stdio_bridge *bridge);

#endif
