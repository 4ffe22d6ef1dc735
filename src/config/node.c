/* Looking things up in node trees, and naming nodes in messages. */
#include "config/node.h"

#include <stdint.h>

#include "base/utf8.h"
#include "config/memory.h"

/* Characters of a value that a message repeats. */
#define QUOTE_MAX 60

const struct rtn_node_pair *rtn_node_pair(const struct rtn_node *node, const char *name)
{
    if (node == NULL || node->kind != RTN_NODE_MAP)
        return NULL;
    struct rtn_str wanted = rtn_str_of(name);
    for (size_t i = 0; i < node->count; i++) {
        if (rtn_str_equal(node->pairs[i].name, wanted))
            return &node->pairs[i];
    }
    return NULL;
}

const struct rtn_node *rtn_node_get(const struct rtn_node *node, const char *name)
{
    const struct rtn_node_pair *pair = rtn_node_pair(node, name);
    return pair != NULL ? pair->value : NULL;
}

bool rtn_node_is_null(const struct rtn_node *node)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    if (node->kind != RTN_NODE_SCALAR || node->quoted)
        return false;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(words); i++) {
        if (rtn_str_equal(node->text, rtn_str_of(words[i])))
            return true;
    }
    return false;
}

const char *rtn_node_describe(const struct rtn_node *node, struct rtn_arena *arena)
{
    switch (node->kind) {
    case RTN_NODE_LIST:
        return "a list";
    case RTN_NODE_MAP:
        return "a map";
    default:
        return rtn_node_is_null(node) ? "nothing" : rtn_node_quote(node->text, arena);
    }
}

const char *rtn_node_quote(struct rtn_str text, struct rtn_arena *arena)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    struct rtn_str rest = text;
    unsigned count = 0;

    rtn_buf_append_char(&out, '"');
    for (; rest.length > 0 && count < QUOTE_MAX; count++) {
        unsigned length = rtn_utf8_next(rest);
        unsigned char c = (unsigned char) rest.data[0];
        if (length == 0 || c < 0x20 || c == 0x7f)
            rtn_buf_printf(&out, "\\x%02x", c);
        else if (c == '"')
            rtn_buf_append_text(&out, "\\\"");
        else
            rtn_buf_append(&out, rest.data, length);
        length = length == 0 ? 1 : length;
        rest.data += length;
        rest.length -= length;
    }
    rtn_buf_append_text(&out, rest.length > 0 ? "...\"" : "\"");
    return rtn_config_strdup(arena, rtn_buf_str(&out));
}
