/* The walk of a table: every type, defaults, bounds, checks, and that one run reports every problem. */
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "config/memory.h"
#include "config/schema_doc.h"
#include "config/yaml_tree.h"

struct inner {
    int64_t number;
    const char *text;
    const char *name;
    const struct rtn_node *node;
};

struct outer {
    bool flag;
    int64_t number, size, duration;
    const char *text, *path;
    int choice;
    unsigned flags;
    struct rtn_schema_strings strings, paths;
    struct inner map;
    struct rtn_schema_array list, named;
    const struct rtn_node *free;
    const struct rtn_node *node;
};

static const struct rtn_schema_choice choices[] = { { "one", 1 }, { "two", 2 }, { "four", 4 }, { NULL, 0 } };

static int checks;
static bool last_sound;

static void inner_check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const struct inner *inner = object;

    checks++;
    last_sound = context->sound;
    if (inner->number == 13)
        rtn_schema_error(context, rtn_schema_mark(node, "number"), "is unlucky");
}

static bool text_check(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char **text = value;

    if (strcmp(*text, "bad") == 0)
        return rtn_schema_error(context, node->mark, "bad text");
    if (strcmp(*text, "short") == 0)
        *text = "longer";
    return true;
}

static const struct rtn_schema_key inner_keys[] = {
    { .name = "number",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct inner, number),
      .fallback = "5",
      .help = "N." },
    { .name = "text",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct inner, text),
      .check = text_check,
      .help = "T." },
    { .name = NULL },
};

static const struct rtn_schema_table inner_table = {
    .name = "thing",
    .size = sizeof(struct inner),
    .keys = inner_keys,
    .shorthand = "text",
    .label = "text",
    .node_offset = offsetof(struct inner, node),
    .name_offset = offsetof(struct inner, name),
    .check = inner_check,
};

#define KEY(member) .name = #member, .offset = offsetof(struct outer, member), .help = "Help."

static const struct rtn_schema_key outer_keys[] = {
    { KEY(flag), .type = RTN_SCHEMA_BOOL, .fallback = "true" },
    { KEY(number), .type = RTN_SCHEMA_INT, .fallback = "7", .min = -2, .max = 10 },
    { KEY(size), .type = RTN_SCHEMA_SIZE, .fallback = "8KiB", .min = 1, .max = 1 << 20 },
    { KEY(duration), .type = RTN_SCHEMA_DURATION, .fallback = "2s", .min = 0, .max = 60000 },
    { KEY(text), .type = RTN_SCHEMA_STRING, .check = text_check },
    { KEY(path), .type = RTN_SCHEMA_PATH },
    { KEY(choice), .type = RTN_SCHEMA_ENUM, .choices = choices, .fallback = "two" },
    { KEY(flags), .type = RTN_SCHEMA_FLAGS, .choices = choices },
    { KEY(strings), .type = RTN_SCHEMA_STRINGS, .fallback = "all", .min = 1, .max = 3 },
    { KEY(paths), .type = RTN_SCHEMA_PATHS },
    { KEY(map), .type = RTN_SCHEMA_MAP, .table = &inner_table },
    { KEY(list), .type = RTN_SCHEMA_LIST, .table = &inner_table },
    { KEY(named), .type = RTN_SCHEMA_NAMED, .table = &inner_table },
    { KEY(free), .type = RTN_SCHEMA_FREE },
    { .name = NULL },
};

static const struct rtn_schema_table outer_table = {
    .name = "outer",
    .size = sizeof(struct outer),
    .keys = outer_keys,
    .node_offset = offsetof(struct outer, node),
    .name_offset = SIZE_MAX,
};

static struct rtn_arena arena;
static struct rtn_diags diags;
static struct rtn_source source;
static struct outer outer;

static void read_text(const char *text)
{
    source = (struct rtn_source){ "/folder/t.yaml", { rtn_config_strdup(&arena, rtn_str_of(text)), strlen(text) } };
    const struct rtn_node *root = rtn_yaml_read(&source, &arena, &diags);

    rtn_diags_done(&diags);
    memset(&outer, 0, sizeof(outer));
    checks = 0;
    rtn_schema_read(&outer_table, root, "here", &outer, &arena, &diags);
}

