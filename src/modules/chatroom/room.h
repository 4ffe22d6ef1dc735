/* Rooms: who is in them, and the last messages. Under the lock of the chat. [any] */
#ifndef CHATROOM_ROOM_H
#define CHATROOM_ROOM_H

#include "chat.h"

#define ROOM_NAME_MOST 32
#define ROOM_HISTORY_BYTES (256 * 1024) /* of one room; a newcomer gets all of it at once */

struct room {
    struct room *next;
    char *name;
    char topic[CHAT_TOPIC_SIZE + 24];
    struct user **people;
    int64_t count;
    int64_t capacity;
    char **messages; /* a ring of events as they were sent, the oldest at `first` */
    int64_t first;
    int64_t kept;
    size_t bytes;
    uint64_t last_id;
    int64_t empty_since_ms;
};

/* NULL: there is none. */
struct room *room_find(const struct chat *chat, const char *name);

/*
 * An empty room keeps what was said, for who comes back; when there are as many rooms as may be, the one that has been
 * empty for longest makes place. 0 with *ret, CHAT_ROOMS_FULL, -ENOMEM.
 */
int room_open(struct chat *chat, const char *name, struct room **ret);
void room_free_all(struct chat *chat);

bool room_has(const struct room *room, const struct user *user);

/* The user is not in it, and has a place left. 0, CHAT_ROOM_FULL, -ENOMEM. */
int room_enter(const struct chat *chat, struct room *room, struct user *user);
void room_exit(struct room *room, struct user *user);

/* Keeps the event, which is the room's from now on, and drops what is too old. */
void room_remember(const struct chat *chat, struct room *room, char *event);

/* Message number `index` of those kept, from 0, the oldest. */
const char *room_message(const struct chat *chat, const struct room *room, int64_t index);

#endif
