/*
 * Makes instances: from a route of the configuration and a loaded module to memory that callbacks can work on.
 * Each step reports its own problems and the next one runs as far as it still makes sense, so that one run shows
 * them all; configure is only called when nothing is wrong.
 */
#include "app/instance.h"

#include <errno.h>
#include <stdlib.h>

#include "app/module_text.h"
#include "app/options.h"
#include "app/setup.h"
#include "base/method.h"
#include "config/memory.h"

#define SUGGEST_MAX 256

/* Where the route's handler is among the module's; their count when it is none of them. */
static size_t find_handler(const struct rtn_loaded *loaded, const struct rtn_config_route *route)
{
    size_t at = 0;
    if (route->handler == NULL)
        return loaded->http_count == 1 ? 0 : loaded->http_count;
    while (at < loaded->http_count && strcmp(loaded->http[at].name, route->handler) != 0)
        at++;
    return at;
}

/* form, post */
static void list_handlers(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    for (size_t i = 0; i < loaded->http_count; i++)
        rtn_buf_printf(out, "%s%s", i > 0 ? ", " : "", loaded->http[i].name);
}

static void report_handler(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    const struct rtn_loaded *loaded = instance->loaded;
    const struct rtn_config_route *route = instance->route;
    const char *names[SUGGEST_MAX];
    size_t count = 0;
    list_handlers(loaded, &all);
    if (route->handler == NULL) {
        rtn_setup_report(setup, rtn_schema_mark(route->node, "module"),
                         "module \"%s\" has several handlers; add handler: with one of %s", loaded->module.name,
                         all.data);
        return;
    }
    for (; count < loaded->http_count && count < SUGGEST_MAX; count++)
        names[count] = loaded->http[count].name;
    const char *near = rtn_schema_suggest(rtn_str_of(route->handler), names, count, &instance->arena);
    rtn_setup_report(setup, rtn_schema_mark(route->node, "handler"), "module \"%s\" has no handler \"%s\"%s%s",
                     loaded->module.name, route->handler, near[0] != '\0' ? near : "; it has ",
                     near[0] != '\0' ? "" : all.data);
}

static void choose_handler(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct rtn_loaded *loaded = instance->loaded;
    size_t at = find_handler(loaded, instance->route);
    if (at == loaded->http_count) {
        report_handler(instance, setup);
        return;
    }
    instance->http = &loaded->http[at];
    unsigned methods = instance->http->methods & RTN_METHOD_ALL;
    instance->threads = instance->http->threads != 0 ? instance->http->threads : loaded->module.threads;
    instance->methods = methods != 0 ? methods : RTN_METHOD_ALL & ~(unsigned) RTN_METHOD_OPTIONS;
    if (instance->methods & RTN_METHOD_GET)
        instance->methods |= RTN_METHOD_HEAD;
    instance->takes_options = (instance->methods & RTN_METHOD_OPTIONS) != 0;
}

static const char *handler_key(const struct rtn_instance *instance)
{
    return instance->route->handler != NULL ? "handler" : "module";
}

bool rtn_instance_needs_workers(const struct rtn_instance *instance)
{
    return instance->threads != RTN_THREADS_LOOP || instance->http->worker;
}

static void check_threads(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    if (instance->http == NULL || !rtn_instance_needs_workers(instance) || instance->server->threads != 0)
        return;
    rtn_setup_report(setup, rtn_schema_mark(instance->route->node, handler_key(instance)),
                     "handler \"%s\" of module \"%s\" runs on workers (%s), but this server has none (threads: 0)",
                     instance->http->name, instance->loaded->module.name, rtn_threads_name(instance->threads));
}

/* A handler that reads the body would take it for empty. */
static void check_no_body(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct rtn_config_route *route = instance->route;
    bool by_route = route->request_body == RTN_BODY_NONE;
    bool by_server = route->request_body == RTN_BODY_INHERIT && instance->server->request_body == RTN_BODY_NONE;
    if (instance->http == NULL || instance->http->body == NULL || (!by_route && !by_server))
        return;
    rtn_setup_report(setup, rtn_schema_mark(route->node, by_route ? "request_body" : handler_key(instance)),
                     "handler \"%s\" of module \"%s\" reads the body, but request_body is none%s", instance->http->name,
                     instance->loaded->module.name, by_server ? " on this server" : "");
}

static void check_body(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    if (instance->http == NULL || instance->http->body != NULL || instance->route->request_body != RTN_BODY_STREAMED)
        return;
    rtn_setup_report(setup, rtn_schema_mark(instance->route->node, "request_body"),
                     "handler \"%s\" of module \"%s\" does not take the body in pieces (request_body: streamed)",
                     instance->http->name, instance->loaded->module.name);
}

static int64_t either(int64_t of_route, int64_t of_server)
{
    return of_route >= 0 ? of_route : of_server;
}

static int body_mode(const struct rtn_instance *instance)
{
    int mode = instance->route->request_body;
    if (mode == RTN_BODY_INHERIT)
        mode = instance->server->request_body;
    if (mode == RTN_BODY_INHERIT || mode == RTN_BODY_STREAMED)
        mode = instance->http->body != NULL ? RTN_BODY_STREAMED : RTN_BODY_BUFFERED;
    return mode;
}

