/*
 * Connecting, over real sockets on loopback and on a loop of its own. getaddrinfo() is replaced by one that knows a few
 * names and can be held up, so that nothing depends on name servers; so is socket(), to choose the port dialed from.
 */
#include "net/dial.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "stats/report.h"
#include "support.h"

struct result {
    atomic_uint calls;
    int fd;
    struct sockaddr_storage peer;
    char reason[100];
};

struct attempt {
    struct rtn_mail begin;
    struct rtn_mail end;
    struct rtn_dial_target target;
    struct rtn_dial *dial;
    bool returned; /* rtn_dial() has */
    bool early; /* done came before */
    bool cancel; /* in the same moment */
    atomic_uint cancelled;
    struct result result;
};

static struct rtn_loop loop;
static struct rtn_resolver *resolver;
static atomic_int log_level = RTN_LOG_NONE;
static char folder[] = "/tmp/rtn-dial-XXXXXX";
static struct gate gate; /* in front of the answer for "slow.test" */
static atomic_uint lookups; /* by name */
static in_port_t bind_to; /* of sockets made from now on; 0: none */

static struct addrinfo *address_of(const char *address, const char *port)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(address, port, &hints, &found) == 0 ? found : NULL;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
    if ((hints->ai_flags & AI_NUMERICHOST) != 0) {
        *ret = address_of(host, port);
        return *ret != NULL ? 0 : EAI_NONAME;
    }
    atomic_fetch_add(&lookups, 1);
    if (strcmp(host, "slow.test") == 0)
        gate_pass(&gate);
    if (strcmp(host, "busy.test") == 0)
        return EAI_AGAIN;
    if (strcmp(host, "no-such-host.invalid") == 0)
        return EAI_NONAME;
    if (strcmp(host, "localhost") == 0) { /* not every machine has a file that says so */
        *ret = address_of("127.0.0.1", port);
        return 0;
    }
    *ret = address_of("::1", port);
    (*ret)->ai_next = address_of("127.0.0.1", port);
    return 0;
}

int socket(int family, int type, int protocol)
{
    int fd = (int) syscall(SYS_socket, family, type, protocol);
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = bind_to, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    if (bind_to != 0 && family == AF_INET)
        cr_assert_eq(bind(fd, (struct sockaddr *) &own, sizeof(own)), 0);
    return fd;
}

static void begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
    gate = (struct gate) GATE_CLOSED;
    const struct rtn_loop_options options = { .server = "test", .log_level = &log_level };
    cr_assert_eq(rtn_loop_init(&loop, &options), 0);
    cr_assert_eq(rtn_loop_start(&loop), 0);
    cr_assert_eq(rtn_resolver_new(NULL, &log_level, &resolver), 0);
}

static void stop_loop(void)
{
    cr_assert_eq(rtn_loop_stop(&loop, BOUND_MS), 0);
    rtn_loop_done(&loop);
}

static void end(void)
{
    rtn_resolver_free(resolver, BOUND_MS);
    (void) rmdir(folder);
}

TestSuite(dial, .init = begin, .fini = end);

static void note(void *data, int fd, const struct sockaddr *peer, socklen_t length, const char *reason)
{
    struct attempt *attempt = data;
    attempt->early = !attempt->returned;
    attempt->result.fd = fd;
    if (peer != NULL)
        memcpy(&attempt->result.peer, peer, length);
    snprintf(attempt->result.reason, sizeof(attempt->result.reason), "%s", reason != NULL ? reason : "");
    atomic_fetch_add(&attempt->result.calls, 1);
}

static void start_attempt(struct rtn_mail *mail)
{
    struct attempt *attempt = RTN_CONTAINER_OF(mail, struct attempt, begin);
    attempt->dial = rtn_dial(&loop, resolver, &attempt->target, note, attempt);
    attempt->returned = true;
    if (attempt->cancel)
        rtn_dial_cancel(attempt->dial);
    if (attempt->cancel)
        atomic_fetch_add(&attempt->cancelled, 1);
}

static void start(struct attempt *attempt)
{
    attempt->begin.deliver = start_attempt;
    rtn_loop_post(&loop, &attempt->begin);
}

