/*
 * Commands that lines give: one word, arguments, and a text up to the end, in which \n, \r and \\ are written so. Each
 * is answered by a line to who gave it: what the function returned. @ is the number of that connection.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate.h"
#include "line_probe.h"

#define MANY 1200 /* numbers in a list */

struct command {
    struct line_probe *probe;
    rtn_connection *connection;
    uint64_t self;
    rtn_str rest;
};

static rtn_str next_word(rtn_str *rest)
{
    size_t length = 0;
    while (length < rest->length && rest->data[length] != ' ')
        length++;
    rtn_str word = { rest->data, length };
    size_t skip = length < rest->length ? length + 1 : length;
    *rest = (rtn_str){ rest->data + skip, rest->length - skip };
    return word;
}

static uint64_t next_id(struct command *command)
{
    rtn_str word = next_word(&command->rest);
    return word.length == 1 && word.data[0] == '@' ? command->self : strtoull(word.data, NULL, 10);
}

static int64_t next_number(struct command *command)
{
    return strtoll(next_word(&command->rest).data, NULL, 10);
}

/* What is left, its escapes undone. Freed by the caller. */
static char *read_text(rtn_str rest, size_t *length)
{
    char *text = calloc(1, rest.length + 1);
    size_t to = 0;
    if (text == NULL)
        abort();
    for (size_t i = 0; i < rest.length; i++) {
        char c = rest.data[i];
        if (c == '\\' && i + 1 < rest.length) {
            c = rest.data[++i];
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        text[to++] = c;
    }
    *length = to;
    return text;
}

static const char *result_name(int64_t r, char out[32])
{
    (void) snprintf(out, 32, "%lld", (long long) r);
    return r < 0 ? strerrorname_np((int) -r) : out;
}

static int answer(const struct command *command, const char *what, int64_t r)
{
    char text[32];
    return rtn_line_send_format(command->self, "%s %s%s", what, r < 0 ? "-" : "", result_name(r, text));
}

static int do_who(struct command *command)
{
    return rtn_line_send_format(command->self, "id=%llu peer=%s thread=%s", (unsigned long long) command->self,
                                rtn_connection_peer(command->connection), rtn_thread_name());
}

static int do_send(struct command *command)
{
    size_t length = 0;
    uint64_t id = next_id(command);
    char *text = read_text(command->rest, &length);
    int r = rtn_line_send(id, text, length);
    free(text);
    return answer(command, "send", r);
}

static int do_many(struct command *command)
{
    uint64_t ids[MANY];
    uint64_t failed[MANY];
    size_t count = 0;
    size_t length = 0;
    rtn_str list = next_word(&command->rest);
    char *text = read_text(command->rest, &length);
    for (const char *at = list.data; count < MANY && at < list.data + list.length; at++) {
        char *end = NULL;
        ids[count++] = strtoull(at, &end, 10);
        at = end;
    }
    int64_t r = rtn_line_send_many(ids, count, text, length, failed);
    free(text);
    if (r <= 0)
        return answer(command, "many", r);
    return rtn_line_send_format(command->self, "many %lld, first %llu", (long long) r, (unsigned long long) failed[0]);
}

static int do_wrong(struct command *command)
{
    int results[] = {
        rtn_line_send(command->self, NULL, 1),
        rtn_line_send_text(command->self, NULL),
        (int) rtn_line_send_many(NULL, 1, "x", 1, NULL),
        (int) rtn_line_send_many(&command->self, 1, NULL, 1, NULL),
        (int) rtn_line_send_many(NULL, 0, "x", 1, NULL),
        rtn_line_send_text(0, "x"),
        rtn_line_send_text(UINT64_MAX, "x"),
        rtn_line_close(0),
        rtn_line_is_open(0),
    };
    char text[200] = "";
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        char one[32];
        size_t used = strlen(text);
        (void) snprintf(text + used, sizeof(text) - used, " %s%s", results[i] < 0 ? "-" : "",
                        result_name(results[i], one));
    }
    return rtn_line_send_format(command->self, "wrong%s", text);
}

static int do_ws(struct command *command)
{
    uint64_t id = next_id(command);
    char text[32];
    return rtn_line_send_format(command->self, "ws -%s open %d close -%s", result_name(rtn_ws_send_text(id, "x"), text),
                                rtn_ws_is_open(id), result_name(rtn_ws_close(id, 1000, NULL), text));
}

static int do_format(struct command *command)
{
    int64_t width = next_number(command);
    return rtn_line_send_format(command->self, "%0*d", (int) width, 7);
}

static int do_close(struct command *command)
{
    uint64_t id = next_id(command);
    int r = rtn_line_close(id);
    return id == command->self ? 0 : answer(command, "close", r);
}

static int do_open(struct command *command)
{
    return answer(command, "open", rtn_line_is_open(next_id(command)));
}

static int do_list(struct command *command)
{
    uint64_t ids[MANY];
    size_t capacity = (size_t) next_number(command);
    size_t count = rtn_line_connections(command->probe->server, ids, capacity < MANY ? capacity : MANY);
    size_t ws = rtn_ws_connections(command->probe->server, RTN_WS_ACCEPTED | RTN_WS_OUTGOING, NULL, 0);
    bool mine = false;
    for (size_t i = 0; i < count && i < capacity; i++)
        mine = mine || ids[i] == command->self;
    return rtn_line_send_format(command->self, "list %zu mine %d ws %zu", count, mine, ws);
}

