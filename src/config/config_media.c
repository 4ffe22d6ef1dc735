/* Media types, and `daemon.media_types`, which gives them to extensions of file names. */
#include "config/config_tables.h"
#include "config/memory.h"

#define MEDIA_TYPE_MAX 255

/* Takes "type/subtype" off the front of *rest. */
static bool take_type(struct rtn_str *rest)
{
    const char *end = memchr(rest->data, ';', rest->length);
    struct rtn_str whole = { rest->data, end != NULL ? (size_t) (end - rest->data) : rest->length };
    struct rtn_str type = rtn_str_trim(whole);
    const char *slash = memchr(type.data, '/', type.length);

    if (slash == NULL || !rtn_is_token((struct rtn_str){ type.data, (size_t) (slash - type.data) }) ||
        !rtn_is_token((struct rtn_str){ slash + 1, type.length - (size_t) (slash - type.data) - 1 }))
        return false;
    rest->data += whole.length;
    rest->length -= whole.length;
    return true;
}

/* "; charset=utf-8", also several; values without quotes. */
static bool are_parameters(struct rtn_str rest)
{
    struct rtn_str parameter;

    rtn_str_next(&rest, ';', &parameter);
    while (rtn_str_next(&rest, ';', &parameter)) {
        struct rtn_str name;
        if (!rtn_str_next(&parameter, '=', &name) || !rtn_is_token(name) || !rtn_is_token(parameter))
            return false;
    }
    return true;
}

bool rtn_config_is_media_type(struct rtn_str text)
{
    return text.length <= MEDIA_TYPE_MAX && memchr(text.data, '*', text.length) == NULL && take_type(&text) &&
           are_parameters(text);
}

static bool is_extension(struct rtn_str name)
{
    for (size_t i = 0; i < name.length; i++) {
        unsigned char c = (unsigned char) name.data[i];
        if (c <= ' ' || c == 0x7f || c == '.' || c == '/')
            return false;
    }
    return name.length > 0;
}

static bool check_pair(const struct rtn_node_pair *pair, const struct rtn_schema_context *context)
{
    struct rtn_str name = pair->name;
    const struct rtn_node *type = pair->value;
    bool ok = true;

    if (!is_extension(name))
        ok = rtn_schema_error(context, pair->name_mark,
                              "%s is no extension of a file name: what follows the last dot, without the dot",
                              rtn_node_quote(name, context->arena));
    if (type->broken)
        return false;
    if (type->kind == RTN_NODE_SCALAR && rtn_config_is_media_type(type->text))
        return ok;
    return rtn_schema_error(context, rtn_node_is_null(type) ? pair->name_mark : type->mark,
                            "%s must be a media type such as text/plain, not %s", rtn_node_quote(name, context->arena),
                            rtn_node_describe(type, context->arena));
}

/* Extensions are looked up in any case, so that two spellings of one would be a riddle. */
static bool check_spelling(const struct rtn_node *map, size_t index, const struct rtn_schema_context *context)
{
    for (size_t i = 0; i < index; i++) {
        if (!rtn_str_equal_nocase(map->pairs[i].name, map->pairs[index].name))
            continue;
        rtn_schema_error(context, map->pairs[index].name_mark, "%s is listed twice, in another case",
                         rtn_node_quote(map->pairs[index].name, context->arena));
        rtn_diags_note(context->diags, map->pairs[i].name_mark, "the other one is here");
        return false;
    }
    return true;
}

bool rtn_config_check_media_types(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_schema_context inner = *context;
    bool ok = true;

    (void) value;
    inner.where = "daemon: media_types";
    for (size_t i = 0; i < node->count; i++)
        ok = check_pair(&node->pairs[i], &inner) && check_spelling(node, i, &inner) && ok;
    return ok;
}
