/* The names are a tree of libc (tsearch), whose nodes are the users themselves: no second list to keep right. */
#include "user.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static int compare(const void *a, const void *b)
{
    return strcasecmp(((const struct user *) a)->name, ((const struct user *) b)->name);
}

struct user *user_new(const struct chat *chat, uint64_t connection)
{
    struct user *user = calloc(1, sizeof(*user));
    if (user == NULL)
        return NULL;
    user->connection = connection;
    /* A page that connects again says hello, joins its rooms and says what it could not say before, all at once. */
    rate_init(&user->rate, chat->messages_per_second, 2 * chat->messages_per_second + 2 * CHAT_ROOMS_PER_USER);
    return user;
}

void user_free(void *user)
{
    free(user);
}

struct user *user_find(const struct chat *chat, const char *name)
{
    const struct user wanted = { .name = name };
    struct user *const *found = tfind(&wanted, &chat->names, compare);
    return found != NULL ? *found : NULL;
}

int user_set_name(struct chat *chat, struct user *user, const char *name, const char *key)
{
    (void) snprintf(user->name_text, sizeof(user->name_text), "%s", name);
    user->name = user->name_text;
    if (tsearch(user, &chat->names, compare) == NULL) {
        user->name = NULL;
        return -ENOMEM;
    }
    (void) snprintf(user->key, sizeof(user->key), "%s", key);
    return 0;
}

void user_clear_name(struct chat *chat, struct user *user)
{
    (void) tdelete(user, &chat->names, compare);
    user->name = NULL;
}
