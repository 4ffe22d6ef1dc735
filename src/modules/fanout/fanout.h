/*
 * What the handlers share: the question that goes from the one to the other, and the instance. [any]
 */
#ifndef FANOUT_H
#define FANOUT_H

#include <retinue/module.h>

#define FANOUT_TEXT_LONGEST 4096
#define FANOUT_SHA256_SIZE 32

struct fanout_text {
    uint32_t length;
    char bytes[FANOUT_TEXT_LONGEST]; /* UTF-8 */
};

struct fanout_facts {
    uint64_t number; /* of the text: how many there were */
    uint32_t bytes;
    uint32_t characters;
    uint32_t words;
    uint32_t lines;
    unsigned char sha256[FANOUT_SHA256_SIZE];
};

RTN_QUESTION(fanout_text, struct fanout_text, struct fanout_facts)

/* Each handler uses what is its own. */
struct fanout {
    const char *topic; /* of the worker and the feeds */
    int64_t timeout; /* of the post, in ms */
    uint64_t texts; /* of the worker: how many it has had */
};

/* {"number": 1, "bytes": 12, ...} in one line, to be freed; NULL when memory is out. */
char *facts_json(const struct fanout_facts *facts);

/* The handler "post": HTTP. */
int post(rtn_request *request, void *instance);

/* The handler "work": of the question. */
int work(rtn_message *message, const struct fanout_text *text, void *instance);

#endif
