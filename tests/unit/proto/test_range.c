/* Range: what each form means for a size, what is ignored, what is out of reach. Clauses are of RFC 9110. */
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/macros.h"
#include "proto/range.h"

#define NONE RTN_RANGE_NONE
#define LIST RTN_RANGE_LIST
#define UNSATISFIABLE RTN_RANGE_UNSATISFIABLE

/* As "first+length first+length". */
static const char *text_of(const struct rtn_ranges *ranges)
{
    static char text[RTN_RANGE_MOST * 48];
    size_t length = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < ranges->count; i++)
        length += (size_t) snprintf(text + length, sizeof(text) - length, "%s%lld+%lld", i > 0 ? " " : "",
                                    (long long) ranges->list[i].first, (long long) ranges->list[i].length);
    return text;
}

Test(range, resolves_ignores_or_refuses)
{
    static const struct {
        const char *value;
        int64_t size;
        enum rtn_range_result result;
        const char *ranges;
    } table[] = {
        /* 14.1.2: first-last, first to the end, the last so many */
        { "bytes=0-499", 10000, LIST, "0+500" },
        { "bytes=500-999", 10000, LIST, "500+500" },
        { "bytes=-500", 10000, LIST, "9500+500" },
        { "bytes=9500-", 10000, LIST, "9500+500" },
        { "bytes=0-0,-1", 10000, LIST, "0+1 9999+1" },
        { "bytes= 0-999, 4500-5499, -1000", 10000, LIST, "0+1000 4500+1000 9000+1000" },
        { "bytes=500-600,601-999", 10000, LIST, "500+101 601+399" },
        { "bytes=500-700,601-999", 10000, LIST, "500+201 601+399" },
        { "bytes=9000-9999,0-10", 10000, LIST, "9000+1000 0+11" },
        { "bytes=0-0", 1, LIST, "0+1" },
        /* a last position behind the end, and a suffix longer than everything, mean the end and everything */
        { "bytes=5-10", 10, LIST, "5+5" },
        { "bytes=9-10", 10, LIST, "9+1" },
        { "bytes=0-99999999999999999999999999", 10, LIST, "0+10" },
        { "bytes=-11", 10, LIST, "0+10" },
        { "bytes=-99999999999999999999999999", 10, LIST, "0+10" },
        { "bytes=0-9223372036854775807", INT64_MAX, LIST, "0+9223372036854775807" },
        { "bytes=-9223372036854775807", INT64_MAX, LIST, "0+9223372036854775807" },
        { "bytes=007-0008", 10, LIST, "7+2" },
        /* 14.1: units in any case; 5.6.1.2: empty elements */
        { "BYTES=1-2", 10, LIST, "1+2" },
        { "bytes=,1-2,\t,,4-4 ,", 10, LIST, "1+2 4+1" },
        /* 14.2: one that can be satisfied is enough; 15.5.17: none */
        { "bytes=10-,3-4,99-100", 10, LIST, "3+2" },
        { "bytes=10-", 10, UNSATISFIABLE, "" },
        { "bytes=10-10", 10, UNSATISFIABLE, "" },
        { "bytes=99999999999999999999999999-", 10, UNSATISFIABLE, "" },
        { "bytes=99999999999999999999999999-99999999999999999999999999", 10, UNSATISFIABLE, "" },
        { "bytes=-0", 10, UNSATISFIABLE, "" },
        { "bytes=-0,10-20", 10, UNSATISFIABLE, "" },
        /* 14.2: malformed and foreign ones are ignored */
        { "", 10, NONE, "" },
        { "bytes", 10, NONE, "" },
        { "bytes=", 10, NONE, "" },
        { "bytes=,", 10, NONE, "" },
        { "bytes 0-4", 10, NONE, "" },
        { "bytes =0-4", 10, NONE, "" },
        { "bytes:0-4", 10, NONE, "" },
        { "items=0-4", 10, NONE, "" },
        { "bytes=5", 10, NONE, "" },
        { "bytes=-", 10, NONE, "" },
        { "bytes=--1", 10, NONE, "" },
        { "bytes=1--1", 10, NONE, "" },
        { "bytes=4-2", 10, NONE, "" },
        { "bytes=14-12", 10, NONE, "" },
        { "bytes=0 -4", 10, NONE, "" },
        { "bytes=0- 4", 10, NONE, "" },
        { "bytes=+0-4", 10, NONE, "" },
        { "bytes=0x0-4", 10, NONE, "" },
        { "bytes=a-b", 10, NONE, "" },
        { "bytes=0-4;5-6", 10, NONE, "" },
        { "bytes=0-4,5-6,x", 10, NONE, "" },
        { "bytes=10-,x", 10, NONE, "" },
        /* nothing can be named by a Content-Range */
        { "bytes=0-", 0, NONE, "" },
        { "bytes=-5", 0, NONE, "" },
        /* 17.15: two may overlap, three do not */
        { "bytes=0-,0-", 10, LIST, "0+10 0+10" },
        { "bytes=0-5,5-9", 10, LIST, "0+6 5+5" },
        { "bytes=0-3,3-6,6-9", 10, NONE, "" },
        { "bytes=0-,1-,2-", 10, NONE, "" },
        { "bytes=0-1,0-1,5-6,5-6", 10, NONE, "" },
        { "bytes=0-1,0-1,5-6,8-9", 10, LIST, "0+2 0+2 5+2 8+2" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        struct rtn_ranges ranges = { 0 };
        enum rtn_range_result result = rtn_range_parse(rtn_str_of(table[i].value), table[i].size, &ranges);
        cr_expect_eq(result, table[i].result, "%s: %d", table[i].value, (int) result);
        cr_expect_str_eq(text_of(&ranges), table[i].ranges, "%s: %s", table[i].value, text_of(&ranges));
    }
}

Test(range, an_absent_field_is_ignored)
{
    struct rtn_ranges ranges;
    cr_expect_eq(rtn_range_parse((struct rtn_str){ 0 }, 10, &ranges), NONE);
}

/* "bytes=" and `count` ranges of `length`, a gap apart. */
static enum rtn_range_result parse_many(unsigned count, unsigned length, struct rtn_ranges *ret)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_append_text(&text, "bytes=");
    for (unsigned i = 0; i < count; i++)
        rtn_buf_printf(&text, "%u-%u,", i * 2000, i * 2000 + length - 1);
    return rtn_range_parse(rtn_buf_str(&text), 1000000, ret);
}

