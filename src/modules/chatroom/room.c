/*
 * Topics are the same for the whole daemon. A name made of server and route would not do: two routes may differ in
 * their host alone, and two generations of one configuration do not differ at all. So it has the address of the
 * instance, and the number of the room for when one of the same name is opened again.
 */
#include "room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct room *room_find(const struct chat *chat, const char *name)
{
    struct room *room = chat->rooms;
    while (room != NULL && strcmp(room->name, name) != 0)
        room = room->next;
    return room;
}

static void free_room(const struct chat *chat, struct room *room)
{
    for (int64_t i = 0; room->messages != NULL && i < chat->history; i++)
        free(room->messages[i]);
    free((void *) room->messages);
    free((void *) room->people);
    free(room->name);
    free(room);
}

static struct room *new_room(struct chat *chat, const char *name)
{
    struct room *room = calloc(1, sizeof(*room));
    if (room == NULL)
        return NULL;
    room->name = strdup(name);
    room->messages = calloc((size_t) chat->history + 1, sizeof(*room->messages));
    if (room->name == NULL || room->messages == NULL) {
        free_room(chat, room);
        return NULL;
    }
    (void) snprintf(room->topic, sizeof(room->topic), "%s/%llu", chat->topic, (unsigned long long) ++chat->room_serial);
    return room;
}

static bool drop_oldest_empty(struct chat *chat)
{
    struct room **oldest = NULL;
    for (struct room **at = &chat->rooms; *at != NULL; at = &(*at)->next) {
        if ((*at)->count == 0 && (oldest == NULL || (*at)->empty_since_ms < (*oldest)->empty_since_ms))
            oldest = at;
    }
    if (oldest == NULL)
        return false;
    struct room *room = *oldest;
    *oldest = room->next;
    chat->room_count--;
    free_room(chat, room);
    return true;
}

int room_open(struct chat *chat, const char *name, struct room **ret)
{
    struct room *room = room_find(chat, name);
    if (room == NULL) {
        if (chat->room_count >= chat->rooms_most && !drop_oldest_empty(chat))
            return CHAT_ROOMS_FULL;
        room = new_room(chat, name);
        if (room == NULL)
            return -ENOMEM;
        room->empty_since_ms = rate_now_ms();
        room->next = chat->rooms;
        chat->rooms = room;
        chat->room_count++;
    }
    *ret = room;
    return 0;
}

void room_free_all(struct chat *chat)
{
    while (chat->rooms != NULL) {
        struct room *room = chat->rooms;
        chat->rooms = room->next;
        free_room(chat, room);
    }
}

bool room_has(const struct room *room, const struct user *user)
{
    for (unsigned i = 0; i < user->room_count; i++) {
        if (user->rooms[i] == room)
            return true;
    }
    return false;
}

static int make_place(struct room *room)
{
    if (room->count < room->capacity)
        return 0;
    int64_t capacity = 2 * room->capacity + 4;
    struct user **people = realloc((void *) room->people, (size_t) capacity * sizeof(*people));
    if (people == NULL)
        return -ENOMEM;
    room->people = people;
    room->capacity = capacity;
    return 0;
}

int room_enter(const struct chat *chat, struct room *room, struct user *user)
{
    if (room->count >= chat->people_most)
        return CHAT_ROOM_FULL;
    int r = make_place(room);
    if (r < 0)
        return r;
    room->people[room->count++] = user;
    user->rooms[user->room_count++] = room;
    return 0;
}

void room_exit(struct room *room, struct user *user)
{
    int64_t person = 0;
    unsigned place = 0;
    while (room->people[person] != user)
        person++;
    memmove((void *) &room->people[person], (void *) &room->people[person + 1],
            (size_t) (room->count - person - 1) * sizeof(struct user *));
    room->count--;
    room->empty_since_ms = rate_now_ms();
    while (user->rooms[place] != room)
        place++;
    user->rooms[place] = user->rooms[--user->room_count];
}

static void forget_oldest(const struct chat *chat, struct room *room)
{
    char *event = room->messages[room->first];
    room->messages[room->first] = NULL;
    room->first = (room->first + 1) % chat->history;
    room->kept--;
    room->bytes -= strlen(event);
    free(event);
}

void room_remember(const struct chat *chat, struct room *room, char *event)
{
    size_t length = strlen(event);
    if (chat->history == 0) {
        free(event);
        return;
    }
    while (room->kept == chat->history || (room->kept > 0 && room->bytes + length > ROOM_HISTORY_BYTES))
        forget_oldest(chat, room);
    room->messages[(room->first + room->kept) % chat->history] = event;
    room->kept++;
    room->bytes += length;
}

const char *room_message(const struct chat *chat, const struct room *room, int64_t index)
{
    return room->messages[(room->first + index) % chat->history];
}
