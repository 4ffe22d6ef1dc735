/*
 * What both sides know. Everything said is text, "NAME: WORDS". Max speaks for the table, and has the
 * first word. [any]
 */
#ifndef DISCUSSION_H
#define DISCUSSION_H

#include <stdatomic.h>

#include <retinue/module.h>

#define DISCUSSION_HOST "Max"

/* An instance of the module: each side uses what is its own. */
struct discussion {
    int64_t guests; /* of the table */
    int64_t rounds; /* of the guests */

    /* The table. */
    char topic[64]; /* of all who sit there */
    atomic_llong present;
    atomic_llong said;
    atomic_bool begun;

    /* The guests. */
    atomic_uint names_given;
};

/* Callbacks of the handler "server". */
int table_open(rtn_connection *connection, void *instance);
int table_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance);
void table_close(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance);

/* Callbacks of the handler "client". */
int guest_open(rtn_connection *connection, void *instance);
int guest_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance);
void guest_close(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance);

#endif
