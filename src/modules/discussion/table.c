/*
 * The table. The discussion begins when all guests are there: whoever is in the topic by then hears everything, and so
 * has enough to answer, however fast the others are. Who has said everything goes; when the last one has gone it is
 * over, and the table is ready for another one.
 */
#include "discussion.h"

#include <errno.h>
#include <string.h>

#define LOG_LONGEST 500

static int pass_on(const struct discussion *self, const char *text, size_t length, uint64_t except)
{
    return rtn_publish(self->topic, RTN_WS_TEXT, text, length, except);
}

int table_open(rtn_connection *connection, void *instance)
{
    static const char begin[] = DISCUSSION_HOST ": Everybody is here. What do you think?";
    struct discussion *self = instance;
    int r = rtn_subscribe(rtn_connection_id(connection), self->topic);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    if (atomic_fetch_add(&self->present, 1) + 1 < self->guests || atomic_exchange(&self->begun, true))
        return 0;
    rtn_log(RTN_LOG_INFO, "%lld guests are at the table: the discussion begins", (long long) self->guests);
    return pass_on(self, begin, sizeof(begin) - 1, 0);
}

int table_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    struct discussion *self = instance;
    if (type != RTN_WS_TEXT)
        return 0;
    atomic_fetch_add(&self->said, 1);
    rtn_log(RTN_LOG_INFO, "%.*s", (int) (length < LOG_LONGEST ? length : LOG_LONGEST), (const char *) data);
    return pass_on(self, data, length, rtn_connection_id(connection));
}

void table_close(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    (void) connection;
    (void) how;
    struct discussion *self = instance;
    if (atomic_fetch_sub(&self->present, 1) > 1 || !atomic_exchange(&self->begun, false))
        return;
    rtn_log(RTN_LOG_INFO, "the discussion is over: %lld things were said", atomic_exchange(&self->said, 0));
}
