/*
 * What the module says: one JSON object in one text message. All return memory for free(), or NULL when memory is out.
 * Those about rooms are called under the lock of the chat. [any]
 */
#ifndef CHATROOM_EVENT_H
#define CHATROOM_EVENT_H

#include "room.h"

/* You are in, under this name; what the limits are, and in which rooms there are people. */
char *event_welcome(const struct chat *chat, const struct user *user);

/* You are in the room: who else is, and what was said lately. */
char *event_joined(const struct chat *chat, const struct room *room);
char *event_left(const struct room *room);

/* Somebody came into a room or went from it: "came", "went". */
char *event_presence(const char *type, const struct room *room, const char *name);

/* So many people are in the room now; for those who are elsewhere. */
char *event_room(const struct room *room);

/* Somebody said something; ref may be NULL. */
char *event_said(const struct room *room, const char *name, const char *text, const char *ref);

/* Members may be left out but code and text. */
struct event_error {
    const char *code; /* for the page */
    const char *text; /* for people */
    const char *room;
    const char *ref;
    int64_t wait_ms; /* until it may be tried again */
};
char *event_error(const struct event_error *error);

#endif
