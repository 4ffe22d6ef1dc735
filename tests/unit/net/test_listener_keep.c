/* Listening sockets that outlive the daemon: what the store is told, and what the next daemon finds. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/fd.h"
#include "net/listener_keep.h"

#define MOST 16

/* The service manager: copies of the descriptors by name. */
static struct {
    char name[256];
    int fd;
} kept[MOST];
static size_t kept_count;
static int keep_result;

static int keep(int fd, const char *name)
{
    if (keep_result < 0)
        return keep_result;
    cr_assert_lt(kept_count, MOST);
    cr_assert_lt(snprintf(kept[kept_count].name, sizeof(kept[0].name), "%s", name), (int) sizeof(kept[0].name));
    kept[kept_count++].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return 0;
}

static void forget(const char *name)
{
    size_t left = 0;
    for (size_t i = 0; i < kept_count; i++) {
        if (strcmp(kept[i].name, name) == 0)
            rtn_fd_close(&kept[i].fd);
        else
            kept[left++] = kept[i];
    }
    kept_count = left;
}

static struct rtn_fdstore store = { .serving = true, .keep = keep, .forget = forget };
static struct rtn_buf error;
static char folder[] = "/tmp/rtn-keep-XXXXXX";

static void begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    rtn_buf_done(&error);
    cr_expect_eq(rmdir(folder), 0, "a file was left");
}

TestSuite(listener_keep, .init = begin, .fini = end);

/* As a daemon that is started next gets them. */
static struct rtn_activation hand_over(void)
{
    struct rtn_activation activation = { .sockets = calloc(MOST, sizeof(*activation.sockets)), .count = kept_count };
    for (size_t i = 0; i < kept_count; i++) {
        activation.sockets[i].name = strdup(kept[i].name);
        activation.sockets[i].fd = fcntl(kept[i].fd, F_DUPFD_CLOEXEC, 0);
    }
    return activation;
}

static struct rtn_listener *must_open(const char *address, mode_t mode, unsigned loops,
                                      struct rtn_activation *activation)
{
    struct rtn_listener *listener = NULL;
    int r = rtn_listener_open(address, mode, loops, activation, &listener, &error);
    cr_assert_eq(r, 0, "%s: %s", address, error.data != NULL ? error.data : "");
    return listener;
}

static struct rtn_listener *must_keep(const char *address, unsigned loops)
{
    struct rtn_activation none = { 0 };
    struct rtn_listener *listener = must_open(address, RTN_LISTENER_DEFAULT_MODE, loops, &none);
    cr_assert_eq(rtn_listener_keep(listener, &store), 0);
    return listener;
}

/* The daemon ends, by itself or not; the sockets stay. */
static void leave(struct rtn_listener *listener)
{
    store.serving = false;
    rtn_listener_stop(listener);
    rtn_listener_close(listener);
    store.serving = true;
}

static bool is_refused(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool refused = connect(fd, address, length) < 0;
    rtn_fd_close(&fd);
    return refused;
}

static bool is_refused_at(int port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t) port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    return is_refused((struct sockaddr *) &v4, sizeof(v4));
}

static int port_of(const struct rtn_listener *listener)
{
    return atoi(strrchr(listener->text, ':') + 1);
}

static const char *address_of(const char *host, int port)
{
    static char text[128];
    (void) snprintf(text, sizeof(text), "%s%d", host, port);
    return text;
}

/*
 * A socket at `narrow` is kept, and the next daemon wants its port at all addresses. Elsewhere the port may be in use
 * by somebody else: then another one is tried.
 */
static struct rtn_listener *must_widen(const char *narrow, struct rtn_activation *activation, int *port)
{
    for (unsigned attempts = 0;; attempts++) {
        struct rtn_listener *before = must_keep(narrow, 1);
        struct rtn_listener *next = NULL;
        *port = port_of(before);
        leave(before);
        *activation = hand_over();
        int r = rtn_listener_open(address_of("", *port), 0, 1, activation, &next, &error);
        if (r == 0)
            return next;
        cr_assert(r == -EADDRINUSE && attempts < 100, "%s", error.data);
        rtn_activation_drop(activation, forget);
        rtn_activation_done(activation);
        while (kept_count > 0)
            forget(kept[0].name);
        rtn_buf_done(&error);
    }
}

static const char *path_in_folder(const char *name)
{
    static char text[128];
    (void) snprintf(text, sizeof(text), "unix:%s/%s", folder, name);
    return text;
}

