/* The sending side over a socket pair with a small buffer: order of bytes, and each release exactly once. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/macros.h"
#include "net/stream.h"

#define BIG (1024 * 1024)

struct pair {
    struct rtn_stream stream;
    int peer;
    struct rtn_buf sent; /* what was given to the stream */
    struct rtn_buf received; /* what came out */
};

static void open_pair(struct pair *pair)
{
    int fds[2];
    int small = 4096;
    *pair = (struct pair){ 0 };
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    pair->stream.fd = fds[0];
    pair->peer = fds[1];
}

static void close_pair(struct pair *pair)
{
    rtn_stream_close(&pair->stream);
    cr_expect_eq(pair->stream.fd, -1);
    cr_expect_not(rtn_stream_pending(&pair->stream));
    (void) close(pair->peer);
    rtn_buf_done(&pair->sent);
    rtn_buf_done(&pair->received);
}

/* What is there now. */
static void receive(struct pair *pair)
{
    char bytes[3000];
    ssize_t n;
    while ((n = recv(pair->peer, bytes, sizeof(bytes), 0)) > 0)
        rtn_buf_append(&pair->received, bytes, (size_t) n);
}

/* Until the queue is empty, as the loop does it. */
static void flush_all(struct pair *pair)
{
    int r;
    while ((r = rtn_stream_flush(&pair->stream)) == -EAGAIN)
        receive(pair);
    cr_assert_eq(r, 0);
    receive(pair);
}

static void expect_all_arrived(struct pair *pair)
{
    flush_all(pair);
    cr_expect_eq(pair->received.length, pair->sent.length);
    cr_expect(rtn_str_equal(rtn_buf_str(&pair->received), rtn_buf_str(&pair->sent)));
}

static char *make_bytes(size_t length, unsigned seed)
{
    char *bytes = malloc(length + 1);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char) rand_r(&seed);
    return bytes;
}

static int send_pieces(struct pair *pair, const struct rtn_piece *pieces, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        rtn_buf_append(&pair->sent, pieces[i].data, pieces[i].length);
    return rtn_stream_send(&pair->stream, pieces, count);
}

static void count_release(void *data)
{
    ++*(unsigned *) data;
}

Test(stream, small_pieces_leave_at_once_and_touch_no_queue)
{
    struct pair pair;
    unsigned released = 0;
    open_pair(&pair);
    const struct rtn_piece pieces[] = {
        { .data = "head ", .length = 5 },
        { .data = "", .length = 0, .release = count_release, .release_data = &released },
        { .data = "kept ", .length = 5, .keep = true },
        { .data = "released", .length = 8, .release = count_release, .release_data = &released },
    };
    cr_expect_eq(send_pieces(&pair, pieces, 4), 0);
    cr_expect_not(rtn_stream_pending(&pair.stream));
    cr_expect_eq(released, 2);
    expect_all_arrived(&pair);
    close_pair(&pair);
    cr_expect_eq(released, 2);
}

Test(stream, nothing_to_send_is_no_error)
{
    struct pair pair;
    unsigned released = 0;
    open_pair(&pair);
    const struct rtn_piece empty = { .release = count_release, .release_data = &released };
    cr_expect_eq(rtn_stream_send(&pair.stream, &empty, 1), 0);
    cr_expect_eq(rtn_stream_send(&pair.stream, NULL, 0), 0);
    cr_expect_eq(rtn_stream_flush(&pair.stream), 0);
    cr_expect_eq(released, 1);
    close_pair(&pair);
}

/* A copied piece may be overwritten as soon as send has returned. */
Test(stream, copies_what_is_neither_kept_nor_released)
{
    struct pair pair;
    char *bytes = make_bytes(BIG, 1);
    open_pair(&pair);
    const struct rtn_piece piece = { .data = bytes, .length = BIG };
    cr_expect_eq(send_pieces(&pair, &piece, 1), 0);
    cr_expect(rtn_stream_pending(&pair.stream));
    memset(bytes, 0, BIG);
    free(bytes);
    expect_all_arrived(&pair);
    close_pair(&pair);
}

