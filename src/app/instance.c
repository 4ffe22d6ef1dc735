/*
 * Makes instances: from a route, a client or an entry of `modules` and a loaded module to memory that callbacks can
 * work on. Each step reports its own problems and the next one runs as far as it still makes sense, so that one run
 * shows them all; configure is only called when nothing is wrong.
 */
#include "app/instance.h"

#include <errno.h>
#include <stdlib.h>

#include "app/instance_internal.h"
#include "app/options.h"
#include "config/memory.h"

/* Policies */

static int64_t either(int64_t of_route, int64_t of_server)
{
    return of_route >= 0 ? of_route : of_server;
}

static int body_mode(const struct rtn_instance *instance)
{
    int mode = instance->route->request_body;
    if (instance->http == NULL)
        return RTN_BODY_NONE;
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

static struct rtn_ws_policy route_ws_policy(const struct rtn_config_route *route,
                                            const struct rtn_config_server *server)
{
    int backlog = route->backlog_policy != RTN_BACKLOG_INHERIT ? route->backlog_policy : server->backlog_policy;
    return (struct rtn_ws_policy){
        .session = { .message_limit = either(route->limits.message, server->limits.message),
                     .backlog_limit = either(route->limits.backlog, server->limits.backlog),
                     .drop = backlog == RTN_BACKLOG_DROP,
                     .write_timeout = either(route->timeouts.write, server->timeouts.write) },
        .ping_timeout = either(route->timeouts.ping, server->timeouts.ping),
        .pong_timeout = either(route->timeouts.pong, server->timeouts.pong),
        .close_timeout = either(route->timeouts.close, server->timeouts.close),
        .origins = route->origins,
        .deflate = &route->deflate,
    };
}

static struct rtn_ws_policy client_ws_policy(const struct rtn_config_client *client)
{
    return (struct rtn_ws_policy){
        .session = { .message_limit = client->limits.message,
                     .backlog_limit = client->limits.backlog,
                     .drop = client->backlog_policy == RTN_BACKLOG_DROP,
                     .write_timeout = client->timeouts.write },
        .ping_timeout = client->timeouts.ping,
        .pong_timeout = client->timeouts.pong,
        .close_timeout = client->timeouts.close,
        .deflate = &client->deflate,
    };
}

static void set_ws_policy(struct rtn_instance *instance)
{
    if (instance->ws == NULL)
        return;
    instance->ws_policy = instance->client != NULL ? client_ws_policy(instance->client)
                                                   : route_ws_policy(instance->route, instance->server);
    instance->ws_policy.streamed = instance->ws->fragment != NULL;
}

/* Steps */

/* Without options: the place of a missing one is the module's name. */
static void read_options(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct rtn_place *place = &instance->place;
    const struct rtn_loaded *loaded = instance->loaded;
    if (loaded->option_count == 0 && place->options != NULL && place->options->count > 0) {
        rtn_setup_report(setup, rtn_schema_mark(place->node, "options"), "module \"%s\" has no options",
                         loaded->module.name);
        return;
    }
    const char *where =
        rtn_config_printf(&instance->arena, "server \"%s\": %s: options", instance->server->name, place->text);
    struct rtn_mark mark = rtn_schema_mark(place->node, place->options != NULL ? "options" : "module");
    (void) rtn_options_read(loaded, place->options, mark, where, instance->data, &instance->arena, setup->diags);
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

/* Life */

/* The query of a URL may hold secrets. */
static const char *place_text(const struct rtn_place *place, struct rtn_arena *arena)
{
    if (place->path[0] == '\0')
        return rtn_config_printf(arena, "%s \"%s\"", place->kind, place->module);
    return rtn_config_printf(arena, "%s \"%.*s\"", place->kind, (int) strcspn(place->path, "?"), place->path);
}

static struct rtn_instance *instance_alloc(const struct rtn_config_server *server, const struct rtn_place *place)
{
    struct rtn_instance *instance = rtn_config_need(calloc(1, sizeof(*instance)));
    instance->server = server;
    instance->place = *place;
    rtn_serial_init(&instance->serial);
    rtn_arena_init(&instance->arena, NULL, 0);
    instance->place.text = place_text(place, &instance->arena);
    return instance;
}

static void make_steps(struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct rtn_module *module = &instance->loaded->module;
    struct rtn_diags *diags = setup->diags;
    size_t errors = diags->errors;
    rtn_instance_choose(instance, setup);
    if (diags->errors == errors)
        rtn_instance_check(instance, setup);
    set_ws_policy(instance);
    read_options(instance, setup);
    if (diags->errors == errors)
        instance->configured = call_step(instance, module->configure, "configure", diags);
}

/* NULL, after freeing the instance, when errors were added. */
static struct rtn_instance *make(struct rtn_instance *instance, struct rtn_modules *modules, struct rtn_diags *diags)
{
    const struct rtn_setup setup = { instance, diags };
    const struct rtn_place *place = &instance->place;
    size_t errors = diags->errors;
    instance->loaded = rtn_modules_get(modules, place->module, rtn_schema_mark(place->node, "module"), diags);
    if (instance->loaded != NULL) {
        instance->data = rtn_config_need(calloc(1, RTN_MAX(instance->loaded->module.instance_size, (size_t) 1)));
        make_steps(instance, &setup);
    }
    if (instance->loaded != NULL && diags->errors == errors)
        return instance;
    rtn_instance_free(instance);
    return NULL;
}

struct rtn_instance *rtn_instance_new(struct rtn_modules *modules, const struct rtn_config_server *server,
                                      const struct rtn_config_route *route, struct rtn_diags *diags)
{
    const struct rtn_place place = { .kind = "route",
                                     .path = route->path,
                                     .module = route->module,
                                     .handler = route->handler,
                                     .options = route->options,
                                     .node = route->node };
    struct rtn_instance *instance = instance_alloc(server, &place);
    instance->route = route;
    return make(instance, modules, diags);
}

struct rtn_instance *rtn_instance_new_client(struct rtn_modules *modules, const struct rtn_config_server *server,
                                             const struct rtn_config_client *client, struct rtn_diags *diags)
{
    const struct rtn_place place = { .kind = "client",
                                     .path = client->url,
                                     .module = client->module,
                                     .handler = client->handler,
                                     .options = client->options,
                                     .node = client->node };
    struct rtn_instance *instance = instance_alloc(server, &place);
    instance->client = client;
    return make(instance, modules, diags);
}

struct rtn_instance *rtn_instance_new_use(struct rtn_modules *modules, const struct rtn_config_server *server,
                                          const struct rtn_config_use *use, struct rtn_diags *diags)
{
    const struct rtn_place place = { .kind = "module",
                                     .path = "",
                                     .module = use->module,
                                     .handler = use->handler,
                                     .options = use->options,
                                     .node = use->node };
    struct rtn_instance *instance = instance_alloc(server, &place);
    instance->use = use;
    return make(instance, modules, diags);
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
    if (instance->configured && instance->loaded != NULL && instance->loaded->module.unload != NULL)
        instance->loaded->module.unload(instance->data);
    rtn_arena_done(&instance->arena);
    free(instance->data);
    free(instance);
}
