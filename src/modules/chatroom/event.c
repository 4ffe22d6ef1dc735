/* Small events are made by json_pack(); the one with the history is put together from events that are text already. */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

/* Takes the reference; NULL, as json_pack() gives without memory, stays NULL. */
static char *to_text(json_t *event)
{
    char *text = event != NULL ? json_dumps(event, JSON_COMPACT) : NULL;
    json_decref(event);
    return text;
}

static int64_t wall_clock_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static json_t *open_rooms(const struct chat *chat)
{
    json_t *rooms = json_array();
    for (const struct room *room = chat->rooms; room != NULL; room = room->next) {
        if (room->count > 0)
            (void) json_array_append_new(
                rooms, json_pack("{s:s, s:I}", "room", room->name, "people", (json_int_t) room->count));
    }
    return rooms;
}

char *event_welcome(const struct chat *chat, const struct user *user)
{
    return to_text(json_pack("{s:s, s:s, s:s, s:{s:I, s:I, s:I, s:i, s:I}, s:o}", "type", "welcome", "name", user->name,
                             "epoch", chat->epoch, "limits", "name", (json_int_t) chat->name_length, "message",
                             (json_int_t) chat->message_length, "room", (json_int_t) ROOM_NAME_MOST, "rooms",
                             CHAT_ROOMS_PER_USER, "per_second", (json_int_t) chat->messages_per_second, "rooms",
                             open_rooms(chat)));
}

static int print_string(FILE *out, const char *text)
{
    json_t *string = json_string(text);
    int r = string != NULL ? json_dumpf(string, out, JSON_ENCODE_ANY) : -1;
    json_decref(string);
    return r;
}

static int print_joined(FILE *out, const struct chat *chat, const struct room *room)
{
    (void) fputs("{\"type\":\"joined\",\"room\":", out);
    int r = print_string(out, room->name);
    (void) fputs(",\"people\":[", out);
    for (int64_t i = 0; r == 0 && i < room->count; i++) {
        (void) fputs(i > 0 ? "," : "", out);
        r = print_string(out, room->people[i]->name);
    }
    (void) fputs("],\"messages\":[", out);
    for (int64_t i = 0; i < room->kept; i++)
        (void) fprintf(out, "%s%s", i > 0 ? "," : "", room_message(chat, room, i));
    (void) fputs("]}", out);
    return r;
}

char *event_joined(const struct chat *chat, const struct room *room)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return NULL;
    int r = print_joined(out, chat, room);
    if (fclose(out) == 0 && r == 0)
        return text;
    free(text);
    return NULL;
}

char *event_left(const struct room *room)
{
    return to_text(json_pack("{s:s, s:s}", "type", "left", "room", room->name));
}

char *event_presence(const char *type, const struct room *room, const char *name)
{
    return to_text(json_pack("{s:s, s:s, s:s}", "type", type, "room", room->name, "name", name));
}

char *event_room(const struct room *room)
{
    return to_text(
        json_pack("{s:s, s:s, s:I}", "type", "room", "room", room->name, "people", (json_int_t) room->count));
}

char *event_said(const struct room *room, const char *name, const char *text, const char *ref)
{
    return to_text(json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:s*}", "type", "said", "room", room->name, "id",
                             (json_int_t) room->last_id, "time", (json_int_t) wall_clock_ms(), "name", name, "text",
                             text, "ref", ref));
}

char *event_error(const struct event_error *error)
{
    json_t *event = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "type", "error", "code", error->code, "text", error->text,
                              "room", error->room, "ref", error->ref);
    if (event != NULL && error->wait_ms > 0)
        (void) json_object_set_new(event, "wait", json_integer((json_int_t) error->wait_ms));
    return to_text(event);
}
