/*
 * The state of one chatroom (one route): who is there under which name, the rooms, who is in which, what was said.
 *
 * Everything here is under `lock` unless it says otherwise. It is held while messages are sent too, which only puts
 * them into queues: so what one hears is in the order in which it happened, and nothing falls between the history that
 * a newcomer gets and what is said after it. [any]
 */
#ifndef CHATROOM_CHAT_H
#define CHATROOM_CHAT_H

#include <pthread.h>

#include <retinue/module.h>

#include "rate.h"

#define CHAT_ROOMS_PER_USER 8
#define CHAT_KEY_SIZE 65
#define CHAT_NAME_MOST 64 /* characters, each of at most 4 bytes */
#define CHAT_TOPIC_SIZE 40
#define CHAT_CLOSE_REPLACED 4001 /* the page knows it, and does not connect again */

struct room;
struct page;

/* One open connection. */
struct user {
    uint64_t connection;
    struct rate rate; /* of the connection's thread, without the lock */
    const char *name; /* NULL: it has not said hello, or has lost its name to another window */
    char name_text[4 * CHAT_NAME_MOST + 1];
    char key[CHAT_KEY_SIZE];
    struct room *rooms[CHAT_ROOMS_PER_USER];
    unsigned room_count;
};

/* An instance. The options are frozen and need no lock. */
struct chat {
    const char *title;
    int64_t history;
    int64_t rooms_most;
    int64_t people_most;
    int64_t name_length;
    int64_t message_length;
    int64_t messages_per_second;
    char epoch[17]; /* of the numbers of messages: another one after each start */
    char topic[CHAT_TOPIC_SIZE]; /* of all who have a name */
    struct page *page;

    pthread_mutex_t lock;
    void *names; /* tree (tsearch) of struct user by name, in any case of ASCII letters */
    struct room *rooms;
    int64_t room_count;
    uint64_t room_serial;
};

/*
 * What a client asks for. 0 or what is wrong, as a negative errno or, in the words of the protocol, a positive enum
 * chat_refusal.
 */
enum chat_refusal {
    CHAT_NO_NAME = 1,
    CHAT_NAMED,
    CHAT_NAME_TAKEN,
    CHAT_NOT_HERE,
    CHAT_TOO_MANY_ROOMS,
    CHAT_ROOMS_FULL,
    CHAT_ROOM_FULL,
};

int chat_hello(struct chat *chat, struct user *user, const char *name, const char *key);
int chat_join(struct chat *chat, struct user *user, const char *room);
int chat_leave(struct chat *chat, struct user *user, const char *room);
int chat_say(struct chat *chat, struct user *user, const char *room, const char *text, const char *ref);

/* The connection has gone: from its rooms and from the names. */
void chat_bye(struct chat *chat, struct user *user);

#endif
