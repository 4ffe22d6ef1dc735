/* Conditions: each field alone, and which one counts when there are several. Clauses are of RFC 9110. */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/conditional.h"

#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACT "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define MODIFIED 784111777

#define SEND RTN_VERDICT_SEND
#define NOT_MODIFIED RTN_VERDICT_NOT_MODIFIED
#define FAILED RTN_VERDICT_FAILED

static enum rtn_verdict check(const struct rtn_conditions *conditions, const char *etag, int64_t modified)
{
    return rtn_conditional_check(conditions,
                                 &(struct rtn_validators){ .etag = rtn_str_of(etag), .modified = modified });
}

Test(conditional, nothing_asked_is_nothing_refused)
{
    const struct rtn_conditions none = { 0 };
    cr_expect_eq(check(&none, "\"a\"", MODIFIED), SEND);
    cr_expect_eq(check(&none, NULL, 0), SEND);
}

Test(conditional, lists_of_tags)
{
    static const struct {
        const char *list;
        const char *etag;
        enum rtn_verdict if_match; /* 13.1.1: strong comparison */
        enum rtn_verdict if_none_match; /* 13.1.2: weak comparison */
    } table[] = {
        { "\"a\"", "\"a\"", SEND, NOT_MODIFIED },
        { "\"b\"", "\"a\"", FAILED, SEND },
        { "\"A\"", "\"a\"", FAILED, SEND },
        { "\"b\", \"a\"", "\"a\"", SEND, NOT_MODIFIED },
        { "\"b\",\"a\",\"c\"", "\"a\"", SEND, NOT_MODIFIED },
        { " , \"b\"\t,, \"a\" ,", "\"a\"", SEND, NOT_MODIFIED },
        { "\"b,\"a\"", "\"a\"", FAILED, SEND },
        { "\"b, \\\", \"a\"", "\"a\"", FAILED, SEND },
        { "\"x,y\"", "\"x,y\"", SEND, NOT_MODIFIED },
        { "\"\"", "\"\"", SEND, NOT_MODIFIED },
        { "\"\xc3\xa4\"", "\"\xc3\xa4\"", SEND, NOT_MODIFIED },
        { "*", "\"a\"", SEND, NOT_MODIFIED },
        { "*", NULL, SEND, NOT_MODIFIED },
        /* 8.8.3.2 */
        { "W/\"1\"", "W/\"1\"", FAILED, NOT_MODIFIED },
        { "W/\"1\"", "W/\"2\"", FAILED, SEND },
        { "W/\"1\"", "\"1\"", FAILED, NOT_MODIFIED },
        { "\"1\"", "W/\"1\"", FAILED, NOT_MODIFIED },
        { "\"a\"", NULL, FAILED, SEND },
        /* malformed */
        { "", "\"a\"", FAILED, SEND },
        { "a", "\"a\"", FAILED, SEND },
        { "\"a", "\"a\"", FAILED, SEND },
        { "a\"", "\"a\"", FAILED, SEND },
        { "\"a\" \"b\"", "\"a\"", FAILED, SEND },
        { "\"a\"\"b\"", "\"a\"", FAILED, SEND },
        { "\"a\", b", "\"a\"", FAILED, SEND },
        { "\"a\", *", "\"a\"", FAILED, SEND },
        { "*, \"a\"", "\"a\"", FAILED, SEND },
        { "* ", "\"a\"", FAILED, SEND },
        { "w/\"a\"", "\"a\"", FAILED, SEND },
        { "W/", "\"a\"", FAILED, SEND },
        { "W/\"", "\"a\"", FAILED, SEND },
        { "W / \"a\"", "\"a\"", FAILED, SEND },
        { "\"a b\"", "\"a b\"", FAILED, SEND },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        const struct rtn_conditions match = { .if_match = rtn_str_of(table[i].list) };
        const struct rtn_conditions none_match = { .if_none_match = rtn_str_of(table[i].list) };
        cr_expect_eq(check(&match, table[i].etag, MODIFIED), table[i].if_match, "row %zu: %s", i, table[i].list);
        cr_expect_eq(check(&none_match, table[i].etag, MODIFIED), table[i].if_none_match, "row %zu: %s", i,
                     table[i].list);
    }
}

