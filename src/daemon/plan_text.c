/* The plan of a reload in words, a line for each server. */
#include "daemon/plan.h"

/* Parts of a line, each behind what is there already. */

/* "1 WebSocket stays", "12 WebSockets stay" */
static void append_count(struct rtn_buf *out, size_t count, const char *what, const char *verb, bool verb_s)
{
    rtn_buf_printf(out, "%zu %s%s %s%s", count, what, count == 1 ? "" : "s", verb, verb_s && count == 1 ? "s" : "");
}

static void append_key(struct rtn_buf *out, const struct rtn_config_key_change *key)
{
    if (key->before != NULL && key->after != NULL)
        rtn_buf_printf(out, "%s %s -> %s", key->key, key->before, key->after);
    else
        rtn_buf_append_text(out, key->key);
}

/* Keys whose change is that. */
static void append_keys(struct rtn_buf *out, const struct rtn_config_change *change, enum rtn_change which)
{
    const char *separator = "";
    for (size_t i = 0; i < change->key_count; i++) {
        if (change->keys[i].change != which)
            continue;
        rtn_buf_append_text(out, separator);
        append_key(out, &change->keys[i]);
        separator = ", ";
    }
}

static void append_tuned(struct rtn_buf *out, const struct rtn_plan_server *server)
{
    size_t length = out->length;
    append_keys(out, server->change, RTN_CHANGE_TUNE);
    if (server->media)
        rtn_buf_printf(out, "%sdaemon.media_types", out->length > length ? ", " : "");
}

static bool is_listen(const struct rtn_config_entry_change *entry)
{
    return entry->list[0] == 'l';
}

/* /chat, client ws://host/feed, module butler */
static void append_name(struct rtn_buf *out, const struct rtn_config_entry_change *entry)
{
    static const struct {
        const char *list;
        const char *word;
    } words[] = { { "clients", "client " }, { "modules", "module " } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(words); i++) {
        if (strcmp(words[i].list, entry->list) == 0)
            rtn_buf_append_text(out, words[i].word);
    }
    rtn_buf_append_text(out, entry->text);
}

/* Behind the name: (options; module chatroom: new content) */
static void append_why(struct rtn_buf *out, const struct rtn_config_entry_change *entry, const char *content)
{
    bool changed = entry->change == RTN_ENTRY_CHANGED;
    if (!changed && content == NULL)
        return;
    rtn_buf_printf(out, " (%s%s", changed ? entry->keys : "", changed && content != NULL ? "; " : "");
    if (content != NULL && strcmp(entry->list, "modules") == 0)
        rtn_buf_append_text(out, "new content");
    else if (content != NULL)
        rtn_buf_printf(out, "module %s: new content", content);
    rtn_buf_append_char(out, ')');
}

static void append_entries(struct rtn_buf *out, const struct rtn_plan_server *server, bool listen)
{
    static const char *const words[] = { [RTN_ENTRY_KEPT] = "kept ",
                                         [RTN_ENTRY_CHANGED] = "",
                                         [RTN_ENTRY_ADDED] = "added ",
                                         [RTN_ENTRY_REMOVED] = "removed " };
    const char *separator = "";
    for (size_t i = 0; i < server->change->entry_count; i++) {
        const struct rtn_config_entry_change *entry = &server->change->entries[i];
        const char *content = server->contents[i];
        if (is_listen(entry) != listen || (!listen && entry->change == RTN_ENTRY_KEPT && content == NULL))
            continue;
        rtn_buf_printf(out, "%s%s", separator, content == NULL ? words[entry->change] : "");
        append_name(out, entry);
        append_why(out, entry, content);
        separator = ", ";
    }
    if (separator[0] == '\0')
        rtn_buf_append_text(out, "another order");
}

