/* What names and messages may look like. Pure functions on valid UTF-8. [any] */
#ifndef CHATROOM_TEXT_H
#define CHATROOM_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Characters (code points). */
int64_t text_length(const char *text);

/*
 * NULL, or what is wrong with a name of a person or a room, in words that go behind "a name ...": it has 1 to `most`
 * characters, none that is not seen (control and formatting characters), and no space at its ends or twice in a row.
 */
const char *text_wrong_name(const char *name, int64_t most);

/* NULL, or what is wrong with a message, in words that go behind "a message ...". Lines and tabs are fine. */
const char *text_wrong_message(const char *text, int64_t most);

/* A key: 16 to 64 letters, digits, '-' and '_'. */
bool text_is_key(const char *key);

#endif
