/*
 * chatroom: people talk in rooms, in the browser. Page and WebSocket are at the same path. Shows a WebSocket handler
 * and an HTTP handler on one route, topics, data of a connection, and state that all connections share.
 *
 * Thread model: loop. What a message takes is parsing a small text, a few list operations and putting sends into
 * queues, microseconds in all; to hand each one to a worker would cost more. With `loops` above 1 several run at once,
 * so the state has a lock, which is held for no longer than that. Serial would need no lock, but a worker for every
 * word.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <retinue/module.h>

#include "chat.h"
#include "command.h"
#include "event.h"
#include "page.h"
#include "rate.h"
#include "room.h"
#include "text.h"
#include "user.h"

#define REFUSED_MOST 100 /* who goes on in spite of so many is a program that does not listen */
#define POLICY_VIOLATION 1008

static const struct event_error refusals[] = {
    [CHAT_NO_NAME] = { .code = "no_name", .text = "Say hello first." },
    [CHAT_NAMED] = { .code = "named", .text = "You have a name already." },
    [CHAT_NAME_TAKEN] = { .code = "name_taken", .text = "This name is taken. Please choose another one." },
    [CHAT_NOT_HERE] = { .code = "not_here", .text = "You are not in this room." },
    [CHAT_TOO_MANY_ROOMS] = { .code = "too_many_rooms", .text = "You are in too many rooms. Leave one first." },
    [CHAT_ROOMS_FULL] = { .code = "rooms_full", .text = "There are too many rooms. Join one of those that are open." },
    [CHAT_ROOM_FULL] = { .code = "room_full", .text = "This room is full." },
};

/* 0 also when the client has gone; -ENOMEM. */
static int send_error(const struct user *user, const struct event_error *error)
{
    char *event = event_error(error);
    int r = event != NULL ? rtn_ws_send_text(user->connection, event) : -ENOMEM;
    free(event);
    return r == -ENOMEM ? r : 0;
}

/* Says "A name must not be empty." with the room or message that it is about. */
static int refuse_text(const struct user *user, const struct command *command, const char *code, const char *what,
                       const char *reason)
{
    char text[128];
    (void) snprintf(text, sizeof(text), "%s %s.", what, reason);
    return send_error(user,
                      &(struct event_error){ .code = code, .text = text, .room = command->room, .ref = command->ref });
}

static int say_hello(struct chat *chat, struct user *user, const struct command *command)
{
    const char *wrong = text_wrong_name(command->name, chat->name_length);
    if (wrong == NULL && !text_is_key(command->key))
        return refuse_text(user, command, "bad_key", "The key", "needs 16 to 64 letters or digits");
    return wrong != NULL ? refuse_text(user, command, "bad_name", "A name", wrong)
                         : chat_hello(chat, user, command->name, command->key);
}

static int join(struct chat *chat, struct user *user, const struct command *command)
{
    const char *wrong = text_wrong_name(command->room, ROOM_NAME_MOST);
    return wrong != NULL ? refuse_text(user, command, "bad_room", "The name of a room", wrong)
                         : chat_join(chat, user, command->room);
}

static int leave(struct chat *chat, struct user *user, const struct command *command)
{
    return chat_leave(chat, user, command->room);
}

static int say(struct chat *chat, struct user *user, const struct command *command)
{
    const char *wrong = text_wrong_message(command->text, chat->message_length);
    return wrong != NULL ? refuse_text(user, command, "bad_text", "A message", wrong)
                         : chat_say(chat, user, command->room, command->text, command->ref);
}

static int (*const actions[COMMAND_TYPES])(struct chat *chat, struct user *user, const struct command *command) = {
    [COMMAND_HELLO] = say_hello,
    [COMMAND_JOIN] = join,
    [COMMAND_LEAVE] = leave,
    [COMMAND_SAY] = say,
};

static int run(struct chat *chat, struct user *user, const struct command *command)
{
    int r = actions[command->type](chat, user, command);
    if (r <= 0)
        return r;
    struct event_error error = refusals[r];
    error.room = command->room;
    error.ref = command->ref;
    return send_error(user, &error);
}

/* The longest message that says something: each character may be written as two escapes of six bytes. */
static size_t longest(const struct chat *chat)
{
    return (size_t) (12 * chat->message_length) + 2048;
}

static int parse_and_run(struct chat *chat, struct user *user, const void *data, size_t length, int64_t wait_ms)
{
    struct command command;
    if (command_parse(&command, data, length) < 0)
        return send_error(user, &(struct event_error){ .code = "not_understood", .text = command.wrong });
    int r = wait_ms == 0 ? run(chat, user, &command)
                         : send_error(user, &(struct event_error){ .code = "too_fast",
                                                                   .text = "Slowly, please: this was too fast.",
                                                                   .room = command.room,
                                                                   .ref = command.ref,
                                                                   .wait_ms = wait_ms });
    command_done(&command);
    return r;
}

