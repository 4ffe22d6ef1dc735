/*
 * The protocol of the service manager: environment, descriptors from 3 up, names; and nonsense in each of them. The
 * framework has descriptors of its own there, so each test does its work in a child that has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "net/activation.h"

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            fprintf(stderr, "%s:%d: not: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                            \
        }                                                                        \
    } while (0)

static bool holds_in_child(void (*body)(void))
{
    pid_t child = fork();
    if (child == 0) {
        (void) close_range(3, ~0U, 0);
        body();
        _exit(0);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

#define CHILD_TEST(name)                                                      \
    static void name##_body(void);                                            \
    Test(activation, name)                                                    \
    {                                                                         \
        cr_assert(holds_in_child(name##_body), "a check above did not hold"); \
    }                                                                         \
    static void name##_body(void)

static void say(const char *pid, const char *count, const char *names)
{
    char own[32];
    (void) snprintf(own, sizeof(own), "%d", (int) getpid());
    (void) setenv("LISTEN_PID", pid != NULL ? pid : own, 1);
    if (count != NULL)
        (void) setenv("LISTEN_FDS", count, 1);
    else
        (void) unsetenv("LISTEN_FDS");
    if (names != NULL)
        (void) setenv("LISTEN_FDNAMES", names, 1);
    else
        (void) unsetenv("LISTEN_FDNAMES");
}

static int make_socket(bool listening)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK(bind(fd, (struct sockaddr *) &any, sizeof(any)) == 0);
    if (listening)
        CHECK(listen(fd, 1) == 0);
    return fd;
}

/* Descriptors 3, 4, ... as the service manager leaves them. */
static void place_sockets(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int fd = make_socket(true);
        if (fd != (int) i + 3) {
            CHECK(dup2(fd, (int) i + 3) == (int) i + 3);
            (void) close(fd);
        }
    }
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void expect_clean_environment(void)
{
    CHECK(getenv("LISTEN_PID") == NULL);
    CHECK(getenv("LISTEN_FDS") == NULL);
    CHECK(getenv("LISTEN_FDNAMES") == NULL);
}

CHILD_TEST(none_without_the_variables)
{
    struct rtn_activation activation;
    (void) unsetenv("LISTEN_PID");
    (void) unsetenv("LISTEN_FDS");
    CHECK(rtn_activation_read(&activation) == 0);
    CHECK(activation.count == 0);
    char *names = rtn_activation_names(&activation);
    CHECK(strcmp(names, "") == 0);
    free(names);
    CHECK(rtn_activation_take(&activation, "unknown") == -1);
    rtn_activation_done(&activation);
}

CHILD_TEST(nonsense_means_none)
{
    static const struct {
        const char *pid; /* NULL: ours */
        const char *count;
    } table[] = {
        { "1", "1" },   { "", "1" },     { "abc", "1" }, { "99999999999999999999", "1" },
        { NULL, "" },   { NULL, "abc" }, { NULL, "0" },  { NULL, "-1" },
        { NULL, "1x" }, { NULL, " 1" },  { NULL, NULL }, { NULL, "99999999999999999999" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        struct rtn_activation activation;
        say(table[i].pid, table[i].count, "web");
        CHECK(rtn_activation_read(&activation) == 0);
        CHECK(activation.count == 0);
        expect_clean_environment();
        rtn_activation_done(&activation);
    }
}

CHILD_TEST(impossible_counts_are_errors_and_touch_no_output)
{
    static const struct {
        const char *count;
        int result;
    } table[] = { { "1025", -E2BIG }, { "2147483647", -E2BIG }, { "1000", -EBADF } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        struct rtn_activation activation = { .count = 77 };
        say(NULL, table[i].count, NULL);
        for (int fd = 3; fd < 10; fd++)
            CHECK(dup2(0, fd) == fd);
        CHECK(rtn_activation_read(&activation) == table[i].result);
        CHECK(activation.count == 77);
        expect_clean_environment();
    }
}

CHILD_TEST(names_and_close_on_exec)
{
    struct rtn_activation activation;
    place_sockets(4);
    say(NULL, "4", "web:admin::web");
    CHECK(rtn_activation_read(&activation) == 0);
    expect_clean_environment();
    CHECK(activation.count == 4);
    char *names = rtn_activation_names(&activation);
    CHECK(strcmp(names, "web, admin, unknown, web") == 0);
    free(names);
    for (int fd = 3; fd < 7; fd++)
        CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(rtn_activation_take(&activation, "web") == 3);
    CHECK(rtn_activation_take(&activation, "web") == 6);
    CHECK(rtn_activation_take(&activation, "web") == -1);
    CHECK(rtn_activation_take(&activation, "unknown") == 5);
    CHECK(rtn_activation_take(&activation, "we") == -1);
    rtn_activation_done(&activation);
    CHECK(is_open(3));
    CHECK(!is_open(4));
    CHECK(is_open(5));
    CHECK(is_open(6));
}

CHILD_TEST(fewer_names_than_sockets)
{
    struct rtn_activation activation;
    place_sockets(3);
    say(NULL, "3", "web");
    CHECK(rtn_activation_read(&activation) == 0);
    char *names = rtn_activation_names(&activation);
    CHECK(strcmp(names, "web, unknown, unknown") == 0);
    free(names);
    rtn_activation_done(&activation);
    CHECK(!is_open(3));
}

CHILD_TEST(only_listening_stream_sockets_are_given_out)
{
    struct rtn_activation activation;
    place_sockets(4);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    int idle = make_socket(false);
    int file = open("/dev/null", O_RDONLY);
    CHECK(dup2(udp, 3) == 3);
    CHECK(dup2(idle, 4) == 4);
    CHECK(dup2(file, 5) == 5);
    say(NULL, "4", "x:x:x:x");
    CHECK(rtn_activation_read(&activation) == 0);
    CHECK(rtn_activation_take(&activation, "x") == 6);
    CHECK(rtn_activation_take(&activation, "x") == -1);
    rtn_activation_done(&activation);
}
