/* Trees from YAML text: shapes, places, aliases, variables, and the bounds that keep any input harmless. */
#include <stdlib.h>

#include <criterion/criterion.h>

#include "config/memory.h"
#include "config/yaml_tree.h"

static struct rtn_arena arena;
static struct rtn_source source;
static struct rtn_diags diags;

static struct rtn_node *read_str(struct rtn_str text)
{
    source = (struct rtn_source){ "t.yaml", rtn_yaml_strip_bom(text) };
    source.text.data = rtn_config_strdup(&arena, source.text);
    return rtn_yaml_read(&source, &arena, &diags);
}

static struct rtn_node *read_text(const char *text)
{
    return read_str(rtn_str_of(text));
}

static const char *first_message(void)
{
    return diags.count > 0 ? diags.items[0].message : "";
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

TestSuite(yaml, .init = setup, .fini = teardown);

Test(yaml, kinds_and_values)
{
    const struct rtn_node *root = read_text("a: text\nb: [x, 'y']\nc: {d: \"q\\n\"}\n");

    cr_assert_not_null(root);
    cr_assert_eq(root->kind, RTN_NODE_MAP);
    cr_assert_eq(root->count, 3);
    cr_assert_str_eq(rtn_node_get(root, "a")->text.data, "text");
    cr_assert_not(rtn_node_get(root, "a")->quoted);
    const struct rtn_node *list = rtn_node_get(root, "b");
    cr_assert_eq(list->kind, RTN_NODE_LIST);
    cr_assert_eq(list->count, 2);
    cr_assert(list->items[1]->quoted);
    cr_assert_str_eq(rtn_node_get(rtn_node_get(root, "c"), "d")->text.data, "q\n");
    cr_assert_eq(diags.count, 0);
}

Test(yaml, lookups_that_find_nothing)
{
    const struct rtn_node *root = read_text("a: 1\n");

    cr_assert_null(rtn_node_get(root, "b"));
    cr_assert_null(rtn_node_get(NULL, "a"));
    cr_assert_null(rtn_node_get(rtn_node_get(root, "a"), "a"));
}

Test(yaml, marks_count_characters_from_one)
{
    const struct rtn_node *root = read_text("# é\nkey:\n  \"ü\": [é, wert]\n");
    const struct rtn_node_pair *pair = &rtn_node_get(root, "key")->pairs[0];
    const struct rtn_mark *mark = &pair->value->items[1]->mark;

    cr_assert_eq(pair->name_mark.line, 3);
    cr_assert_eq(pair->name_mark.column, 3);
    cr_assert_eq(pair->name_mark.length, 3);
    cr_assert_eq(mark->line, 3);
    cr_assert_eq(mark->column, 12);
    cr_assert_eq(mark->length, 4);
    cr_assert_eq(mark->source, &source);
}

Test(yaml, byte_order_mark_takes_no_column)
{
    const struct rtn_node *root = read_text("\xef\xbb\xbfkey: 1\n");

    cr_assert_eq(root->pairs[0].name_mark.column, 1);
}

Test(yaml, nulls)
{
    const struct rtn_node *root = read_text("a:\nb: ~\nc: null\nd: ''\ne: \"null\"\nf: nul\ng: []\n");
    static const bool expected[] = { true, true, true, false, false, false, false };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(expected); i++)
        cr_expect_eq(rtn_node_is_null(root->pairs[i].value), expected[i], "%s", root->pairs[i].name.data);
}

Test(yaml, nothing_in_the_file)
{
    static const char *const texts[] = { "", "\n\n", "# only\n", "---\n", "--- # x\n...\n" };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(texts); i++) {
        cr_expect_null(read_text(texts[i]), "%s", texts[i]);
        cr_expect_eq(diags.count, 0, "%s", texts[i]);
    }
}

Test(yaml, alias_shares_the_node)
{
    const struct rtn_node *root = read_text("a: &x {b: 1}\nc: *x\nd: &x 2\ne: *x\n");

    cr_assert_eq(rtn_node_get(root, "a"), rtn_node_get(root, "c"));
    cr_assert_eq(rtn_node_get(root, "d"), rtn_node_get(root, "e"));
    cr_assert_eq(diags.count, 0);
}

Test(yaml, alias_inside_its_anchor_makes_no_circle)
{
    const struct rtn_node *root = read_text("a: &x [1, *x]\n");

    cr_assert_eq(diags.errors, 1);
    cr_assert_str_eq(first_message(), "alias *x stands inside its own anchor");
    cr_assert(rtn_node_get(root, "a")->items[1]->broken);
}

