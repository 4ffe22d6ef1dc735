/*
 * Commands of the test module hub_probe: each is one call of the API by the thread that runs it.
 *
 *   send KIND COUNT DEED TAG          the result of each, one word each; numbers count from 0
 *   move KIND COUNT DEED TAG          the same, moved; "released tag=T number=N" is seen
 *   pour KIND COUNT TAG               sends until each is taken; how many had to wait
 *   ask KIND DEED TIMEOUT TAG         "then tag=T result=R number=N answered=THREAD on=THREAD" is seen
 *   bytes LENGTH, movebytes LENGTH    hub_bytes with a pattern
 *   short KIND                        a payload of another size
 *   push TEXT, do COMMAND             hub_push, hub_do
 *   release                           the messages that were kept
 *   stop SERVER
 */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_probe.h"

static const struct hub_kind kinds[] = {
    { "loop", RTN_TYPE(hub_loop), rtn_send_hub_loop, rtn_move_hub_loop, rtn_ask_hub_loop, rtn_ask_hub_loop_for },
    { "serial", RTN_TYPE(hub_serial), rtn_send_hub_serial, rtn_move_hub_serial, rtn_ask_hub_serial,
      rtn_ask_hub_serial_for },
    { "parallel", RTN_TYPE(hub_parallel), rtn_send_hub_parallel, rtn_move_hub_parallel, rtn_ask_hub_parallel,
      rtn_ask_hub_parallel_for },
    { "web", RTN_TYPE(hub_web), rtn_send_hub_web, rtn_move_hub_web, rtn_ask_hub_web, rtn_ask_hub_web_for },
    { "unlisted", RTN_TYPE(hub_unlisted), rtn_send_hub_unlisted, rtn_move_hub_unlisted, rtn_ask_hub_unlisted,
      rtn_ask_hub_unlisted_for },
};

static const char *const deeds[] = { "plain", "gate", "fail",   "keep",  "answer", "twice", "later",
                                     "never", "done", "refuse", "other", "short",  "both" };

static void say(struct hub_text *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out->data + out->length, sizeof(out->data) - out->length, format, args);
    va_end(args);
    out->length += (size_t) length;
    if (out->length >= sizeof(out->data))
        out->length = sizeof(out->data) - 1;
}

static void say_result(struct hub_text *out, int r, const char *after)
{
    if (r < 0)
        say(out, "-%s%s", strerrorname_np(-r), after);
    else
        say(out, "%d%s", r, after);
}

static const struct hub_kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    abort();
}

struct hub_note hub_make_note(const char *deed, int64_t tag, int64_t number)
{
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
        if (strcmp(deeds[i], deed) == 0)
            return (struct hub_note){ .tag = tag, .number = number, .deed = (int32_t) i };
    }
    abort();
}

#define MOST_WORDS 4
#define WORD_SIZE 32

static void split(const char *text, char at, char words[MOST_WORDS][WORD_SIZE])
{
    const char separator[] = { at, '\0' };
    for (unsigned i = 0; i < MOST_WORDS; i++) {
        size_t length = strcspn(text, separator);
        (void) snprintf(words[i], WORD_SIZE, "%.*s", (int) length, text);
        text += length + (text[length] != '\0' ? 1 : 0);
    }
}

struct arguments {
    struct hub_probe *probe;
    rtn_server *server;
    const char *rest; /* all of them as they were written */
    char words[MOST_WORDS][WORD_SIZE];
    struct hub_text *out;
};

static long long number(const struct arguments *args, unsigned word)
{
    return strtoll(args->words[word], NULL, 10);
}

static void release_note(void *data)
{
    const struct hub_note *note = data;
    hub_saw("released tag=%lld number=%lld", (long long) note->tag, (long long) note->number);
    free(data);
}

static int move_note(const struct hub_kind *kind, const struct hub_note *note)
{
    struct hub_note *copy = malloc(sizeof(*copy));
    if (copy == NULL)
        return -ENOMEM;
    *copy = *note;
    return kind->move(copy, release_note, copy);
}

static void send_all(struct arguments *args, bool moved)
{
    const struct hub_kind *kind = find_kind(args->words[0]);
    long long count = number(args, 1);
    for (long long i = 0; i < count; i++) {
        struct hub_note note = hub_make_note(args->words[2], number(args, 3), i);
        int r = moved ? move_note(kind, &note) : kind->send(&note);
        say_result(args->out, r, i + 1 < count ? " " : "");
    }
}

static void do_send(struct arguments *args)
{
    send_all(args, false);
}

static void do_move(struct arguments *args)
{
    send_all(args, true);
}

static void do_pour(struct arguments *args)
{
    const struct hub_kind *kind = find_kind(args->words[0]);
    long long count = number(args, 1);
    int waits = 0;
    for (long long i = 0; i < count; i++) {
        const struct hub_note note = { .tag = number(args, 2), .number = i };
        int r;
        while ((r = kind->send(&note)) == -EAGAIN) {
            waits++;
            (void) sched_yield();
        }
        if (r < 0) {
            say_result(args->out, r, " ");
            break;
        }
    }
    say(args->out, "%d", waits);
}

