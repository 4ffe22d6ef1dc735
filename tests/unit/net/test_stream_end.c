/* How our side of a connection ends: once, behind all bytes, and in the packet of the last of them. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "net/stream.h"

#define BIG ((size_t) 16 * 1024 * 1024) /* more than sockets hold */

struct pair {
    struct rtn_stream stream;
    int peer;
};

/* Over TCP, where packets can be counted. */
static void open_pair(struct pair *pair)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    const int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *) &address, length), 0);
    cr_assert_eq(listen(listener, 1), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *) &address, &length), 0);
    pair->peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(pair->peer, (struct sockaddr *) &address, length), 0);
    pair->stream = (struct rtn_stream){ .fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) };
    cr_assert_geq(pair->stream.fd, 0);
    cr_assert_eq(setsockopt(pair->stream.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    (void) close(listener);
}

static void close_pair(struct pair *pair)
{
    rtn_stream_close(&pair->stream);
    (void) close(pair->peer);
}

/* Packets that have come to the peer. */
static unsigned count_packets(const struct pair *pair)
{
    struct tcp_info info = { 0 };
    socklen_t length = sizeof(info);
    cr_assert_eq(getsockopt(pair->peer, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
    return info.tcpi_segs_in;
}

/* Up to the end: how many bytes. */
static size_t read_all(const struct pair *pair)
{
    static char bytes[65536];
    size_t all = 0;
    ssize_t n;
    while ((n = recv(pair->peer, bytes, sizeof(bytes), 0)) > 0)
        all += (size_t) n;
    cr_expect_eq(n, 0);
    return all;
}

Test(stream_end, the_last_bytes_and_the_end_share_a_packet)
{
    struct pair pair;
    open_pair(&pair);
    unsigned before = count_packets(&pair);
    cr_expect_eq(rtn_stream_send_last(&pair.stream, "goodbye", 7), 0);
    cr_expect_eq(read_all(&pair), 7);
    cr_expect_eq(count_packets(&pair), before + 1);
    close_pair(&pair);
}

Test(stream_end, other_bytes_leave_at_once)
{
    struct pair pair;
    char bytes[7];
    open_pair(&pair);
    cr_expect_eq(rtn_stream_send_memory(&pair.stream, "goodbye", 7), 0);
    cr_expect_eq(recv(pair.peer, bytes, sizeof(bytes), 0), 7);
    cr_expect_eq(recv(pair.peer, bytes, sizeof(bytes), MSG_DONTWAIT), -1);
    cr_expect_eq(rtn_stream_end(&pair.stream), 0);
    cr_expect_eq(read_all(&pair), 0);
    close_pair(&pair);
}

/* A client that has answered the end is not one that has gone. */
Test(stream_end, it_ends_once)
{
    struct pair pair;
    open_pair(&pair);
    cr_expect_eq(rtn_stream_send_last(&pair.stream, "goodbye", 7), 0);
    cr_expect_eq(read_all(&pair), 7);
    (void) close(pair.peer);
    pair.peer = -1;
    char byte;
    cr_expect_eq(recv(pair.stream.fd, &byte, 1, 0), 0);
    cr_expect_eq(rtn_stream_end(&pair.stream), 0);
    close_pair(&pair);
}

Test(stream_end, a_peer_that_has_gone_is_told_of)
{
    struct pair pair;
    const struct linger reset = { .l_onoff = 1 };
    open_pair(&pair);
    cr_expect_eq(setsockopt(pair.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    (void) close(pair.peer);
    pair.peer = -1;
    cr_expect_eq(rtn_stream_end(&pair.stream), -ENOTCONN);
    close_pair(&pair);
}

/* What is queued leaves first. The peer gets all that the socket took although nothing follows for now. */
Test(stream_end, bytes_that_do_not_fit_are_queued_and_the_end_waits)
{
    struct pair pair;
    char *bytes = calloc(1, BIG);
    size_t got = 0;
    int r;
    open_pair(&pair);
    cr_expect_eq(rtn_stream_send_last(&pair.stream, bytes, BIG), 0);
    cr_expect(rtn_stream_pending(&pair.stream));
    while ((r = rtn_stream_flush(&pair.stream)) == -EAGAIN) {
        ssize_t n = recv(pair.peer, bytes, BIG, 0);
        cr_assert_gt(n, 0);
        got += (size_t) n;
    }
    cr_expect_eq(r, 0);
    cr_expect_eq(rtn_stream_end(&pair.stream), 0);
    cr_expect_eq(got + read_all(&pair), BIG);
    close_pair(&pair);
    free(bytes);
}

Test(stream_end, nothing_passes_what_is_queued)
{
    struct pair pair;
    const struct rtn_piece first = { .data = "first ", .length = 6 };
    char bytes[16];
    open_pair(&pair);
    cr_expect_eq(rtn_stream_queue(&pair.stream, &first), 0);
    cr_expect_eq(rtn_stream_send_last(&pair.stream, "last", 4), 0);
    cr_expect_not(pair.stream.ended);
    cr_expect_eq(rtn_stream_flush(&pair.stream), 0);
    cr_expect_eq(rtn_stream_end(&pair.stream), 0);
    cr_expect_eq(recv(pair.peer, bytes, sizeof(bytes), MSG_WAITALL), 10);
    cr_expect_arr_eq(bytes, "first last", 10);
    close_pair(&pair);
}
