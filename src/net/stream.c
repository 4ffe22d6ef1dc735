/*
 * Sending. The usual reply leaves in one send() and touches no queue; only what the socket buffer does not
 * take is kept, as segments: a copy behind the segment header, a reference with its release, or a part of a file.
 *
 * Bytes that stand before a file are sent with MSG_MORE, so that a head and the start of its file share packets.
 */
#include "net/stream.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "base/macros.h"
#include "stats/stats.h"

#define MOST_IOVECS 64
#define MOST_OF_FILE ((size_t) 2 * 1024 * 1024) /* per call: it holds the socket's lock, and may read a slow disk */
#define MOST_OF_FILES ((size_t) 8 * 1024 * 1024) /* per flush: a client that is never full would keep the thread */
#define SHARED_SEGMENT ((size_t) 4000) /* bytes of one that small pieces share */

struct rtn_segment {
    struct rtn_segment *next;
    const char *data; /* of memory */
    size_t length;
    bool file;
    bool in_memory; /* of a file, as the next two */
    int fd;
    int64_t offset;
    void (*release)(void *data);
    void *release_data;
    size_t room; /* bytes of `copy` that are free */
    char copy[];
};

/* What one system call takes. */
struct gather {
    struct iovec vector[MOST_IOVECS];
    unsigned count;
    size_t length;
    int flags;
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
    stream->queued = 0;
}

static void append(struct rtn_stream *stream, struct rtn_segment *segment)
{
    if (stream->last != NULL)
        stream->last->next = segment;
    else
        stream->first = segment;
    stream->last = segment;
    if (!segment->file)
        stream->queued += segment->length;
}

static void drop_first(struct rtn_stream *stream)
{
    struct rtn_segment *segment = stream->first;
    stream->first = segment->next;
    if (stream->first == NULL)
        stream->last = NULL;
    free_segment(segment);
}

/* Behind what the last segment holds; NULL when it has no room. */
static void *extend_last(struct rtn_stream *stream, size_t length)
{
    struct rtn_segment *last = stream->last;
    if (last == NULL || last->room < length)
        return NULL;
    char *at = (char *) (uintptr_t) last->data + last->length;
    last->length += length;
    last->room -= length;
    stream->queued += length;
    return at;
}

/* The only piece has a segment of its size. When there are more, small ones share, or segments would outweigh them. */
void *rtn_stream_reserve(struct rtn_stream *stream, size_t length)
{
    void *at = extend_last(stream, length);
    if (at != NULL)
        return at;
    size_t size = stream->first != NULL ? RTN_MAX(length, SHARED_SEGMENT) : length;
    struct rtn_segment *segment = malloc(sizeof(*segment) + size);
    if (segment == NULL)
        return NULL;
    *segment = (struct rtn_segment){ .data = segment->copy, .length = length, .room = size - length };
    append(stream, segment);
    return segment->copy;
}

/* Queues the piece without its first `skip` bytes. */
static int queue(struct rtn_stream *stream, const struct rtn_piece *piece, size_t skip)
{
    bool copy = !piece->file && !piece->keep && piece->release == NULL;
    size_t length = piece->length - skip;
    struct rtn_segment *segment = malloc(sizeof(*segment) + (copy ? length : 0));
    if (segment == NULL) {
        release_piece(piece);
        return -ENOMEM;
    }
    *segment = (struct rtn_segment){ .length = length, .release = piece->release, .release_data = piece->release_data };
    if (piece->file) {
        segment->file = true;
        segment->in_memory = piece->in_memory;
        segment->fd = piece->fd;
        segment->offset = piece->offset + (int64_t) skip;
    } else {
        segment->data = (const char *) piece->data + skip;
    }
    if (copy)
        segment->data = memcpy(segment->copy, segment->data, length);
    append(stream, segment);
    return 0;
}

/* Leaves the vector as it is: this is on the path of every reply. */
static void start(struct gather *gather)
{
    gather->count = 0;
    gather->length = 0;
    gather->flags = 0;
}

static void gather(struct gather *gather, const void *data, size_t length)
{
    gather->vector[gather->count++] = (struct iovec){ .iov_base = (void *) (uintptr_t) data, .iov_len = length };
    gather->length += length;
}

static bool is_only_file(const struct rtn_piece *piece)
{
    return piece->file && piece->data == NULL && piece->length > 0;
}

/* The front of the pieces, up to the first that is only a file. Returns how many these are. */
static unsigned gather_pieces(struct gather *out, const struct rtn_piece *pieces, unsigned count)
{
    unsigned i = 0;
    for (; i < count && out->count < MOST_IOVECS; i++) {
        if (is_only_file(&pieces[i])) {
            out->flags = MSG_MORE;
            break;
        }
        if (pieces[i].length > 0)
            gather(out, pieces[i].data, pieces[i].length);
    }
    return i;
}

/* The front of the queue, up to the first file. */
static void gather_queue(struct gather *out, const struct rtn_stream *stream)
{
    for (const struct rtn_segment *s = stream->first; s != NULL && out->count < MOST_IOVECS; s = s->next) {
        if (s->file) {
            out->flags = MSG_MORE;
            return;
        }
        gather(out, s->data, s->length);
    }
}