Test(yaml, alias_bomb_is_counted_in_full)
{
    struct rtn_buf text = { 0 };

    rtn_buf_append_text(&text, "a0: &a0 [x, x]\n");
    for (int i = 1; i < 64; i++)
        rtn_buf_printf(&text, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    cr_assert_null(read_text(text.data));
    cr_assert_eq(diags.errors, 1);
    cr_assert_not_null(strstr(first_message(), "more than 50000 values"));
    rtn_buf_done(&text);
}

Test(yaml, depth_is_bounded)
{
    char text[2 * 40 + 1] = { 0 };

    memset(text, '[', RTN_YAML_DEPTH_MAX);
    memset(text + RTN_YAML_DEPTH_MAX, ']', RTN_YAML_DEPTH_MAX);
    cr_assert_not_null(read_text(text));
    memset(text, '[', RTN_YAML_DEPTH_MAX + 1);
    memset(text + RTN_YAML_DEPTH_MAX + 1, ']', RTN_YAML_DEPTH_MAX + 1);
    cr_assert_null(read_text(text));
    cr_assert_not_null(strstr(first_message(), "more than 32 levels"));
}

Test(yaml, many_brackets_end_soon)
{
    struct rtn_buf text = { 0 };

    memset(rtn_buf_reserve(&text, RTN_YAML_SIZE_MAX), '[', RTN_YAML_SIZE_MAX);
    text.length = RTN_YAML_SIZE_MAX;
    cr_assert_null(read_str(rtn_buf_str(&text)));
    cr_assert_eq(diags.errors, 1);
    rtn_buf_done(&text);
}

Test(yaml, first_of_two_equal_keys_stays)
{
    const struct rtn_node *root = read_text("a: 1\nb: 2\na: 3\na: 4\n");

    cr_assert_eq(root->count, 2);
    cr_assert_str_eq(rtn_node_get(root, "a")->text.data, "1");
    cr_assert_eq(diags.errors, 2);
    cr_assert_eq(diags.items[1].severity, RTN_SEVERITY_NOTE);
    cr_assert_eq(diags.items[1].mark.line, 1);
    cr_assert_eq(diags.items[3].mark.line, 1);
}

Test(yaml, variables)
{
    setenv("RTN_A", "va", 1);
    setenv("RTN_EMPTY", "", 1);
    unsetenv("RTN_NONE");
    const struct rtn_node *root = read_text("a: x${RTN_A}y${RTN_A}\n"
                                            "b: ${RTN_NONE:-d:-e}\n"
                                            "c: ${RTN_EMPTY:-d}\n"
                                            "d: x${RTN_EMPTY}\n"
                                            "e: '$$${RTN_A}$$$x$'\n"
                                            "${RTN_A}: 1\n");

    cr_assert_eq(diags.count, 0);
    cr_assert_str_eq(rtn_node_get(root, "a")->text.data, "xvayva");
    cr_assert_str_eq(rtn_node_get(root, "b")->text.data, "d:-e");
    cr_assert_str_eq(rtn_node_get(root, "c")->text.data, "d");
    cr_assert_str_eq(rtn_node_get(root, "d")->text.data, "x");
    cr_assert_str_eq(rtn_node_get(root, "e")->text.data, "$va$$x$");
    cr_assert_not_null(rtn_node_get(root, "${RTN_A}"));
}

Test(yaml, unset_variable_is_marked_where_it_stands)
{
    unsetenv("RTN_NONE");
    const struct rtn_node *root = read_text("a: 1\nb: [x, \"é $$ ${RTN_NONE}\"]\nc: \"\\x24{RTN_NONE}\"\n");

    cr_assert_eq(diags.errors, 2);
    cr_assert_eq(diags.items[0].mark.line, 2);
    cr_assert_eq(diags.items[0].mark.column, 14);
    cr_assert_eq(diags.items[0].mark.length, 11);
    cr_assert_eq(diags.items[1].mark.line, 3);
    cr_assert_eq(diags.items[1].mark.column, 4);
    cr_assert(rtn_node_get(root, "b")->items[1]->broken);
}

Test(yaml, values_from_the_environment_are_bounded)
{
    struct rtn_buf text = { 0 };
    char value[4097];

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    setenv("RTN_BIG", value, 1);
    for (int i = 0; i < 257; i++)
        rtn_buf_append_text(&text, "- ${RTN_BIG}\n");
    read_text(text.data);
    cr_assert_eq(diags.errors, 1);
    cr_assert_eq(diags.items[0].mark.line, 257);
    rtn_buf_done(&text);
}

Test(yaml, value_from_the_environment_must_be_utf8)
{
    setenv("RTN_LATIN", "caf\xe9", 1);
    read_text("a: ${RTN_LATIN}\n");
    cr_assert_str_eq(first_message(), "\"${RTN_LATIN}\" has a value that is not UTF-8");
}

Test(yaml, bytes_that_no_file_may_hold)
{
    static const struct {
        struct rtn_str text;
        unsigned line, column;
    } cases[] = {
        { { "a: \xff\n", 5 }, 1, 4 },
        { { "a: 1\nb: \xc3\n", 10 }, 2, 4 },
        { { "a: \0\n", 5 }, 1, 4 },
        { { "a: \x07\n", 5 }, 1, 4 },
        { { "a: 1\rb: 2\n", 10 }, 1, 5 },
        { { "a: \xe2\x80\xa8x\n", 8 }, 1, 4 },
        { { "a: \xc2\x85x\n", 7 }, 1, 4 },
        { { "é: \xed\xa0\x80\n", 8 }, 1, 4 },
        { { "a: 1\r\nb: \x7f\n", 11 }, 2, 4 },
        { { "a\xef\xbb\xbf: 1\n", 8 }, 1, 2 },
    };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++) {
        cr_expect_null(read_str(cases[i].text), "case %zu", i);
        cr_expect_eq(diags.errors, 1, "case %zu", i);
        cr_expect_eq(diags.items[0].mark.line, cases[i].line, "case %zu", i);
        cr_expect_eq(diags.items[0].mark.column, cases[i].column, "case %zu", i);
        rtn_diags_done(&diags);
    }
}

Test(yaml, quoting_in_messages)
{
    cr_expect_str_eq(rtn_node_quote(RTN_STR("a\"b\n\xff"), &arena), "\"a\\\"b\\x0a\\xff\"");
    cr_expect_str_eq(rtn_node_quote(RTN_STR("é"), &arena), "\"é\"");
    struct rtn_str longer = RTN_STR("1234567890123456789012345678901234567890123456789012345678901");
    cr_expect_str_eq(rtn_node_quote(longer, &arena),
                     "\"123456789012345678901234567890123456789012345678901234567890...\"");
}
