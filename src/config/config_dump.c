/*
 * The effective configuration as YAML that loads again. It walks the tables beside the structs; the
 * node of a struct tells which keys were given, and where. Keys that were left out and have no value
 * are not written, nor is a computed default outside the bounds of its key (threads: 0 leaves no
 * active_threads), nor what a route takes from its server, nor the origins that it has by default: a
 * route without WebSocket may not name any; nor what is for servers of another protocol.
 */
#include <assert.h>

#include "config/config_tables.h"
#include "config/yaml_write.h"

struct dump {
    struct rtn_buf *out;
    struct rtn_buf text; /* of the line being made */
    unsigned indent;
    bool dash; /* the next line is the first of a list entry */
    int protocol; /* of the server that is being written */
};

static void write_struct(struct dump *dump, const struct rtn_schema_table *table, const char *object,
                         const struct rtn_node *node);
static void write_node(struct dump *dump, const struct rtn_node *node);

/* Ends the line in dump->text; the mark says where its value comes from. */
static void end_line(struct dump *dump, struct rtn_mark mark)
{
    unsigned indent = dump->dash ? dump->indent - 2 : dump->indent;

    rtn_buf_printf(dump->out, "%*s%s%s  # ", (int) indent, "", dump->dash ? "- " : "",
                   dump->text.data != NULL ? dump->text.data : "");
    if (mark.source == NULL)
        rtn_buf_append_text(dump->out, "default");
    for (const char *c = mark.source != NULL ? mark.source->path : ""; *c != '\0'; c++)
        rtn_buf_append_char(dump->out, (unsigned char) *c < 0x20 || *c == 0x7f ? '?' : *c);
    if (mark.source != NULL)
        rtn_buf_printf(dump->out, ":%u", mark.line);
    rtn_buf_append_char(dump->out, '\n');
    rtn_buf_clear(&dump->text);
    dump->dash = false;
}

/* A list or map below a line that was just made ready, or "[]" or "{}" at its end. */
static void write_inner_node(struct dump *dump, const struct rtn_node *node, struct rtn_mark mark)
{
    if (node->count == 0) {
        rtn_buf_append_text(&dump->text, node->kind == RTN_NODE_LIST ? " []" : " {}");
        end_line(dump, mark);
        return;
    }
    end_line(dump, mark);
    dump->indent += 2;
    write_node(dump, node);
    dump->indent -= 2;
}

static void write_pair(struct dump *dump, const struct rtn_node_pair *pair)
{
    rtn_yaml_append_name(&dump->text, pair->name);
    if (pair->value->kind == RTN_NODE_SCALAR) {
        rtn_buf_append_char(&dump->text, ' ');
        rtn_yaml_append_scalar(&dump->text, pair->value);
        end_line(dump, pair->name_mark);
    } else {
        write_inner_node(dump, pair->value, pair->name_mark);
    }
}

static void write_item(struct dump *dump, const struct rtn_node *item)
{
    rtn_buf_append_char(&dump->text, '-');
    if (item->kind == RTN_NODE_SCALAR) {
        rtn_buf_append_char(&dump->text, ' ');
        rtn_yaml_append_scalar(&dump->text, item);
        end_line(dump, item->mark);
    } else {
        write_inner_node(dump, item, item->mark);
    }
}

/* A tree as it was given: options of a module. */
static void write_node(struct dump *dump, const struct rtn_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == RTN_NODE_MAP)
            write_pair(dump, &node->pairs[i]);
        else
            write_item(dump, node->items[i]);
    }
}

static const char *choice_name(const struct rtn_schema_key *key, int value)
{
    for (const struct rtn_schema_choice *choice = key->choices; choice->name != NULL; choice++) {
        if (choice->value == value)
            return choice->name;
    }
    return "";
}

static void append_flags(struct rtn_buf *out, const struct rtn_schema_key *key, unsigned flags)
{
    const char *separator = "";

    rtn_buf_append_char(out, '[');
    for (const struct rtn_schema_choice *choice = key->choices; choice->name != NULL; choice++) {
        if ((flags & (unsigned) choice->value) == 0)
            continue;
        rtn_buf_printf(out, "%s%s", separator, choice->name);
        separator = ", ";
    }
    rtn_buf_append_char(out, ']');
}

