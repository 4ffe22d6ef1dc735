/* Listening sockets: TCP alone and in groups, unix sockets and their files, and what is said when it does not work. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "net/listener.h"

static struct rtn_activation none;
static struct rtn_buf error;
static char folder[] = "/tmp/rtn-listener-XXXXXX";

static void begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    rtn_buf_done(&error);
    (void) rmdir(folder);
}

TestSuite(listener, .init = begin, .fini = end);

static struct rtn_listener *must_open(const char *address, mode_t mode, unsigned loops)
{
    struct rtn_listener *listener = NULL;
    int r = rtn_listener_open(address, mode, loops, &none, &listener, &error);
    cr_assert_eq(r, 0, "%s: %s", address, error.data != NULL ? error.data : "");
    cr_expect_eq(error.length, 0);
    return listener;
}

/* Expects the failure and `text` in its message. */
static void must_fail(const char *address, unsigned loops, int result, const char *text)
{
    struct rtn_listener *listener = NULL;
    rtn_buf_clear(&error);
    cr_expect_eq(rtn_listener_open(address, RTN_LISTENER_DEFAULT_MODE, loops, &none, &listener, &error), result, "%s",
                 address);
    cr_expect_null(listener);
    cr_assert_gt(error.length, 0);
    cr_expect_not_null(strstr(error.data, text), "\"%s\" is not in: %s", text, error.data);
    cr_expect_not_null(strstr(error.data, "cannot listen on "), "%s", error.data);
    cr_expect_null(strchr(error.data, '\n'));
    rtn_buf_clear(&error);
}

static int port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    cr_assert_eq(getsockname(fd, (struct sockaddr *) &address, &length), 0);
    return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *) (void *) &address)->sin_port
                                              : ((struct sockaddr_in6 *) (void *) &address)->sin6_port);
}

static bool connects(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t) port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = connect(fd, (struct sockaddr *) &to, sizeof(to)) == 0;
    (void) close(fd);
    return good;
}

Test(listener, port_0_is_resolved)
{
    char text[64];
    struct rtn_listener *listener = must_open("127.0.0.1:0", RTN_LISTENER_DEFAULT_MODE, 1);
    cr_assert_eq(listener->count, 1);
    cr_expect_eq(listener->sockets[0].loop, 0);
    cr_expect_null(listener->socket_file);
    (void) snprintf(text, sizeof(text), "127.0.0.1:%d", port_of(listener->sockets[0].fd));
    cr_expect_str_eq(listener->text, text);
    cr_expect(connects(port_of(listener->sockets[0].fd)));
    cr_expect(fcntl(listener->sockets[0].fd, F_GETFL) & O_NONBLOCK);
    cr_expect(fcntl(listener->sockets[0].fd, F_GETFD) & FD_CLOEXEC);
    rtn_listener_close(listener);
    rtn_listener_close(NULL);
}

/* The daemon relies on it: nobody sets the option for each connection. */
Test(listener, connections_send_small_packets_at_once)
{
    struct rtn_listener *listener = must_open("127.0.0.1:0", RTN_LISTENER_DEFAULT_MODE, 1);
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    cr_assert_eq(getsockname(listener->sockets[0].fd, (struct sockaddr *) &address, &length), 0);
    int client = socket(address.ss_family, SOCK_STREAM, 0);
    cr_assert_eq(connect(client, (struct sockaddr *) &address, length), 0);
    int accepted = accept4(listener->sockets[0].fd, NULL, NULL, SOCK_CLOEXEC);
    cr_assert_geq(accepted, 0);
    int on = 0;
    length = sizeof(on);
    cr_expect(getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0 && on != 0);
    (void) close(accepted);
    (void) close(client);
    rtn_listener_close(listener);
}

Test(listener, port_alone_takes_ipv4_too)
{
    struct rtn_listener *listener = must_open("0", RTN_LISTENER_DEFAULT_MODE, 1);
    cr_expect(connects(port_of(listener->sockets[0].fd)));
    rtn_listener_close(listener);
}