static int on_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                      void *instance)
{
    struct chat *chat = instance;
    struct user *user = rtn_connection_data(connection);
    int64_t wait_ms = rate_take(&user->rate);
    if (user->rate.refused > REFUSED_MOST) {
        (void) rtn_ws_close(user->connection, POLICY_VIOLATION, "too many messages");
        return 0;
    }
    if (type != RTN_WS_TEXT)
        return send_error(user, &(struct event_error){ .code = "not_text", .text = "Only text is understood here." });
    if (length > longest(chat))
        return send_error(user, &(struct event_error){ .code = "too_long", .text = "This message is too long." });
    return parse_and_run(chat, user, data, length, wait_ms);
}

static int on_open(rtn_connection *connection, void *instance)
{
    struct user *user = user_new(instance, rtn_connection_id(connection));
    if (user == NULL)
        return -ENOMEM;
    int r = rtn_connection_set_data(connection, user, user_free);
    if (r < 0)
        user_free(user);
    return r;
}

static void on_close(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    (void) how;
    struct user *user = rtn_connection_data(connection);
    if (user != NULL)
        chat_bye(instance, user);
}

/* Behind a '*' there is nothing else; without one there is nothing to be wrong. */
static int show_page(rtn_request *request, void *instance)
{
    const struct chat *chat = instance;
    return rtn_request_param(request, "*").length > 0 ? RTN_NEXT : page_answer(request, chat->page);
}

static int on_upgrade(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_request_param(request, "*").length > 0 ? RTN_NEXT : RTN_DONE;
}

/* Another one at each start: the page tells by it whether the numbers of messages still mean the same. */
static int make_epoch(struct chat *chat)
{
    uint64_t number;
    if (getrandom(&number, sizeof(number), 0) != (ssize_t) sizeof(number))
        return -errno;
    (void) snprintf(chat->epoch, sizeof(chat->epoch), "%016llx", (unsigned long long) number);
    return 0;
}

static int configure(void *instance, rtn_setup *setup)
{
    struct chat *chat = instance;
    int r = make_epoch(chat);
    if (r == 0)
        r = page_new(chat->title, &chat->page);
    if (r < 0)
        return rtn_setup_error(setup, NULL, "the chatroom cannot be made: %s", strerror(-r));
    (void) snprintf(chat->topic, sizeof(chat->topic), "chatroom/%p", instance);
    (void) pthread_mutex_init(&chat->lock, NULL);
    /* So that it is not done by several threads at once. */
    json_object_seed(0);
    return 0;
}

static void unload(void *instance)
{
    struct chat *chat = instance;
    room_free_all(chat);
    page_free(chat->page);
    (void) pthread_mutex_destroy(&chat->lock);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct chat, title, .name = "title", .fallback = "Chat", .help = "Title of the page."),
    RTN_OPTION(INT, struct chat, history, .name = "history", .fallback = "50", .min = 0, .max = 1000,
               .help = "Messages that a room keeps for newcomers, as far as they fit into 256 KiB."),
    RTN_OPTION(INT, struct chat, rooms_most, .name = "rooms", .fallback = "100", .min = 1, .max = 1000,
               .help = "Most rooms at a time; what was said in empty ones is forgotten first."),
    RTN_OPTION(INT, struct chat, people_most, .name = "people", .fallback = "200", .min = 1, .max = 2000,
               .help = "Most people in one room."),
    RTN_OPTION(INT, struct chat, name_length, .name = "name_length", .fallback = "24", .min = 1, .max = CHAT_NAME_MOST,
               .help = "Most characters of a person's name."),
    RTN_OPTION(INT, struct chat, message_length, .name = "message_length", .fallback = "1000", .min = 1, .max = 10000,
               .help = "Most characters of a message."),
    RTN_OPTION(INT, struct chat, messages_per_second, .name = "messages_per_second", .fallback = "5", .min = 1,
               .max = 1000, .help = "How fast one person may talk in the long run."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "chatroom", .summary = "Shows the page.", .handle = show_page, .methods = RTN_METHOD_GET },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "chatroom",
      .summary = "Talks to the page.",
      .upgrade = on_upgrade,
      .open = on_open,
      .message = on_message,
      .close = on_close },
    { 0 },
};

static const struct rtn_module module = {
    .name = "chatroom",
    .version = "1.0",
    .summary = "A chat in the browser: rooms, names, presence, and what was said before.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct chat),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
    .configure = configure,
    .unload = unload,
};
RTN_REGISTER_MODULE(module)
