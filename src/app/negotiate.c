/*
 * One walk over the list serves all three fields: an element is a range and its weight, and a function for the field
 * says how exactly the range names the offer. The most exact one decides, whatever its weight; of equals the first.
 */
#include "app/negotiate.h"

#include "app/field.h"

enum { NO_MATCH = -1, MALFORMED = -2 };

/* How exactly `range` names `offer`: 0 (a mere '*') and more, NO_MATCH or MALFORMED. */
typedef int exactness_of(struct rtn_str range, struct rtn_str offer);

struct verdict {
    int quality; /* of the most exact range, or NO_MATCH */
    bool any; /* there was a good element */
};

static bool is_text(struct rtn_str s, const char *text)
{
    return rtn_str_equal(s, rtn_str_of(text));
}

/* qvalue (RFC 9110, 12.4.2): 0 or 1 and up to three digits, in thousandths; -1 when it is none. */
static int parse_quality(struct rtn_str s)
{
    int quality = 0;
    if (s.length == 0 || s.length > 5 || (s.data[0] != '0' && s.data[0] != '1') || (s.length > 1 && s.data[1] != '.'))
        return -1;
    for (size_t i = 0, factor = RTN_QUALITY_MAX; i < 5; i++) {
        if (i == 1)
            continue;
        char c = i < s.length ? s.data[i] : '0';
        if (c < '0' || c > '9')
            return -1;
        quality += (c - '0') * (int) factor;
        factor /= 10;
    }
    return quality <= RTN_QUALITY_MAX ? quality : -1;
}

/* Parts the range, its parameters included, from its weight, and what is behind that is of no use. False: malformed. */
static bool split_weight(struct rtn_str element, struct rtn_str *range, int *quality)
{
    struct rtn_str rest = element;
    struct rtn_str piece;
    struct rtn_parameter parameter;
    *range = element;
    *quality = RTN_QUALITY_MAX;
    (void) rtn_field_next(&rest, ';', &piece);
    while (rtn_field_next(&rest, ';', &piece)) {
        if (piece.length == 0)
            continue;
        if (!rtn_field_parameter(piece, &parameter))
            return false;
        if (!rtn_str_equal_nocase(parameter.name, RTN_STR("q")))
            continue;
        *quality = parameter.quoted ? -1 : parse_quality(parameter.value);
        range->length = (size_t) (piece.data - element.data);
        while (range->data[range->length - 1] != ';')
            range->length--;
        range->length--;
        *range = rtn_str_trim(*range);
        break;
    }
    return *quality >= 0;
}

static struct verdict judge(struct rtn_str list, struct rtn_str offer, exactness_of *exactness_of_range)
{
    struct verdict verdict = { .quality = NO_MATCH };
    int best = NO_MATCH;
    struct rtn_str element;
    while (rtn_field_next(&list, ',', &element)) {
        struct rtn_str range;
        int quality;
        if (element.length == 0 || !split_weight(element, &range, &quality))
            continue;
        int exactness = exactness_of_range(range, offer);
        verdict.any |= exactness != MALFORMED;
        if (exactness <= best)
            continue;
        best = exactness;
        verdict.quality = quality;
    }
    return verdict;
}

/* The quality when a field that tells nothing accepts everything. */
static int quality_of(struct verdict verdict)
{
    if (!verdict.any)
        return RTN_QUALITY_MAX;
    return verdict.quality == NO_MATCH ? 0 : verdict.quality;
}

static bool split_type(struct rtn_str text, struct rtn_str *type, struct rtn_str *subtype)
{
    const char *slash = text.length > 0 ? memchr(text.data, '/', text.length) : NULL;
    if (slash == NULL)
        return false;
    *type = (struct rtn_str){ text.data, (size_t) (slash - text.data) };
    *subtype = (struct rtn_str){ slash + 1, text.length - type->length - 1 };
    return rtn_is_token(*type) && rtn_is_token(*subtype) && (!is_text(*type, "*") || is_text(*subtype, "*"));
}