Test(listener, group_has_a_socket_per_loop_on_one_port)
{
    struct rtn_listener *listener = must_open("127.0.0.1:0", RTN_LISTENER_DEFAULT_MODE, 3);
    cr_assert_eq(listener->count, 3);
    int port = port_of(listener->sockets[0].fd);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(listener->sockets[i].loop, i);
        cr_expect_eq(port_of(listener->sockets[i].fd), port);
    }
    cr_expect_null(strchr(listener->text, ' '), "%s", listener->text);
    cr_expect(connects(port));
    rtn_listener_close(listener);
    cr_expect_not(connects(port));
}

static void address_of_port(char out[64], int port)
{
    (void) snprintf(out, 64, "127.0.0.1:%d", port);
}

Test(listener, address_in_use_is_told_for_one_loop_and_for_groups)
{
    for (unsigned first = 1; first <= 3; first += 2) {
        char address[64];
        struct rtn_listener *listener = must_open("127.0.0.1:0", RTN_LISTENER_DEFAULT_MODE, first);
        address_of_port(address, port_of(listener->sockets[0].fd));
        must_fail(address, 1, -EADDRINUSE, "the address is in use");
        must_fail(address, 3, -EADDRINUSE, "the address is in use");
        cr_expect_eq(rtn_listener_check(address, &error), -EADDRINUSE);
        rtn_buf_clear(&error);
        rtn_listener_close(listener);
        rtn_listener_close(must_open(address, RTN_LISTENER_DEFAULT_MODE, 3));
    }
}

Test(listener, errors_say_what_to_do)
{
    must_fail("192.0.2.1:0", 1, -EADDRNOTAVAIL, "no interface of this machine has that address");
    must_fail("192.0.2.1:0", 3, -EADDRNOTAVAIL, "no interface of this machine has that address");
    must_fail("no.such.host.invalid:80", 1, -EINVAL, "host \"no.such.host.invalid\"");
    must_fail("unix:/no/such/folder/socket", 1, -ENOENT, "the folder of the socket does not exist");
    must_fail("unix:/dev/null/socket", 1, -ENOTDIR, "not a folder");
    must_fail("systemd:web", 1, -ENOENT, "FileDescriptorName=web");
    must_fail("systemd:web", 1, -ENOENT, "it passed: none");
    must_fail("nonsense", 1, -EINVAL, "Invalid argument");
    char text[300] = "unix:/tmp/";
    memset(text + 10, 'x', 200);
    must_fail(text, 1, -ENAMETOOLONG, "too long");
}

struct path {
    char text[128]; /* unix:... */
    const char *name;
};

static struct path path_of(const char *name)
{
    struct path path;
    (void) snprintf(path.text, sizeof(path.text), "unix:%s/%s", folder, name);
    path.name = NULL;
    return path;
}

static bool exists(const struct path *path)
{
    struct stat st;
    return lstat(path->text + 5, &st) == 0;
}

static mode_t permissions(const struct path *path)
{
    struct stat st;
    cr_assert_eq(lstat(path->text + 5, &st), 0);
    return st.st_mode & 07777;
}

static int connect_unix(const struct path *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    strcpy(un.sun_path, path->text + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = connect(fd, (struct sockaddr *) &un, sizeof(un)) < 0 ? -errno : 0;
    (void) close(fd);
    return r;
}

/* A socket file that nobody accepts on, as a crash leaves it; with `live` somebody does. Returns the descriptor. */
static int leave_socket(const struct path *path, bool live)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    strcpy(un.sun_path, path->text + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *) &un, sizeof(un)), 0);
    if (live)
        cr_assert_eq(listen(fd, 5), 0);
    return fd;
}

Test(listener, unix_socket_with_a_mode_is_removed_at_the_end)
{
    struct path path = path_of("plain");
    struct rtn_listener *listener = must_open(path.text, 0600, 3);
    cr_assert_eq(listener->count, 1);
    cr_expect_eq(listener->sockets[0].loop, RTN_LISTENER_ALL_LOOPS);
    cr_expect_str_eq(listener->text, path.text);
    cr_expect_eq(permissions(&path), 0600);
    cr_expect_eq(connect_unix(&path), 0);
    rtn_listener_close(listener);
    cr_expect_not(exists(&path));
}