static void on_answer(int result, const struct hub_reply *reply, void *data)
{
    hub_saw("then tag=%lld result=%d number=%lld answered=%s on=%s", (long long) (intptr_t) data, result,
            reply != NULL ? (long long) reply->number : -1LL, reply != NULL ? reply->on : "", rtn_thread_name());
}

static void do_ask(struct arguments *args)
{
    long long tag = number(args, 3);
    struct hub_note note = hub_make_note(args->words[1], tag, 7);
    int r = find_kind(args->words[0])
                ->ask(args->server, args->probe, &note, number(args, 2), on_answer, (void *) (intptr_t) tag);
    say_result(args->out, r, "");
}

static void release_bytes(void *data)
{
    hub_saw("released bytes");
    free(data);
}

static void send_bytes(struct arguments *args, bool moved)
{
    size_t length = strtoul(args->rest, NULL, 10);
    unsigned char *bytes = malloc(length + 1);
    if (bytes == NULL)
        abort();
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char) (i * 7);
    int r = moved ? rtn_move_hub_bytes(bytes, length, release_bytes, bytes) : rtn_send_hub_bytes(bytes, length);
    if (!moved)
        free(bytes);
    say_result(args->out, r, "");
}

static void do_bytes(struct arguments *args)
{
    send_bytes(args, false);
}

static void do_movebytes(struct arguments *args)
{
    send_bytes(args, true);
}

static void do_short(struct arguments *args)
{
    char bytes[sizeof(struct hub_note) - 1] = { 0 };
    say_result(args->out, rtn_send(find_kind(args->rest)->type, bytes, sizeof(bytes)), " ");
    say_result(args->out, rtn_send(find_kind(args->rest)->type, NULL, sizeof(struct hub_note)), "");
}

static void do_push(struct arguments *args)
{
    say_result(args->out, rtn_send_hub_push(args->rest, strlen(args->rest)), "");
}

static void do_do(struct arguments *args)
{
    say_result(args->out, rtn_send_hub_do(args->rest, strlen(args->rest)), "");
}

static void do_release(struct arguments *args)
{
    say(args->out, "%d", hub_release_all());
}

static void do_stop(struct arguments *args)
{
    say_result(args->out, rtn_server_stop(args->rest), "");
}

static const struct {
    const char *name;
    void (*run)(struct arguments *args);
} commands[] = {
    { "send", do_send },   { "move", do_move },           { "pour", do_pour },   { "ask", do_ask },
    { "bytes", do_bytes }, { "movebytes", do_movebytes }, { "short", do_short }, { "push", do_push },
    { "do", do_do },       { "release", do_release },     { "stop", do_stop },
};

static void run(struct arguments *args, const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            commands[i].run(args);
            say(args->out, "\n");
            return;
        }
    }
    abort();
}

void hub_command(struct hub_probe *probe, rtn_server *server, const char *lines, struct hub_text *out)
{
    while (*lines != '\0') {
        char line[256];
        size_t length = strcspn(lines, "\n");
        (void) snprintf(line, sizeof(line), "%.*s", (int) length, lines);
        lines += lines[length] == '\n' ? length + 1 : length;
        char *rest = line + strcspn(line, " ");
        if (*rest != '\0')
            *rest++ = '\0';
        struct arguments args = { .probe = probe, .server = server, .rest = rest, .out = out };
        split(rest, ' ', args.words);
        run(&args, line);
    }
}

static int on_answer_for(rtn_request *request, int result, const struct hub_reply *reply, void *data)
{
    hub_saw("then for=%s result=%d on=%s", (const char *) data, result, rtn_thread_name());
    free(data);
    if (result < 0)
        return rtn_reply_format(request, 502, "-%s", strerrorname_np(-result));
    return rtn_reply_format(request, 200, "%lld %s", (long long) reply->number, reply->on);
}

static void drop(void *data)
{
    hub_saw("drop for=%s", (const char *) data);
    free(data);
}

/* /KIND/DEED/TIMEOUT/NAME */
int hub_ask_for(rtn_request *request, void *instance)
{
    char words[MOST_WORDS][WORD_SIZE];
    char path[128];
    (void) instance;
    (void) snprintf(path, sizeof(path), "%.*s", RTN_STR_ARG(rtn_request_param(request, "*")));
    split(path, '/', words);
    struct hub_note note = hub_make_note(words[1], 0, 7);
    char *name = strdup(words[3]);
    int r = find_kind(words[0])->ask_for(request, &note, strtoll(words[2], NULL, 10), on_answer_for, drop, name);
    if (r == 0)
        return RTN_LATER;
    free(name);
    return rtn_reply_format(request, 500, "-%s", strerrorname_np(-r));
}