static bool has_parameter(struct rtn_str parameters, const struct rtn_parameter *wanted)
{
    struct rtn_str piece;
    struct rtn_parameter parameter;
    while (rtn_field_next(&parameters, ';', &piece)) {
        if (rtn_field_parameter(piece, &parameter) && rtn_str_equal_nocase(parameter.name, wanted->name) &&
            rtn_str_equal_nocase(parameter.value, wanted->value))
            return true;
    }
    return false;
}

/* 0 for all types, 1 for all of a type, 2 for one type and 1 more for each of its parameters. */
static int type_exactness(struct rtn_str range, struct rtn_str offer)
{
    struct rtn_str range_type, range_subtype, offer_type, offer_subtype, piece;
    (void) rtn_field_next(&range, ';', &piece);
    if (!split_type(piece, &range_type, &range_subtype))
        return MALFORMED;
    (void) rtn_field_next(&offer, ';', &piece);
    if (!split_type(piece, &offer_type, &offer_subtype))
        return NO_MATCH;
    bool any_type = is_text(range_type, "*");
    bool any_subtype = is_text(range_subtype, "*");
    if ((!any_type && !rtn_str_equal_nocase(range_type, offer_type)) ||
        (!any_subtype && !rtn_str_equal_nocase(range_subtype, offer_subtype)))
        return NO_MATCH;
    int exactness = 2 - any_type - any_subtype;
    struct rtn_parameter parameter;
    while (rtn_field_next(&range, ';', &piece)) {
        if (piece.length == 0)
            continue;
        exactness++;
        if (!rtn_field_parameter(piece, &parameter) || !has_parameter(offer, &parameter))
            return NO_MATCH;
    }
    return exactness;
}

int rtn_negotiate_type(struct rtn_str accept, struct rtn_str offer)
{
    return quality_of(judge(accept, offer, type_exactness));
}

static bool is_language_range(struct rtn_str range)
{
    struct rtn_str subtag;
    while (rtn_str_next(&range, '-', &subtag)) {
        if (subtag.length == 0 || subtag.length > 8)
            return false;
        for (size_t i = 0; i < subtag.length; i++) {
            char lower = (char) (subtag.data[i] | 0x20);
            if ((lower < 'a' || lower > 'z') && (subtag.data[i] < '0' || subtag.data[i] > '9'))
                return false;
        }
    }
    return true;
}

/* The length of the range, which is all of the tag or ends where a subtag does; 0 for '*'. */
static int language_exactness(struct rtn_str range, struct rtn_str offer)
{
    if (is_text(range, "*"))
        return 0;
    if (!is_language_range(range))
        return MALFORMED;
    bool ends = range.length == offer.length || (range.length < offer.length && offer.data[range.length] == '-');
    return ends && rtn_str_equal_nocase(range, (struct rtn_str){ offer.data, range.length }) ? (int) range.length
                                                                                             : NO_MATCH;
}

int rtn_negotiate_language(struct rtn_str accept_language, struct rtn_str offer)
{
    return quality_of(judge(accept_language, offer, language_exactness));
}

/* x-gzip and x-compress are old names (RFC 9110, 8.4.1). */
static struct rtn_str without_x(struct rtn_str coding)
{
    if (!rtn_str_equal_nocase(coding, RTN_STR("x-gzip")) && !rtn_str_equal_nocase(coding, RTN_STR("x-compress")))
        return coding;
    return (struct rtn_str){ coding.data + 2, coding.length - 2 };
}

static int encoding_exactness(struct rtn_str range, struct rtn_str offer)
{
    if (!rtn_is_token(range))
        return MALFORMED;
    if (is_text(range, "*"))
        return 0;
    return rtn_str_equal_nocase(without_x(range), without_x(offer)) ? 1 : NO_MATCH;
}

int rtn_negotiate_encoding(struct rtn_str accept_encoding, struct rtn_str coding)
{
    bool identity = rtn_str_equal_nocase(coding, RTN_STR("identity"));
    if (accept_encoding.data == NULL)
        return identity ? RTN_QUALITY_MAX : 0;
    struct verdict verdict = judge(accept_encoding, coding, encoding_exactness);
    if (verdict.quality == NO_MATCH)
        return identity ? 1 : 0;
    return verdict.quality;
}