static void append_ends(struct rtn_buf *out, const struct rtn_plan_server *server)
{
    rtn_buf_append_text(out, "; ends ");
    if (server->ends == 0)
        rtn_buf_append_text(out, "no connections");
    else
        rtn_buf_printf(out, "%zu connection%s", server->ends, server->ends == 1 ? "" : "s");
}

static void append_stays(struct rtn_buf *out, const struct rtn_plan_server *server)
{
    static const char *const words[] = { "WebSocket", "line connection" };
    const size_t counts[] = { server->websockets, server->lines };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(counts); i++) {
        if (counts[i] == 0)
            continue;
        rtn_buf_append_text(out, "; ");
        append_count(out, counts[i], words[i], "stay", true);
        rtn_buf_printf(out, " on generation %u", server->generation);
    }
}

static void append_added(struct rtn_buf *out, const struct rtn_config_server *server)
{
    const struct rtn_config_listen *listen = server->listen.items;
    rtn_buf_append_text(out, "added");
    for (size_t i = 0; i < server->listen.count; i++)
        rtn_buf_printf(out, "%s%s", i == 0 ? ", on " : ", ", listen[i].address);
}

static void append_part(struct rtn_buf *out, size_t start, const char *what)
{
    rtn_buf_printf(out, "%s%s: ", out->length > start ? "; " : "", what);
}

static void append_parts(struct rtn_buf *out, const struct rtn_plan_server *server)
{
    size_t start = out->length;
    if (server->kinds & RTN_CHANGE_BIT(RTN_CHANGE_TUNE)) {
        append_part(out, start, "tuned live");
        append_tuned(out, server);
    }
    if (server->kinds & RTN_CHANGE_BIT(RTN_CHANGE_ROUTES)) {
        append_part(out, start, "routes swapped");
        append_entries(out, server, false);
    }
    if (server->kinds & RTN_CHANGE_BIT(RTN_CHANGE_LISTEN)) {
        append_part(out, start, "re-listen");
        append_entries(out, server, true);
    }
    append_stays(out, server);
}

static void append_server(struct rtn_buf *out, const struct rtn_plan_server *server)
{
    rtn_buf_printf(out, "server \"%s\": ", server->change->server);
    switch (server->weightiest) {
    case RTN_CHANGE_NONE:
        rtn_buf_append_text(out, server->change->after != NULL ? "unchanged" : "removed");
        rtn_buf_append_text(out, server->stopped ? "; it was stopped" : "");
        break;
    case RTN_CHANGE_ADD:
        append_added(out, server->change->after);
        break;
    case RTN_CHANGE_REMOVE:
        rtn_buf_append_text(out, "removed");
        append_ends(out, server);
        break;
    case RTN_CHANGE_RESTART:
        rtn_buf_append_text(out, "restarted: ");
        append_keys(out, server->change, RTN_CHANGE_RESTART);
        append_ends(out, server);
        break;
    default:
        append_parts(out, server);
    }
    rtn_buf_append_char(out, '\n');
}

static void append_daemon_keys(struct rtn_buf *out, const struct rtn_plan *plan, enum rtn_change which)
{
    for (size_t i = 0; i < plan->diff.daemon_count; i++) {
        const struct rtn_config_key_change *key = &plan->diff.daemon[i];
        if (key->change != which)
            continue;
        rtn_buf_append_text(out, "daemon: ");
        append_key(out, key);
        if (which == RTN_CHANGE_RESTART)
            rtn_buf_append_text(out, ": needs a restart of the daemon; nothing changes before");
        rtn_buf_append_char(out, '\n');
    }
}

void rtn_plan_print(const struct rtn_plan *plan, struct rtn_buf *out)
{
    for (size_t i = 0; i < plan->count; i++)
        append_server(out, &plan->servers[i]);
    append_daemon_keys(out, plan, RTN_CHANGE_TUNE);
    append_daemon_keys(out, plan, RTN_CHANGE_NONE);
    append_daemon_keys(out, plan, RTN_CHANGE_RESTART);
}
