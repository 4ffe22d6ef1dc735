/* The worker: counts, and makes a hash. */
#include "fanout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>

/* How many bytes are of a kind. */
static uint32_t count(const struct fanout_text *text, bool (*is)(const char *bytes, size_t at))
{
    uint32_t n = 0;
    for (size_t i = 0; i < text->length; i++)
        n += is(text->bytes, i);
    return n;
}

static bool begins_character(const char *bytes, size_t at)
{
    return ((unsigned char) bytes[at] & 0xc0) != 0x80;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool begins_word(const char *bytes, size_t at)
{
    return !is_space(bytes[at]) && (at == 0 || is_space(bytes[at - 1]));
}

static bool begins_line(const char *bytes, size_t at)
{
    return at == 0 || bytes[at - 1] == '\n';
}

static int find_facts(const struct fanout_text *text, struct fanout_facts *facts)
{
    facts->bytes = text->length;
    facts->characters = count(text, begins_character);
    facts->words = count(text, begins_word);
    facts->lines = count(text, begins_line);
    return EVP_Digest(text->bytes, text->length, facts->sha256, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

char *facts_json(const struct fanout_facts *facts)
{
    char hash[2 * FANOUT_SHA256_SIZE + 1];
    for (size_t i = 0; i < FANOUT_SHA256_SIZE; i++)
        (void) snprintf(hash + 2 * i, 3, "%02x", facts->sha256[i]);
    json_t *object = json_pack("{s:I, s:i, s:i, s:i, s:i, s:s}", "number", (json_int_t) facts->number, "bytes",
                               (int) facts->bytes, "characters", (int) facts->characters, "words", (int) facts->words,
                               "lines", (int) facts->lines, "sha256", hash);
    char *json = object != NULL ? json_dumps(object, 0) : NULL;
    json_decref(object);
    return json;
}

static int publish(const struct fanout *fanout, const struct fanout_facts *facts)
{
    char *json = facts_json(facts);
    int r = json != NULL ? rtn_publish(fanout->topic, RTN_WS_TEXT, json, strlen(json), 0) : -ENOMEM;
    free(json);
    return r;
}

/* Who only sends the text, and asks nothing, gets it published too; the answer then finds nobody. */
int work(rtn_message *message, const struct fanout_text *text, void *instance)
{
    struct fanout *fanout = instance;
    struct fanout_facts facts = { .number = fanout->texts + 1 };
    int r = find_facts(text, &facts);
    if (r == 0)
        r = publish(fanout, &facts);
    if (r < 0)
        return r;
    fanout->texts++;
    (void) rtn_answer_fanout_text(rtn_message_asked(message), &facts);
    return RTN_DONE;
}