static void cancel_attempt(struct rtn_mail *mail)
{
    struct attempt *attempt = RTN_CONTAINER_OF(mail, struct attempt, end);
    rtn_dial_cancel(attempt->dial);
    atomic_fetch_add(&attempt->cancelled, 1);
}

static void cancel(struct attempt *attempt)
{
    attempt->end.deliver = cancel_attempt;
    rtn_loop_post(&loop, &attempt->end);
    cr_assert(reaches(&attempt->cancelled, 1));
}

static void finish(struct attempt *attempt)
{
    start(attempt);
    cr_assert(reaches(&attempt->result.calls, 1), "no answer");
    cr_expect_not(attempt->early);
}

static struct attempt to_host(const char *host, int port)
{
    return (struct attempt){ .target = { .host = rtn_str_of(host), .port = port } };
}

static struct attempt to_socket(const char *path)
{
    return (struct attempt){ .target = { .path = rtn_str_of(path) } };
}

/* Bound to 127.0.0.1, listening when `backlog` is not negative; the port in *port. */
static int make_port(int backlog, int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    if (backlog >= 0)
        cr_assert_eq(listen(fd, backlog), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *) &address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int make_unix(const char *path, int backlog)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
    cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

/*
 * The socket is connected to `listener`, does not block, and is not inherited; closes both ends. After the end of the
 * loop, which has it in its epoll set.
 */
static void expect_connected(struct attempt *attempt, int listener, bool tcp)
{
    int fd = attempt->result.fd;
    int on = 0;
    socklen_t length = sizeof(on);
    char byte = 0;
    cr_assert_geq(fd, 0, "%s", attempt->result.reason);
    cr_expect_str_eq(attempt->result.reason, "");
    cr_expect_neq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    cr_expect_neq(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    if (tcp)
        cr_expect(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0 && on != 0);
    int peer = accept(listener, NULL, NULL);
    cr_assert_geq(peer, 0);
    cr_expect_eq(send(fd, "x", 1, MSG_NOSIGNAL), 1);
    cr_expect_eq(recv(peer, &byte, 1, 0), 1);
    cr_expect_eq(byte, 'x');
    (void) close(peer);
    (void) close(fd);
}

static void expect_failed(struct attempt *attempt, const char *reason)
{
    finish(attempt);
    cr_expect_eq(attempt->result.fd, -1);
    cr_expect_str_eq(attempt->result.reason, reason);
}

Test(dial, an_address_is_connected_to_without_a_lookup)
{
    int port;
    int listener = make_port(8, &port);
    struct attempt attempt = to_host("127.0.0.1", port);
    finish(&attempt);
    const struct sockaddr_in *peer = (const void *) &attempt.result.peer;
    cr_expect_eq(peer->sin_family, AF_INET);
    cr_expect_eq(ntohs(peer->sin_port), port);
    cr_expect_eq(ntohl(peer->sin_addr.s_addr), INADDR_LOOPBACK);
    stop_loop();
    expect_connected(&attempt, listener, true);
    cr_expect_eq(atomic_load(&lookups), 0);
    (void) close(listener);
}

static void look_up_and_connect(void)
{
    int port;
    int listener = make_port(8, &port);
    struct attempt attempt = to_host("localhost", port);
    finish(&attempt);
    stop_loop();
    expect_connected(&attempt, listener, true);
    (void) close(listener);
}

Test(dial, a_name_is_looked_up)
{
    look_up_and_connect();
    cr_expect_eq(atomic_load(&lookups), 1);
}

/* Its threads belong to the daemon, and are shown as no server's. */
Test(dial, lookups_count_for_no_server)
{
    look_up_and_connect();
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    cr_assert_eq(rtn_stats_json(&text, NULL), 0);
    cr_expect_not_null(strstr(rtn_buf_str(&text).data, "\"test\""));
    cr_expect_null(strstr(rtn_buf_str(&text).data, "\"lookup\""));
}

Test(dial, the_next_address_is_tried_when_one_refuses)
{
    int port;
    int listener = make_port(8, &port);
    struct attempt attempt = to_host("two.test", port);
    finish(&attempt);
    cr_expect_eq(attempt.result.peer.ss_family, AF_INET);
    stop_loop();
    expect_connected(&attempt, listener, true);
    (void) close(listener);
}

Test(dial, a_port_that_nobody_listens_on_refuses)
{
    int port;
    int bound = make_port(-1, &port);
    struct attempt attempt = to_host("127.0.0.1", port);
    expect_failed(&attempt, "connection refused");
    struct attempt both = to_host("two.test", port);
    expect_failed(&both, "connection refused");
    (void) close(bound);
    stop_loop();
}

Test(dial, a_socket_that_is_connected_to_itself_is_none)
{
    int port;
    (void) close(make_port(-1, &port));
    bind_to = htons((in_port_t) port);
    struct attempt attempt = to_host("127.0.0.1", port);
    expect_failed(&attempt, "connection refused");
    stop_loop();
}

Test(dial, names_that_are_none_fail_with_a_reason)
{
    struct attempt attempt = to_host("no-such-host.invalid", 80);
    expect_failed(&attempt, "no such host");
    struct attempt busy = to_host("busy.test", 80);
    expect_failed(&busy, "the name servers do not answer");
    stop_loop();
}

Test(dial, unix_sockets)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/s", folder);
    struct attempt missing = to_socket(path);
    expect_failed(&missing, "no such socket");
    int listener = make_unix(path, 8);
    struct attempt attempt = to_socket(path);
    finish(&attempt);
    const struct sockaddr_un *peer = (const void *) &attempt.result.peer;
    cr_expect_eq(peer->sun_family, AF_UNIX);
    cr_expect_str_eq(peer->sun_path, path);
    expect_connected(&attempt, listener, false);
    (void) close(listener);
    struct attempt refused = to_socket(path);
    expect_failed(&refused, "connection refused");
    (void) unlink(path);
    stop_loop();
}

Test(dial, the_path_of_a_socket_is_not_cut_off)
{
    char path[sizeof(((struct sockaddr_un *) NULL)->sun_path) + 1];
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    struct attempt attempt = to_socket(path);
    expect_failed(&attempt, "the path of the socket is too long");
    stop_loop();
}

Test(dial, a_socket_that_accepts_nobody_fails_at_once)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/s", folder);
    int listener = make_unix(path, 0);
    struct attempt attempts[8];
    unsigned refused = 0;
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(attempts); i++) {
        attempts[i] = to_socket(path);
        finish(&attempts[i]);
        refused += strcmp(attempts[i].result.reason, "the server accepts too slowly") == 0;
        if (attempts[i].result.fd >= 0)
            (void) close(attempts[i].result.fd);
    }
    cr_expect_geq(refused, 1);
    (void) close(listener);
    (void) unlink(path);
    stop_loop();
}

