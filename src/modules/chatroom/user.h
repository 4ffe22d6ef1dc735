/* Names: each belongs to one connection at a time. Under the lock of the chat but for new and free. [any] */
#ifndef CHATROOM_USER_H
#define CHATROOM_USER_H

#include "chat.h"

/* NULL when memory is out. free takes it as void * to be a destructor; it must have lost its name before. */
struct user *user_new(const struct chat *chat, uint64_t connection);
void user_free(void *user);

/* Who has this name, in whatever case of ASCII letters; NULL: nobody. */
struct user *user_find(const struct chat *chat, const char *name);

/* Gives the name, which must be free. 0 or -ENOMEM. */
int user_set_name(struct chat *chat, struct user *user, const char *name, const char *key);
void user_clear_name(struct chat *chat, struct user *user);

#endif
