/* What is said, in its two forms: {"username": "Ann", "message": "hello"} for programs, "Ann: hello" for people. [any]
 */
#ifndef CHAT_SPEECH_H
#define CHAT_SPEECH_H

#include <stddef.h>

#include <jansson.h>

/* Strings are valid UTF-8 without NUL. */
struct speech {
    const char *name;
    const char *words;
    json_t *root; /* holds them */
};

/*
 * 0, to be ended by speech_done(); or -EINVAL, with nothing to end: the line is no JSON object with strings of these
 * names. What else the object has is left alone.
 */
int speech_parse(struct speech *speech, const char *line, size_t length);
void speech_done(struct speech *speech);

/* One line, without its end; the second is fit for a terminal. To be freed; NULL when memory is out. */
char *speech_json(const char *name, const char *words);
char *speech_text(const char *name, const char *words);

#endif
