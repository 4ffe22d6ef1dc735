/*
 * The sending side of a socket: what cannot be sent at once is queued. [owner's thread]: the loop of the
 * connection, or the worker that holds it
 *
 * A piece may be a part of a file: it is sent by sendfile(), which reads the disk, so that a loop leaves it to a
 * worker (defer_files). sendfile() cannot be kept from raising SIGPIPE: who sends files ignores that signal.
 */
#ifndef RTN_NET_STREAM_H
#define RTN_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtn_segment;

struct rtn_stream {
    int fd;
    bool ended; /* our side */
    bool defer_files; /* set by a loop that has workers: files on a disk are queued, and flush stops before them */
    struct rtn_segment *first; /* queue of what is still to be sent */
    struct rtn_segment *last;
    size_t queued; /* bytes in the queue that are memory; those of files do not count */
};

/*
 * Bytes to send. Without release and keep they are copied when they have to wait. With `file`, the bytes are those of
 * `fd` from `offset`; `data` may hold the same bytes, and is then tried first and only the rest is taken from the file.
 * A file that became shorter breaks the connection (-EIO).
 */
struct rtn_piece {
    const void *data;
    size_t length;
    int64_t offset;
    int fd; /* stays open until the release */
    bool file;
    bool in_memory; /* of a file: reading it never waits for a disk, so that it is not deferred */
    bool keep; /* never changes and never goes away: sent from where it is */
    void (*release)(void *data); /* sent from where it is; called once when sent or given up, also on failure */
    void *release_data;
};

/*
 * Sends the pieces, in one system call when nothing is queued before them, and queues what the socket does not
 * take; a file that is only a file takes a call of its own, at once unless files are deferred. 0, or -errno when the
 * connection is broken (or -ENOMEM); releases are called in every case.
 */
int rtn_stream_send(struct rtn_stream *stream, const struct rtn_piece *pieces, unsigned count);

/* The same of bytes that are copied when they have to wait: the usual reply, which leaves whole. */
int rtn_stream_send_memory(struct rtn_stream *stream, const void *data, size_t length);

/*
 * The same of bytes that nothing follows: our side ends with them, in the packet that takes the last of them. Where the
 * socket does not take them all, it is left to rtn_stream_end() when the queue is empty.
 */
int rtn_stream_send_last(struct rtn_stream *stream, const void *data, size_t length);

/* Our side ends, unless it has. 0, or -errno: the peer has gone. */
int rtn_stream_end(struct rtn_stream *stream);

/* Queues the piece, to be sent by a flush. 0, or -ENOMEM after its release. */
int rtn_stream_queue(struct rtn_stream *stream, const struct rtn_piece *piece);

/* Queues `length` bytes that the caller writes now, to where the result points. NULL when memory is out. */
void *rtn_stream_reserve(struct rtn_stream *stream, size_t length);

/*
 * Sends from the queue. 0: all sent; -EAGAIN: the socket is full, or so much of files was sent that others are to have
 * their turn: go on when it is writable; -EINPROGRESS: a file is next and is deferred; else -errno.
 */
int rtn_stream_flush(struct rtn_stream *stream);

/* Bytes in the queue, those of files included. */
uint64_t rtn_stream_left(const struct rtn_stream *stream);

/* True when the next to be sent is a part of a file, and files like it are deferred. */
bool rtn_stream_defers_next(const struct rtn_stream *stream);

static inline bool rtn_stream_pending(const struct rtn_stream *stream)
{
    return stream->first != NULL;
}

/* Drops the queue and closes the socket. */
void rtn_stream_close(struct rtn_stream *stream);

#endif
