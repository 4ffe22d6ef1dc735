/*
 * chat: the chat server of the textbooks. Who connects hears what the others say, line by line; what one says goes to
 * everyone else. Shows a line handler and topics.
 *
 * A room has two topics: one for those who are sent JSON, one for those who are sent plain text. Each server of the
 * room subscribes its clients to the one of its `format`, and publishes to both, so that programs and people meet.
 *
 * Thread model: loop. A line is parsed, written in two forms, and put into the queues of the others, who may be as slow
 * as they like.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

#include "speech.h"
#include "text.h"

#define ROOM_LONGEST 64
#define GUEST_SIZE 32

enum { JSON, TEXT };
static const char *const formats[] = { [JSON] = "json", [TEXT] = "text", NULL };

struct chat {
    const char *room;
    int format;
    char topics[2][ROOM_LONGEST + 16]; /* by format */
};

/* Connections as people call them: from 1 on, in all rooms. Theirs in the daemon are too long to be said. */
struct person {
    unsigned number;
};
static atomic_uint people;

/* "17 (127.0.0.1:4242)", as each line in the log begins. */
#define WHO "%u (%s)"
#define WHO_ARG(connection) number_of(connection), rtn_connection_peer(connection)

static unsigned number_of(const rtn_connection *connection)
{
    const struct person *person = rtn_connection_data(connection);
    return person != NULL ? person->number : 0;
}

static int give_number(rtn_connection *connection)
{
    struct person *person = malloc(sizeof(*person));
    if (person == NULL)
        return -ENOMEM;
    person->number = atomic_fetch_add(&people, 1) + 1;
    int r = rtn_connection_set_data(connection, person, free);
    if (r < 0)
        free(person);
    return r;
}

/* In the log once it hears what is said. */
static int on_open(rtn_connection *connection, void *instance)
{
    const struct chat *chat = instance;
    int r = give_number(connection);
    if (r < 0)
        return r;
    r = rtn_subscribe(rtn_connection_id(connection), chat->topics[chat->format]);
    rtn_log(RTN_LOG_INFO, WHO " has connected", WHO_ARG(connection));
    return r == -ENOENT ? 0 : r;
}

/* To all but the speaker, in the form that each of them gets. */
static int publish(const struct chat *chat, uint64_t speaker, const char *json, const char *text)
{
    int r = rtn_publish(chat->topics[JSON], RTN_WS_TEXT, json, strlen(json), speaker);
    return r < 0 ? r : rtn_publish(chat->topics[TEXT], RTN_WS_TEXT, text, strlen(text), speaker);
}

static int say(rtn_connection *connection, const struct chat *chat, const char *name, const char *words)
{
    char *json = speech_json(name, words);
    char *text = speech_text(name, words);
    int r = -ENOMEM;
    if (json != NULL && text != NULL) {
        rtn_log(RTN_LOG_INFO, WHO " %s", WHO_ARG(connection), text);
        r = publish(chat, rtn_connection_id(connection), json, text);
    }
    free(json);
    free(text);
    return r;
}

/* The name of one who has not said it. */
static void name_guest(const rtn_connection *connection, char name[GUEST_SIZE])
{
    (void) snprintf(name, GUEST_SIZE, "guest-%u", number_of(connection));
}

static int say_plain(rtn_connection *connection, const struct chat *chat, const char *line, size_t length)
{
    char guest[GUEST_SIZE];
    char *words = text_clean(line, length);
    if (words == NULL)
        return -ENOMEM;
    name_guest(connection, guest);
    int r = say(connection, chat, guest, words);
    free(words);
    return r;
}

/* Empty lines say nothing. */
static int on_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    const struct chat *chat = instance;
    struct speech speech;
    char guest[GUEST_SIZE];
    if (length == 0)
        return 0;
    if (speech_parse(&speech, line, length) < 0)
        return say_plain(connection, chat, line, length);
    name_guest(connection, guest);
    int r = say(connection, chat, speech.name[0] != '\0' ? speech.name : guest, speech.words);
    speech_done(&speech);
    return r;
}

static void on_close(rtn_connection *connection, const struct rtn_line_closed *how, void *instance)
{
    (void) instance;
    rtn_log(RTN_LOG_INFO, WHO " has gone: %s%s%s", WHO_ARG(connection), rtn_close_cause_name(how->cause),
            how->detail != NULL ? ", " : "", how->detail != NULL ? how->detail : "");
}

static int configure(void *instance, rtn_setup *setup)
{
    struct chat *chat = instance;
    size_t length = strlen(chat->room);
    if (length == 0 || length > ROOM_LONGEST)
        return rtn_setup_error(setup, "room", "must have 1 to %d bytes, not %zu", ROOM_LONGEST, length);
    for (size_t i = 0; formats[i] != NULL; i++)
        (void) snprintf(chat->topics[i], sizeof(chat->topics[i]), "chat/%s/%s", chat->room, formats[i]);
    /* So that it is not done by several threads at once. */
    json_object_seed(0);
    return 0;
}

static const struct rtn_option options[] = {
    RTN_OPTION(CHOICE, struct chat, format, .name = "format", .fallback = "json", .choices = formats,
               .help = "What clients are sent: JSON objects, or \"NAME: MESSAGE\" as text. They may send either."),
    RTN_OPTION(STRING, struct chat, room, .name = "room", .fallback = "chat",
               .help = "Servers of this daemon with the same room are one chat. 1 to 64 bytes."),
    { 0 },
};

static const struct rtn_line_handler line_handlers[] = {
    { .name = "chat",
      .summary = "Sends each line to everyone else.",
      .open = on_open,
      .line = on_line,
      .close = on_close },
    { 0 },
};

static const struct rtn_module module = {
    .name = "chat",
    .version = "1.0",
    .summary = "A chat in lines of JSON or text, for programs, terminals and nc.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct chat),
    .options = options,
    .line = line_handlers,
    .configure = configure,
};
RTN_REGISTER_MODULE(module)