static void setup(void)
{
    rtn_arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    rtn_diags_done(&diags);
    rtn_arena_done(&arena);
}

TestSuite(schema, .init = setup, .fini = teardown);

/* The only message of `text`. */
static void expect_error(const char *text, const char *message)
{
    read_text(text);
    cr_expect_eq(diags.count, 1, "%s: %zu messages", text, diags.count);
    if (diags.count > 0)
        cr_expect_str_eq(diags.items[0].message, message);
}

Test(schema, defaults)
{
    rtn_schema_read(&outer_table, NULL, "", &outer, &arena, &diags);
    cr_assert_eq(diags.count, 0);
    cr_assert(outer.flag);
    cr_assert_eq(outer.number, 7);
    cr_assert_eq(outer.size, 8192);
    cr_assert_eq(outer.duration, 2000);
    cr_assert_null(outer.text);
    cr_assert_eq(outer.choice, 2);
    cr_assert_eq(outer.flags, 0);
    cr_assert_eq(outer.strings.count, 1);
    cr_assert_str_eq(outer.strings.items[0], "all");
    cr_assert_null(outer.strings.nodes[0]);
    cr_assert_eq(outer.map.number, 5);
    cr_assert_eq(outer.list.count, 0);
    cr_assert_null(outer.node);
}

Test(schema, every_type)
{
    read_text("flag: false\nnumber: -2\nsize: 1MiB\nduration: 1m\ntext: short\npath: a/b\nchoice: four\n"
              "flags: [one, four]\nstrings: [x, y]\npaths: /p\nmap: {number: 1}\nlist: [a, {number: 3}]\n"
              "named: {n1: {text: t}, n2: b}\nfree: {any: [1]}\n");
    const struct inner *list = outer.list.items;
    const struct inner *named = outer.named.items;

    cr_assert_eq(diags.count, 0);
    cr_assert_not(outer.flag);
    cr_assert_eq(outer.number, -2);
    cr_assert_eq(outer.size, 1 << 20);
    cr_assert_eq(outer.duration, 60000);
    cr_assert_str_eq(outer.text, "longer");
    cr_assert_str_eq(outer.path, "/folder/a/b");
    cr_assert_eq(outer.choice, 4);
    cr_assert_eq(outer.flags, 5);
    cr_assert_eq(outer.strings.count, 2);
    cr_assert_eq(outer.strings.nodes[1]->mark.column, 14);
    cr_assert_str_eq(outer.paths.items[0], "/p");
    cr_assert_eq(outer.map.number, 1);
    cr_assert_eq(outer.list.count, 2);
    cr_assert_str_eq(list[0].text, "a");
    cr_assert_eq(list[0].number, 5);
    cr_assert_eq(list[1].number, 3);
    cr_assert_str_eq(named[0].name, "n1");
    cr_assert_str_eq(named[1].text, "b");
    cr_assert_not_null(rtn_node_get(outer.free, "any"));
    cr_assert_eq(checks, 5);
}

Test(schema, quoted_numbers_are_numbers_but_quoted_booleans_are_not)
{
    read_text("number: \"3\"\nsize: '16KiB'\n");
    cr_assert_eq(diags.count, 0);
    cr_assert_eq(outer.number, 3);
    expect_error("flag: \"true\"\n", "here: \"flag\" must be true or false, not \"true\"; write true without quotes");
}

Test(schema, relative_path_of_a_relative_file)
{
    struct rtn_mark mark = { .source = &(struct rtn_source){ .path = "sub/t.yaml" } };
    char *cwd = getcwd(NULL, 0);
    const char *expected = rtn_config_printf(&arena, "%s/sub/x", cwd);

    cr_expect_str_eq(rtn_schema_absolute("x", &mark, &arena), expected);
    cr_expect_str_eq(rtn_schema_absolute("./x", &mark, &arena), expected);
    cr_expect_str_eq(rtn_schema_absolute("/x", &mark, &arena), "/x");
    free(cwd);
}

