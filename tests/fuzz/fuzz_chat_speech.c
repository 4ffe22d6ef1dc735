/*
 * Bytes as a line to the module chat: what is understood is UTF-8 and comes through JSON unchanged; what is made for
 * terminals is UTF-8 without control characters, does not grow beyond its bound, and stays as it is when made again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "modules/chat/speech.h"
#include "modules/chat/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_clean(const char *text, size_t length)
{
    char *clean = text_clean(text, length);
    char *again = text_clean(clean, strlen(clean));
    require(strcmp(clean, again) == 0 && strlen(clean) <= 3 * length);
    require(rtn_utf8_valid(rtn_str_of(clean)));
    for (const unsigned char *c = (const unsigned char *) clean; *c != '\0'; c++)
        require((*c >= ' ' || *c == '\t') && *c != 0x7f && !(c[0] == 0xc2 && c[1] < 0xa0));
    free(clean);
    free(again);
}

/* Each step takes one to four bytes, to the end. */
static void check_steps(const char *text, size_t length)
{
    while (length > 0) {
        const char *before = text;
        size_t left = length;
        require(text_next(&text, &length) <= 0x10ffff);
        require(text > before && text <= before + 4 && length == left - (size_t) (text - before));
    }
}

static void check_speech(const struct speech *speech)
{
    struct speech again;
    char *json = speech_json(speech->name, speech->words);
    char *text = speech_text(speech->name, speech->words);
    require(json != NULL && text != NULL && strpbrk(json, "\r\n") == NULL);
    require(speech_parse(&again, json, strlen(json)) == 0);
    require(strcmp(again.name, speech->name) == 0 && strcmp(again.words, speech->words) == 0);
    check_clean(text, strlen(text));
    speech_done(&again);
    free(json);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct speech speech;
    check_clean((const char *) data, size);
    check_steps((const char *) data, size);
    if (speech_parse(&speech, (const char *) data, size) == 0) {
        check_speech(&speech);
        speech_done(&speech);
    }
    return 0;
}
