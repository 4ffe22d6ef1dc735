/*
 * What happens in a chatroom. Each step changes the state and tells who has to know, in one go under the lock. Sending
 * to a connection that has gone or is too slow is no error here: the daemon ends it, and chat_bye() comes.
 */
#include "chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "room.h"
#include "user.h"

/* Sends the event to one connection and frees it. */
static int tell(uint64_t connection, char *event)
{
    int r = event != NULL ? rtn_ws_send_text(connection, event) : -ENOMEM;
    free(event);
    return r == -ENOMEM ? r : 0;
}

static int publish(const char *topic, const char *event, uint64_t except)
{
    return event != NULL ? rtn_publish(topic, RTN_WS_TEXT, event, strlen(event), except) : -ENOMEM;
}

/* The same to many. */
static int tell_all(const char *topic, char *event, uint64_t except)
{
    int r = publish(topic, event, except);
    free(event);
    return r;
}

static int subscribe(const struct user *user, const char *topic)
{
    int r = rtn_subscribe(user->connection, topic);
    return r == -ENOMEM ? r : 0;
}

/* Without memory others learn of it late or never; what the room is does not depend on it. */
static void tell_presence(const struct chat *chat, const struct room *room, const struct user *user, const char *type)
{
    (void) tell_all(room->topic, event_presence(type, room, user->name), user->connection);
    (void) tell_all(chat->topic, event_room(room), 0);
}

static void exit_room(const struct chat *chat, struct room *room, struct user *user)
{
    room_exit(room, user);
    (void) rtn_unsubscribe(user->connection, room->topic);
    tell_presence(chat, room, user, "went");
}

/* From all rooms and from the names. */
static void retire(struct chat *chat, struct user *user)
{
    if (user->name == NULL)
        return;
    while (user->room_count > 0)
        exit_room(chat, user->rooms[0], user);
    (void) rtn_unsubscribe(user->connection, chat->topic);
    rtn_log(RTN_LOG_INFO, "%s has left the chat", user->name);
    user_clear_name(chat, user);
}

/*
 * Who shows the key of the one who has the name is the same browser: after a reload, or after a break of the network
 * that only one side has noticed so far.
 */
static int free_name(struct chat *chat, const char *name, const char *key)
{
    struct user *owner = user_find(chat, name);
    if (owner == NULL)
        return 0;
    if (strcmp(owner->key, key) != 0)
        return CHAT_NAME_TAKEN;
    retire(chat, owner);
    (void) rtn_ws_close(owner->connection, CHAT_CLOSE_REPLACED, "you are here in another window");
    return 0;
}

static int welcome(struct chat *chat, struct user *user, const char *name, const char *key)
{
    int r = user->name == NULL ? free_name(chat, name, key) : CHAT_NAMED;
    if (r == 0)
        r = user_set_name(chat, user, name, key);
    if (r == 0)
        r = tell(user->connection, event_welcome(chat, user));
    if (r == 0)
        r = subscribe(user, chat->topic);
    if (r == 0)
        rtn_log(RTN_LOG_INFO, "%s has come to the chat", name);
    return r;
}

static int enter(struct chat *chat, struct user *user, const char *name)
{
    struct room *room;
    if (user->room_count == CHAT_ROOMS_PER_USER)
        return CHAT_TOO_MANY_ROOMS;
    int r = room_open(chat, name, &room);
    if (r == 0)
        r = room_enter(chat, room, user);
    if (r == 0)
        r = tell(user->connection, event_joined(chat, room));
    if (r == 0)
        r = subscribe(user, room->topic);
    if (r == 0)
        tell_presence(chat, room, user, "came");
    return r;
}

/* Who is in the room already gets what a newcomer gets. */
static int join(struct chat *chat, struct user *user, const char *name)
{
    const struct room *room = room_find(chat, name);
    if (user->name == NULL)
        return CHAT_NO_NAME;
    if (room != NULL && room_has(room, user))
        return tell(user->connection, event_joined(chat, room));
    return enter(chat, user, name);
}

static int leave(struct chat *chat, struct user *user, const char *name)
{
    struct room *room = room_find(chat, name);
    if (room == NULL || !room_has(room, user))
        return CHAT_NOT_HERE;
    exit_room(chat, room, user);
    return tell(user->connection, event_left(room));
}

static int say(struct chat *chat, struct user *user, const char *name, const char *text, const char *ref)
{
    struct room *room = room_find(chat, name);
    if (room == NULL || !room_has(room, user))
        return CHAT_NOT_HERE;
    room->last_id++;
    char *event = event_said(room, user->name, text, ref);
    int r = publish(room->topic, event, 0);
    if (r == 0)
        room_remember(chat, room, event);
    else
        free(event);
    return r;
}

int chat_hello(struct chat *chat, struct user *user, const char *name, const char *key)
{
    (void) pthread_mutex_lock(&chat->lock);
    int r = welcome(chat, user, name, key);
    (void) pthread_mutex_unlock(&chat->lock);
    return r;
}

int chat_join(struct chat *chat, struct user *user, const char *room)
{
    (void) pthread_mutex_lock(&chat->lock);
    int r = join(chat, user, room);
    (void) pthread_mutex_unlock(&chat->lock);
    return r;
}

int chat_leave(struct chat *chat, struct user *user, const char *room)
{
    (void) pthread_mutex_lock(&chat->lock);
    int r = leave(chat, user, room);
    (void) pthread_mutex_unlock(&chat->lock);
    return r;
}

int chat_say(struct chat *chat, struct user *user, const char *room, const char *text, const char *ref)
{
    (void) pthread_mutex_lock(&chat->lock);
    int r = say(chat, user, room, text, ref);
    (void) pthread_mutex_unlock(&chat->lock);
    return r;
}

void chat_bye(struct chat *chat, struct user *user)
{
    (void) pthread_mutex_lock(&chat->lock);
    retire(chat, user);
    (void) pthread_mutex_unlock(&chat->lock);
}
