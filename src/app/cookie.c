/*
 * Cookies. Reading takes what browsers send: pairs between semicolons, names compared byte for byte. Building is
 * strict, because browsers drop without a word what breaks their rules: first a table of checks, then the attributes.
 */
#include "app/cookie.h"

#include "base/macros.h"

static struct rtn_str without_quotes(struct rtn_str value)
{
    if (value.length >= 2 && value.data[0] == '"' && value.data[value.length - 1] == '"')
        return (struct rtn_str){ value.data + 1, value.length - 2 };
    return value;
}

struct rtn_str rtn_cookie_find(struct rtn_str field, struct rtn_str name)
{
    struct rtn_str pair;
    while (rtn_str_next(&field, ';', &pair)) {
        const char *equals = pair.length > 0 ? memchr(pair.data, '=', pair.length) : NULL;
        if (equals == NULL)
            continue;
        size_t length = (size_t) (equals - pair.data);
        if (rtn_str_equal(rtn_str_trim((struct rtn_str){ pair.data, length }), name))
            return without_quotes(rtn_str_trim((struct rtn_str){ equals + 1, pair.length - length - 1 }));
    }
    return (struct rtn_str){ NULL, 0 };
}

static bool is_cookie_octet(char c)
{
    return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\';
}

static bool is_value(struct rtn_str s)
{
    s = without_quotes(s);
    for (size_t i = 0; i < s.length; i++) {
        if (!is_cookie_octet(s.data[i]))
            return false;
    }
    return true;
}

static bool is_attribute(struct rtn_str s)
{
    for (size_t i = 0; i < s.length; i++) {
        unsigned char c = (unsigned char) s.data[i];
        if (c < 0x20 || c >= 0x7f || c == ';')
            return false;
    }
    return true;
}

static bool name_is_good(const struct rtn_cookie *cookie)
{
    return rtn_is_token(rtn_str_of(cookie->name));
}

static bool value_is_good(const struct rtn_cookie *cookie)
{
    return cookie->value != NULL && is_value(rtn_str_of(cookie->value));
}

static bool path_is_good(const struct rtn_cookie *cookie)
{
    return cookie->path == NULL || (cookie->path[0] == '/' && is_attribute(rtn_str_of(cookie->path)));
}

static bool domain_is_good(const struct rtn_cookie *cookie)
{
    struct rtn_str domain = rtn_str_of(cookie->domain);
    return domain.data == NULL ||
           (domain.length > 0 && is_attribute(domain) && memchr(domain.data, ' ', domain.length) == NULL);
}

static bool same_site_is_good(const struct rtn_cookie *cookie)
{
    struct rtn_str same_site = rtn_str_of(cookie->same_site);
    return same_site.data == NULL || rtn_str_equal(same_site, RTN_STR("Strict")) ||
           rtn_str_equal(same_site, RTN_STR("Lax")) || rtn_str_equal(same_site, RTN_STR("None"));
}

static bool none_is_secure(const struct rtn_cookie *cookie)
{
    return cookie->secure || !rtn_str_equal(rtn_str_of(cookie->same_site), RTN_STR("None"));
}

/* Browsers take names with these prefixes only under these conditions. */
static bool secure_prefix_is_good(const struct rtn_cookie *cookie)
{
    return cookie->secure || !rtn_str_starts_with(rtn_str_of(cookie->name), RTN_STR("__Secure-"));
}

static bool host_prefix_is_good(const struct rtn_cookie *cookie)
{
    if (!rtn_str_starts_with(rtn_str_of(cookie->name), RTN_STR("__Host-")))
        return true;
    return cookie->secure && cookie->domain == NULL && rtn_str_equal(rtn_str_of(cookie->path), RTN_STR("/"));
}

static const struct {
    bool (*is_good)(const struct rtn_cookie *cookie);
    const char *wrong;
} checks[] = {
    { name_is_good, "the name is not a token" },
    { value_is_good, "the value is missing, or has a space, comma, semicolon, quote, backslash or what is not ASCII" },
    { path_is_good, "the path does not begin with '/', or has a semicolon or what is not ASCII" },
    { domain_is_good, "the domain is empty, or has a space, a semicolon or what is not ASCII" },
    { same_site_is_good, "same_site is neither Strict, Lax nor None" },
    { none_is_secure, "same_site None needs secure" },
    { secure_prefix_is_good, "a name that begins with __Secure- needs secure" },
    { host_prefix_is_good, "a name that begins with __Host- needs secure, the path / and no domain" },
};

static void append_attribute(struct rtn_buf *out, const char *name, const char *value)
{
    if (value != NULL)
        rtn_buf_printf(out, "; %s=%s", name, value);
}

const char *rtn_cookie_build(const struct rtn_cookie *cookie, struct rtn_buf *out)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(checks); i++) {
        if (!checks[i].is_good(cookie))
            return checks[i].wrong;
    }
    rtn_buf_printf(out, "%s=%s", cookie->name, cookie->value);
    append_attribute(out, "Path", cookie->path);
    append_attribute(out, "Domain", cookie->domain);
    if (cookie->max_age != 0)
        rtn_buf_printf(out, "; Max-Age=%lld", (long long) RTN_MAX(cookie->max_age, 0));
    append_attribute(out, "SameSite", cookie->same_site);
    if (cookie->secure)
        rtn_buf_append_text(out, "; Secure");
    if (cookie->http_only)
        rtn_buf_append_text(out, "; HttpOnly");
    return NULL;
}
