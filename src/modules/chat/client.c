/*
 * retinue-chat: a terminal client for the module chat, and for every chat that speaks the JSON lines of the textbooks.
 * This file has the command line and the connection; talk.c has the conversation.
 */
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "talk.h"
#include "text.h"

#define NAME_LONGEST 64

enum { EXIT_USAGE = 2 };

static const struct option long_options[] = {
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { 0 },
};

static void print_help(void)
{
    (void) puts("Usage: retinue-chat HOST PORT NAME\n"
                "Sends each line that you type to a chat server, under that name, and prints what others say.\n"
                "\n"
                "  -h, --help     print this\n"
                "  -V, --version  print the version\n"
                "\n"
                "It ends with the input (Ctrl-D) or with the server. Manual: retinue-chat(1)");
}

static int usage(const char *problem)
{
    (void) fprintf(stderr, "retinue-chat: %s\nUsage: retinue-chat HOST PORT NAME\n", problem);
    return EXIT_USAGE;
}

/* A connected socket, or a negative errno. */
static int connect_one(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int error = errno;
    (void) close(fd);
    return -error;
}

/* The first of all addresses of the host that works. */
static int connect_any(const struct addrinfo *addresses)
{
    int r = -ENOENT;
    for (const struct addrinfo *address = addresses; address != NULL && r < 0; address = address->ai_next)
        r = connect_one(address);
    return r;
}

/* Negative after saying why. */
static int connect_to(const char *host, const char *port)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *addresses;
    int r = getaddrinfo(host, port, &hints, &addresses);
    if (r != 0) {
        (void) fprintf(stderr, "retinue-chat: cannot find %s, port %s: %s\n", host, port, gai_strerror(r));
        return -ENOENT;
    }
    r = connect_any(addresses);
    freeaddrinfo(addresses);
    if (r < 0)
        (void) fprintf(stderr, "retinue-chat: cannot connect to %s, port %s: %s\n", host, port, strerror(-r));
    return r;
}

static int run(const char *host, const char *port, const char *name)
{
    int fd = connect_to(host, port);
    if (fd < 0)
        return EXIT_FAILURE;
    if (isatty(STDIN_FILENO))
        (void) fprintf(stderr, "Connected to %s, port %s. Ctrl-D ends.\n", host, port);
    int status = talk(fd, name);
    (void) close(fd);
    return status;
}

/* What is shown and sent has no control characters, so neither has the name. */
static bool is_good_name(const char *name)
{
    size_t length = strlen(name);
    char *clean = text_clean(name, length);
    bool good = clean != NULL && length > 0 && length <= NAME_LONGEST && strcmp(clean, name) == 0;
    free(clean);
    return good;
}

/* Numbers that are none of ports wrap around in getaddrinfo(); what begins otherwise is a name, which it knows or not.
 */
static bool is_good_port(const char *port)
{
    char *end;
    unsigned long number = strtoul(port, &end, 10);
    return *end != '\0' || (number >= 1 && number <= 65535);
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
        if (option == '?')
            return EXIT_USAGE;
        if (option == 'h')
            print_help();
        else
            (void) puts("retinue-chat " CHAT_VERSION);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    if (argc - optind != 3)
        return usage("HOST, PORT and NAME are needed");
    if (!is_good_port(argv[optind + 1]))
        return usage("PORT must be 1 to 65535, or the name of a service");
    if (!is_good_name(argv[optind + 2]))
        return usage("NAME must have 1 to 64 bytes of UTF-8, without control characters");
    (void) signal(SIGPIPE, SIG_IGN);
    return run(argv[optind], argv[optind + 1], argv[optind + 2]);
}