Test(listener, unix_socket_without_a_mode_follows_the_umask)
{
    struct path path = path_of("umask");
    mode_t before = umask(027);
    struct rtn_listener *listener = must_open(path.text, RTN_LISTENER_DEFAULT_MODE, 1);
    (void) umask(before);
    cr_expect_eq(permissions(&path), 0750);
    rtn_listener_close(listener);
}

Test(listener, stale_socket_file_is_replaced)
{
    struct path path = path_of("stale");
    (void) close(leave_socket(&path, true));
    cr_assert_eq(connect_unix(&path), -ECONNREFUSED);
    struct rtn_listener *listener = must_open(path.text, RTN_LISTENER_DEFAULT_MODE, 1);
    cr_expect_eq(connect_unix(&path), 0);
    rtn_listener_close(listener);
    cr_expect_not(exists(&path));
}

Test(listener, live_socket_is_left_alone)
{
    struct path path = path_of("live");
    int fd = leave_socket(&path, true);
    must_fail(path.text, 1, -EADDRINUSE, "the address is in use");
    cr_expect_eq(connect_unix(&path), 0);
    (void) close(fd);
    (void) unlink(path.text + 5);
}

Test(listener, file_that_is_no_socket_is_left_alone)
{
    struct path path = path_of("file");
    int fd = open(path.text + 5, O_CREAT | O_WRONLY, 0600);
    cr_assert_geq(fd, 0);
    (void) close(fd);
    must_fail(path.text, 1, -ENOTSOCK, "a file that is not a socket");
    cr_expect(exists(&path));
    (void) unlink(path.text + 5);
}

/* Another daemon has replaced our file while we ran. */
Test(listener, socket_file_of_somebody_else_is_not_removed)
{
    struct path path = path_of("replaced");
    struct rtn_listener *listener = must_open(path.text, RTN_LISTENER_DEFAULT_MODE, 1);
    struct path other = path_of("other");
    int fd = leave_socket(&other, true);
    cr_assert_eq(rename(other.text + 5, path.text + 5), 0);
    rtn_listener_close(listener);
    cr_expect(exists(&path));
    cr_expect_eq(connect_unix(&path), 0);
    (void) close(fd);
    (void) unlink(path.text + 5);
}

Test(listener, abstract_socket_has_no_file)
{
    char address[64];
    (void) snprintf(address, sizeof(address), "unix:@rtn-test-%d", (int) getpid());
    struct rtn_listener *listener = must_open(address, 0600, 1);
    cr_expect_str_eq(listener->text, address);
    cr_expect_null(listener->socket_file);
    must_fail(address, 1, -EADDRINUSE, "the address is in use");
    rtn_listener_close(listener);
}

Test(listener, check_leaves_nothing_behind)
{
    struct path path = path_of("checked");
    cr_expect_eq(rtn_listener_check(path.text, &error), 0);
    cr_expect_not(exists(&path));
    cr_expect_eq(rtn_listener_check("127.0.0.1:0", &error), 0);
    cr_expect_eq(rtn_listener_check("systemd:web", &error), 0);
    cr_expect_eq(error.length, 0);
    cr_expect_eq(rtn_listener_check("192.0.2.1:80", &error), -EADDRNOTAVAIL);
    cr_expect_gt(error.length, 0);
}

static int passed_socket(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *) &any, sizeof(any)), 0);
    cr_assert_eq(listen(fd, 5), 0);
    return fd;
}

