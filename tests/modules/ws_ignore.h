/* Handlers of messages, whole and in pieces, that do nothing: for modules of which only the table of handlers matters.
 * [loop, worker] */
#ifndef RTN_TESTS_WS_IGNORE_H
#define RTN_TESTS_WS_IGNORE_H

#include <retinue/module.h>

static inline int take(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                       void *instance)
{
    (void) connection;
    (void) type;
    (void) data;
    (void) length;
    (void) instance;
    return 0;
}

static inline int take_piece(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                             bool last, void *instance)
{
    (void) last;
    return take(connection, type, data, length, instance);
}

#endif
