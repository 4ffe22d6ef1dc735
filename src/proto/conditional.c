/*
 * Conditions. Tags are compared byte by byte, quotes included: strongly by If-Match and If-Range, where a weak tag
 * equals nothing, weakly by If-None-Match.
 */
#include "proto/conditional.h"

#include "base/clock.h"
#include "base/header.h"

static struct rtn_str behind(struct rtn_str s, size_t count)
{
    return (struct rtn_str){ s.data + count, s.length - count };
}

static bool is_weak(struct rtn_str tag)
{
    return rtn_str_starts_with(tag, RTN_STR("W/"));
}

static struct rtn_str opaque(struct rtn_str tag)
{
    return is_weak(tag) ? behind(tag, 2) : tag;
}

/* Length of the tag that `text` begins with; 0: none. */
static size_t tag_length(struct rtn_str text)
{
    size_t start = is_weak(text) ? 3 : 1; /* behind the quote that opens it */
    if (start > text.length || text.data[start - 1] != '"')
        return 0;
    struct rtn_str rest = behind(text, start);
    const char *quote = memchr(rest.data, '"', rest.length);
    if (quote == NULL)
        return 0;
    size_t length = (size_t) (quote - rest.data);
    return rtn_header_is_visible((struct rtn_str){ rest.data, length }) ? start + length + 1 : 0;
}

bool rtn_conditional_is_etag(struct rtn_str text)
{
    return text.length > 0 && tag_length(text) == text.length;
}

static bool equal(struct rtn_str a, struct rtn_str b, bool strong)
{
    if (strong && (is_weak(a) || is_weak(b)))
        return false;
    return rtn_str_equal(opaque(a), opaque(b));
}

/* Takes spaces, commas and one tag off the front of *list. 1 with *ret, 0 at the end, -1 when it is malformed. */
static int next_tag(struct rtn_str *list, struct rtn_str *ret)
{
    bool separated = false;
    while (list->length > 0 && (list->data[0] == ',' || list->data[0] == ' ' || list->data[0] == '\t')) {
        separated = separated || list->data[0] == ',';
        *list = behind(*list, 1);
    }
    if (list->length == 0)
        return 0;
    size_t length = tag_length(*list);
    if (length == 0 || (ret->data != NULL && !separated))
        return -1;
    *ret = (struct rtn_str){ list->data, length };
    *list = behind(*list, length);
    return 1;
}

/* "*" matches whatever there is. */
static bool list_matches(struct rtn_str list, struct rtn_str etag, bool strong)
{
    struct rtn_str tag = { 0 };
    bool found = false;
    int r;
    if (rtn_str_equal(list, RTN_STR("*")))
        return true;
    while ((r = next_tag(&list, &tag)) > 0)
        found = found || (etag.data != NULL && equal(tag, etag, strong));
    return r == 0 && found;
}

/* False when the field is absent or malformed, or nothing is known to compare it with. */
static bool compare_date(struct rtn_str field, int64_t modified, int *ret)
{
    time_t date;
    if (field.data == NULL || modified == 0 || rtn_clock_parse_http_date(field, &date) < 0)
        return false;
    *ret = modified > date ? 1 : modified < date ? -1 : 0;
    return true;
}

static bool precondition_holds(const struct rtn_conditions *conditions, const struct rtn_validators *now)
{
    int order;
    if (conditions->if_match.data != NULL)
        return list_matches(conditions->if_match, now->etag, true);
    return !compare_date(conditions->if_unmodified_since, now->modified, &order) || order <= 0;
}

static bool client_has_it(const struct rtn_conditions *conditions, const struct rtn_validators *now)
{
    int order;
    if (conditions->if_none_match.data != NULL)
        return list_matches(conditions->if_none_match, now->etag, false);
    return compare_date(conditions->if_modified_since, now->modified, &order) && order <= 0;
}

enum rtn_verdict rtn_conditional_check(const struct rtn_conditions *conditions, const struct rtn_validators *now)
{
    if (!precondition_holds(conditions, now))
        return RTN_VERDICT_FAILED;
    return client_has_it(conditions, now) ? RTN_VERDICT_NOT_MODIFIED : RTN_VERDICT_SEND;
}

bool rtn_conditional_range(const struct rtn_conditions *conditions, const struct rtn_validators *now)
{
    struct rtn_str field = conditions->if_range;
    int order;
    if (field.data == NULL)
        return true;
    if (rtn_conditional_is_etag(field))
        return now->etag.data != NULL && equal(field, now->etag, true);
    return compare_date(field, now->modified, &order) && order == 0;
}