Test(stream, memory_leaves_at_once_and_what_is_left_of_it_is_copied_behind_the_rest)
{
    struct pair pair;
    char *bytes = make_bytes(BIG, 3);
    open_pair(&pair);
    const size_t lengths[] = { 5, BIG, 7 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(lengths); i++) {
        rtn_buf_append(&pair.sent, bytes, lengths[i]);
        cr_expect_eq(rtn_stream_send_memory(&pair.stream, bytes, lengths[i]), 0);
        cr_expect_eq(rtn_stream_pending(&pair.stream), i > 0);
    }
    memset(bytes, 0, BIG);
    free(bytes);
    expect_all_arrived(&pair);
    close_pair(&pair);
}

Test(stream, memory_for_a_peer_that_has_gone_is_an_error)
{
    struct pair pair;
    open_pair(&pair);
    cr_assert_eq(shutdown(pair.stream.fd, SHUT_WR), 0);
    cr_expect_eq(rtn_stream_send_memory(&pair.stream, "late", 4), -EPIPE);
    cr_expect_not(rtn_stream_pending(&pair.stream));
    close_pair(&pair);
}

/* These are sent from where they are: a change that comes before the socket has taken it is seen. */
Test(stream, does_not_copy_what_is_kept_or_released)
{
    for (int release = 0; release < 2; release++) {
        struct pair pair;
        unsigned released = 0;
        char *bytes = make_bytes(BIG, 2);
        open_pair(&pair);
        bytes[BIG - 1] = 'a';
        struct rtn_piece piece = { .data = bytes, .length = BIG, .keep = true };
        if (release)
            piece =
                (struct rtn_piece){ .data = bytes, .length = BIG, .release = count_release, .release_data = &released };
        cr_expect_eq(send_pieces(&pair, &piece, 1), 0);
        bytes[BIG - 1] = 'b';
        flush_all(&pair);
        cr_assert_eq(pair.received.length, BIG);
        cr_expect_eq(pair.received.data[BIG - 1], 'b');
        cr_expect_eq(released, (unsigned) release);
        close_pair(&pair);
        free(bytes);
    }
}

Test(stream, releases_when_the_last_byte_is_taken_and_not_before)
{
    struct pair pair;
    unsigned released = 0;
    char *bytes = make_bytes(BIG, 3);
    open_pair(&pair);
    const struct rtn_piece piece = {
        .data = bytes, .length = BIG, .release = count_release, .release_data = &released
    };
    cr_expect_eq(send_pieces(&pair, &piece, 1), 0);
    cr_expect_eq(released, 0);
    while (rtn_stream_flush(&pair.stream) == -EAGAIN) {
        cr_assert_eq(released, 0);
        receive(&pair);
    }
    cr_expect_eq(released, 1);
    expect_all_arrived(&pair);
    close_pair(&pair);
    cr_expect_eq(released, 1);
    free(bytes);
}

Test(stream, random_pieces_keep_their_order)
{
    struct pair pair;
    unsigned seed = 4711;
    unsigned released = 0;
    unsigned releases = 0;
    static char *blocks[400];
    open_pair(&pair);
    for (unsigned i = 0; i < 400; i++) {
        size_t length = (size_t) rand_r(&seed) % 6000;
        blocks[i] = make_bytes(length, i + 10);
        struct rtn_piece pieces[3] = { { .data = blocks[i], .length = length / 3 },
                                       { .data = blocks[i] + length / 3, .length = length / 3, .keep = true },
                                       { .data = blocks[i] + length / 3 * 2, .length = length - length / 3 * 2 } };
        if (rand_r(&seed) % 2 == 0) {
            pieces[2].release = count_release;
            pieces[2].release_data = &released;
            releases++;
        }
        cr_assert_eq(send_pieces(&pair, pieces, 3), 0);
        if (rand_r(&seed) % 3 == 0)
            receive(&pair);
        if (rand_r(&seed) % 3 == 0)
            (void) rtn_stream_flush(&pair.stream);
    }
    expect_all_arrived(&pair);
    cr_expect_eq(released, releases);
    close_pair(&pair);
    for (unsigned i = 0; i < 400; i++)
        free(blocks[i]);
}

