/*
 * A table as JSON Schema for editors. It accepts what the loader accepts, and some more: an editor's
 * YAML reader gives 0660 or 8080 as numbers, and ${NAME} may stand for any scalar.
 */
#include "base/json.h"
#include "config/schema_doc.h"

#define DRAFT "https://json-schema.org/draft/2020-12/schema"
#define VARIABLE "\\$\\{"

static void write_table(struct rtn_json *json, const struct rtn_schema_table *table);
static void write_key(struct rtn_json *json, const struct rtn_schema_key *key);

static void text(struct rtn_json *json, const char *name, const char *value)
{
    rtn_json_key(json, name);
    rtn_json_text(json, value);
}

static void number(struct rtn_json *json, const char *name, int64_t value)
{
    rtn_json_key(json, name);
    rtn_json_int(json, value);
}

/* "type": ["a", "b"]. */
static void types(struct rtn_json *json, const char *a, const char *b)
{
    rtn_json_key(json, "type");
    rtn_json_array(json);
    rtn_json_text(json, a);
    rtn_json_text(json, b);
    rtn_json_end(json);
}

static void write_bool(struct rtn_json *json, const struct rtn_schema_key *key)
{
    (void) key;
    types(json, "boolean", "string");
    text(json, "pattern", VARIABLE);
}

static void write_int(struct rtn_json *json, const struct rtn_schema_key *key)
{
    types(json, "integer", "string");
    text(json, "pattern", "^-?[0-9]+$|" VARIABLE);
    if (key->max <= 0)
        return;
    number(json, "minimum", key->min);
    number(json, "maximum", key->max);
}

/* A number without a unit can only be 0. */
static void write_unit(struct rtn_json *json, const struct rtn_schema_key *key)
{
    types(json, "string", "integer");
    text(json, "pattern",
         key->type == RTN_SCHEMA_SIZE ? "^(0|[0-9]+(B|KiB|MiB|GiB))$|" VARIABLE : "^(0|[0-9]+(ms|s|m|h|d))$|" VARIABLE);
    number(json, "minimum", 0);
    number(json, "maximum", 0);
}

static void write_string(struct rtn_json *json, const struct rtn_schema_key *key)
{
    types(json, "string", "number");
    if (key->pattern == NULL)
        return;
    rtn_json_key(json, "anyOf");
    rtn_json_array(json);
    rtn_json_object(json);
    text(json, "pattern", key->pattern);
    rtn_json_end(json);
    rtn_json_object(json);
    text(json, "pattern", VARIABLE);
    rtn_json_end(json);
    rtn_json_end(json);
}

static void write_choices(struct rtn_json *json, const struct rtn_schema_key *key)
{
    rtn_json_key(json, "anyOf");
    rtn_json_array(json);
    rtn_json_object(json);
    rtn_json_key(json, "enum");
    rtn_json_array(json);
    for (const struct rtn_schema_choice *choice = key->choices; choice->name != NULL; choice++)
        rtn_json_text(json, choice->name);
    rtn_json_end(json);
    rtn_json_end(json);
    rtn_json_object(json);
    text(json, "type", "string");
    text(json, "pattern", VARIABLE);
    rtn_json_end(json);
    rtn_json_end(json);
}

static void write_single(struct rtn_json *json, const struct rtn_schema_key *key)
{
    if (key->type == RTN_SCHEMA_FLAGS)
        write_choices(json, key);
    else
        write_string(json, key);
}

/* One of `single`, or a list of them. */
static void write_list(struct rtn_json *json, const struct rtn_schema_key *key,
                       void (*single)(struct rtn_json *, const struct rtn_schema_key *), bool single_alone)
{
    if (single_alone) {
        rtn_json_key(json, "anyOf");
        rtn_json_array(json);
        rtn_json_object(json);
        single(json, key);
        rtn_json_end(json);
        rtn_json_object(json);
    }
    text(json, "type", "array");
    if (key->max > 0) {
        number(json, "minItems", key->min);
        number(json, "maxItems", key->max);
    }
    rtn_json_key(json, "items");
    rtn_json_object(json);
    single(json, key);
    rtn_json_end(json);
    if (single_alone) {
        rtn_json_end(json);
        rtn_json_end(json);
    }
}