/* What a system call has returned: bytes sent, 0 when the socket is full, or -errno. */
static ssize_t count_sent(ssize_t n)
{
    if (n >= 0) {
        rtn_stats_count(RTN_STATS_BYTES_OUT, (uint64_t) n);
        return n;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

static ssize_t send_memory(int fd, const void *data, size_t length, int flags)
{
    ssize_t n;
    do
        n = send(fd, data, length, MSG_NOSIGNAL | flags);
    while (n < 0 && errno == EINTR);
    return count_sent(n);
}

static ssize_t send_gathered(int fd, struct gather *gather)
{
    if (gather->count == 1)
        return send_memory(fd, gather->vector[0].iov_base, gather->vector[0].iov_len, gather->flags);
    struct msghdr message = { .msg_iov = gather->vector, .msg_iovlen = gather->count };
    ssize_t n;
    do
        n = sendmsg(fd, &message, MSG_NOSIGNAL | gather->flags);
    while (n < 0 && errno == EINTR);
    return count_sent(n);
}

/* The same of a file; -EIO when the file has become shorter. */
static ssize_t send_file(int fd, int file, int64_t from, size_t length)
{
    off_t offset = from;
    ssize_t n;
    do
        n = sendfile(fd, file, &offset, RTN_MIN(length, MOST_OF_FILE));
    while (n < 0 && errno == EINTR);
    return n == 0 ? -EIO : count_sent(n);
}

/* Takes `sent` bytes off the front of the queue. */
static void consume(struct rtn_stream *stream, size_t sent)
{
    while (sent > 0 && stream->first != NULL) {
        struct rtn_segment *segment = stream->first;
        size_t taken = RTN_MIN(sent, segment->length);
        segment->length -= taken;
        sent -= taken;
        if (segment->file) {
            segment->offset += (int64_t) taken;
        } else {
            segment->data += taken;
            stream->queued -= taken;
        }
        if (segment->length == 0)
            drop_first(stream);
    }
}

/* One system call's worth of the queue: bytes sent, 0 when the socket is full, or -errno. */
static ssize_t send_front(struct rtn_stream *stream)
{
    const struct rtn_segment *first = stream->first;
    if (rtn_stream_defers_next(stream))
        return -EINPROGRESS;
    if (first->file)
        return send_file(stream->fd, first->fd, first->offset, first->length);
    struct gather front;
    start(&front);
    gather_queue(&front, stream);
    return send_gathered(stream->fd, &front);
}

int rtn_stream_flush(struct rtn_stream *stream)
{
    size_t of_files = 0;
    while (stream->first != NULL && of_files < MOST_OF_FILES) {
        bool file = stream->first->file;
        ssize_t sent = send_front(stream);
        if (sent < 0)
            return (int) sent;
        if (sent == 0)
            return -EAGAIN;
        consume(stream, (size_t) sent);
        of_files += file ? (size_t) sent : 0;
    }
    return stream->first == NULL ? 0 : -EAGAIN;
}

/* What is next behind what has just left: what the socket takes of it, 0 when it is no file, or one that is deferred.
 */
static ssize_t send_file_piece(const struct rtn_stream *stream, const struct rtn_piece *piece)
{
    if (!is_only_file(piece) || (stream->defer_files && !piece->in_memory))
        return 0;
    return send_file(stream->fd, piece->fd, piece->offset, piece->length);
}

/* All memory before a file has left, so that the socket may take more of it. */
static int go_on_with_file(struct rtn_stream *stream)
{
    int r = rtn_stream_flush(stream);
    if (r == -EAGAIN)
        return 0;
    if (r < 0)
        drop_queue(stream);
    return r;
}

int rtn_stream_queue(struct rtn_stream *stream, const struct rtn_piece *piece)
{
    return queue(stream, piece, 0);
}

static int send_or_queue(struct rtn_stream *stream, const void *data, size_t length, int flags)
{
    ssize_t sent = stream->first == NULL ? send_memory(stream->fd, data, length, flags) : 0;
    if (sent < 0 || (size_t) sent == length)
        return sent < 0 ? (int) sent : 0;
    return queue(stream, &(struct rtn_piece){ .data = data, .length = length }, (size_t) sent);
}

int rtn_stream_send_memory(struct rtn_stream *stream, const void *data, size_t length)
{
    return send_or_queue(stream, data, length, 0);
}

/* MSG_MORE holds the last packet back only until the end, which comes next; a full socket sends what it has. */
int rtn_stream_send_last(struct rtn_stream *stream, const void *data, size_t length)
{
    int r = send_or_queue(stream, data, length, MSG_MORE);
    if (r == 0 && stream->first == NULL)
        (void) rtn_stream_end(stream); /* a peer that has gone is noticed by whoever closes */
    return r;
}

int rtn_stream_end(struct rtn_stream *stream)
{
    if (!stream->ended && shutdown(stream->fd, SHUT_WR) < 0)
        return -errno;
    stream->ended = true;
    return 0;
}

int rtn_stream_send(struct rtn_stream *stream, const struct rtn_piece *pieces, unsigned count)
{
    bool clear = stream->first == NULL;
    ssize_t sent = 0;
    unsigned next = 0;
    if (clear) {
        struct gather front;
        start(&front);
        next = gather_pieces(&front, pieces, count);
        sent = front.count > 0 ? send_gathered(stream->fd, &front) : 0;
        clear = sent >= 0 && (size_t) sent == front.length;
    }
    ssize_t of_file = clear && next < count ? send_file_piece(stream, &pieces[next]) : 0;
    sent = sent < 0 || of_file < 0 ? RTN_MIN(sent, of_file) : sent + of_file;

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
    if (r == 0 && clear && stream->first != NULL && !rtn_stream_defers_next(stream))
        return go_on_with_file(stream);
    return r;
}

void rtn_stream_close(struct rtn_stream *stream)
{
    drop_queue(stream);
    rtn_fd_close(&stream->fd);
}

bool rtn_stream_defers_next(const struct rtn_stream *stream)
{
    return stream->defer_files && stream->first != NULL && stream->first->file && !stream->first->in_memory;
}

uint64_t rtn_stream_left(const struct rtn_stream *stream)
{
    uint64_t left = 0;
    for (const struct rtn_segment *segment = stream->first; segment != NULL; segment = segment->next)
        left += segment->length;
    return left;
}
