/* Pieces that are parts of files: their order among bytes, what is deferred, and each release exactly once. */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/macros.h"
#include "net/stream.h"

#define BIG (5 * 1024 * 1024)

static struct rtn_stream stream;
static struct rtn_buf received;
static unsigned released;
static char *bytes; /* what is in the file */
static int file;
static int peer;

static void use_sockets(int sender, int receiver)
{
    stream = (struct rtn_stream){ .fd = sender };
    peer = receiver;
}

static void begin(void)
{
    int fds[2];
    int small = 4096;
    unsigned seed = 99;
    (void) signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    cr_assert_eq(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
    use_sockets(fds[0], fds[1]);
    released = 0;
    bytes = malloc(BIG);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (char) rand_r(&seed);
    file = memfd_create("file", MFD_CLOEXEC);
    cr_assert_eq(pwrite(file, bytes, BIG, 0), BIG);
}

static void end(void)
{
    rtn_stream_close(&stream);
    cr_expect_eq(stream.queued, 0);
    (void) close(peer);
    (void) close(file);
    free(bytes);
    rtn_buf_done(&received);
}

TestSuite(stream_file, .init = begin, .fini = end);

static void count_release(void *data)
{
    ++*(unsigned *) data;
}

static struct rtn_piece part(size_t offset, size_t length)
{
    return (struct rtn_piece){ .file = true,
                               .fd = file,
                               .offset = (int64_t) offset,
                               .length = length,
                               .release = count_release,
                               .release_data = &released };
}

static struct rtn_piece text(const char *data)
{
    return (struct rtn_piece){ .data = data, .length = strlen(data) };
}

static void receive(void)
{
    char block[50000];
    ssize_t n;
    while ((n = recv(peer, block, sizeof(block), 0)) > 0)
        rtn_buf_append(&received, block, (size_t) n);
}

static void flush_all(void)
{
    int r;
    while ((r = rtn_stream_flush(&stream)) == -EAGAIN)
        receive();
    cr_assert_eq(r, 0, "%d", r);
    receive();
}

/* `data` is what comes next; the rest stays. */
static void expect_next(size_t *at, const char *data, size_t length)
{
    cr_assert_geq(received.length, *at + length);
    cr_expect_eq(memcmp(received.data + *at, data, length), 0);
    *at += length;
}

Test(stream_file, parts_and_bytes_keep_their_order)
{
    size_t at = 0;
    const struct rtn_piece pieces[] = { text("head:"), part(7, BIG - 7), text(":middle:"), part(100, 1000),
                                        text(":tail") };
    cr_expect_eq(rtn_stream_send(&stream, pieces, RTN_ARRAY_LENGTH(pieces)), 0);
    cr_expect(rtn_stream_pending(&stream));
    cr_expect_eq(stream.queued, strlen(":middle:") + strlen(":tail"));
    cr_expect_eq(released, 0);
    flush_all();
    cr_expect_eq(released, 2);
    cr_expect_eq(stream.queued, 0);
    expect_next(&at, "head:", 5);
    expect_next(&at, bytes + 7, BIG - 7);
    expect_next(&at, ":middle:", 8);
    expect_next(&at, bytes + 100, 1000);
    expect_next(&at, ":tail", 5);
    cr_expect_eq(at, received.length);
}

Test(stream_file, a_small_one_leaves_at_once)
{
    const struct rtn_piece pieces[] = { text("head:"), part(3, 500) };
    size_t at = 0;
    cr_expect_eq(rtn_stream_send(&stream, pieces, 2), 0);
    cr_expect_not(rtn_stream_pending(&stream));
    cr_expect_eq(released, 1);
    receive();
    expect_next(&at, "head:", 5);
    expect_next(&at, bytes + 3, 500);
}

Test(stream_file, more_bytes_before_it_than_one_call_takes)
{
    struct rtn_piece pieces[200];
    size_t at = 0;
    for (size_t i = 0; i + 1 < RTN_ARRAY_LENGTH(pieces); i++)
        pieces[i] = text(i % 3 == 0 ? "" : "ab");
    pieces[199] = part(3, 500);
    cr_expect_eq(rtn_stream_send(&stream, pieces, RTN_ARRAY_LENGTH(pieces)), 0);
    flush_all();
    cr_expect_eq(released, 1);
    for (size_t i = 0; i < 132; i++)
        expect_next(&at, "ab", 2);
    expect_next(&at, bytes + 3, 500);
    cr_expect_eq(at, received.length);
}

Test(stream_file, an_empty_one_is_released_and_is_no_early_end)
{
    const struct rtn_piece pieces[] = { part(BIG, 0), text("x"), part(0, 0) };
    cr_expect_eq(rtn_stream_send(&stream, pieces, 3), 0);
    cr_expect_eq(released, 2);
    cr_expect_not(rtn_stream_pending(&stream));
    cr_expect_eq(rtn_stream_send(&stream, pieces, 1), 0);
    cr_expect_eq(released, 3);
    receive();
    cr_expect_eq(received.length, 1);
}

Test(stream_file, deferred_ones_wait_and_what_stands_before_them_leaves)
{
    size_t at = 0;
    const struct rtn_piece pieces[] = { text("head:"), part(0, 2000), text(":next:"), part(5000, 10), text("end") };
    stream.defer_files = true;
    cr_expect_eq(rtn_stream_send(&stream, pieces, RTN_ARRAY_LENGTH(pieces)), 0);
    receive();
    cr_expect_eq(received.length, 5);
    cr_expect_eq(rtn_stream_flush(&stream), -EINPROGRESS);
    cr_expect_eq(released, 0);
    cr_expect_eq(stream.queued, strlen(":next:end"));

    /* A worker takes over, and gives the rest back. */
    stream.defer_files = false;
    flush_all();
    cr_expect_eq(released, 2);
    expect_next(&at, "head:", 5);
    expect_next(&at, bytes, 2000);
    expect_next(&at, ":next:", 6);
    expect_next(&at, bytes + 5000, 10);
    expect_next(&at, "end", 3);
}

Test(stream_file, deferred_behind_bytes_that_do_not_fit)
{
    const struct rtn_piece pieces[] = { { .data = bytes, .length = 100000, .keep = true }, part(0, 10) };
    int r;
    stream.defer_files = true;
    cr_expect_eq(rtn_stream_send(&stream, pieces, 2), 0);
    while ((r = rtn_stream_flush(&stream)) == -EAGAIN)
        receive();
    cr_expect_eq(r, -EINPROGRESS);
    cr_expect_eq(stream.queued, 0);
    receive();
    cr_expect_eq(received.length, 100000);
}

/* The bytes that were read ahead leave as memory; the file itself is not touched, which it would say here. */
Test(stream_file, read_ahead_bytes_are_sent_from_memory)
{
    size_t at = 0;
    struct rtn_piece pieces[] = { text("head:"), part(0, 1000) };
    pieces[1].data = "this is what was read ahead";
    pieces[1].length = strlen(pieces[1].data);
    stream.defer_files = true;
    cr_expect_eq(rtn_stream_send(&stream, pieces, 2), 0);
    cr_expect_not(rtn_stream_pending(&stream));
    cr_expect_eq(released, 1);
    receive();
    expect_next(&at, "head:", 5);
    expect_next(&at, pieces[1].data, pieces[1].length);
    cr_expect_eq(at, received.length);
}

/* What does not fit comes from the file: the memory may be used for something else as soon as send returns. */
Test(stream_file, the_rest_of_read_ahead_bytes_comes_from_the_file)
{
    size_t at = 0;
    char *ahead = malloc(BIG);
    struct rtn_piece pieces[] = { text("head:"), part(0, BIG), text("end") };
    cr_assert_not_null(ahead);
    memcpy(ahead, bytes, BIG);
    pieces[1].data = ahead;
    cr_expect_eq(rtn_stream_send(&stream, pieces, 3), 0);
    cr_expect_eq(stream.queued, 3);
    cr_expect_eq(released, 0);
    memset(ahead, 0, BIG);
    free(ahead);
    flush_all();
    cr_expect_eq(released, 1);
    expect_next(&at, "head:", 5);
    expect_next(&at, bytes, BIG);
    expect_next(&at, "end", 3);
}

Test(stream_file, read_ahead_bytes_behind_a_queue_come_from_the_file)
{
    struct rtn_piece pieces[] = { { .data = bytes, .length = 200000, .keep = true }, part(10, 20) };
    size_t at = 0;
    pieces[1].data = "zzzzzzzzzzzzzzzzzzzz";
    cr_expect_eq(rtn_stream_send(&stream, pieces, 1), 0);
    cr_expect_eq(rtn_stream_send(&stream, pieces + 1, 1), 0);
    flush_all();
    expect_next(&at, bytes, 200000);
    expect_next(&at, bytes + 10, 20);
    cr_expect_eq(released, 1);
}

/* /dev/null takes everything at once, as a client does that is faster than the disk. */
Test(stream_file, a_large_one_leaves_in_turns)
{
    const size_t size = (size_t) 100 * 1024 * 1024;
    const struct rtn_piece piece = part(0, size);
    unsigned turns = 1;
    int r;
    rtn_stream_close(&stream);
    stream.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    cr_assert_eq(ftruncate(file, (off_t) size), 0);
    cr_assert_eq(rtn_stream_send(&stream, &piece, 1), 0);
    for (; (r = rtn_stream_flush(&stream)) == -EAGAIN; turns++)
        cr_assert_eq(released, 0);
    cr_expect_eq(r, 0);
    cr_expect_eq(released, 1);
    cr_expect(turns > 4 && turns < 50, "%u", turns);
}

Test(stream_file, that_became_shorter_breaks_the_connection)
{
    const struct rtn_piece pieces[] = { text("head:"), part(0, BIG), text("end"), part(0, 10) };
    int r;
    cr_expect_eq(rtn_stream_send(&stream, pieces, 4), 0);
    cr_assert_eq(ftruncate(file, BIG / 2), 0);
    while ((r = rtn_stream_flush(&stream)) == -EAGAIN)
        receive();
    cr_expect_eq(r, -EIO);
    rtn_stream_close(&stream);
    cr_expect_eq(released, 2);
    receive();
    cr_expect_eq(received.length, 5 + BIG / 2);
}

Test(stream_file, that_is_too_short_from_the_start_is_told_by_send)
{
    const struct rtn_piece pieces[] = { text("head:"), part(BIG, 10), text("end"), part(0, 10) };
    cr_expect_eq(rtn_stream_send(&stream, pieces, 4), -EIO);
    cr_expect_eq(released, 2);
    cr_expect_not(rtn_stream_pending(&stream));
    cr_expect_eq(stream.queued, 0);
}

Test(stream_file, broken_connection_releases_once)
{
    const struct rtn_piece pieces[] = { part(0, 10), text("x"), part(5, 10) };
    (void) close(peer);
    peer = -1;
    cr_expect_eq(rtn_stream_send(&stream, pieces, 3), -EPIPE);
    cr_expect_eq(released, 2);
    rtn_stream_close(&stream);
    cr_expect_eq(released, 2);
}

Test(stream_file, closing_releases_what_was_not_sent)
{
    const struct rtn_piece pieces[] = { part(0, BIG), part(5, 10) };
    cr_expect_eq(rtn_stream_send(&stream, pieces, 2), 0);
    cr_expect_eq(released, 0);
    rtn_stream_close(&stream);
    cr_expect_eq(released, 2);
}

static void use_tcp(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    rtn_stream_close(&stream);
    (void) close(peer);
    cr_assert_eq(bind(listener, (struct sockaddr *) &address, length), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *) &address, &length), 0);
    cr_assert_eq(connect(sender, (struct sockaddr *) &address, length), 0);
    cr_assert_eq(setsockopt(sender, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
    use_sockets(sender, accept(listener, NULL, NULL));
    cr_assert_geq(peer, 0);
    (void) close(listener);
}

static unsigned packets_sent(void)
{
    struct tcp_info info = { 0 };
    socklen_t length = sizeof(info);
    cr_assert_eq(getsockopt(stream.fd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
    return info.tcpi_segs_out;
}

Test(stream_file, head_and_file_share_a_packet)
{
    const struct rtn_piece pieces[] = { text("head:"), part(0, 1000) };
    char block[1005];
    use_tcp();
    unsigned before = packets_sent();
    cr_expect_eq(rtn_stream_send(&stream, pieces, 2), 0);
    cr_assert_eq(recv(peer, block, sizeof(block), MSG_WAITALL), sizeof(block));
    cr_expect_eq(packets_sent() - before, 1);
    cr_expect_eq(memcmp(block + 5, bytes, 1000), 0);
}

Test(stream_file, in_memory_is_not_deferred)
{
    struct rtn_piece pieces[] = { text("head:"), part(3, 500), text("end") };
    size_t at = 0;
    pieces[1].in_memory = true;
    stream.defer_files = true;
    cr_expect_eq(rtn_stream_send(&stream, pieces, 3), 0);
    cr_expect_not(rtn_stream_pending(&stream));
    cr_expect_eq(released, 1);
    receive();
    expect_next(&at, "head:", 5);
    expect_next(&at, bytes + 3, 500);
    expect_next(&at, "end", 3);
}

Test(stream_file, the_rest_of_one_in_memory_is_not_deferred)
{
    struct rtn_piece piece = part(0, BIG);
    size_t at = 0;
    piece.in_memory = true;
    stream.defer_files = true;
    cr_expect_eq(rtn_stream_send(&stream, &piece, 1), 0);
    cr_expect(rtn_stream_pending(&stream));
    cr_expect_not(rtn_stream_defers_next(&stream));
    flush_all();
    cr_expect_eq(released, 1);
    expect_next(&at, bytes, BIG);
}
