/* Routes of a server that take the same requests: equal hosts, paths that match the same, and a method in common. */
#include "base/map.h"
#include "base/method.h"
#include "config/config_tables.h"
#include "config/memory.h"

/* The routes of one host and path that do not overlap. */
struct rivals {
    const struct rtn_config_route *route;
    struct rivals *next;
};

static unsigned methods_of(const struct rtn_config_route *route)
{
    return route->methods != 0 ? route->methods : RTN_METHOD_ALL;
}

/* GET, POST of a set; nothing for all of them. */
static const char *list_methods(unsigned set, struct rtn_arena *arena)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };

    for (const struct rtn_schema_choice *method = rtn_config_methods; set != RTN_METHOD_ALL && method->name != NULL;
         method++) {
        if ((set & (unsigned) method->value) != 0)
            rtn_buf_printf(&out, "%s%s", out.length > 0 ? ", " : " for ", method->name);
    }
    return rtn_config_strdup(arena, rtn_buf_str(&out));
}

static const char *of_host(const struct rtn_config_route *route, struct rtn_arena *arena)
{
    return route->host != NULL ? rtn_config_printf(arena, " of host \"%s\"", route->host) : "";
}

static bool report_overlap(const struct rtn_config_route *route, const struct rtn_config_route *other,
                           const struct rtn_schema_context *context)
{
    unsigned both = methods_of(route) & methods_of(other);
    bool same = strcmp(route->path, other->path) == 0;

    rtn_schema_error(context, rtn_schema_mark(route->node, "path"), "route \"%s\"%s%s%s%s%s", route->path,
                     of_host(route, context->arena), same ? " is given twice" : " matches the same as \"",
                     same ? "" : other->path, same ? "" : "\"", list_methods(both, context->arena));
    rtn_diags_note(context->diags, rtn_schema_mark(other->node, "path"), "the other route is here");
    return false;
}

/* Hosts and paths hold no spaces. */
static struct rtn_str key_of(const struct rtn_config_route *route, struct rtn_arena *arena)
{
    return rtn_str_of(rtn_config_printf(arena, "%s %s", route->host != NULL ? route->host : "",
                                        rtn_config_path_shape(route->path, arena)));
}

/* False with errors in what counts here. */
static bool is_sound(const struct rtn_config_route *route, struct rtn_arena *arena)
{
    if (route->host == NULL && rtn_node_get(route->node, "host") != NULL)
        return false;
    return route->path != NULL && rtn_config_path_problem(route->path, arena) == NULL;
}

static bool add_route(struct rtn_map *paths, const struct rtn_config_route *route,
                      const struct rtn_schema_context *context)
{
    struct rtn_str key = key_of(route, context->arena);
    struct rivals *first = rtn_map_get(paths, key);
    struct rivals *mine = rtn_config_alloc(context->arena, sizeof(*mine));

    for (const struct rivals *other = first; other != NULL; other = other->next) {
        if ((methods_of(other->route) & methods_of(route)) != 0)
            return report_overlap(route, other->route, context);
    }
    mine->route = route;
    if (first == NULL)
        return rtn_map_add(paths, key, mine) == 0;
    mine->next = first->next;
    first->next = mine;
    return true;
}

bool rtn_config_check_routes(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    RTN_CLEANUP(rtn_map_done) struct rtn_map paths = { 0 };
    const struct rtn_schema_array *routes = value;
    bool ok = true;

    (void) node;
    for (size_t i = 0; i < routes->count; i++) {
        const struct rtn_config_route *route = (const struct rtn_config_route *) routes->items + i;
        if (is_sound(route, context->arena))
            ok = add_route(&paths, route, context) && ok;
    }
    return ok;
}
