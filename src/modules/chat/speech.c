/* Used by the server and by the client. */
#include "speech.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

int speech_parse(struct speech *speech, const char *line, size_t length)
{
    json_error_t error;
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    const char *name = json_string_value(json_object_get(root, "username"));
    const char *words = json_string_value(json_object_get(root, "message"));
    if (name == NULL || words == NULL) {
        json_decref(root);
        return -EINVAL;
    }
    *speech = (struct speech){ .name = name, .words = words, .root = root };
    return 0;
}

void speech_done(struct speech *speech)
{
    json_decref(speech->root);
    *speech = (struct speech){ 0 };
}

char *speech_json(const char *name, const char *words)
{
    json_t *object = json_pack("{s:s, s:s}", "username", name, "message", words);
    char *line = object != NULL ? json_dumps(object, 0) : NULL;
    json_decref(object);
    return line;
}

char *speech_text(const char *name, const char *words)
{
    char *joined = NULL;
    int length = asprintf(&joined, "%s: %s", name, words);
    if (length < 0)
        return NULL;
    char *line = text_clean(joined, (size_t) length);
    free(joined);
    return line;
}
