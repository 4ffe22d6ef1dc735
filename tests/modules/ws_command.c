/* Commands of the test module ws_probe: each is one call of the API by the thread that runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ws_probe.h"

#define MOST_IDS 20000

void ws_say(struct ws_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (text->length + (size_t) length >= text->capacity) {
        text->capacity = 2 * (text->capacity + (size_t) length + 1);
        text->data = realloc(text->data, text->capacity);
        if (text->data == NULL)
            abort();
    }
    va_start(args, format);
    text->length += (size_t) vsnprintf(text->data + text->length, text->capacity - text->length, format, args);
    va_end(args);
}

void ws_say_result(struct ws_text *text, int64_t result)
{
    if (result < 0)
        ws_say(text, "-%s", strerrorname_np((int) -result));
    else
        ws_say(text, "%lld", (long long) result);
}

static rtn_str cut(rtn_str *rest, char at)
{
    const char *end = rest->length > 0 ? memchr(rest->data, at, rest->length) : NULL;
    size_t length = end != NULL ? (size_t) (end - rest->data) : rest->length;
    size_t used = end != NULL ? length + 1 : length;
    rtn_str word = { rest->data, length };
    *rest = (rtn_str){ rest->data + used, rest->length - used };
    return word;
}

rtn_str ws_word(rtn_str *rest)
{
    return cut(rest, ' ');
}

void ws_take_word(rtn_str *rest, char *out, size_t size)
{
    rtn_str word = ws_word(rest);
    (void) snprintf(out, size, "%.*s", RTN_STR_ARG(word));
}

int64_t ws_number(rtn_str word)
{
    char text[32];
    (void) snprintf(text, sizeof(text), "%.*s", RTN_STR_ARG(word));
    return strtoll(text, NULL, 10);
}

static bool is(rtn_str word, const char *text)
{
    return word.length == strlen(text) && memcmp(word.data, text, word.length) == 0;
}

struct arguments {
    struct ws_probe *probe;
    uint64_t self;
    rtn_str rest;
    struct ws_text *out;
};

static uint64_t take_id(struct arguments *args)
{
    rtn_str word = ws_word(&args->rest);
    return is(word, "@") ? args->self : (uint64_t) ws_number(word);
}

static enum rtn_ws_type take_type(struct arguments *args)
{
    rtn_str word = ws_word(&args->rest);
    int64_t type = is(word, "text") ? RTN_WS_TEXT : is(word, "binary") ? RTN_WS_BINARY : ws_number(word);
    return (enum rtn_ws_type) type;
}

static int take_int(struct arguments *args)
{
    return (int) ws_number(ws_word(&args->rest));
}

/* The rest as a string; NULL without one. Freed by the caller. */
static char *rest_of(const struct arguments *args)
{
    return args->rest.length > 0 ? ws_copy(args->rest) : NULL;
}

static void do_send(struct arguments *args)
{
    uint64_t id = take_id(args);
    enum rtn_ws_type type = take_type(args);
    ws_say_result(args->out, rtn_ws_send(id, type, args->rest.data, args->rest.length));
}

static void do_text(struct arguments *args)
{
    uint64_t id = take_id(args);
    char *text = rest_of(args);
    ws_say_result(args->out, rtn_ws_send_text(id, text != NULL ? text : ""));
    free(text);
}

/* A message of `size` bytes that begins with its number and goes on with dots. */
static char *numbered(int number, size_t size)
{
    char *data = malloc(size + 16);
    if (data == NULL)
        abort();
    memset(data, '.', size);
    char digits[16];
    int length = snprintf(digits, sizeof(digits), "%d ", number);
    memcpy(data, digits, (size_t) length < size ? (size_t) length : size);
    return data;
}

static void do_fill(struct arguments *args)
{
    uint64_t id = take_id(args);
    int count = take_int(args);
    size_t size = (size_t) take_int(args);
    int results[2] = { 0 };
    int64_t last = 0;
    for (int i = 0; i < count && last >= 0; i++) {
        char *data = numbered(i, size);
        last = rtn_ws_send(id, RTN_WS_TEXT, data, size);
        free(data);
        if (last >= 0)
            results[last == RTN_WS_QUEUED]++;
    }
    ws_say(args->out, "sent=%d queued=%d last=", results[0], results[1]);
    ws_say_result(args->out, last);
}