Test(schema, booleans_in_other_words)
{
    expect_error("flag: yes\n", "here: \"flag\" must be true or false, not \"yes\"; write true without quotes");
    expect_error("flag: Off\n", "here: \"flag\" must be true or false, not \"Off\"; write false without quotes");
    expect_error("flag: maybe\n", "here: \"flag\" must be true or false, not \"maybe\"");
    expect_error("flag: [true]\n", "here: \"flag\" must be true or false, not a list");
}

Test(schema, bounds)
{
    read_text("number: 10\nsize: 1B\nduration: 0\nstrings: [a, b, c]\n");
    cr_assert_eq(diags.count, 0);
    expect_error("number: 11\n", "here: \"number\" must be -2 to 10, not 11");
    expect_error("number: -3\n", "here: \"number\" must be -2 to 10, not -3");
    expect_error("size: 2MiB\n", "here: \"size\" must be 1B to 1MiB, not 2MiB");
    expect_error("duration: 2m\n", "here: \"duration\" must be 0 to 1m, not 2m");
    expect_error("strings: []\n", "here: \"strings\" is empty");
    expect_error("strings: [a, b, c, d]\n", "here: \"strings\" must have 1 to 3 entries, not 4");
}

Test(schema, broken_values_stay_zero)
{
    read_text("number: 99\nsize: x\ntext: bad\nflags: [one, x]\nstrings: [a, [b]]\n");
    cr_assert_eq(diags.errors, 5);
    cr_assert_eq(outer.number, 0);
    cr_assert_eq(outer.size, 0);
    cr_assert_eq(outer.flags, 0);
    cr_assert_eq(outer.strings.count, 0);
}

Test(schema, where_grows_with_maps_lists_and_names)
{
    expect_error("map: {text: bad}\n", "here: map: bad text");
    expect_error("list: [a, bad]\n", "here: thing \"bad\": bad text");
    expect_error("list: [{number: 13}]\n", "here: thing 1: is unlucky");
    expect_error("named: {n: {number: 13}}\n", "thing \"n\": is unlucky");
}

Test(schema, check_knows_whether_its_keys_are_sound)
{
    read_text("map: {number: 1}\n");
    cr_assert(last_sound);
    read_text("map: {number: x}\n");
    cr_assert_not(last_sound);
    read_text("map: {nummer: 1}\n");
    cr_assert_not(last_sound);
}

Test(schema, place_of_a_key)
{
    read_text("number: 3\nlist: [a]\n");
    cr_assert_eq(rtn_schema_mark(outer.node, "number").column, 9);
    cr_assert_eq(rtn_schema_mark(outer.node, "list").column, 1);
    cr_assert_eq(rtn_schema_mark(outer.node, "list").line, 2);
    cr_assert_eq(rtn_schema_mark(outer.node, "none").line, 1);
    cr_assert_null(rtn_schema_mark(NULL, "none").source);
}

Test(schema, suggestions)
{
    static const char *const names[] = { "threads", "timeouts", "log_level", "warn", "go" };
    static const struct {
        const char *given, *expected;
    } cases[] = {
        { "thread", "; did you mean \"threads\"?" },
        { "THREADS", "; did you mean \"threads\"?" },
        { "htreads", "; did you mean \"threads\"?" },
        { "log-level", "; did you mean \"log_level\"?" },
        { "time_outs", "; did you mean \"timeouts\"?" },
        { "warning", "; did you mean \"warn\"?" },
        { "log", "; did you mean \"log_level\"?" },
        { "zzz", "" },
        { "", "" },
        { "xy", "" },
    };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++)
        cr_expect_str_eq(rtn_schema_suggest(rtn_str_of(cases[i].given), names, RTN_ARRAY_LENGTH(names), &arena),
                         cases[i].expected, "%s", cases[i].given);
}

static void count_key(const struct rtn_schema_key *key, const char *path, unsigned depth, void *data)
{
    size_t *count = data;

    if (strcmp(path, "named.NAME.text") == 0)
        cr_expect(key->type == RTN_SCHEMA_STRING && depth == 1);
    ++*count;
}

Test(schema, visit_sees_every_key)
{
    size_t count = 0;

    rtn_schema_visit(&outer_table, count_key, &count);
    cr_assert_eq(count, RTN_ARRAY_LENGTH(outer_keys) - 1 + 3 * 2);
}
