/*
 * The sending side of a socket: what cannot be sent at once is queued. [owner's thread]: the loop of the
 * connection, or the worker that holds it
 */
#ifndef RTN_NET_STREAM_H
#define RTN_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct rtn_segment;

struct rtn_stream {
    int fd;
    struct rtn_segment *first; /* queue of what is still to be sent */
    struct rtn_segment *last;
};

/* Bytes to send. Without release and keep they are copied when they have to wait. */
struct rtn_piece {
    const void *data;
    size_t length;
    bool keep; /* never changes and never goes away: sent from where it is */
    void (*release)(void *data); /* sent from where it is; called once when sent or given up, also on failure */
    void *release_data;
};

/*
 * Sends the pieces, in one system call when nothing is queued before them, and queues what the socket does not
 * take. 0, or -errno when the connection is broken (or -ENOMEM); releases are called in every case.
 */
int rtn_stream_send(struct rtn_stream *stream, const struct rtn_piece *pieces, unsigned count);

/* Sends from the queue. 0: all sent; -EAGAIN: the socket is full; else -errno. */
int rtn_stream_flush(struct rtn_stream *stream);

static inline bool rtn_stream_pending(const struct rtn_stream *stream)
{
    return stream->first != NULL;
}

/* Drops the queue and closes the socket. */
void rtn_stream_close(struct rtn_stream *stream);

#endif
