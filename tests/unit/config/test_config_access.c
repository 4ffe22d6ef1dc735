#include <stdio.h>

#include <criterion/criterion.h>

#include "config/config_access.h"

static struct rtn_arena arena;

static void setup(void)
{
    rtn_arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    rtn_arena_done(&arena);
}

TestSuite(config_access, .init = setup, .fini = teardown);

/* clang-format off */
#define VIEW(text_) { (text_), sizeof(text_) - 1 }
#define TEXT(text_) { RTN_ACCESS_TEXT, VIEW(text_) }
#define FIELD(field_) { RTN_ACCESS_##field_, { NULL, 0 } }
#define HEADER(name_) { RTN_ACCESS_HEADER, VIEW(name_) }
/* clang-format on */

static void expect_parts(const char *text, const struct rtn_access_part *parts, size_t count)
{
    struct rtn_access_pattern pattern;

    cr_assert_null(rtn_access_pattern_parse(rtn_str_of(text), &arena, &pattern), "%s", text);
    cr_assert_eq(pattern.count, count, "%s", text);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(pattern.parts[i].field, parts[i].field, "%s: part %zu", text, i);
        cr_expect(rtn_str_equal(pattern.parts[i].text, parts[i].text), "%s: part %zu is [%.*s]", text, i,
                  RTN_STR_ARG(pattern.parts[i].text));
    }
}

#define EXPECT(text_, ...)                                       \
    do {                                                         \
        const struct rtn_access_part parts_[] = { __VA_ARGS__ }; \
        expect_parts(text_, parts_, RTN_ARRAY_LENGTH(parts_));   \
    } while (0)

Test(config_access, text_and_fields)
{
    EXPECT("{client} to {status}!", FIELD(CLIENT), TEXT(" to "), FIELD(STATUS), TEXT("!"));
    EXPECT("{method}{path}{query}", FIELD(METHOD), FIELD(PATH), FIELD(QUERY));
    EXPECT("nothing\t", TEXT("nothing\t"));
}

Test(config_access, every_name_is_known)
{
    static const char *const names[] = { "client",      "host",    "method",     "target",     "path",
                                         "query",       "version", "status",     "bytes",      "duration_us",
                                         "duration_ms", "time",    "time_iso",   "request_id", "server",
                                         "route",       "referer", "user_agent", "connection" };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        const struct rtn_access_part part = { (enum rtn_access_field)(RTN_ACCESS_CLIENT + i), { NULL, 0 } };
        char text[32];
        (void) snprintf(text, sizeof(text), "{%s}", names[i]);
        expect_parts(text, &part, 1);
    }
    cr_expect_eq(RTN_ACCESS_CLIENT + RTN_ARRAY_LENGTH(names), RTN_ACCESS_HEADER);
}

Test(config_access, names_of_header_fields_are_lowered)
{
    EXPECT("{header:X-Tenant}", HEADER("x-tenant"));
    EXPECT("{header:a}{header:B}", HEADER("a"), HEADER("b"));
}

Test(config_access, doubled_braces_are_text)
{
    EXPECT("{{client}", TEXT("{client}"));
    EXPECT("{{{status}}", TEXT("{"), FIELD(STATUS), TEXT("}"));
    EXPECT("a}b", TEXT("a}b"));
    EXPECT("{{{{", TEXT("{{"));
}

Test(config_access, nothing_of_the_text_is_kept)
{
    char text[] = "abc {header:Name} def";
    struct rtn_access_pattern pattern;

    cr_assert_null(rtn_access_pattern_parse(rtn_str_of(text), &arena, &pattern));
    memset(text, 'x', sizeof(text) - 1);
    cr_assert_eq(pattern.count, 3);
    cr_expect(rtn_str_equal(pattern.parts[0].text, RTN_STR("abc ")));
    cr_expect(rtn_str_equal(pattern.parts[1].text, RTN_STR("name")));
    cr_expect(rtn_str_equal(pattern.parts[2].text, RTN_STR(" def")));
}

Test(config_access, problems)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "", "nothing in it" },
        { "{", "has no }" },
        { "{client", "has no }" },
        { "{{{", "has no }" },
        { "{}", "is no name of a value" },
        { "{statu}", "did you mean \"status\"?" },
        { "{reply_header:x}", "\"reply_header\" is no name of a value" },
        { "{header}", "no name of a header field" },
        { "{header:}", "no name of a header field" },
        { "{header:a:b}", "no name of a header field" },
        { "{time:x}", "{time} takes no name" },
        { "{time:}", "{time} takes no name" },
        { "{client}\n", "control character" },
    };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++) {
        struct rtn_access_pattern pattern = { NULL, 77 };
        const char *problem = rtn_access_pattern_parse(rtn_str_of(cases[i].text), &arena, &pattern);
        cr_assert_not_null(problem, "%s", cases[i].text);
        cr_expect_not_null(strstr(problem, cases[i].words), "%s: %s", cases[i].text, problem);
        cr_expect_eq(pattern.count, 77, "%s", cases[i].text);
    }
}