static void write_strings(struct rtn_json *json, const struct rtn_schema_key *key)
{
    write_list(json, key, write_single, true);
}

static void write_map(struct rtn_json *json, const struct rtn_schema_key *key)
{
    write_table(json, key->table);
}

/* A struct, or the scalar that stands for one. */
static void write_entry(struct rtn_json *json, const struct rtn_schema_key *key)
{
    if (key->table->shorthand == NULL) {
        write_table(json, key->table);
        return;
    }
    rtn_json_key(json, "anyOf");
    rtn_json_array(json);
    rtn_json_object(json);
    types(json, "string", "number");
    rtn_json_end(json);
    rtn_json_object(json);
    write_table(json, key->table);
    rtn_json_end(json);
    rtn_json_end(json);
}

static void write_structs(struct rtn_json *json, const struct rtn_schema_key *key)
{
    write_list(json, key, write_entry, key->table->shorthand != NULL);
}

static void write_named(struct rtn_json *json, const struct rtn_schema_key *key)
{
    text(json, "type", "object");
    if (key->pattern != NULL) {
        rtn_json_key(json, "propertyNames");
        rtn_json_object(json);
        text(json, "pattern", key->pattern);
        rtn_json_end(json);
    }
    rtn_json_key(json, "additionalProperties");
    rtn_json_object(json);
    write_table(json, key->table);
    rtn_json_end(json);
}

/* What is in it is for a later check; but for the form of its values, when that is known. */
static void write_free(struct rtn_json *json, const struct rtn_schema_key *key)
{
    text(json, "type", "object");
    if (key->pattern == NULL)
        return;
    rtn_json_key(json, "additionalProperties");
    rtn_json_object(json);
    write_string(json, key);
    rtn_json_end(json);
}

static void write_key(struct rtn_json *json, const struct rtn_schema_key *key)
{
    static void (*const writers[])(struct rtn_json *, const struct rtn_schema_key *) = {
        [RTN_SCHEMA_BOOL] = write_bool,     [RTN_SCHEMA_INT] = write_int,       [RTN_SCHEMA_SIZE] = write_unit,
        [RTN_SCHEMA_DURATION] = write_unit, [RTN_SCHEMA_STRING] = write_string, [RTN_SCHEMA_PATH] = write_string,
        [RTN_SCHEMA_ENUM] = write_choices,  [RTN_SCHEMA_FLAGS] = write_strings, [RTN_SCHEMA_STRINGS] = write_strings,
        [RTN_SCHEMA_PATHS] = write_strings, [RTN_SCHEMA_MAP] = write_map,       [RTN_SCHEMA_LIST] = write_structs,
        [RTN_SCHEMA_NAMED] = write_named,   [RTN_SCHEMA_FREE] = write_free,
    };

    rtn_json_object(json);
    text(json, "description", key->help);
    writers[key->type](json, key);
    rtn_json_end(json);
}

static void write_required(struct rtn_json *json, const struct rtn_schema_table *table)
{
    bool open = false;

    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        if (!key->required)
            continue;
        if (!open) {
            rtn_json_key(json, "required");
            rtn_json_array(json);
            open = true;
        }
        rtn_json_text(json, key->name);
    }
    if (open)
        rtn_json_end(json);
}

static void write_table(struct rtn_json *json, const struct rtn_schema_table *table)
{
    text(json, "type", "object");
    rtn_json_key(json, "additionalProperties");
    rtn_json_bool(json, false);
    write_required(json, table);
    rtn_json_key(json, "properties");
    rtn_json_object(json);
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        rtn_json_key(json, key->name);
        write_key(json, key);
    }
    rtn_json_end(json);
}

void rtn_schema_json(const struct rtn_schema_table *table, const char *title, struct rtn_buf *out)
{
    struct rtn_json json = { .out = out, .pretty = true };

    rtn_json_object(&json);
    text(&json, "$schema", DRAFT);
    text(&json, "title", title);
    write_table(&json, table);
    rtn_json_end(&json);
    rtn_buf_append_char(out, '\n');
}
