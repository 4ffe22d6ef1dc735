/*
 * Lines as fields: the size in decimal, Range, If-Range, If-None-Match, If-Match, a date. What a set of ranges
 * resolves to lies inside of the size and keeps the bounds; a tag that is one matches itself in a list.
 */
#include <stdlib.h>

#include "proto/conditional.h"
#include "proto/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound)
        abort();
}

static void check_ranges(struct rtn_str field, int64_t size)
{
    struct rtn_ranges ranges = { 0 };
    if (rtn_range_parse(field, size, &ranges) != RTN_RANGE_LIST) {
        check(ranges.count == 0);
        return;
    }
    int64_t total = 0;
    unsigned whole = 0;
    check(ranges.count > 0 && ranges.count <= RTN_RANGE_MOST);
    for (unsigned i = 0; i < ranges.count; i++) {
        const struct rtn_range *range = &ranges.list[i];
        char text[RTN_CONTENT_RANGE_MAX];
        check(range->first >= 0 && range->length > 0 && range->length <= size && range->first <= size - range->length);
        check(strlen(rtn_range_content_range(text, range, size)) < RTN_CONTENT_RANGE_MAX - 1);
        whole += range->length == size ? 1 : 0;
        total = size < INT64_MAX / RTN_RANGE_MOST ? total + range->length : 0;
    }
    check(whole <= 2 && total / 2 <= size);
}

static struct rtn_str opaque(struct rtn_str tag)
{
    return tag.data[0] == 'W' ? (struct rtn_str){ tag.data + 2, tag.length - 2 } : tag;
}

static void check_tags(const struct rtn_conditions *conditions, struct rtn_str tag)
{
    const struct rtn_validators now = { .etag = tag, .modified = 784111777 };
    struct rtn_str field = conditions->if_none_match;
    enum rtn_verdict verdict = rtn_conditional_check(conditions, &now);
    if (verdict != RTN_VERDICT_FAILED && rtn_conditional_is_etag(field))
        check((verdict == RTN_VERDICT_NOT_MODIFIED) == rtn_str_equal(opaque(field), opaque(tag)));
    if (rtn_conditional_range(conditions, &now) && rtn_conditional_is_etag(conditions->if_range))
        check(rtn_str_equal(conditions->if_range, tag));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtn_str rest = { (const char *) data, size };
    struct rtn_str lines[6] = { 0 };
    int64_t length = 0;
    for (size_t i = 0; i < 6 && rtn_str_next(&rest, '\n', &lines[i]); i++)
        ;
    if (rtn_parse_int(lines[0], &length) < 0 || length < 0)
        return 0;
    check_ranges(lines[1], length);
    check_tags(&(struct rtn_conditions){ .if_range = lines[2], .if_none_match = lines[3] }, RTN_STR("\"a\""));
    check_tags(&(struct rtn_conditions){ .if_range = lines[2], .if_match = lines[4], .if_none_match = lines[3] },
               RTN_STR("W/\"a\""));
    check_tags(&(struct rtn_conditions){ .if_range = lines[5], .if_modified_since = lines[5] }, RTN_STR("\"a\""));
    if (rtn_conditional_is_etag(lines[2]))
        check_tags(&(struct rtn_conditions){ .if_none_match = lines[3], .if_unmodified_since = lines[5] }, lines[2]);
    return 0;
}