Test(listener_keep, names_tell_the_address_and_have_no_colon)
{
    struct rtn_listener *tcp = must_keep("127.0.0.1:0", 2);
    char expected[256];
    (void) snprintf(expected, sizeof(expected), "listen-127.0.0.1,%d", port_of(tcp));
    cr_assert_eq(kept_count, 2);
    cr_expect_str_eq(kept[0].name, expected);
    cr_expect_str_eq(kept[1].name, expected);
    struct rtn_listener *un = must_keep(path_in_folder("a b,c"), 1);
    (void) snprintf(expected, sizeof(expected), "listen-unix,%s/a%%20b%%2Cc", folder);
    cr_assert_eq(kept_count, 3);
    cr_expect_str_eq(kept[2].name, expected);
    rtn_listener_close(tcp);
    rtn_listener_close(un);
    cr_expect_eq(kept_count, 0);
}

Test(listener_keep, keeping_twice_sends_nothing_more)
{
    struct rtn_listener *listener = must_keep("127.0.0.1:0", 1);
    cr_expect_eq(rtn_listener_keep(listener, &store), 0);
    cr_expect_eq(kept_count, 1);
    rtn_listener_close(listener);
}

Test(listener_keep, a_listener_that_is_stopped_while_serving_is_forgotten_and_refuses)
{
    struct rtn_listener *listener = must_keep("127.0.0.1:0", 2);
    int port = port_of(listener);
    rtn_listener_stop(listener);
    cr_expect_eq(kept_count, 0);
    cr_expect(is_refused_at(port));
    rtn_listener_close(listener);
}

Test(listener_keep, a_failure_to_keep_leaves_nothing_half_kept)
{
    keep_result = -ENOBUFS;
    struct rtn_activation none = { 0 };
    struct rtn_listener *listener = must_open("127.0.0.1:0", 0, 2, &none);
    cr_expect_eq(rtn_listener_keep(listener, &store), -ENOBUFS);
    cr_expect_eq(kept_count, 0);
    int port = port_of(listener);
    store.serving = false;
    rtn_listener_stop(listener); /* an ordinary one */
    cr_expect(is_refused_at(port));
    rtn_listener_close(listener);
}

