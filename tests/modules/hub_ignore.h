/*
 * Handlers of lines and messages that do nothing: for modules of which only the tables matter. [loop, worker]
 */
#ifndef RTN_TESTS_HUB_IGNORE_H
#define RTN_TESTS_HUB_IGNORE_H

#include <retinue/module.h>

struct kinds_job {
    int64_t number;
    char name[32];
};

struct kinds_done {
    int64_t number;
    int64_t result;
};

RTN_QUESTION(kinds_job, struct kinds_job, struct kinds_done)
RTN_MESSAGE_VERSION(kinds_done, struct kinds_done, 3)
RTN_MESSAGE_BYTES(kinds_text)

static inline int take_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) connection;
    (void) line;
    (void) length;
    (void) instance;
    return 0;
}

static inline int take_job(rtn_message *message, const struct kinds_job *payload, void *instance)
{
    (void) message;
    (void) payload;
    (void) instance;
    return RTN_DONE;
}

static inline int take_text(rtn_message *message, const void *data, size_t length, void *instance)
{
    (void) message;
    (void) data;
    (void) length;
    (void) instance;
    return RTN_DONE;
}

#endif
