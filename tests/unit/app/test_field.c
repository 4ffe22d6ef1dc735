#include <criterion/criterion.h>

#include "app/field.h"

static void expect(struct rtn_str got, const char *want)
{
    cr_expect(rtn_str_equal(got, rtn_str_of(want)), "got [%.*s], not [%s]", RTN_STR_ARG(got), want);
}

Test(field, separators_in_quotes_are_none)
{
    struct rtn_str rest = RTN_STR(" a ;b=\"x;\\\";\" ;; c");
    const char *const wanted[] = { "a", "b=\"x;\\\";\"", "", "c" };
    struct rtn_str element;
    for (size_t i = 0; i < 4; i++) {
        cr_assert(rtn_field_next(&rest, ';', &element));
        expect(element, wanted[i]);
    }
    cr_expect_not(rtn_field_next(&rest, ';', &element));
}

Test(field, an_open_quote_takes_the_rest)
{
    struct rtn_str rest = RTN_STR("a=\"b;c,\\");
    struct rtn_str element;
    cr_assert(rtn_field_next(&rest, ';', &element));
    expect(element, "a=\"b;c,\\");
    cr_expect_not(rtn_field_next(&rest, ';', &element));
}

Test(field, nothing_is_one_empty_element)
{
    struct rtn_str rest = RTN_STR("");
    struct rtn_str element;
    cr_assert(rtn_field_next(&rest, ',', &element));
    cr_expect_eq(element.length, 0u);
    cr_expect_not(rtn_field_next(&rest, ',', &element));
}

Test(field, parameters)
{
    struct rtn_parameter parameter;
    cr_assert(rtn_field_parameter(RTN_STR("a=b"), &parameter));
    expect(parameter.name, "a");
    expect(parameter.value, "b");
    cr_expect_not(parameter.quoted);
    cr_assert(rtn_field_parameter(RTN_STR("a=\"b; \\\"c\""), &parameter));
    expect(parameter.value, "b; \\\"c");
    cr_expect(parameter.quoted);
    cr_assert(rtn_field_parameter(RTN_STR("a=\"\""), &parameter));
    expect(parameter.value, "");
}

Test(field, what_is_no_parameter)
{
    const char *const wrong[] = { "",      "a",    "=",     "a=",        "=b",       "a =b",     "a= b",
                                  "a=b c", "a=\"", "a=\"b", "a=\"b\\\"", "a=\"b\"c", "a=b\"c\"", "a=\"b\"\"c\"" };
    struct rtn_parameter parameter;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect_not(rtn_field_parameter(rtn_str_of(wrong[i]), &parameter), "%s", wrong[i]);
}