static int do_sub(struct command *command)
{
    char topic[300];
    uint64_t id = next_id(command);
    (void) snprintf(topic, sizeof(topic), "%.*s", RTN_STR_ARG(command->rest));
    return answer(command, "sub", rtn_subscribe(id, topic));
}

static int do_unsub(struct command *command)
{
    char topic[300];
    uint64_t id = next_id(command);
    (void) snprintf(topic, sizeof(topic), "%.*s", RTN_STR_ARG(command->rest));
    return answer(command, "unsub", rtn_unsubscribe(id, topic));
}

static int publish(struct command *command, enum rtn_ws_type type)
{
    char topic[300];
    size_t length = 0;
    rtn_str name = next_word(&command->rest);
    (void) snprintf(topic, sizeof(topic), "%.*s", RTN_STR_ARG(name));
    uint64_t except = next_id(command);
    char *text = read_text(command->rest, &length);
    int r = rtn_publish(topic, type, text, length, except);
    free(text);
    return answer(command, "pub", r);
}

static int do_pub(struct command *command)
{
    return publish(command, RTN_WS_TEXT);
}

static int do_pub_binary(struct command *command)
{
    return publish(command, RTN_WS_BINARY);
}

static int do_fill(struct command *command)
{
    uint64_t id = next_id(command);
    int64_t count = next_number(command);
    int64_t size = next_number(command);
    char *line = malloc((size_t) size + 1);
    char text[32];
    int64_t sent = 0;
    int r = 0;
    if (line == NULL)
        abort();
    for (; sent < count && r >= 0; sent += r >= 0) {
        memset(line, 'a' + (int) (sent % 26), (size_t) size);
        r = rtn_line_send(id, line, (size_t) size);
    }
    free(line);
    rtn_log(RTN_LOG_NOTICE, "line %s: filled sent=%lld last=%s%s", command->probe->name, (long long) sent,
            r < 0 ? "-" : "", result_name(r, text));
    return 0;
}

static int do_keep(struct command *command)
{
    return answer(command, "keep", line_keep(command->connection, command->probe, command->rest));
}

static int do_kept(struct command *command)
{
    const struct line_data *kept = rtn_connection_data(command->connection);
    return rtn_line_send_format(command->self, "kept %s", kept != NULL ? kept->text : "nothing");
}

static int do_sleep(struct command *command)
{
    int64_t ms = next_number(command);
    (void) nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
    return answer(command, "slept", ms);
}

static int do_until(struct command *command)
{
    char path[300];
    (void) snprintf(path, sizeof(path), "%.*s", RTN_STR_ARG(command->rest));
    rtn_log(RTN_LOG_NOTICE, "line %s: waits", command->probe->name);
    gate_pass(path);
    return answer(command, "waited", 0);
}

static int do_fail(struct command *command)
{
    (void) command;
    return -EIO;
}

/* On a thread of its own: so many lines, numbered. */
struct job {
    struct line_probe *probe;
    uint64_t id;
    int64_t count;
};

static void *send_numbers(void *data)
{
    struct job *job = data;
    int r = 0;
    for (int64_t i = 0; i < job->count && r >= 0; i++)
        r = rtn_line_send_format(job->id, "number %lld", (long long) i);
    if (r < 0)
        rtn_log(RTN_LOG_NOTICE, "line %s: thread ends: %s", job->probe->name, strerrorname_np(-r));
    free(job);
    return NULL;
}

static int do_thread(struct command *command)
{
    struct job *job = malloc(sizeof(*job));
    unsigned at = atomic_fetch_add(&command->probe->thread_count, 1);
    if (job == NULL || at >= LINE_THREADS)
        abort();
    *job = (struct job){ .probe = command->probe, .id = next_id(command) };
    job->count = next_number(command);
    return -pthread_create(&command->probe->threads[at], NULL, send_numbers, job);
}

void line_threads_join(struct line_probe *probe)
{
    for (unsigned i = 0; i < atomic_load(&probe->thread_count); i++)
        (void) pthread_join(probe->threads[i], NULL);
}

static const struct {
    const char *name;
    int (*run)(struct command *command);
} commands[] = {
    { "!who", do_who },
    { "!send", do_send }, /* ID TEXT */
    { "!many", do_many }, /* ID,ID TEXT */
    { "!wrong", do_wrong },
    { "!ws", do_ws }, /* ID */
    { "!format", do_format }, /* WIDTH */
    { "!close", do_close }, /* ID */
    { "!open", do_open }, /* ID */
    { "!list", do_list }, /* CAPACITY */
    { "!sub", do_sub }, /* ID TOPIC */
    { "!unsub", do_unsub }, /* ID TOPIC */
    { "!pub", do_pub }, /* TOPIC EXCEPT TEXT */
    { "!pub-binary", do_pub_binary }, /* TOPIC EXCEPT TEXT */
    { "!fill", do_fill }, /* ID COUNT SIZE */
    { "!keep", do_keep }, /* TEXT */
    { "!kept", do_kept },
    { "!sleep", do_sleep }, /* MS */
    { "!until", do_until }, /* PATH */
    { "!fail", do_fail },
    { "!thread", do_thread }, /* ID COUNT */
};

int line_command(struct line_probe *probe, rtn_connection *connection, rtn_str line)
{
    struct command command = { probe, connection, rtn_connection_id(connection), line };
    rtn_str name = next_word(&command.rest);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (name.length == strlen(commands[i].name) && memcmp(name.data, commands[i].name, name.length) == 0)
            return commands[i].run(&command);
    }
    return rtn_line_send_text(command.self, "no such command");
}
