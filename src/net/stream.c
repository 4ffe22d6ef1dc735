/*
 * Sending. The usual reply leaves in one send() and touches no queue; only what the socket buffer does not
 * take is kept, as segments: a copy behind the segment header, or a reference with its release.
 */
#include "net/stream.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "base/macros.h"

#define MOST_IOVECS 16

struct rtn_segment {
    struct rtn_segment *next;
    const char *data;
    size_t length;
    void (*release)(void *data);
    void *release_data;
    char copy[];
};

static void release_piece(const struct rtn_piece *piece)
{
    if (piece->release != NULL)
        piece->release(piece->release_data);
}

static void free_segment(struct rtn_segment *segment)
{
    if (segment->release != NULL)
        segment->release(segment->release_data);
    free(segment);
}

static void drop_queue(struct rtn_stream *stream)
{
    while (stream->first != NULL) {
        struct rtn_segment *segment = stream->first;
        stream->first = segment->next;
        free_segment(segment);
    }
    stream->last = NULL;
}

/* Queues the piece without its first `skip` bytes. */
static int queue(struct rtn_stream *stream, const struct rtn_piece *piece, size_t skip)
{
    bool copy = !piece->keep && piece->release == NULL;
    size_t length = piece->length - skip;
    struct rtn_segment *segment = malloc(sizeof(*segment) + (copy ? length : 0));
    if (segment == NULL) {
        release_piece(piece);
        return -ENOMEM;
    }
    *segment = (struct rtn_segment){ .data = (const char *) piece->data + skip,
                                     .length = length,
                                     .release = piece->release,
                                     .release_data = piece->release_data };
    if (copy)
        segment->data = memcpy(segment->copy, segment->data, length);
    if (stream->last != NULL)
        stream->last->next = segment;
    else
        stream->first = segment;
    stream->last = segment;
    return 0;
}

/* Bytes sent, 0 when the socket is full, or -errno. */
static ssize_t send_vector(int fd, struct iovec *vector, unsigned count)
{
    ssize_t n;
    do {
        if (count == 1) {
            n = send(fd, vector[0].iov_base, vector[0].iov_len, MSG_NOSIGNAL);
        } else {
            struct msghdr message = { .msg_iov = vector, .msg_iovlen = count };
            n = sendmsg(fd, &message, MSG_NOSIGNAL);
        }
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

static struct iovec vector_of(const void *data, size_t length)
{
    return (struct iovec){ .iov_base = (void *) (uintptr_t) data, .iov_len = length };
}

int rtn_stream_send(struct rtn_stream *stream, const struct rtn_piece *pieces, unsigned count)
{
    ssize_t sent = 0;
    if (stream->first == NULL) {
        struct iovec vector[MOST_IOVECS];
        unsigned used = 0;
        for (unsigned i = 0; i < count && used < MOST_IOVECS; i++) {
            if (pieces[i].length > 0)
                vector[used++] = vector_of(pieces[i].data, pieces[i].length);
        }
        sent = used > 0 ? send_vector(stream->fd, vector, used) : 0;
    }

    int r = sent < 0 ? (int) sent : 0;
    size_t skip = sent > 0 ? (size_t) sent : 0;
    for (unsigned i = 0; i < count; i++) {
        if (r < 0 || skip >= pieces[i].length) {
            skip -= RTN_MIN(skip, pieces[i].length);
            release_piece(&pieces[i]);
            continue;
        }
        r = queue(stream, &pieces[i], skip);
        skip = 0;
    }
    return r;
}

/* Takes `sent` bytes off the front of the queue. */
static void consume(struct rtn_stream *stream, size_t sent)
{
    while (sent > 0 && stream->first != NULL) {
        struct rtn_segment *segment = stream->first;
        if (sent < segment->length) {
            segment->data += sent;
            segment->length -= sent;
            return;
        }
        sent -= segment->length;
        stream->first = segment->next;
        if (stream->first == NULL)
            stream->last = NULL;
        free_segment(segment);
    }
}

int rtn_stream_flush(struct rtn_stream *stream)
{
    while (stream->first != NULL) {
        struct iovec vector[MOST_IOVECS];
        unsigned used = 0;
        for (struct rtn_segment *s = stream->first; s != NULL && used < MOST_IOVECS; s = s->next)
            vector[used++] = vector_of(s->data, s->length);
        ssize_t sent = send_vector(stream->fd, vector, used);
        if (sent < 0)
            return (int) sent;
        if (sent == 0)
            return -EAGAIN;
        consume(stream, (size_t) sent);
    }
    return 0;
}

void rtn_stream_close(struct rtn_stream *stream)
{
    drop_queue(stream);
    rtn_fd_close(&stream->fd);
}