Test(listener_keep, a_path_too_long_for_a_name_is_not_kept)
{
    char name[64];
    memset(name, ',', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    struct rtn_activation none = { 0 };
    struct rtn_listener *listener = must_open(path_in_folder(name), RTN_LISTENER_DEFAULT_MODE, 1, &none);
    cr_expect_eq(rtn_listener_keep(listener, &store), 0); /* 3 * 63 bytes still fit */
    rtn_listener_close(listener);

    memset(name, 1, sizeof(name) - 1);
    char text[128];
    (void) snprintf(text, sizeof(text), "unix:@%s%s", name,
                    "01234567890123456789\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1");
    listener = must_open(text, RTN_LISTENER_DEFAULT_MODE, 1, &none);
    cr_expect_eq(rtn_listener_keep(listener, &store), -ENAMETOOLONG);
    cr_expect_eq(kept_count, 0);
    rtn_listener_close(listener);
}

Test(listener_keep, the_next_daemon_gets_the_sockets_that_were_left)
{
    static const unsigned loops[][2] = { { 1, 1 }, { 3, 3 }, { 3, 1 }, { 1, 3 }, { 4, 3 } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(loops); i++) {
        struct rtn_listener *before = must_keep("127.0.0.1:0", loops[i][0]);
        int port = port_of(before);
        leave(before);
        cr_expect_not(is_refused_at(port)); /* and waits */

        struct rtn_activation activation = hand_over();
        struct rtn_listener *next = must_open(address_of("127.0.0.1:", port), 0, loops[i][1], &activation);
        cr_assert_eq(next->count, loops[i][0]);
        for (unsigned loop = 0; loop < loops[i][1]; loop++) {
            bool has_one = false;
            for (size_t j = 0; j < next->count; j++)
                has_one = has_one || rtn_listener_is_for(next, j, loop, loops[i][1]);
            cr_expect(has_one, "loop %u of %u with %zu sockets", loop, loops[i][1], next->count);
        }
        cr_expect(fcntl(next->sockets[0].fd, F_GETFL) & O_NONBLOCK);
        cr_expect_eq(port_of(next), port);
        cr_expect_eq(rtn_listener_keep(next, &store), 0);
        cr_expect_eq(kept_count, loops[i][0]); /* had them already */
        rtn_activation_drop(&activation, forget);
        cr_expect_eq(kept_count, loops[i][0]);
        rtn_listener_close(next);
        cr_expect_eq(kept_count, 0);
        cr_expect(is_refused_at(port));
        rtn_activation_done(&activation);
    }
}

Test(listener_keep, a_start_that_fails_leaves_them_once_more)
{
    struct rtn_listener *before = must_keep("127.0.0.1:0", 1);
    int port = port_of(before);
    leave(before);
    struct rtn_activation activation = hand_over();
    struct rtn_listener *next = must_open(address_of("127.0.0.1:", port), 0, 1, &activation);
    rtn_listener_close(next);
    rtn_activation_done(&activation);
    cr_expect_not(is_refused_at(port));
    cr_expect_eq(kept_count, 1);
    forget(kept[0].name);
    cr_expect(is_refused_at(port));
}

Test(listener_keep, what_nobody_wants_is_dropped)
{
    struct rtn_listener *before = must_keep("127.0.0.1:0", 2);
    int port = port_of(before);
    leave(before);
    struct rtn_activation activation = hand_over();
    rtn_activation_drop(&activation, forget);
    cr_expect(is_refused_at(port));
    cr_expect_eq(kept_count, 0);
    rtn_activation_drop(&activation, forget); /* nothing more */
    rtn_activation_done(&activation);
}

Test(listener_keep, sockets_of_socket_units_are_not_found_by_address_and_not_dropped)
{
    struct rtn_listener *before = must_keep("127.0.0.1:0", 1);
    int port = port_of(before);
    leave(before);
    struct rtn_activation activation = hand_over();
    (void) snprintf(activation.sockets[0].name, strlen(activation.sockets[0].name) + 1, "web");
    rtn_activation_drop(&activation, forget);
    cr_expect_geq(activation.sockets[0].fd, 0);
    struct rtn_listener *next = NULL;
    cr_expect_eq(rtn_listener_open(address_of("127.0.0.1:", port), 0, 1, &activation, &next, &error), -EADDRINUSE);
    rtn_activation_done(&activation);
    forget(kept[0].name);
}

Test(listener_keep, one_that_is_in_the_way_of_another_address_gives_way)
{
    struct rtn_activation activation;
    int port;
    struct rtn_listener *next = must_widen("127.0.0.1:0", &activation, &port);
    cr_expect_eq(next->count, 1);
    rtn_activation_drop(&activation, forget);
    cr_expect_eq(kept_count, 0);
    cr_expect_not(is_refused_at(port));
    rtn_listener_close(next);
    rtn_activation_done(&activation);
}

Test(listener_keep, only_ipv6_is_another_address_than_both)
{
    struct rtn_activation activation;
    int port;
    struct rtn_listener *next = must_widen("[::]:0", &activation, &port);
    cr_expect_not(next->sockets[0].kept);
    cr_expect_not(is_refused_at(port));
    rtn_activation_drop(&activation, forget);
    rtn_listener_close(next);
    rtn_activation_done(&activation);
}

Test(listener_keep, a_unix_socket_is_left_with_its_file)
{
    const char *address = path_in_folder("web.sock");
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    cr_assert_lt(strlen(address), sizeof(un.sun_path));
    strcpy(un.sun_path, address + strlen("unix:"));
    leave(must_keep(address, 2));
    cr_expect_not(is_refused((struct sockaddr *) &un, sizeof(un)));

    struct rtn_activation activation = hand_over();
    struct rtn_listener *next = must_open(address, 0600, 2, &activation);
    struct stat st;
    cr_expect(next->sockets[0].kept);
    cr_expect_eq(next->sockets[0].loop, RTN_LISTENER_ALL_LOOPS);
    cr_expect(stat(un.sun_path, &st) == 0 && (st.st_mode & 0777) == 0600);
    cr_expect_eq(rtn_listener_keep(next, &store), 0);
    rtn_listener_close(next);
    cr_expect_lt(access(un.sun_path, F_OK), 0);
    cr_expect_eq(kept_count, 0);
    rtn_activation_done(&activation);
}

Test(listener_keep, a_unix_socket_without_its_file_is_bound_again)
{
    const char *address = path_in_folder("web.sock");
    leave(must_keep(address, 1));
    cr_assert_eq(unlink(address + strlen("unix:")), 0);
    struct rtn_activation activation = hand_over();
    struct rtn_listener *next = must_open(address, RTN_LISTENER_DEFAULT_MODE, 1, &activation);
    cr_expect_not(next->sockets[0].kept);
    rtn_activation_drop(&activation, forget);
    cr_expect_eq(kept_count, 0);
    cr_expect_eq(rtn_listener_keep(next, &store), 0);
    cr_expect_eq(kept_count, 1);
    rtn_listener_close(next);
    rtn_activation_done(&activation);
}

Test(listener_keep, a_listener_that_others_have_too_stays)
{
    struct rtn_listener *listener = must_keep("127.0.0.1:0", 1);
    int port = port_of(listener);
    struct rtn_listener *second = rtn_listener_ref(listener);
    rtn_listener_close(listener);
    cr_expect_eq(kept_count, 1);
    cr_expect_not(is_refused_at(port));
    rtn_listener_close(second);
    cr_expect_eq(kept_count, 0);
}
