/* The plan of a reload as JSON. */
#include "daemon/plan.h"

static void put_text(struct rtn_json *json, const char *key, const char *value)
{
    rtn_json_key(json, key);
    rtn_json_text(json, value);
}

static void put_count(struct rtn_json *json, const char *key, size_t value)
{
    rtn_json_key(json, key);
    rtn_json_int(json, (int64_t) value);
}

static void put_key(struct rtn_json *json, const struct rtn_config_key_change *key, bool of_daemon)
{
    rtn_json_object(json);
    put_text(json, "key", key->key);
    put_text(json, "before", key->before);
    put_text(json, "after", key->after);
    if (of_daemon) {
        rtn_json_key(json, "needs_restart");
        rtn_json_bool(json, key->change == RTN_CHANGE_RESTART);
    }
    rtn_json_end(json);
}

static void put_kinds(struct rtn_json *json, unsigned kinds)
{
    static const char *const names[] = {
        [RTN_CHANGE_TUNE] = "tuned",        [RTN_CHANGE_ROUTES] = "routes", [RTN_CHANGE_LISTEN] = "re-listen",
        [RTN_CHANGE_RESTART] = "restarted", [RTN_CHANGE_ADD] = "added",     [RTN_CHANGE_REMOVE] = "removed"
    };
    rtn_json_key(json, "changes");
    rtn_json_array(json);
    for (size_t i = RTN_CHANGE_TUNE; i < RTN_ARRAY_LENGTH(names); i++) {
        if (kinds & RTN_CHANGE_BIT(i))
            rtn_json_text(json, names[i]);
    }
    rtn_json_end(json);
}

static void put_entries(struct rtn_json *json, const struct rtn_plan_server *server)
{
    static const char *const names[] = { [RTN_ENTRY_KEPT] = "kept",
                                         [RTN_ENTRY_CHANGED] = "changed",
                                         [RTN_ENTRY_ADDED] = "added",
                                         [RTN_ENTRY_REMOVED] = "removed" };
    rtn_json_key(json, "entries");
    rtn_json_array(json);
    for (size_t i = 0; server->contents != NULL && i < server->change->entry_count; i++) {
        const struct rtn_config_entry_change *entry = &server->change->entries[i];
        if (entry->change == RTN_ENTRY_KEPT && server->contents[i] == NULL)
            continue;
        rtn_json_object(json);
        put_text(json, "list", entry->list);
        put_text(json, "entry", entry->text);
        put_text(json, "change", names[entry->change]);
        put_text(json, "keys", entry->keys);
        put_text(json, "new_content", server->contents[i]);
        rtn_json_end(json);
    }
    rtn_json_end(json);
}

static void put_server(struct rtn_json *json, const struct rtn_plan_server *server)
{
    rtn_json_object(json);
    put_text(json, "server", server->change->server);
    put_kinds(json, server->kinds);
    rtn_json_key(json, "keys");
    rtn_json_array(json);
    for (size_t i = 0; i < server->change->key_count; i++)
        put_key(json, &server->change->keys[i], false);
    rtn_json_end(json);
    put_entries(json, server);
    put_count(json, "generation", server->generation);
    put_count(json, "websockets_stay", server->websockets);
    put_count(json, "lines_stay", server->lines);
    put_count(json, "connections_end", server->ends);
    rtn_json_end(json);
}

void rtn_plan_json(const struct rtn_plan *plan, struct rtn_json *json)
{
    rtn_json_object(json);
    put_count(json, "generation", plan->generation);
    rtn_json_key(json, "servers");
    rtn_json_array(json);
    for (size_t i = 0; i < plan->count; i++)
        put_server(json, &plan->servers[i]);
    rtn_json_end(json);
    rtn_json_key(json, "daemon");
    rtn_json_array(json);
    for (size_t i = 0; i < plan->diff.daemon_count; i++)
        put_key(json, &plan->diff.daemon[i], true);
    rtn_json_end(json);
    rtn_json_end(json);
}
