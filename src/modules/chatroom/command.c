/*
 * Strict: a member that is unknown, missing, doubled or no string makes the whole message wrong, and the client is told
 * which. A table says which members go with which type.
 */
#include "command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BIT(type) (1u << (type))

static const char *const types[COMMAND_TYPES] = {
    [COMMAND_HELLO] = "hello",
    [COMMAND_JOIN] = "join",
    [COMMAND_LEAVE] = "leave",
    [COMMAND_SAY] = "say",
};

static const struct member {
    const char *name;
    size_t offset;
    unsigned needed; /* BIT(type) of those that must have it */
    unsigned taken; /* and of those that may */
} members[] = {
    { "name", offsetof(struct command, name), BIT(COMMAND_HELLO), 0 },
    { "key", offsetof(struct command, key), BIT(COMMAND_HELLO), 0 },
    { "room", offsetof(struct command, room), BIT(COMMAND_JOIN) | BIT(COMMAND_LEAVE) | BIT(COMMAND_SAY), 0 },
    { "text", offsetof(struct command, text), BIT(COMMAND_SAY), 0 },
    { "ref", offsetof(struct command, ref), 0, BIT(COMMAND_SAY) },
};

#define REF_MOST 32 /* bytes, as its error says: it is kept with the message */
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static const char **slot(struct command *command, const struct member *member)
{
    return (const char **) (void *) ((char *) command + member->offset);
}

/* In words for the client; `name` stands in quotes between the two parts. */
static int wrong_name(struct command *command, const char *before, const char *name, const char *after)
{
    (void) snprintf(command->wrong, sizeof(command->wrong), "%s\"%s\"%s", before, name, after);
    return -EINVAL;
}

static int wrong(struct command *command, const char *text)
{
    (void) snprintf(command->wrong, sizeof(command->wrong), "%s", text);
    return -EINVAL;
}

static int find_type(struct command *command)
{
    const char *type = json_string_value(json_object_get(command->root, "type"));
    if (type == NULL)
        return wrong_name(command, "the message needs a ", "type", "");
    for (unsigned i = 0; i < COMMAND_TYPES; i++) {
        if (strcmp(types[i], type) == 0) {
            command->type = (enum command_type) i;
            return 0;
        }
    }
    return wrong(command, "there are no messages of this type");
}

static int take_member(struct command *command, const char *name, const json_t *value)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].name, name) != 0 || ((members[i].needed | members[i].taken) & BIT(command->type)) == 0)
            continue;
        *slot(command, &members[i]) = json_string_value(value);
        return json_is_string(value) ? 0 : wrong_name(command, "", members[i].name, " must be a string");
    }
    return wrong_name(command, "messages of type ", types[command->type], " have fewer members");
}

static int take_members(struct command *command)
{
    const char *name;
    json_t *value;
    json_object_foreach(command->root, name, value)
    {
        int r = strcmp(name, "type") == 0 ? 0 : take_member(command, name, value);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        if ((members[i].needed & BIT(command->type)) != 0 && *slot(command, &members[i]) == NULL)
            return wrong_name(command, "the message needs a ", members[i].name, "");
    }
    return 0;
}

static int load(struct command *command, const void *data, size_t length)
{
    json_error_t error;
    command->root = json_loadb(data, length, JSON_REJECT_DUPLICATES, &error);
    if (command->root == NULL)
        return wrong(command, "this is no JSON");
    return json_is_object(command->root) ? 0 : wrong(command, "the message must be a JSON object");
}

int command_parse(struct command *command, const void *data, size_t length)
{
    *command = (struct command){ 0 };
    int r = load(command, data, length);
    if (r == 0)
        r = find_type(command);
    if (r == 0)
        r = take_members(command);
    if (r == 0 && command->ref != NULL && strlen(command->ref) > REF_MOST)
        r = wrong_name(command, "", "ref", " must not be longer than 32 bytes");
    if (r < 0)
        command_done(command);
    return r;
}

void command_done(struct command *command)
{
    json_decref(command->root);
    command->root = NULL;
}
