/*
 * Bytes as a message to the chatroom: one that is understood has what its type needs and is UTF-8; one that is not is
 * told why; names and texts that are taken have no more characters than they may, and a name none that is not seen.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "modules/chatroom/command.h"
#include "modules/chatroom/text.h"

#define MOST 20 /* characters */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_name(const char *name)
{
    if (text_wrong_name(name, MOST) != NULL)
        return;
    require(name[0] != '\0' && name[0] != ' ' && name[strlen(name) - 1] != ' ');
    require(rtn_utf8_count(rtn_str_of(name)) <= MOST &&
            (int64_t) rtn_utf8_count(rtn_str_of(name)) == text_length(name));
    for (const char *c = name; *c != '\0'; c++)
        require((unsigned char) *c >= ' ' && *c != 0x7f);
}

static void check_text(const char *text)
{
    if (text_wrong_message(text, MOST) == NULL)
        require(text_length(text) >= 1 && text_length(text) <= MOST);
}

static void check_command(const struct command *command)
{
    const char *const strings[] = { command->name, command->key, command->room, command->text, command->ref };
    bool hello = command->type == COMMAND_HELLO;
    bool say = command->type == COMMAND_SAY;
    require((command->name != NULL) == hello && (command->key != NULL) == hello);
    require((command->room != NULL) == !hello && (command->text != NULL) == say);
    require(command->ref == NULL || (say && strlen(command->ref) <= 32));
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        require(strings[i] == NULL || rtn_utf8_valid(rtn_str_of(strings[i])));
    check_name(hello ? command->name : command->room);
    if (say)
        check_text(command->text);
    if (hello && text_is_key(command->key))
        require(strlen(command->key) >= 16 && strlen(command->key) <= 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command command;
    if (command_parse(&command, data, size) < 0) {
        require(command.wrong[0] != '\0' && command.root == NULL);
        return 0;
    }
    check_command(&command);
    command_done(&command);
    return 0;
}