Test(dial, cancelled_before_it_began)
{
    int port;
    int listener = make_port(8, &port);
    struct attempt attempt = to_host("127.0.0.1", port);
    attempt.cancel = true;
    start(&attempt);
    cr_assert(reaches(&attempt.cancelled, 1));
    struct attempt after = to_host("127.0.0.1", port);
    finish(&after);
    stop_loop();
    expect_connected(&after, listener, true);
    cr_expect_eq(atomic_load(&attempt.result.calls), 0);
    (void) close(listener);
}

/* Connects until the kernel takes no more for `port`: what is dialed then stays on its way. */
static void fill_backlog(int port, int *fds, size_t count)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((in_port_t) port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    for (size_t i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void) connect(fds[i], (struct sockaddr *) &address, sizeof(address));
    }
}

Test(dial, cancelled_while_it_connects)
{
    int port;
    int other_port;
    int fds[8];
    int listener = make_port(0, &port);
    int other_listener = make_port(8, &other_port);
    fill_backlog(port, fds, RTN_ARRAY_LENGTH(fds));
    struct attempt attempt = to_host("127.0.0.1", port);
    start(&attempt);
    struct attempt other = to_host("no-such-host.invalid", port); /* once it has ended, the first is on its way */
    finish(&other);
    cr_expect_eq(atomic_load(&attempt.result.calls), 0);
    cancel(&attempt);
    struct attempt after = to_host("127.0.0.1", other_port); /* gets the same number of a socket */
    finish(&after);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(fds); i++)
        (void) close(fds[i]);
    (void) close(listener);
    stop_loop();
    expect_connected(&after, other_listener, true);
    (void) close(other_listener);
    cr_expect_eq(atomic_load(&attempt.result.calls), 0);
}

