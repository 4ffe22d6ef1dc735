/*
 * Which of a module's handlers an instance gets: of each kind that its place has a use for, the one of the name given,
 * or the only one there is. Which kinds those are, and which of them must be there, depends on the place:
 *
 *     route            HTTP, WebSocket: one of both; messages
 *     client           WebSocket; messages
 *     modules          messages: or a start hook
 *     of line servers  lines, messages: or a start hook
 */
#include "app/instance_internal.h"
#include "config/memory.h"

enum { HTTP, WS, LINE, MESSAGES, KINDS };

_Static_assert(KINDS == RTN_INSTANCE_HANDLERS_MAX, "one of each kind");

/* The module's handlers of one kind. Their rows begin with the name, which module_check_handlers.c asserts. */
struct kind {
    const void *rows;
    size_t size;
    size_t count;
    bool useful; /* here */
    bool needed; /* one of this kind, or of another that is needed */
    const void *chosen;
};

/* The names of all rows that may be chosen, each once, though several kinds may have it. */
struct names {
    const char **items;
    size_t count;
};

static void make_kinds(const struct rtn_instance *instance, struct kind kinds[KINDS])
{
    const struct rtn_loaded *loaded = instance->loaded;
    bool route = instance->route != NULL;
    bool use = instance->use != NULL;
    bool lines = use && instance->server->protocol == RTN_PROTOCOL_LINE;
    const struct kind all[KINDS] = {
        [HTTP] = { loaded->http, sizeof(*loaded->http), loaded->http_count, route, route, NULL },
        [WS] = { loaded->ws, sizeof(*loaded->ws), loaded->ws_count, !use, !use, NULL },
        [LINE] = { loaded->line, sizeof(*loaded->line), loaded->line_count, lines, lines, NULL },
        [MESSAGES] = { loaded->messages, sizeof(*loaded->messages), loaded->message_count, true, use, NULL },
    };
    memcpy(kinds, all, sizeof(all));
}

static const void *row_of(const struct kind *kind, size_t at)
{
    return (const char *) kind->rows + at * kind->size;
}

static const char *name_of(const struct kind *kind, size_t at)
{
    const char *name;
    memcpy(&name, row_of(kind, at), sizeof(name));
    return name;
}

/* What went wrong */

/* As in: has no handler, has no WebSocket handler. */
static const char *kind_wanted(const struct rtn_instance *instance)
{
    if (instance->route != NULL)
        return "";
    if (instance->client != NULL)
        return "WebSocket ";
    return instance->server->protocol == RTN_PROTOCOL_LINE ? "line or message " : "message ";
}

static void add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return;
    }
    names->items[names->count++] = name;
}

/* Of the kinds of which one is needed. */
static struct names names_of(struct rtn_instance *instance, const struct kind kinds[KINDS])
{
    struct names names = { 0 };
    size_t most = 0;
    for (size_t kind = 0; kind < KINDS; kind++)
        most += kinds[kind].count;
    names.items = rtn_config_alloc(&instance->arena, (most + 1) * sizeof(*names.items));
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t i = 0; kinds[kind].needed && i < kinds[kind].count; i++)
            add_name(&names, name_of(&kinds[kind], i));
    }
    return names;
}

/* form, post */
static void list_names(const struct names *names, struct rtn_buf *out)
{
    for (size_t i = 0; i < names->count; i++)
        rtn_buf_printf(out, "%s%s", i > 0 ? ", " : "", names->items[i]);
}

static void report_unknown(struct rtn_instance *instance, const struct rtn_setup *setup, const struct names *names)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf rest = { 0 };
    const struct rtn_place *place = &instance->place;
    rtn_buf_append_text(&rest,
                        rtn_schema_suggest(rtn_str_of(place->handler), names->items, names->count, &instance->arena));
    if (rest.length == 0 && names->count > 0) {
        rtn_buf_append_text(&rest, "; it has ");
        list_names(names, &rest);
    }
    rtn_setup_report(setup, rtn_schema_mark(place->node, "handler"), "module \"%s\" has no %shandler \"%s\"%s",
                     instance->loaded->module.name, kind_wanted(instance), place->handler, rtn_buf_str(&rest).data);
}

static void report_several(struct rtn_instance *instance, const struct kind kinds[KINDS], const struct rtn_setup *setup,
                           const struct names *names)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    bool others = instance->client != NULL && kinds[WS].count == 1;
    list_names(names, &all);
    rtn_setup_report(setup, rtn_schema_mark(instance->place.node, "module"),
                     "module \"%s\" has several %shandlers; add handler: with one of %s", instance->loaded->module.name,
                     others ? "message " : kind_wanted(instance), rtn_buf_str(&all).data);
}

static void report_messages_only(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    rtn_setup_report(setup, rtn_schema_mark(instance->place.node, "handler"),
                     "handler \"%s\" of module \"%s\" takes messages only; it belongs under \"modules\" of the server",
                     instance->place.handler, instance->loaded->module.name);
}

/* Of a module in `modules`. */
static void report_useless(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    bool lines = instance->server->protocol == RTN_PROTOCOL_LINE;
    rtn_setup_report(setup, rtn_schema_mark(instance->place.node, "module"),
                     "module \"%s\" has nothing for this place: %sno message handler and no start hook%s",
                     instance->loaded->module.name, lines ? "no line handler, " : "",
                     instance->loaded->line_count > 0 ? "; a line handler needs \"protocol: line\"" : "");
}

