/* What a browser says: one JSON object in one text message. [any] */
#ifndef CHATROOM_COMMAND_H
#define CHATROOM_COMMAND_H

#include <stddef.h>

#include <jansson.h>

enum command_type { COMMAND_HELLO, COMMAND_JOIN, COMMAND_LEAVE, COMMAND_SAY, COMMAND_TYPES };

/* Strings are valid UTF-8 without NUL, of any length, and absent (NULL) unless the type needs or takes them. */
struct command {
    enum command_type type;
    const char *name; /* hello: who it is */
    const char *key; /* hello: known to this browser only; whoever has it may take the name over */
    const char *room; /* join, leave, say */
    const char *text; /* say */
    const char *ref; /* say, may be left out, 32 bytes: comes back with the message, or with the error */
    json_t *root; /* holds the strings */
    char wrong[160]; /* why it was not understood, in words for the client */
};

/* 0, to be ended by command_done(); or -EINVAL with `wrong`, and nothing to end. */
int command_parse(struct command *command, const void *data, size_t length);
void command_done(struct command *command);

#endif
