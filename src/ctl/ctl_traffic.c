/* The commands that show who talks to whom: connections of clients, and messages between servers. */
#include "base/macros.h"
#include "ctl/ctl.h"
#include "ctl/ctl_answer.h"
#include "ctl/ctl_format.h"

/* Connections */

static void add_known(struct rtn_ctl_table *table, const json_t *object, const char *key)
{
    if (json_is_integer(json_object_get(object, key)))
        rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(object, key));
    else
        rtn_ctl_table_add(table, "-");
}

static void add_connection(struct rtn_ctl_table *table, const json_t *connection)
{
    char text[RTN_CTL_FORMAT_MAX];
    const char *protocol = rtn_ctl_text(connection, "protocol");
    bool outgoing = json_is_true(json_object_get(connection, "outgoing"));
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(connection, "server"));
    rtn_ctl_table_add(table, "%s%s", outgoing ? "to " : "", rtn_ctl_text(connection, "peer"));
    rtn_ctl_table_add(table, "%s", strcmp(protocol, "websocket") == 0 ? "ws" : protocol);
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(connection, "state"));
    rtn_ctl_table_add(table, "%s", rtn_ctl_age(text, rtn_ctl_int(connection, "age_ms")));
    add_known(table, connection, "requests");
    if (json_is_integer(json_object_get(connection, "backlog")))
        rtn_ctl_table_add(table, "%s", rtn_ctl_bytes(text, rtn_ctl_int(connection, "backlog")));
    else
        rtn_ctl_table_add(table, "-");
    add_known(table, connection, "generation");
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(connection, "route"));
}

static void connections_target(const struct rtn_ctl *ctl, struct rtn_buf *out)
{
    rtn_ctl_answer_target(ctl, "/connections", out);
    if (ctl->limit == NULL)
        return;
    rtn_buf_append_text(out, ctl->arguments[0] != NULL ? "&limit=" : "?limit=");
    rtn_ctl_escape(out, ctl->limit);
}

int rtn_ctl_connections(const struct rtn_ctl *ctl)
{
    static const struct rtn_ctl_column columns[] = {
        { .title = "SERVER", .cut = true },
        { .title = "PEER", .cut = true },
        { .title = "KIND" },
        { .title = "STATE" },
        { .title = "AGE", .right = true },
        { .title = "REQ", .right = true },
        { .title = "WAITS", .right = true },
        { .title = "GEN", .right = true },
        { .title = "HANDLED BY", .cut = true },
    };
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf target = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf behind = { 0 };
    struct rtn_ctl_reply reply;
    const json_t *connection;
    int status;
    connections_target(ctl, &target);
    if (!rtn_ctl_answer_get(ctl, target.data, &reply, &status))
        return status;
    for (size_t i = 0; (connection = json_array_get(rtn_ctl_array(reply.json, "connections"), i)) != NULL; i++)
        add_connection(&table, connection);
    if (rtn_ctl_int(reply.json, "listed") < rtn_ctl_int(reply.json, "total"))
        rtn_buf_printf(&behind, "%lld of %lld connections\n", (long long) rtn_ctl_int(reply.json, "listed"),
                       (long long) rtn_ctl_int(reply.json, "total"));
    rtn_ctl_append_silent(reply.json, "more connections", &behind);
    return rtn_ctl_answer_finish(ctl, &table, &reply, rtn_buf_str(&behind).data);
}

/* Messages */

static void add_size(struct rtn_ctl_table *table, const json_t *size, const char *none)
{
    if (json_is_null(size))
        rtn_ctl_table_add(table, "any");
    else if (json_integer_value(size) == 0)
        rtn_ctl_table_add(table, "%s", none);
    else
        rtn_ctl_table_add(table, "%lld", (long long) json_integer_value(size));
}

/* What has been counted of the type. */
static const json_t *find_type(const json_t *counts, const char *type)
{
    const json_t *row;
    for (size_t i = 0; (row = json_array_get(rtn_ctl_array(counts, "messages"), i)) != NULL; i++) {
        if (strcmp(rtn_ctl_text(row, "type"), type) == 0)
            return row;
    }
    return NULL;
}

static void add_message(struct rtn_ctl_table *table, const json_t *message, const json_t *counted)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf from = { 0 };
    rtn_ctl_append_joined(rtn_ctl_array(message, "from"), ", ", &from);
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(message, "type"));
    rtn_ctl_table_add(table, "%s", rtn_buf_str(&from).data);
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(message, "to"));
    add_size(table, json_object_get(message, "size"), "0");
    add_size(table, json_object_get(message, "answer_size"), "-");
    rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(counted, "sent"));
    rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(counted, "refused"));
    rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(message, "waiting"));
}

int rtn_ctl_messages(const struct rtn_ctl *ctl)
{
    static const struct rtn_ctl_column columns[] = {
        { .title = "MESSAGE", .cut = true },
        { .title = "FROM", .cut = true },
        { .title = "TO", .cut = true },
        { .title = "BYTES", .right = true },
        { .title = "ANSWER", .right = true },
        { .title = "SENT", .right = true },
        { .title = "REFUSED", .right = true, .paint = rtn_ctl_paint_count },
        { .title = "WAITING", .right = true, .paint = rtn_ctl_paint_count },
    };
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    struct rtn_ctl_reply reply;
    struct rtn_ctl_reply counts;
    const json_t *message;
    int status;
    if (!rtn_ctl_answer_get(ctl, "/messages", &reply, &status))
        return status;
    status = rtn_ctl_ask(ctl, false, "/status.json", &counts);
    if (status != RTN_CTL_OK) {
        rtn_ctl_reply_done(&reply);
        return status;
    }
    for (size_t i = 0; (message = json_array_get(rtn_ctl_array(reply.json, "messages"), i)) != NULL; i++)
        add_message(&table, message, find_type(counts.json, rtn_ctl_text(message, "type")));
    rtn_ctl_reply_done(&counts);
    return rtn_ctl_answer_finish(ctl, &table, &reply, "");
}
