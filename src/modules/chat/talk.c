/*
 * One loop over two descriptors. What is read is cut into lines by the same few functions on either side. The socket
 * never blocks: what it does not take at once waits in `out`, and the user is not read meanwhile, so that no more than
 * one read's worth waits. At the end of the input the server is told that no more comes, and gets a moment to close, so
 * that nothing is lost that was said last.
 */
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "speech.h"
#include "text.h"

#define LINE_LONGEST 65536
#define SAID_LONGEST 3500 /* as JSON, with most of it escaped, still below the 8 KiB that servers take by default */
#define GOODBYE_MS 2000
#define READ_SIZE 4096

struct lines {
    size_t longest;
    size_t length;
    bool too_long;
    char data[LINE_LONGEST];
};

struct talk {
    int fd;
    const char *name;
    struct lines user;
    struct lines server;
    char *out; /* to the server, from out_at on */
    size_t out_length;
    size_t out_at;
    bool silent; /* the user has said everything */
    bool over;
    int status;
    int64_t deadline_ms; /* of the goodbye; 0: not begun */
};

static void fail(struct talk *talk, const char *what, int error)
{
    (void) fprintf(stderr, "retinue-chat: %s%s%s\n", what, error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
    talk->over = true;
    talk->status = 1;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* From the server */

static void print(struct talk *talk, char *text)
{
    if (text == NULL)
        fail(talk, "out of memory", 0);
    else if (puts(text) == EOF || fflush(stdout) == EOF)
        fail(talk, "cannot write", errno);
    free(text);
}

/* What is not of the form of this chat is shown too: a greeting, or lines of a server for people. */
static void hear(struct talk *talk, const char *line, size_t length)
{
    struct speech speech;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (speech_parse(&speech, line, length) < 0) {
        print(talk, text_clean(line, length));
        return;
    }
    print(talk, speech_text(speech.name, speech.words));
    speech_done(&speech);
}

/* To the server */

static void send_out(struct talk *talk)
{
    ssize_t n = send(talk->fd, talk->out + talk->out_at, talk->out_length - talk->out_at, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        fail(talk, "the connection is lost", errno);
    talk->out_at += n > 0 ? (size_t) n : 0;
    if (talk->out_at == talk->out_length)
        talk->out_at = talk->out_length = 0;
}

static int append(struct talk *talk, const char *bytes, size_t length)
{
    char *grown = realloc(talk->out, talk->out_length + length);
    if (grown == NULL)
        return -ENOMEM;
    memcpy(grown + talk->out_length, bytes, length);
    talk->out = grown;
    talk->out_length += length;
    return 0;
}

static void say(struct talk *talk, const char *line, size_t length)
{
    char *words = text_clean(line, length);
    char *json = words != NULL ? speech_json(talk->name, words) : NULL;
    if (json == NULL || (length > 0 && (append(talk, json, strlen(json)) < 0 || append(talk, "\r\n", 2) < 0)))
        fail(talk, "out of memory", 0);
    free(words);
    free(json);
}

/* Lines */

static void end_line(struct talk *talk, struct lines *lines, void (*take)(struct talk *, const char *, size_t))
{
    if (lines->too_long)
        (void) fprintf(stderr, "retinue-chat: a line longer than %zu bytes was left out\n", lines->longest);
    else
        take(talk, lines->data, lines->length);
    lines->length = 0;
    lines->too_long = false;
}

static void cut(struct talk *talk, struct lines *lines, const char *bytes, size_t length,
                void (*take)(struct talk *, const char *, size_t))
{
    for (size_t i = 0; i < length && !talk->over; i++) {
        if (bytes[i] == '\n')
            end_line(talk, lines, take);
        else if (lines->length == lines->longest)
            lines->too_long = true;
        else
            lines->data[lines->length++] = bytes[i];
    }
}

/* The loop */

static void read_user(struct talk *talk)
{
    char bytes[READ_SIZE];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n < 0 && errno == EINTR)
        return;
    if (n < 0)
        fail(talk, "cannot read", errno);
    else if (n > 0)
        cut(talk, &talk->user, bytes, (size_t) n, say);
    else if (talk->user.length > 0)
        end_line(talk, &talk->user, say);
    talk->silent = talk->silent || n == 0;
}

/* In order, whoever is the first to go; but one who did not mean to is told why. */
static void hear_end(struct talk *talk)
{
    if (talk->deadline_ms == 0)
        (void) fprintf(stderr, "retinue-chat: the server has closed the connection\n");
    talk->over = true;
}

static void read_server(struct talk *talk)
{
    char bytes[READ_SIZE];
    ssize_t n = recv(talk->fd, bytes, sizeof(bytes), 0);
    if (n > 0)
        cut(talk, &talk->server, bytes, (size_t) n, hear);
    else if (n == 0)
        hear_end(talk);
    else if (errno != EAGAIN && errno != EINTR)
        fail(talk, "the connection is lost", errno);
}

static void say_goodbye(struct talk *talk)
{
    (void) shutdown(talk->fd, SHUT_WR);
    talk->deadline_ms = now_ms() + GOODBYE_MS;
}

static void turn(struct talk *talk)
{
    bool waiting = talk->out_length > 0;
    int64_t left = talk->deadline_ms != 0 ? talk->deadline_ms - now_ms() : -1;
    struct pollfd fds[] = {
        { .fd = talk->fd, .events = (short) (POLLIN | (waiting ? POLLOUT : 0)) },
        { .fd = waiting || talk->silent ? -1 : STDIN_FILENO, .events = POLLIN },
    };
    talk->over = talk->deadline_ms != 0 && left <= 0;
    if (talk->over || (poll(fds, 2, (int) left) < 0 && errno == EINTR))
        return;
    if (fds[0].revents & POLLOUT)
        send_out(talk);
    if (fds[0].revents & ~POLLOUT && !talk->over)
        read_server(talk);
    if (fds[1].revents != 0 && !talk->over)
        read_user(talk);
    if (talk->silent && talk->out_length == 0 && talk->deadline_ms == 0 && !talk->over)
        say_goodbye(talk);
}

int talk(int fd, const char *name)
{
    struct talk talk = {
        .fd = fd, .name = name, .user = { .longest = SAID_LONGEST }, .server = { .longest = LINE_LONGEST }
    };
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        fail(&talk, "cannot use the connection", errno);
    while (!talk.over)
        turn(&talk);
    free(talk.out);
    return talk.status;
}