Test(dial, cancelled_while_a_lookup_runs)
{
    struct attempt attempt = to_host("slow.test", 80);
    start(&attempt);
    cr_assert(reaches(&gate.entered, 1));
    cancel(&attempt);
    stop_loop(); /* the lookup may outlive it */
    gate_open(&gate);
    rtn_resolver_free(resolver, BOUND_MS);
    resolver = NULL;
    cr_expect_eq(atomic_load(&attempt.result.calls), 0);
    cr_expect_null(atomic_load(&loop.mailbox.stack.top), "mail for a loop that is no more");
}

Test(dial, cancelled_while_lookups_wait_for_a_thread)
{
    struct attempt attempts[40];
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(attempts); i++) {
        attempts[i] = to_host("slow.test", 80);
        start(&attempts[i]);
    }
    cr_assert(reaches(&gate.entered, 4));
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(attempts); i++)
        cancel(&attempts[i]);
    gate_open(&gate);
    rtn_resolver_free(resolver, BOUND_MS);
    resolver = NULL;
    stop_loop();
    cr_expect_eq(atomic_load(&lookups), 4, "names are looked up that nobody waits for");
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(attempts); i++)
        cr_expect_eq(atomic_load(&attempts[i].result.calls), 0);
}

static void cancel_unless_done(struct rtn_mail *mail)
{
    struct attempt *attempt = RTN_CONTAINER_OF(mail, struct attempt, end);
    if (atomic_load(&attempt->result.calls) == 0)
        rtn_dial_cancel(attempt->dial);
    atomic_fetch_add(&attempt->cancelled, 1);
}

Test(dial, cancelled_as_the_lookup_ends)
{
    struct attempt attempts[500];
    unsigned calls[RTN_ARRAY_LENGTH(attempts)];
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(attempts); i++) {
        attempts[i] = to_host("no-such-host.invalid", 80);
        start(&attempts[i]);
        for (unsigned spin = i * 200; spin > 0; spin--) /* before, while and after it is looked up */
            (void) atomic_load(&lookups);
        attempts[i].end.deliver = cancel_unless_done;
        rtn_loop_post(&loop, &attempts[i].end);
        cr_assert(reaches(&attempts[i].cancelled, 1));
        calls[i] = atomic_load(&attempts[i].result.calls);
        cr_expect_leq(calls[i], 1);
    }
    rtn_resolver_free(resolver, BOUND_MS);
    resolver = NULL;
    stop_loop();
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(attempts); i++)
        cr_expect_eq(atomic_load(&attempts[i].result.calls), calls[i], "done was called after a cancel");
}

Test(dial, a_resolver_that_is_stuck_is_left_alone)
{
    struct attempt attempt = to_host("slow.test", 80);
    start(&attempt);
    cr_assert(reaches(&gate.entered, 1));
    cancel(&attempt);
    stop_loop();
    rtn_resolver_free(resolver, 10); /* end() does it again */
    gate_open(&gate);
    cr_assert(reaches(&gate.left, 1));
    cr_expect_eq(atomic_load(&attempt.result.calls), 0);
}

Test(dial, what_a_lookup_says)
{
    cr_expect_str_eq(rtn_resolver_reason(EAI_NODATA, 0), "the host has no address");
    cr_expect_str_eq(rtn_resolver_reason(EAI_FAIL, 0), "the name servers refuse to answer");
    cr_expect_str_eq(rtn_resolver_reason(EAI_SYSTEM, EMFILE), "Too many open files");
    cr_expect_str_eq(rtn_resolver_reason(EAI_FAMILY, 0), gai_strerror(EAI_FAMILY));
    rtn_resolver_free(NULL, 0);
    stop_loop();
}
