/*
 * Parsing of Range. A set with any malformed part is malformed as a whole; parts behind the end are dropped, and only
 * when nothing is left is the set unsatisfiable. Numbers too large to hold are behind any end.
 */
#include "proto/range.h"

#include <stdio.h>

#include "base/macros.h"

#define MOST_OVERLAPPING 2
#define MOST_SMALL 16
#define SMALL 512 /* bytes: about what the head of its part costs */

/* 1*DIGIT, no more than INT64_MAX; -1: something else. */
static int64_t number(struct rtn_str s)
{
    int64_t value = 0;
    if (s.length == 0)
        return -1;
    for (size_t i = 0; i < s.length; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return -1;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, s.data[i] - '0', &value))
            value = INT64_MAX;
    }
    return value;
}

static bool take_suffix(struct rtn_str last, int64_t size, struct rtn_range *ret)
{
    int64_t length = number(last);
    if (length < 0)
        return false;
    *ret = (struct rtn_range){ .first = size - RTN_MIN(length, size), .length = RTN_MIN(length, size) };
    return true;
}

/* "2-5", "2-" or "-5". False when malformed; an empty range when it is behind the end. */
static bool take_spec(struct rtn_str spec, int64_t size, struct rtn_range *ret)
{
    const char *dash = memchr(spec.data, '-', spec.length);
    if (dash == NULL)
        return false;
    struct rtn_str before = { spec.data, (size_t) (dash - spec.data) };
    struct rtn_str behind = { dash + 1, spec.length - before.length - 1 };
    if (before.length == 0)
        return take_suffix(behind, size, ret);
    int64_t first = number(before);
    int64_t last = behind.length > 0 ? number(behind) : INT64_MAX;
    if (first < 0 || last < first)
        return false;
    *ret = (struct rtn_range){ 0 };
    if (first < size)
        *ret = (struct rtn_range){ .first = first, .length = RTN_MIN(last, size - 1) - first + 1 };
    return true;
}

static bool overlap(const struct rtn_range *a, const struct rtn_range *b)
{
    return a->first < b->first + b->length && b->first < a->first + a->length;
}

static bool overlaps_another(const struct rtn_ranges *ranges, unsigned index)
{
    for (unsigned i = 0; i < ranges->count; i++) {
        if (i != index && overlap(&ranges->list[i], &ranges->list[index]))
            return true;
    }
    return false;
}

static bool costs_too_much(const struct rtn_ranges *ranges)
{
    unsigned overlapping = 0;
    unsigned small = 0;
    for (unsigned i = 0; i < ranges->count; i++) {
        overlapping += overlaps_another(ranges, i) ? 1 : 0;
        small += ranges->list[i].length < SMALL ? 1 : 0;
    }
    return overlapping > MOST_OVERLAPPING || small > MOST_SMALL;
}

/* What is behind "bytes="; absent for another unit. */
static struct rtn_str byte_set(struct rtn_str value)
{
    const struct rtn_str unit = RTN_STR("bytes=");
    if (!rtn_str_starts_with_nocase(value, unit))
        return (struct rtn_str){ 0 };
    return (struct rtn_str){ value.data + unit.length, value.length - unit.length };
}

enum rtn_range_result rtn_range_parse(struct rtn_str value, int64_t size, struct rtn_ranges *ret)
{
    struct rtn_ranges ranges;
    struct rtn_str rest = byte_set(value);
    struct rtn_str spec;
    bool found = false;
    ranges.count = 0;
    if (rest.data == NULL || size == 0)
        return RTN_RANGE_NONE;
    while (rtn_str_next(&rest, ',', &spec)) {
        struct rtn_range range;
        if (spec.length == 0)
            continue; /* lists may have empty elements (RFC 9110, 5.6.1.2) */
        if (!take_spec(spec, size, &range))
            return RTN_RANGE_NONE;
        found = true;
        if (range.length == 0)
            continue;
        if (ranges.count == RTN_RANGE_MOST)
            return RTN_RANGE_NONE;
        ranges.list[ranges.count++] = range;
    }
    if (!found || costs_too_much(&ranges))
        return RTN_RANGE_NONE;
    if (ranges.count == 0)
        return RTN_RANGE_UNSATISFIABLE;
    ret->count = ranges.count;
    memcpy(ret->list, ranges.list, ranges.count * sizeof(ranges.list[0]));
    return RTN_RANGE_LIST;
}

char *rtn_range_content_range(char out[RTN_CONTENT_RANGE_MAX], const struct rtn_range *range, int64_t size)
{
    if (range == NULL)
        (void) snprintf(out, RTN_CONTENT_RANGE_MAX, "bytes */%lld", (long long) size);
    else
        (void) snprintf(out, RTN_CONTENT_RANGE_MAX, "bytes %lld-%lld/%lld", (long long) range->first,
                        (long long) (range->first + range->length - 1), (long long) size);
    return out;
}