/* An empty list stands for the default where there is one (header_fields: all). */
static void append_strings(struct rtn_buf *out, const struct rtn_schema_key *key,
                           const struct rtn_schema_strings *strings)
{
    if (strings->count == 0 && key->fallback != NULL) {
        rtn_buf_append_text(out, key->fallback);
        return;
    }
    rtn_buf_append_char(out, '[');
    for (size_t i = 0; i < strings->count; i++) {
        rtn_buf_append_text(out, i > 0 ? ", " : "");
        rtn_yaml_append_text(out, strings->items[i]);
    }
    rtn_buf_append_char(out, ']');
}

static void append_number(struct rtn_buf *out, const struct rtn_schema_key *key, int64_t number)
{
    char text[RTN_FORMAT_MAX];

    if (key->type == RTN_SCHEMA_SIZE)
        rtn_buf_append_text(out, rtn_format_size(text, number));
    else
        rtn_buf_append_text(out, rtn_format_duration(text, number));
}

void rtn_config_append_value(struct rtn_buf *out, const struct rtn_schema_key *key, const void *value)
{
    switch (key->type) {
    case RTN_SCHEMA_BOOL:
        rtn_buf_append_text(out, *(const bool *) value ? "true" : "false");
        break;
    case RTN_SCHEMA_STRING:
    case RTN_SCHEMA_PATH:
        rtn_yaml_append_text(out, *(const char *const *) value);
        break;
    case RTN_SCHEMA_ENUM:
        rtn_buf_append_text(out, choice_name(key, *(const int *) value));
        break;
    case RTN_SCHEMA_FLAGS:
        append_flags(out, key, *(const unsigned *) value);
        break;
    case RTN_SCHEMA_STRINGS:
    case RTN_SCHEMA_PATHS:
        append_strings(out, key, value);
        break;
    case RTN_SCHEMA_INT:
        rtn_buf_printf(out, "%lld", (long long) *(const int64_t *) value);
        break;
    default:
        append_number(out, key, *(const int64_t *) value);
    }
}

/* The node that an object holds of itself, if its table has a member for it. */
static const struct rtn_node *node_of(const struct rtn_schema_table *table, const char *object,
                                      const struct rtn_node *otherwise)
{
    if (table->node_offset == SIZE_MAX)
        return otherwise;
    return *(const struct rtn_node *const *) (const void *) (object + table->node_offset);
}

static void write_list(struct dump *dump, const struct rtn_schema_key *key, const struct rtn_schema_array *array,
                       struct rtn_mark mark)
{
    if (array->count == 0)
        rtn_buf_append_text(&dump->text, " []");
    end_line(dump, mark);
    dump->indent += 4;
    for (size_t i = 0; i < array->count; i++) {
        const char *object = (const char *) array->items + i * key->table->size;
        dump->dash = true;
        write_struct(dump, key->table, object, node_of(key->table, object, NULL));
    }
    dump->indent -= 4;
}

/* There is no default for names, so `pair` is never NULL here. */
static void write_named(struct dump *dump, const struct rtn_schema_key *key, const struct rtn_schema_array *array,
                        const struct rtn_node_pair *pair)
{
    assert(pair != NULL);
    end_line(dump, pair->name_mark);
    dump->indent += 2;
    for (size_t i = 0; i < array->count; i++) {
        const char *object = (const char *) array->items + i * key->table->size;
        rtn_yaml_append_name(&dump->text, pair->value->pairs[i].name);
        end_line(dump, pair->value->pairs[i].name_mark);
        dump->indent += 2;
        if (key->table == &rtn_config_server_table)
            dump->protocol = ((const struct rtn_config_server *) (const void *) object)->protocol;
        write_struct(dump, key->table, object, node_of(key->table, object, NULL));
        dump->indent -= 2;
    }
    dump->indent -= 2;
}

/* A list that a check has made up (origins) has no nodes. */
static bool is_made_up(const struct rtn_schema_strings *strings)
{
    return strings->count == 0 || strings->nodes[0] == NULL;
}

