/*
 * A guest. It says hello, answers until it has said enough, and goes by closing its connection: the daemon does that
 * after everything that was said before has left, and does not connect again. What it has said is logged then.
 */
#include "discussion.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 24
#define WORDS_SIZE 160
#define NORMAL_CLOSURE 1000

struct guest {
    char name[NAME_SIZE];
    unsigned number; /* which words it begins with */
    bool begun; /* the table has opened the discussion: greetings are not answered */
    int64_t answers;
    int64_t heard;
    char *words; /* what it has said, for the log */
    size_t length;
    FILE *out; /* writes them */
};

static const char *const names[] = { "Ada", "Bela", "Cleo", "Dora", "Emil", "Fritz", "Greta", "Hugo", "Ida", "Jonas" };

static const char *const answers[] = {
    "%s is right, I think.",       "I see it differently, %s.",
    "%s, what makes you so sure?", "That is what I wanted to say, %s.",
    "Let us hear %s out.",         "%s, think of the cost!",
    "It was always done so, %s.",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void guest_free(void *data)
{
    struct guest *guest = data;
    (void) fclose(guest->out);
    free(guest->words);
    free(guest);
}

static struct guest *guest_new(unsigned number)
{
    struct guest *guest = calloc(1, sizeof(*guest));
    if (guest == NULL)
        return NULL;
    guest->number = number;
    guest->out = open_memstream(&guest->words, &guest->length);
    if (guest->out == NULL) {
        free(guest);
        return NULL;
    }
    if (number < COUNT(names))
        (void) snprintf(guest->name, sizeof(guest->name), "%s", names[number]);
    else
        (void) snprintf(guest->name, sizeof(guest->name), "Guest %u", number + 1);
    return guest;
}

static int say(rtn_connection *connection, struct guest *guest, const char *words)
{
    char text[NAME_SIZE + WORDS_SIZE];
    (void) snprintf(text, sizeof(text), "%s: %s", guest->name, words);
    (void) fprintf(guest->out, " \"%s\"", words);
    int r = rtn_ws_send_text(rtn_connection_id(connection), text);
    return r == -ENOMEM ? r : 0;
}

int guest_open(rtn_connection *connection, void *instance)
{
    struct discussion *self = instance;
    char words[WORDS_SIZE];
    struct guest *guest = guest_new(atomic_fetch_add(&self->names_given, 1));
    if (guest == NULL)
        return -ENOMEM;
    int r = rtn_connection_set_data(connection, guest, guest_free);
    if (r < 0) {
        guest_free(guest);
        return r;
    }
    (void) snprintf(words, sizeof(words), "Hello, I am %s.", guest->name);
    return say(connection, guest, words);
}

/* The name of who speaks; false when nobody's is there. */
static bool speaker(const char *text, size_t length, char name[NAME_SIZE])
{
    const char *end = memmem(text, length, ": ", 2);
    if (end == NULL || end == text || end - text >= NAME_SIZE)
        return false;
    memcpy(name, text, (size_t) (end - text));
    name[end - text] = '\0';
    return true;
}

static int answer(rtn_connection *connection, struct guest *guest, const char *to)
{
    char words[WORDS_SIZE];
    const char *form = answers[(guest->number + (unsigned) guest->answers) % COUNT(answers)];
    const char *place = strstr(form, "%s");
    (void) snprintf(words, sizeof(words), "%.*s%s%s", (int) (place - form), form, to, place + 2);
    guest->answers++;
    return say(connection, guest, words);
}

int guest_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    const struct discussion *self = instance;
    struct guest *guest = rtn_connection_data(connection);
    char name[NAME_SIZE];
    if (type != RTN_WS_TEXT || !speaker(data, length, name))
        return 0;
    guest->heard++;
    guest->begun = guest->begun || strcmp(name, DISCUSSION_HOST) == 0;
    if (!guest->begun || guest->answers == self->rounds)
        return 0;
    int r = answer(connection, guest, name);
    if (r == 0 && guest->answers == self->rounds)
        (void) rtn_ws_close(rtn_connection_id(connection), NORMAL_CLOSURE, "I have said everything");
    return r;
}

void guest_close(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    (void) instance;
    struct guest *guest = rtn_connection_data(connection);
    if (guest == NULL) {
        rtn_log(RTN_LOG_INFO, "a guest did not find the table%s%s", how->detail != NULL ? ": " : "",
                how->detail != NULL ? how->detail : "");
        return;
    }
    (void) fflush(guest->out);
    rtn_log(RTN_LOG_INFO, "%s heard %lld things and said%s", guest->name, (long long) guest->heard, guest->words);
}