Test(listener, activated_sockets_of_one_name_are_all_taken)
{
    struct rtn_activation_socket sockets[] = {
        { strdup("web"), passed_socket() },
        { strdup("admin"), passed_socket() },
        { strdup("web"), passed_socket() },
    };
    struct rtn_activation activation = { .sockets = calloc(3, sizeof(sockets[0])), .count = 3 };
    memcpy(activation.sockets, sockets, sizeof(sockets));
    struct rtn_listener *listener = NULL;
    cr_assert_eq(rtn_listener_open("systemd:web", 0, 2, &activation, &listener, &error), 0);
    cr_assert_eq(listener->count, 2);
    cr_expect_eq(listener->sockets[0].fd, sockets[0].fd);
    cr_expect_eq(listener->sockets[1].fd, sockets[2].fd);
    cr_expect_eq(listener->sockets[0].loop, RTN_LISTENER_ALL_LOOPS);
    cr_expect(fcntl(listener->sockets[0].fd, F_GETFL) & O_NONBLOCK);
    cr_expect_not_null(strchr(listener->text, ' '));

    struct rtn_listener *second = NULL;
    cr_expect_eq(rtn_listener_open("systemd:web", 0, 2, &activation, &second, &error), -ENOENT);
    cr_expect_not_null(strstr(error.data, "it passed: web, admin, web"), "%s", error.data);
    rtn_listener_close(listener);
    rtn_activation_done(&activation);
}

/* Taken over */

Test(listener, whoever_has_it_too_keeps_it_open)
{
    struct rtn_listener *listener = must_open("127.0.0.1:0", RTN_LISTENER_DEFAULT_MODE, 1);
    int fd = listener->sockets[0].fd;
    cr_expect_eq(rtn_listener_ref(listener), listener);
    rtn_listener_stop(listener);
    cr_expect_not(listener->stopped);
    rtn_listener_close(listener);
    cr_expect_geq(fcntl(fd, F_GETFL), 0);
    rtn_listener_stop(listener);
    cr_expect(listener->stopped);
    rtn_listener_close(listener);
    cr_expect_lt(fcntl(fd, F_GETFL), 0);
}

/* Every socket has a loop and every loop a socket, whatever the numbers were and are. */
Test(listener, sockets_are_shared_among_other_numbers_of_loops)
{
    for (unsigned sockets = 1; sockets <= 5; sockets++) {
        struct rtn_listener *listener = must_open("127.0.0.1:0", RTN_LISTENER_DEFAULT_MODE, sockets);
        cr_assert_eq(listener->count, sockets);
        for (unsigned loops = 1; loops <= 7; loops++) {
            unsigned of_loop[7] = { 0 };
            for (unsigned i = 0; i < sockets; i++) {
                unsigned of_socket = 0;
                for (unsigned loop = 0; loop < loops; loop++) {
                    bool is_for = rtn_listener_is_for(listener, i, loop, loops);
                    of_socket += is_for;
                    of_loop[loop] += is_for;
                }
                cr_expect_gt(of_socket, 0, "socket %u of %u, %u loops", i, sockets, loops);
            }
            for (unsigned loop = 0; loop < loops; loop++)
                cr_expect_gt(of_loop[loop], 0, "loop %u of %u, %u sockets", loop, loops, sockets);
        }
        for (unsigned i = 0; i < sockets; i++) {
            for (unsigned loop = 0; loop < sockets; loop++)
                cr_expect_eq(rtn_listener_is_for(listener, i, loop, sockets), i == loop);
        }
        rtn_listener_close(listener);
    }
}

Test(listener, sockets_of_the_service_manager_go_back)
{
    struct rtn_activation_socket *sockets = calloc(1, sizeof(*sockets));
    struct rtn_activation activation = { .sockets = sockets, .count = 1 };
    sockets[0].name = strdup("web");
    int fd = passed_socket();
    sockets[0].fd = fd;
    for (int i = 0; i < 2; i++) {
        struct rtn_listener *listener = NULL;
        cr_assert_eq(rtn_listener_open("systemd:web", 0, 1, &activation, &listener, &error), 0, "%s", error.data);
        cr_expect_eq(listener->sockets[0].fd, fd);
        cr_expect_eq(activation.sockets[0].fd, -1);
        rtn_listener_close(listener);
        cr_expect_eq(activation.sockets[0].fd, fd);
        cr_expect_geq(fcntl(fd, F_GETFL), 0);
    }
    rtn_activation_done(&activation);
}