Test(conditional, dates)
{
    static const struct {
        const char *date;
        int64_t modified;
        enum rtn_verdict if_modified; /* 13.1.3 */
        enum rtn_verdict if_unmodified; /* 13.1.4 */
    } table[] = {
        { BEFORE, MODIFIED, SEND, FAILED },
        { EXACT, MODIFIED, NOT_MODIFIED, SEND },
        { AFTER, MODIFIED, NOT_MODIFIED, SEND },
        { "Sunday, 06-Nov-94 08:49:37 GMT", MODIFIED, NOT_MODIFIED, SEND },
        { "Sun Nov  6 08:49:37 1994", MODIFIED, NOT_MODIFIED, SEND },
        { "Fri, 31 Dec 9999 23:59:59 GMT", MODIFIED, NOT_MODIFIED, SEND },
        /* ignored: nothing to compare with, or no date */
        { BEFORE, 0, SEND, SEND },
        { AFTER, 0, SEND, SEND },
        { "", MODIFIED, SEND, SEND },
        { "yesterday", MODIFIED, SEND, SEND },
        { AFTER ", " AFTER, MODIFIED, SEND, SEND },
        { "784111777", MODIFIED, SEND, SEND },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        const struct rtn_conditions modified = { .if_modified_since = rtn_str_of(table[i].date) };
        const struct rtn_conditions unmodified = { .if_unmodified_since = rtn_str_of(table[i].date) };
        cr_expect_eq(check(&modified, "\"a\"", table[i].modified), table[i].if_modified, "row %zu", i);
        cr_expect_eq(check(&unmodified, "\"a\"", table[i].modified), table[i].if_unmodified, "row %zu", i);
    }
}

/* 13.2.2: tags before dates, preconditions before caches. */
Test(conditional, precedence)
{
    static const struct {
        struct rtn_conditions conditions;
        enum rtn_verdict verdict;
    } table[] = {
        { { .if_match = RTN_STR("\"a\""), .if_unmodified_since = RTN_STR(BEFORE) }, SEND },
        { { .if_match = RTN_STR("\"b\""), .if_unmodified_since = RTN_STR(AFTER) }, FAILED },
        { { .if_none_match = RTN_STR("\"b\""), .if_modified_since = RTN_STR(AFTER) }, SEND },
        { { .if_none_match = RTN_STR("\"a\""), .if_modified_since = RTN_STR(BEFORE) }, NOT_MODIFIED },
        { { .if_none_match = RTN_STR("bogus"), .if_modified_since = RTN_STR(AFTER) }, SEND },
        { { .if_match = RTN_STR("\"a\""), .if_none_match = RTN_STR("\"a\"") }, NOT_MODIFIED },
        { { .if_match = RTN_STR("\"b\""), .if_none_match = RTN_STR("\"a\"") }, FAILED },
        { { .if_unmodified_since = RTN_STR(BEFORE), .if_none_match = RTN_STR("\"a\"") }, FAILED },
        { { .if_unmodified_since = RTN_STR(AFTER), .if_modified_since = RTN_STR(AFTER) }, NOT_MODIFIED },
        { { .if_range = RTN_STR("\"b\"") }, SEND },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++)
        cr_expect_eq(check(&table[i].conditions, "\"a\"", MODIFIED), table[i].verdict, "row %zu", i);
}

/* 13.1.5 */
Test(conditional, if_range)
{
    static const struct {
        const char *field;
        const char *etag;
        int64_t modified;
        bool may;
    } table[] = {
        { NULL, "\"a\"", MODIFIED, true },
        { NULL, NULL, 0, true },
        { "\"a\"", "\"a\"", MODIFIED, true },
        { "\"b\"", "\"a\"", MODIFIED, false },
        { "W/\"a\"", "\"a\"", MODIFIED, false },
        { "\"a\"", "W/\"a\"", MODIFIED, false },
        { "W/\"a\"", "W/\"a\"", MODIFIED, false },
        { "\"a\"", NULL, MODIFIED, false },
        { EXACT, "\"a\"", MODIFIED, true },
        { EXACT, NULL, MODIFIED, true },
        { BEFORE, "\"a\"", MODIFIED, false },
        { AFTER, "\"a\"", MODIFIED, false },
        { EXACT, "\"a\"", 0, false },
        { "", "\"a\"", MODIFIED, false },
        { "*", "\"a\"", MODIFIED, false },
        { "\"a\", \"b\"", "\"a\"", MODIFIED, false },
        { "\"a\" ", "\"a\"", MODIFIED, false },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        const struct rtn_conditions conditions = { .if_range = rtn_str_of(table[i].field) };
        const struct rtn_validators now = { .etag = rtn_str_of(table[i].etag), .modified = table[i].modified };
        cr_expect_eq(rtn_conditional_range(&conditions, &now), table[i].may, "row %zu", i);
    }
}

Test(conditional, is_etag)
{
    static const char *const good[] = { "\"\"", "\"a\"", "W/\"a\"", "\"W/\"", "\"!#~\x80\xff\"", "W/\"\"" };
    static const char *const bad[] = { "",       "a",        "\"",       "\"a",      "a\"",     "W/a",
                                       "W/\"",   "w/\"a\"",  "\"a\"\"",  "\"a\" ",   " \"a\"",  "\"a b\"",
                                       "\"\t\"", "\"\x7f\"", "\"a\nb\"", "W/ \"a\"", "\"a\"b\"" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++)
        cr_expect(rtn_conditional_is_etag(rtn_str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++)
        cr_expect_not(rtn_conditional_is_etag(rtn_str_of(bad[i])), "%s", bad[i]);
    cr_expect_not(rtn_conditional_is_etag((struct rtn_str){ 0 }));
}
