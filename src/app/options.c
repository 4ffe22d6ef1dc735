/*
 * The option rows of a module become rows of the configuration's schema, so that options are checked, and their
 * errors worded, like any other key. The schema reads into one cell per option; the values then move to where the
 * module wants them, because the types of the two sides are not all the same.
 *
 * Two things differ from other keys and are done here: defaults of text may be empty, and bounds may be negative.
 */
#include "app/options.h"

#include <errno.h>

#include "config/memory.h"

union cell {
    bool boolean;
    int64_t number;
    const char *text;
    int choice;
    struct rtn_schema_strings strings;
};

static const struct {
    struct rtn_option_type type;
    enum rtn_schema_type schema;
} kinds[] = {
    [RTN_OPTION_BOOL] = { { "bool", sizeof(bool), _Alignof(bool) }, RTN_SCHEMA_BOOL },
    [RTN_OPTION_INT] = { { "integer", sizeof(int64_t), _Alignof(int64_t) }, RTN_SCHEMA_INT },
    [RTN_OPTION_SIZE] = { { "size", sizeof(int64_t), _Alignof(int64_t) }, RTN_SCHEMA_SIZE },
    [RTN_OPTION_DURATION] = { { "duration", sizeof(int64_t), _Alignof(int64_t) }, RTN_SCHEMA_DURATION },
    [RTN_OPTION_STRING] = { { "string", sizeof(char *), _Alignof(char *) }, RTN_SCHEMA_STRING },
    [RTN_OPTION_PATH] = { { "path", sizeof(char *), _Alignof(char *) }, RTN_SCHEMA_PATH },
    [RTN_OPTION_CHOICE] = { { "choice", sizeof(int), _Alignof(int) }, RTN_SCHEMA_ENUM },
    [RTN_OPTION_STRINGS] = { { "list of strings", sizeof(struct rtn_strings), _Alignof(struct rtn_strings) },
                             RTN_SCHEMA_STRINGS },
};

const struct rtn_option_type *rtn_option_type(enum rtn_option_kind kind)
{
    if ((unsigned) kind < RTN_OPTION_BOOL || (size_t) kind >= RTN_ARRAY_LENGTH(kinds))
        return NULL;
    return &kinds[kind].type;
}

static int parse_choice(const struct rtn_option *option, const char *text, int64_t *ret)
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], text) != 0)
            continue;
        *ret = i;
        return 0;
    }
    return -EINVAL;
}

int rtn_option_parse(const struct rtn_option *option, const char *text, int64_t *ret)
{
    bool yes = false;
    int error = 0;
    switch (option->kind) {
    case RTN_OPTION_BOOL:
        error = rtn_parse_bool(rtn_str_of(text), &yes);
        if (error == 0)
            *ret = yes;
        return error;
    case RTN_OPTION_INT:
        return rtn_parse_int(rtn_str_of(text), ret);
    case RTN_OPTION_SIZE:
        return rtn_parse_size(rtn_str_of(text), ret);
    case RTN_OPTION_DURATION:
        return rtn_parse_duration(rtn_str_of(text), ret);
    case RTN_OPTION_CHOICE:
        return parse_choice(option, text, ret);
    default:
        return -EINVAL;
    }
}

static const struct rtn_schema_choice *schema_choices(const char *const *names, struct rtn_arena *arena)
{
    size_t count = 0;
    while (names != NULL && names[count] != NULL)
        count++;
    struct rtn_schema_choice *choices = rtn_config_alloc(arena, (count + 1) * sizeof(*choices));
    for (size_t i = 0; i < count; i++)
        choices[i] = (struct rtn_schema_choice){ .name = names[i], .value = (int) i };
    return choices;
}

static struct rtn_schema_key schema_key(const struct rtn_option *option, size_t offset, struct rtn_arena *arena)
{
    struct rtn_schema_key key = {
        .name = option->name,
        .type = kinds[option->kind].schema,
        .offset = offset,
        .fallback = option->kind != RTN_OPTION_STRING ? option->fallback : NULL,
        .required = option->required,
        .help = option->help,
    };
    if (option->kind == RTN_OPTION_CHOICE)
        key.choices = schema_choices(option->choices, arena);
    if (rtn_option_bounded(option) && option->max > 0) {
        key.min = option->min;
        key.max = option->max;
    }
    return key;
}

static const struct rtn_schema_key *schema_keys(const struct rtn_loaded *loaded, struct rtn_arena *arena)
{
    struct rtn_schema_key *keys = rtn_config_alloc(arena, (loaded->option_count + 1) * sizeof(*keys));
    for (size_t i = 0; i < loaded->option_count; i++)
        keys[i] = schema_key(&loaded->options[i], i * sizeof(union cell), arena);
    return keys;
}

/* Bounds that end at zero or below, which the schema does not know. */
static void check_negative_bounds(const struct rtn_option *option, const union cell *cell, const struct rtn_node *node,
                                  const char *where, struct rtn_diags *diags)
{
    if (option->kind != RTN_OPTION_INT || !rtn_option_bounded(option) || option->max > 0)
        return;
    const struct rtn_node *given = rtn_node_get(node, option->name);
    if (given == NULL || (cell->number >= option->min && cell->number <= option->max))
        return;
    rtn_diags_error(diags, given->mark, "%s: \"%s\" must be %lld to %lld, not %lld", where, option->name,
                    (long long) option->min, (long long) option->max, (long long) cell->number);
}

static void store(const struct rtn_option *option, const union cell *cell, void *object)
{
    void *member = (char *) object + option->offset;
    switch (option->kind) {
    case RTN_OPTION_BOOL:
        *(bool *) member = cell->boolean;
        return;
    case RTN_OPTION_INT:
    case RTN_OPTION_SIZE:
    case RTN_OPTION_DURATION:
        *(int64_t *) member = cell->number;
        return;
    case RTN_OPTION_STRING:
        *(const char **) member = cell->text != NULL ? cell->text : option->fallback;
        return;
    case RTN_OPTION_PATH:
        *(const char **) member = cell->text;
        return;
    case RTN_OPTION_CHOICE:
        *(int *) member = cell->choice;
        return;
    case RTN_OPTION_STRINGS:
        *(struct rtn_strings *) member = (struct rtn_strings){ cell->strings.items, cell->strings.count };
        return;
    }
}

int rtn_options_read(const struct rtn_loaded *loaded, const struct rtn_node *node, struct rtn_mark mark,
                     const char *where, void *object, struct rtn_arena *arena, struct rtn_diags *diags)
{
    size_t errors = diags->errors;
    const struct rtn_node nothing = { .kind = RTN_NODE_MAP, .mark = mark };
    const struct rtn_node *given = node != NULL ? node : &nothing;
    const struct rtn_schema_table table = {
        .name = "options",
        .size = loaded->option_count * sizeof(union cell),
        .keys = schema_keys(loaded, arena),
        .node_offset = SIZE_MAX,
        .name_offset = SIZE_MAX,
    };
    union cell *cells = rtn_config_alloc(arena, table.size);
    rtn_schema_read(&table, given, where, cells, arena, diags);
    for (size_t i = 0; i < loaded->option_count; i++) {
        check_negative_bounds(&loaded->options[i], &cells[i], given, where, diags);
        store(&loaded->options[i], &cells[i], object);
    }
    return diags->errors > errors ? -EINVAL : 0;
}
