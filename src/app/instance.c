/*
 * Makes instances: from a route, a client or an entry of `modules` and a loaded module to memory that callbacks can
 * work on. Each step reports its own problems and the next one runs as far as it still makes sense, so that one run
 * shows them all; configure is only called when nothing is wrong.
 */
#include "app/instance.h"

#include <errno.h>
#include <stdlib.h>

#include "app/callback.h"
#include "app/inbox.h"
#include "app/instance_internal.h"
#include "app/instances.h"
#include "app/metrics.h"
#include "app/options.h"
#include "config/memory.h"

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
    const struct rtn_activity_call before = rtn_callback_enter(instance, name, NULL);
    int result = step != NULL ? step(instance->data, &setup) : 0;
    rtn_callback_leave(&before);
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

/* A use is named by its module already. */
static const char *who_text(const struct rtn_place *place, const char *module, struct rtn_arena *arena)
{
    return place->path[0] == '\0' ? place->text : rtn_config_printf(arena, "%s: module %s", place->text, module);
}

static struct rtn_instance *instance_alloc(struct rtn_generation *generation, const struct rtn_config_server *server,
                                           const struct rtn_place *place)
{
    struct rtn_instance *instance = rtn_config_need(calloc(1, sizeof(*instance)));
    rtn_generation_ref(generation);
    instance->generation = generation;
    instance->server = server;
    instance->place = *place;
    atomic_init(&instance->users, 1);
    atomic_init(&instance->running, 1);
    rtn_serial_init(&instance->serial);
    rtn_arena_init(&instance->arena, NULL, 0);
    instance->place.text = place_text(place, &instance->arena);
    return instance;
}

static void load(struct rtn_instance *instance, const struct rtn_loaded *loaded)
{
    const struct rtn_place *place = &instance->place;
    const char *module = loaded->module.name;
    rtn_loaded_ref(loaded);
    instance->loaded = loaded;
    instance->data = rtn_config_need(calloc(1, RTN_MAX(loaded->module.instance_size, (size_t) 1)));
    instance->label = (struct rtn_activity_label){ place->text, module, who_text(place, module, &instance->arena) };
}

/* One that is offered, with a reference; NULL: none is the same. */
static struct rtn_instance *take_offered(const struct rtn_instance *instance, const struct rtn_instance_offer *offer)
{
    for (size_t i = 0; offer != NULL && i < offer->count; i++) {
        if (offer->taken[i] || !rtn_instance_is_same(offer->items[i], instance))
            continue;
        offer->taken[i] = true;
        rtn_instance_ref(offer->items[i]);
        return offer->items[i];
    }
    return NULL;
}

/* The instance itself, also when errors were added, or one to be used in its place. */
static struct rtn_instance *make_steps(struct rtn_instance *instance, const struct rtn_instance_offer *offer,
                                       const struct rtn_setup *setup)
{
    const struct rtn_module *module = &instance->loaded->module;
    struct rtn_diags *diags = setup->diags;
    size_t errors = diags->errors;
    rtn_instance_choose(instance, setup);
    if (diags->errors == errors)
        rtn_instance_check(instance, setup);
    struct rtn_instance *same = diags->errors == errors ? take_offered(instance, offer) : NULL;
    if (same != NULL)
        return same;
    if (instance->messages != NULL)
        instance->inbox = rtn_inbox_new(instance);
    read_options(instance, setup);
    if (diags->errors == errors)
        instance->configured = call_step(instance, module->configure, "configure", diags);
    return instance;
}

/* NULL, after freeing the instance, when errors were added. */
static struct rtn_instance *make(struct rtn_instance *instance, const struct rtn_instance_offer *offer,
                                 struct rtn_diags *diags)
{
    const struct rtn_setup setup = { instance, diags };
    const struct rtn_place *place = &instance->place;
    struct rtn_instance *made = NULL;
    size_t errors = diags->errors;
    const struct rtn_loaded *loaded =
        rtn_modules_get(instance->generation->modules, place->module, rtn_schema_mark(place->node, "module"), diags);
    if (loaded != NULL) {
        load(instance, loaded);
        made = make_steps(instance, offer, &setup);
    }
    if (made == instance && diags->errors == errors)
        return instance;
    rtn_instance_free(instance);
    return made != instance ? made : NULL;
}

struct rtn_instance *rtn_instance_new(struct rtn_generation *generation, const struct rtn_config_server *server,
                                      const struct rtn_config_route *route, const struct rtn_instance_offer *offer,
                                      struct rtn_diags *diags)
{
    const struct rtn_place place = { .kind = "route",
                                     .path = route->path,
                                     .module = route->module,
                                     .handler = route->handler,
                                     .options = route->options,
                                     .node = route->node };
    struct rtn_instance *instance = instance_alloc(generation, server, &place);
    instance->route = route;
    return make(instance, offer, diags);
}

struct rtn_instance *rtn_instance_new_client(struct rtn_generation *generation, const struct rtn_config_server *server,
                                             const struct rtn_config_client *client,
                                             const struct rtn_instance_offer *offer, struct rtn_diags *diags)
{
    const struct rtn_place place = { .kind = "client",
                                     .path = client->url,
                                     .module = client->module,
                                     .handler = client->handler,
                                     .options = client->options,
                                     .node = client->node };
    struct rtn_instance *instance = instance_alloc(generation, server, &place);
    instance->client = client;
    return make(instance, offer, diags);
}

struct rtn_instance *rtn_instance_new_use(struct rtn_generation *generation, const struct rtn_config_server *server,
                                          const struct rtn_config_use *use, const struct rtn_instance_offer *offer,
                                          struct rtn_diags *diags)
{
    const struct rtn_place place = { .kind = "module",
                                     .path = "",
                                     .module = use->module,
                                     .handler = use->handler,
                                     .options = use->options,
                                     .node = use->node };
    struct rtn_instance *instance = instance_alloc(generation, server, &place);
    instance->use = use;
    return make(instance, offer, diags);
}

int rtn_instance_ready(struct rtn_instance *instance, struct rtn_diags *diags)
{
    size_t errors = diags->errors;
    bool ready = call_step(instance, instance->loaded->module.ready, "ready", diags);
    return ready && diags->errors == errors ? 0 : -EINVAL;
}

static void call_unload(const struct rtn_instance *instance)
{
    const struct rtn_activity_call before = rtn_callback_enter(instance, "unload", NULL);
    instance->loaded->module.unload(instance->data);
    rtn_callback_leave(&before);
}

void rtn_instance_free(struct rtn_instance *instance)
{
    if (instance == NULL)
        return;
    if (instance->configured && instance->loaded != NULL && instance->loaded->module.unload != NULL)
        call_unload(instance);
    rtn_instances_remove(instance);
    rtn_activity_fence();
    rtn_metrics_release(instance);
    rtn_arena_done(&instance->arena);
    free(instance->data);
    rtn_loaded_unref(instance->loaded);
    rtn_generation_unref(instance->generation);
    free(instance);
}