static void do_many(struct arguments *args)
{
    rtn_str list = ws_word(&args->rest);
    enum rtn_ws_type type = take_type(args);
    uint64_t *ids = calloc(MOST_IDS, 2 * sizeof(*ids));
    size_t count = 0;
    if (ids == NULL)
        abort();
    while (list.length > 0 && count < MOST_IDS)
        ids[count++] = (uint64_t) ws_number(cut(&list, ','));
    uint64_t *failed = ids + MOST_IDS;
    int64_t result = rtn_ws_send_many(ids, count, type, args->rest.data, args->rest.length, failed);
    ws_say_result(args->out, result);
    for (int64_t i = 0; i < result; i++)
        ws_say(args->out, "%c%llu", i == 0 ? ' ' : ',', (unsigned long long) failed[i]);
    free(ids);
}

static void do_ping(struct arguments *args)
{
    uint64_t id = take_id(args);
    ws_say_result(args->out, rtn_ws_ping(id, args->rest.data, args->rest.length));
}

static void do_close(struct arguments *args)
{
    uint64_t id = take_id(args);
    int code = take_int(args);
    char *reason = rest_of(args);
    ws_say_result(args->out, rtn_ws_close(id, code, reason));
    free(reason);
}

static void do_open(struct arguments *args)
{
    ws_say(args->out, "%d", rtn_ws_is_open(take_id(args)));
}

static void do_list(struct arguments *args)
{
    unsigned roles = (unsigned) take_int(args);
    size_t capacity = (size_t) take_int(args);
    uint64_t *ids = calloc(capacity + 1, sizeof(*ids));
    size_t count = rtn_ws_connections(args->probe->server, roles, ids, capacity);
    ws_say(args->out, "%zu", count);
    for (size_t i = 0; i < count && i < capacity && ids != NULL; i++)
        ws_say(args->out, "%c%llu", i == 0 ? ' ' : ',', (unsigned long long) ids[i]);
    free(ids);
}

static void subscribe(struct arguments *args, int (*change)(uint64_t id, const char *topic))
{
    uint64_t id = take_id(args);
    char *topic = rest_of(args);
    ws_say_result(args->out, change(id, topic != NULL ? topic : ""));
    free(topic);
}

static void do_sub(struct arguments *args)
{
    subscribe(args, rtn_subscribe);
}

static void do_unsub(struct arguments *args)
{
    subscribe(args, rtn_unsubscribe);
}

static void do_pub(struct arguments *args)
{
    char topic[512];
    ws_take_word(&args->rest, topic, sizeof(topic));
    uint64_t except = take_id(args);
    enum rtn_ws_type type = take_type(args);
    ws_say_result(args->out, rtn_publish(topic, type, args->rest.data, args->rest.length, except));
}

/* Many numbered messages to a topic, from the number given. */
static void do_flood(struct arguments *args)
{
    char topic[64];
    ws_take_word(&args->rest, topic, sizeof(topic));
    int first = take_int(args);
    int count = take_int(args);
    size_t size = (size_t) take_int(args);
    int result = 0;
    for (int i = first; i < first + count && result == 0; i++) {
        char *data = numbered(i, size);
        result = rtn_publish(topic, RTN_WS_TEXT, data, size, 0);
        free(data);
    }
    ws_say_result(args->out, result);
}

static void do_connect(struct arguments *args)
{
    ws_connect_command(args->probe, args->rest, args->out);
}

static void do_adopt(struct arguments *args)
{
    ws_adopt_command(args->probe, args->rest, args->out);
}

static const struct {
    const char *name;
    void (*run)(struct arguments *args);
} commands[] = {
    { "send", do_send }, /* ID TYPE TEXT */
    { "text", do_text }, /* ID TEXT */
    { "fill", do_fill }, /* ID COUNT SIZE */
    { "many", do_many }, /* ID,ID TYPE TEXT */
    { "ping", do_ping }, /* ID TEXT */
    { "close", do_close }, /* ID CODE REASON */
    { "open", do_open }, /* ID */
    { "list", do_list }, /* ROLES CAPACITY */
    { "sub", do_sub }, /* ID TOPIC */
    { "unsub", do_unsub }, /* ID TOPIC */
    { "pub", do_pub }, /* TOPIC EXCEPT TYPE TEXT */
    { "flood", do_flood }, /* TOPIC FIRST COUNT SIZE */
    { "connect", do_connect }, /* HANDLER URL KEY=VALUE... */
    { "adopt", do_adopt }, /* PORT */
};

static void run_one(struct arguments *args)
{
    rtn_str name = ws_word(&args->rest);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (is(name, commands[i].name)) {
            commands[i].run(args);
            return;
        }
    }
    ws_say(args->out, "no such command: %.*s", RTN_STR_ARG(name));
}

void ws_command(struct ws_probe *probe, uint64_t self, rtn_str lines, struct ws_text *out)
{
    while (lines.length > 0) {
        struct arguments args = { probe, self, cut(&lines, '\n'), out };
        run_one(&args);
        ws_say(out, "\n");
    }
}