void rtn_instance_policy(const struct rtn_instance *instance, struct rtn_policy *ret)
{
    const struct rtn_config_route *route = instance->route;
    const struct rtn_config_server *server = instance->server;
    *ret = (struct rtn_policy){
        .request_body = body_mode(instance),
        .body_limit = either(route->limits.body, server->limits.body),
        .body_timeout = either(route->timeouts.body, server->timeouts.body),
        .write_timeout = either(route->timeouts.write, server->timeouts.write),
        .handler_timeout = either(route->timeouts.handler, server->timeouts.handler),
    };
}

static void check_methods(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf refused = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf taken = { 0 };
    unsigned beyond = instance->http != NULL ? instance->route->methods & ~instance->methods : 0;
    if (beyond == 0)
        return;
    rtn_method_list(beyond, &refused);
    rtn_method_list(instance->methods, &taken);
    rtn_setup_report(setup, rtn_schema_mark(instance->route->node, "methods"),
                     "handler \"%s\" of module \"%s\" does not take %s; it takes %s", instance->http->name,
                     instance->loaded->module.name, refused.data, taken.data);
}

/* Without options: the place of a missing one is the module's name. */
static void read_options(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct rtn_config_route *route = instance->route;
    const struct rtn_loaded *loaded = instance->loaded;
    if (loaded->option_count == 0 && route->options != NULL && route->options->count > 0) {
        rtn_setup_report(setup, rtn_schema_mark(route->node, "options"), "module \"%s\" has no options",
                         loaded->module.name);
        return;
    }
    const char *where = rtn_config_printf(&instance->arena, "server \"%s\": route \"%s\": options",
                                          instance->server->name, route->path);
    struct rtn_mark mark = rtn_schema_mark(route->node, route->options != NULL ? "options" : "module");
    (void) rtn_options_read(loaded, route->options, mark, where, instance->data, &instance->arena, setup->diags);
}

static const char *describe(int result)
{
    const char *text = result < 0 ? strerrordesc_np(-result) : NULL;
    return text != NULL ? text : "no reason given";
}

/*
 * Calls a step of the module that may fail; true when it returned 0. It should have said what is wrong; when it did
 * not, its code is all there is.
 */
static bool call_step(const struct rtn_instance *instance, int (*step)(void *data, rtn_setup *setup), const char *name,
                      struct rtn_diags *diags)
{
    struct rtn_setup setup = { instance, diags };
    size_t errors = diags->errors;
    int result = step != NULL ? step(instance->data, &setup) : 0;
    if (result != 0 && diags->errors == errors)
        (void) rtn_setup_error(&setup, NULL, "%s failed: %s", name, describe(result));
    return result == 0;
}

static struct rtn_instance *instance_alloc(const struct rtn_loaded *loaded, const struct rtn_config_server *server,
                                           const struct rtn_config_route *route)
{
    struct rtn_instance *instance = rtn_config_need(calloc(1, sizeof(*instance)));
    instance->loaded = loaded;
    instance->server = server;
    instance->route = route;
    instance->data = rtn_config_need(calloc(1, RTN_MAX(loaded->module.instance_size, (size_t) 1)));
    rtn_serial_init(&instance->serial);
    rtn_arena_init(&instance->arena, NULL, 0);
    return instance;
}

struct rtn_instance *rtn_instance_new(struct rtn_modules *modules, const struct rtn_config_server *server,
                                      const struct rtn_config_route *route, struct rtn_diags *diags)
{
    struct rtn_mark mark = rtn_schema_mark(route->node, "module");
    const struct rtn_loaded *loaded = rtn_modules_get(modules, route->module, mark, diags);
    if (loaded == NULL)
        return NULL;
    struct rtn_instance *instance = instance_alloc(loaded, server, route);
    const struct rtn_setup setup = { instance, diags };
    size_t errors = diags->errors;
    choose_handler(instance, &setup);
    check_threads(instance, &setup);
    check_methods(instance, &setup);
    check_body(instance, &setup);
    check_no_body(instance, &setup);
    read_options(instance, &setup);
    if (diags->errors == errors)
        instance->configured = call_step(instance, loaded->module.configure, "configure", diags);
    if (diags->errors == errors)
        return instance;
    rtn_instance_free(instance);
    return NULL;
}

int rtn_instance_ready(struct rtn_instance *instance, struct rtn_diags *diags)
{
    size_t errors = diags->errors;
    bool ready = call_step(instance, instance->loaded->module.ready, "ready", diags);
    return ready && diags->errors == errors ? 0 : -EINVAL;
}

void rtn_instance_free(struct rtn_instance *instance)
{
    if (instance == NULL)
        return;
    if (instance->configured && instance->loaded->module.unload != NULL)
        instance->loaded->module.unload(instance->data);
    rtn_arena_done(&instance->arena);
    free(instance->data);
    free(instance);
}
