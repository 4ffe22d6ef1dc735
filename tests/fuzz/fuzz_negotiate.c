/*
 * Bytes as fields about what a client accepts, and as cookies: up to the first LF an offer or a name, then the field.
 * Qualities stay in their bounds, and a cookie that is found can be set and found again.
 */
#include <stdlib.h>

#include "app/cookie.h"
#include "app/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound)
        abort();
}

static void check_quality(int (*quality_of)(struct rtn_str field, struct rtn_str offer), struct rtn_str field,
                          struct rtn_str offer)
{
    int quality = quality_of(field, offer);
    check(quality >= 0 && quality <= RTN_QUALITY_MAX);
    check(quality == quality_of(field, offer));
}

/* What was found makes a cookie, or its name or value has what none may have. */
static void check_cookie(struct rtn_str field, struct rtn_str name)
{
    struct rtn_str value = rtn_cookie_find(field, name);
    if (value.data == NULL || memchr(value.data, '\0', value.length) != NULL ||
        memchr(name.data, '\0', name.length) != NULL)
        return;
    check(value.data >= field.data && value.data + value.length <= field.data + field.length);
    struct rtn_buf out = { 0 };
    char *name_text = rtn_str_dup(name);
    char *value_text = rtn_str_dup(value);
    check(name_text != NULL && value_text != NULL);
    const char *wrong = rtn_cookie_build(&(struct rtn_cookie){ .name = name_text, .value = value_text }, &out);
    check((wrong == NULL) == (out.length > 0));
    if (wrong == NULL && out.data[name.length + 1] != '"')
        check(rtn_str_equal(rtn_cookie_find(rtn_buf_str(&out), name), value));
    rtn_buf_done(&out);
    free(name_text);
    free(value_text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line_end = size > 0 ? memchr(data, '\n', size) : NULL;
    if (line_end == NULL)
        return 0;
    const struct rtn_str offer = { (const char *) data, (size_t) (line_end - (const char *) data) };
    const struct rtn_str field = { line_end + 1, size - offer.length - 1 };
    check_quality(rtn_negotiate_type, field, offer);
    check_quality(rtn_negotiate_language, field, offer);
    check_quality(rtn_negotiate_encoding, field, offer);
    check_cookie(field, offer);
    return 0;
}