Test(range, a_set_that_costs_more_than_it_helps_is_ignored)
{
    struct rtn_ranges ranges = { 0 };
    cr_expect_eq(parse_many(16, 511, &ranges), LIST);
    cr_expect_eq(ranges.count, 16);
    cr_expect_eq(parse_many(17, 511, &ranges), NONE);
    cr_expect_eq(parse_many(17, 512, &ranges), LIST);
    cr_expect_eq(parse_many(32, 1000, &ranges), LIST);
    cr_expect_eq(ranges.count, 32);
    cr_expect_eq(ranges.list[31].first, 62000);
    cr_expect_eq(parse_many(33, 1000, &ranges), NONE);
}

/* The view is not a C string: nothing behind its end is looked at. */
Test(range, stays_inside_of_the_view)
{
    static const char text[] = "bytes=1-25,7-8";
    struct rtn_ranges ranges = { 0 };
    cr_expect_eq(rtn_range_parse((struct rtn_str){ text, 9 }, 100, &ranges), LIST);
    cr_expect_str_eq(text_of(&ranges), "1+2");
    cr_expect_eq(rtn_range_parse((struct rtn_str){ text, 8 }, 100, &ranges), LIST);
    cr_expect_str_eq(text_of(&ranges), "1+99");
    for (size_t length = 0; length < 7; length++)
        cr_expect_eq(rtn_range_parse((struct rtn_str){ text, length }, 100, &ranges), NONE);
}

Test(range, content_range)
{
    char text[RTN_CONTENT_RANGE_MAX];
    const struct rtn_range some = { .first = 2, .length = 3 };
    const struct rtn_range most = { .first = 0, .length = INT64_MAX };
    cr_expect_str_eq(rtn_range_content_range(text, &some, 10), "bytes 2-4/10");
    cr_expect_str_eq(rtn_range_content_range(text, NULL, 10), "bytes */10");
    cr_expect_str_eq(rtn_range_content_range(text, &most, INT64_MAX),
                     "bytes 0-9223372036854775806/9223372036854775807");
}
