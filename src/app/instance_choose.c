/*
 * Which of a module's handlers an instance gets: the HTTP and the WebSocket handler of the name given, or the only
 * ones of their kinds. A client gets a WebSocket handler and nothing else.
 */
#include "app/instance_internal.h"
#include "config/memory.h"

/* The names of all rows that may be chosen, each once, though one of either kind may have it. */
struct names {
    const char **items;
    size_t count;
};

static bool is_client(const struct rtn_instance *instance)
{
    return instance->client != NULL;
}

/* As in: has no handler, has no WebSocket handler. */
static const char *kind_wanted(const struct rtn_instance *instance)
{
    return is_client(instance) ? "WebSocket " : "";
}

static void add_name(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return;
    }
    names->items[names->count++] = name;
}

static struct names names_of(struct rtn_instance *instance)
{
    const struct rtn_loaded *loaded = instance->loaded;
    struct names names = { 0 };
    names.items =
        rtn_config_alloc(&instance->arena, (loaded->http_count + loaded->ws_count + 1) * sizeof(*names.items));
    for (size_t i = 0; i < loaded->http_count && !is_client(instance); i++)
        add_name(&names, loaded->http[i].name);
    for (size_t i = 0; i < loaded->ws_count; i++)
        add_name(&names, loaded->ws[i].name);
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
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    const struct rtn_place *place = &instance->place;
    const char *near = rtn_schema_suggest(rtn_str_of(place->handler), names->items, names->count, &instance->arena);
    list_names(names, &all);
    rtn_setup_report(setup, rtn_schema_mark(place->node, "handler"), "module \"%s\" has no %shandler \"%s\"%s%s",
                     instance->loaded->module.name, kind_wanted(instance), place->handler,
                     near[0] != '\0' ? near : "; it has ", near[0] != '\0' ? "" : rtn_buf_str(&all).data);
}

static void report_several(const struct rtn_instance *instance, const struct rtn_setup *setup,
                           const struct names *names)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    list_names(names, &all);
    rtn_setup_report(setup, rtn_schema_mark(instance->place.node, "module"),
                     "module \"%s\" has several %shandlers; add handler: with one of %s", instance->loaded->module.name,
                     kind_wanted(instance), rtn_buf_str(&all).data);
}

/* Nothing was chosen: why. */
static void report(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct names names = names_of(instance);
    if (names.count == 0)
        rtn_setup_report(setup, rtn_schema_mark(instance->place.node, "module"),
                         "module \"%s\" has no WebSocket handler", instance->loaded->module.name);
    else if (instance->place.handler != NULL)
        report_unknown(instance, setup, &names);
    else
        report_several(instance, setup, &names);
}

static bool choose_named(struct rtn_instance *instance)
{
    const struct rtn_loaded *loaded = instance->loaded;
    for (size_t i = 0; i < loaded->http_count && !is_client(instance); i++) {
        if (strcmp(loaded->http[i].name, instance->place.handler) == 0)
            instance->http = &loaded->http[i];
    }
    for (size_t i = 0; i < loaded->ws_count; i++) {
        if (strcmp(loaded->ws[i].name, instance->place.handler) == 0)
            instance->ws = &loaded->ws[i];
    }
    return instance->http != NULL || instance->ws != NULL;
}

/* Where one kind leaves a choice, nothing is chosen of the other either. */
static bool choose_only(struct rtn_instance *instance)
{
    const struct rtn_loaded *loaded = instance->loaded;
    size_t http_count = is_client(instance) ? 0 : loaded->http_count;
    if (http_count > 1 || loaded->ws_count > 1)
        return false;
    instance->http = http_count > 0 ? loaded->http : NULL;
    instance->ws = loaded->ws_count > 0 ? loaded->ws : NULL;
    return http_count > 0 || loaded->ws_count > 0;
}

/* All callbacks of an instance run under one promise: that of the handler that bears least. */
static enum rtn_threads threads_of(const struct rtn_instance *instance)
{
    enum rtn_threads threads = instance->loaded->module.threads;
    if (instance->http != NULL)
        threads = RTN_MIN(threads, rtn_instance_threads(instance, instance->http->threads));
    if (instance->ws != NULL)
        threads = RTN_MIN(threads, rtn_instance_threads(instance, instance->ws->threads));
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
    if (instance->ws != NULL && !is_client(instance))
        instance->methods |= RTN_METHOD_GET | RTN_METHOD_HEAD;
}

void rtn_instance_choose(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    if (!(instance->place.handler != NULL ? choose_named(instance) : choose_only(instance))) {
        report(instance, setup);
        return;
    }
    instance->threads = threads_of(instance);
    set_methods(instance);
}