/* The module has no handler at all of a kind that is needed. */
static void report_none(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct rtn_loaded *loaded = instance->loaded;
    bool for_modules = loaded->message_count > 0 || loaded->module.start != NULL;
    if (instance->use != NULL) {
        report_useless(instance, setup);
        return;
    }
    rtn_setup_report(setup, rtn_schema_mark(instance->place.node, "module"),
                     "module \"%s\" has no %sWebSocket handler%s", loaded->module.name,
                     instance->route != NULL ? "HTTP or " : "",
                     for_modules ? "; it belongs under \"modules\" of the server" : "");
}

/* Choosing */

static const void *find_row(const struct kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->count; i++) {
        if (strcmp(name_of(kind, i), name) == 0)
            return row_of(kind, i);
    }
    return NULL;
}

/* True when one of a kind that is needed was found. */
static bool choose_named(struct kind kinds[KINDS], const char *name)
{
    bool enough = false;
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].useful)
            kinds[i].chosen = find_row(&kinds[i], name);
        enough = enough || (kinds[i].needed && kinds[i].chosen != NULL);
    }
    return enough;
}

static bool is_choice_left(const struct kind kinds[KINDS])
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].useful && kinds[i].count > 1)
            return true;
    }
    return false;
}

/* As above. */
static bool choose_only(struct kind kinds[KINDS])
{
    bool enough = false;
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].useful && kinds[i].count > 0)
            kinds[i].chosen = kinds[i].rows;
        enough = enough || (kinds[i].needed && kinds[i].chosen != NULL);
    }
    return enough;
}

/* False after adding an error. */
static bool choose_by_name(struct rtn_instance *instance, struct kind kinds[KINDS], const struct rtn_setup *setup)
{
    if (choose_named(kinds, instance->place.handler))
        return true;
    const struct names names = names_of(instance, kinds);
    if (kinds[MESSAGES].chosen != NULL)
        report_messages_only(instance, setup);
    else if (names.count == 0 && (instance->use == NULL || instance->loaded->module.start == NULL))
        report_none(instance, setup);
    else
        report_unknown(instance, setup, &names);
    return false;
}

/* The same. Where one kind leaves a choice, nothing is chosen of the others either. */
static bool choose_without(struct rtn_instance *instance, struct kind kinds[KINDS], const struct rtn_setup *setup)
{
    const struct names names = names_of(instance, kinds);
    if (is_choice_left(kinds) && names.count > 0) {
        report_several(instance, kinds, setup, &names);
        return false;
    }
    if (choose_only(kinds) || (instance->use != NULL && instance->loaded->module.start != NULL))
        return true;
    report_none(instance, setup);
    return false;
}

/* What follows */

size_t rtn_instance_handlers(const struct rtn_instance *instance,
                             struct rtn_instance_handler ret[RTN_INSTANCE_HANDLERS_MAX])
{
    enum rtn_threads general = instance->loaded->module.threads;
    size_t count = 0;
    if (instance->http != NULL)
        ret[count++] = (struct rtn_instance_handler){ instance->http->name, instance->http->threads };
    if (instance->ws != NULL)
        ret[count++] = (struct rtn_instance_handler){ instance->ws->name, instance->ws->threads };
    if (instance->line != NULL)
        ret[count++] = (struct rtn_instance_handler){ instance->line->name, instance->line->threads };
    if (instance->messages != NULL)
        ret[count++] =
            (struct rtn_instance_handler){ instance->messages->handler.name, instance->messages->handler.threads };
    for (size_t i = 0; i < count; i++)
        ret[i].threads = ret[i].threads != 0 ? ret[i].threads : general;
    return count;
}

/* All callbacks of an instance run under one promise: that of the handler that bears least. */
static enum rtn_threads threads_of(const struct rtn_instance *instance)
{
    struct rtn_instance_handler handlers[RTN_INSTANCE_HANDLERS_MAX];
    size_t count = rtn_instance_handlers(instance, handlers);
    enum rtn_threads threads = instance->loaded->module.threads;
    for (size_t i = 0; i < count; i++)
        threads = RTN_MIN(threads, handlers[i].threads);
    return threads;
}

/* HEAD goes with GET; a handshake is a GET. */
static void set_methods(struct rtn_instance *instance)
{
    if (instance->http != NULL) {
        unsigned methods = instance->http->methods & RTN_METHOD_ALL;
        instance->http_methods = methods != 0 ? methods : RTN_METHOD_ALL & ~(unsigned) RTN_METHOD_OPTIONS;
        if (instance->http_methods & RTN_METHOD_GET)
            instance->http_methods |= RTN_METHOD_HEAD;
    }
    instance->takes_options = (instance->http_methods & RTN_METHOD_OPTIONS) != 0;
    instance->methods = instance->http_methods;
    if (instance->ws != NULL && instance->route != NULL)
        instance->methods |= RTN_METHOD_GET | RTN_METHOD_HEAD;
}

void rtn_instance_choose(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    struct kind kinds[KINDS];
    make_kinds(instance, kinds);
    if (!(instance->place.handler != NULL ? choose_by_name(instance, kinds, setup)
                                          : choose_without(instance, kinds, setup)))
        return;
    instance->http = kinds[HTTP].chosen;
    instance->ws = kinds[WS].chosen;
    instance->line = kinds[LINE].chosen;
    instance->messages = kinds[MESSAGES].chosen;
    instance->threads = threads_of(instance);
    set_methods(instance);
}