/* No value, or one that cannot be written: inherited, or below the bounds. */
static bool is_unset(const struct rtn_schema_key *key, const void *value)
{
    switch (key->type) {
    case RTN_SCHEMA_INT:
    case RTN_SCHEMA_SIZE:
    case RTN_SCHEMA_DURATION:
        return *(const int64_t *) value <= 0;
    case RTN_SCHEMA_STRING:
    case RTN_SCHEMA_PATH:
    case RTN_SCHEMA_FREE:
        return *(const void *const *) value == NULL;
    case RTN_SCHEMA_ENUM:
        return choice_name(key, *(const int *) value)[0] == '\0';
    case RTN_SCHEMA_FLAGS:
        return *(const unsigned *) value == 0;
    case RTN_SCHEMA_STRINGS:
    case RTN_SCHEMA_PATHS:
        return is_made_up(value);
    case RTN_SCHEMA_LIST:
    case RTN_SCHEMA_NAMED:
        return ((const struct rtn_schema_array *) value)->count == 0;
    default:
        return false;
    }
}

static bool is_written(const struct dump *dump, const struct rtn_schema_table *table, const struct rtn_schema_key *key,
                       const char *object, const struct rtn_node *node);

static bool has_keys(const struct dump *dump, const struct rtn_schema_table *table, const char *object,
                     const struct rtn_node *node)
{
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        if (is_written(dump, table, key, object, node))
            return true;
    }
    return false;
}

static bool is_written(const struct dump *dump, const struct rtn_schema_table *table, const struct rtn_schema_key *key,
                       const char *object, const struct rtn_node *node)
{
    const char *value = object + key->offset;

    if (!rtn_config_key_is_for(table, rtn_str_of(key->name), dump->protocol))
        return false;
    if (rtn_node_pair(node, key->name) != NULL)
        return true;
    if (key->type == RTN_SCHEMA_NAMED || key->switches_on)
        return false;
    if (key->type == RTN_SCHEMA_MAP)
        return has_keys(dump, key->table, value, NULL);
    return key->fallback != NULL || !is_unset(key, value);
}

static void write_map(struct dump *dump, const struct rtn_schema_key *key, const char *object,
                      const struct rtn_node_pair *pair)
{
    const struct rtn_node *node = node_of(key->table, object, pair != NULL ? pair->value : NULL);

    if (!has_keys(dump, key->table, object, node))
        rtn_buf_append_text(&dump->text, " {}");
    end_line(dump, pair != NULL ? pair->name_mark : (struct rtn_mark){ 0 });
    dump->indent += 2;
    write_struct(dump, key->table, object, node);
    dump->indent -= 2;
}

static void write_key(struct dump *dump, const struct rtn_schema_table *table, const struct rtn_schema_key *key,
                      const char *object, const struct rtn_node *node)
{
    const struct rtn_node_pair *pair = rtn_node_pair(node, key->name);
    const void *value = object + key->offset;
    struct rtn_mark mark = pair != NULL ? pair->name_mark : (struct rtn_mark){ 0 };

    if (!is_written(dump, table, key, object, node))
        return;
    rtn_buf_printf(&dump->text, "%s%s:", key->consumed ? "# " : "", key->name);
    switch (key->type) {
    case RTN_SCHEMA_MAP:
        write_map(dump, key, value, pair);
        break;
    case RTN_SCHEMA_LIST:
        write_list(dump, key, value, mark);
        break;
    case RTN_SCHEMA_NAMED:
        write_named(dump, key, value, pair);
        break;
    case RTN_SCHEMA_FREE:
        write_inner_node(dump, *(const struct rtn_node *const *) value, mark);
        break;
    default:
        rtn_buf_append_char(&dump->text, ' ');
        rtn_config_append_value(&dump->text, key, value);
        end_line(dump, mark);
    }
}

static void write_struct(struct dump *dump, const struct rtn_schema_table *table, const char *object,
                         const struct rtn_node *node)
{
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++)
        write_key(dump, table, key, object, node);
}

void rtn_config_dump(const struct rtn_config *config, struct rtn_buf *out)
{
    struct dump dump = { .out = out };

    write_struct(&dump, &rtn_config_root_table, (const char *) config, config->root);
    rtn_buf_done(&dump.text);
}