/* Pieces that are written in place share memory; what was begun to be sent is not written over. */
Test(stream, small_reserved_pieces_keep_their_order)
{
    struct pair pair;
    unsigned seed = 8;
    open_pair(&pair);
    for (unsigned i = 0; i < 20000; i++) {
        size_t length = i % 100 == 0 ? 6000 : 1 + (size_t) rand_r(&seed) % 40;
        char *bytes = make_bytes(length, i);
        char *at = rtn_stream_reserve(&pair.stream, length);
        cr_assert_not_null(at);
        memcpy(at, bytes, length);
        rtn_buf_append(&pair.sent, bytes, length);
        free(bytes);
        if (i % 7 == 0 && rtn_stream_flush(&pair.stream) == -EAGAIN && i % 5 == 0)
            receive(&pair);
    }
    cr_expect_eq(pair.stream.queued, rtn_stream_left(&pair.stream));
    expect_all_arrived(&pair);
    close_pair(&pair);
}

Test(stream, more_pieces_than_one_call_takes)
{
    enum { COUNT = 50 };
    struct pair pair;
    unsigned released = 0;
    struct rtn_piece pieces[COUNT];
    static char bytes[COUNT][7];
    open_pair(&pair);
    for (unsigned i = 0; i < COUNT; i++) {
        memset(bytes[i], (int) ('A' + i), sizeof(bytes[i]));
        pieces[i] = (struct rtn_piece){
            .data = bytes[i], .length = sizeof(bytes[i]), .release = count_release, .release_data = &released
        };
    }
    cr_expect_eq(send_pieces(&pair, pieces, COUNT), 0);
    expect_all_arrived(&pair);
    cr_expect_eq(released, COUNT);
    close_pair(&pair);
}

Test(stream, closing_releases_what_was_not_sent)
{
    struct pair pair;
    unsigned released = 0;
    char *bytes = make_bytes(BIG, 5);
    open_pair(&pair);
    const struct rtn_piece pieces[] = {
        { .data = bytes, .length = BIG, .release = count_release, .release_data = &released },
        { .data = bytes, .length = BIG },
        { .data = bytes, .length = 10, .release = count_release, .release_data = &released },
    };
    cr_expect_eq(send_pieces(&pair, pieces, 3), 0);
    cr_expect_eq(released, 0);
    close_pair(&pair);
    cr_expect_eq(released, 2);
    free(bytes);
}

/* No signal, the error once, every release once; SIGPIPE would end this process. */
Test(stream, broken_connection_releases_and_says_so)
{
    struct pair pair;
    unsigned released = 0;
    (void) signal(SIGPIPE, SIG_DFL);
    open_pair(&pair);
    (void) close(pair.peer);
    const struct rtn_piece pieces[] = {
        { .data = "one", .length = 3, .release = count_release, .release_data = &released },
        { .data = "two", .length = 3 },
        { .data = "three", .length = 5, .release = count_release, .release_data = &released },
    };
    cr_expect_eq(rtn_stream_send(&pair.stream, pieces, 3), -EPIPE);
    cr_expect_eq(released, 2);
    cr_expect_not(rtn_stream_pending(&pair.stream));
    rtn_stream_close(&pair.stream);
    cr_expect_eq(released, 2);
}

Test(stream, breaking_while_queued_is_found_by_flush)
{
    struct pair pair;
    unsigned released = 0;
    char *bytes = make_bytes(BIG, 6);
    open_pair(&pair);
    const struct rtn_piece piece = {
        .data = bytes, .length = BIG, .release = count_release, .release_data = &released
    };
    cr_expect_eq(rtn_stream_send(&pair.stream, &piece, 1), 0);
    (void) close(pair.peer);
    int r = rtn_stream_flush(&pair.stream);
    cr_expect(r == -EPIPE || r == -ECONNRESET, "%d", r);
    const struct rtn_piece late = { .data = "x", .length = 1, .release = count_release, .release_data = &released };
    (void) rtn_stream_send(&pair.stream, &late, 1);
    rtn_stream_close(&pair.stream);
    cr_expect_eq(released, 2);
    free(bytes);
}
