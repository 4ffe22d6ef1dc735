/*
 * The lists are read once, from left to right, which gives what the walk from right to left would: an element that
 * would end the walk makes all before it forgotten. Nothing is copied: a value with escapes in it is no address, no
 * scheme and no host.
 */
#include "app/forwarded.h"

#include <string.h>

#include "base/macros.h"
#include "proto/authority.h"

/* What one proxy said. Absent members were not said. */
struct element {
    struct rtn_str node;
    struct rtn_str proto;
    struct rtn_str host;
    struct rtn_str by; /* only so that it does not come twice */
};

struct walk {
    const struct rtn_cidr *trusted;
    size_t trusted_count;
    bool begun;
    struct rtn_forwarded found;
};

static bool is_obfuscated_char(char c)
{
    return rtn_is_alnum(c) || c == '.' || c == '_' || c == '-';
}

/* ":80" or ":_hidden"; nothing is fine too. */
static bool is_port(struct rtn_str text)
{
    if (text.length == 0)
        return true;
    bool hidden = text.length > 2 && text.data[1] == '_';
    if (text.data[0] != ':' || text.length < 2 || (!hidden && text.length > 6))
        return false;
    for (size_t i = 1; i < text.length; i++) {
        if (hidden ? !is_obfuscated_char(text.data[i]) : !rtn_is_digit(text.data[i]))
            return false;
    }
    return true;
}

static bool read_bracketed(struct rtn_str node, struct rtn_ip *ret)
{
    const char *end = memchr(node.data, ']', node.length);
    if (end == NULL)
        return false;
    struct rtn_str inside = { node.data + 1, (size_t) (end - node.data) - 1 };
    struct rtn_str port = { end + 1, node.length - inside.length - 2 };
    return memchr(inside.data, ':', inside.length) != NULL && is_port(port) && rtn_ip_parse(inside, ret) == 0;
}

/* "1.2.3.4", "1.2.3.4:80", "[::1]", "[::1]:80"; where `bare` is true, "::1" too. */
static bool read_node(struct rtn_str node, bool bare, struct rtn_ip *ret)
{
    if (node.length == 0)
        return false;
    if (node.data[0] == '[')
        return read_bracketed(node, ret);
    const char *colon = memchr(node.data, ':', node.length);
    size_t length = colon != NULL ? (size_t) (colon - node.data) : node.length;
    struct rtn_str port = { node.data + length, node.length - length };
    if (is_port(port))
        return rtn_ip_parse((struct rtn_str){ node.data, length }, ret) == 0;
    return bare && rtn_ip_parse(node, ret) == 0;
}

static const char *read_scheme(struct rtn_str text)
{
    static const char *const schemes[] = { "http", "https" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(schemes); i++) {
        if (rtn_str_equal_nocase(text, rtn_str_of(schemes[i])))
            return schemes[i];
    }
    return NULL;
}

static struct rtn_str read_host(struct rtn_str text)
{
    bool good = text.length > 0 && text.data[0] != ':' && rtn_authority_valid(text);
    return good ? text : (struct rtn_str){ 0 };
}

/* The next element, with the address it names, or NULL. See the top of this file. */
static void step(struct walk *walk, const struct element *element, const struct rtn_ip *address)
{
    struct rtn_forwarded *found = &walk->found;
    bool is_hop = address != NULL && rtn_cidr_any_contains(walk->trusted, walk->trusted_count, address);
    if (!is_hop || !walk->begun) {
        found->scheme = read_scheme(element->proto);
        found->host = read_host(element->host);
    }
    if (!is_hop || !found->has_client) {
        found->has_client = address != NULL;
        if (address != NULL)
            found->client = *address;
    }
    walk->begun = true;
}

static void skip_spaces(struct rtn_str *rest)
{
    while (rest->length > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'))
        *rest = (struct rtn_str){ rest->data + 1, rest->length - 1 };
}

static struct rtn_str take(struct rtn_str *rest, size_t length)
{
    struct rtn_str taken = { rest->data, length };
    *rest = (struct rtn_str){ rest->data + length, rest->length - length };
    return taken;
}

static bool take_char(struct rtn_str *rest, char c)
{
    if (rest->length == 0 || rest->data[0] != c)
        return false;
    (void) take(rest, 1);
    return true;
}

/* What is between the quotes; the opening one was taken. Escapes stay as they are. */
static bool take_quoted(struct rtn_str *rest, struct rtn_str *ret)
{
    size_t at = 0;
    while (at < rest->length && rest->data[at] != '"')
        at += rest->data[at] == '\\' ? 2 : 1;
    if (at >= rest->length)
        return false;
    *ret = take(rest, at);
    return take_char(rest, '"');
}

/* A token; the marks of addresses with ports, which belong in quotes, are let pass in values. */
static struct rtn_str take_token(struct rtn_str *rest, const char *marks)
{
    size_t at = 0;
    while (at < rest->length &&
           (rtn_is_token_char(rest->data[at]) || (rest->data[at] != '\0' && strchr(marks, rest->data[at]) != NULL)))
        at++;
    return take(rest, at);
}

/* Where a parameter goes; others are read over. */
static struct rtn_str *parameter(struct element *element, struct rtn_str name)
{
    const struct {
        const char *name;
        struct rtn_str *value;
    } known[] = {
        { "for", &element->node }, { "proto", &element->proto }, { "host", &element->host }, { "by", &element->by }
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(known); i++) {
        if (rtn_str_equal_nocase(name, rtn_str_of(known[i].name)))
            return known[i].value;
    }
    return NULL;
}

/* One "name=value". */
static bool take_pair(struct rtn_str *rest, struct element *element)
{
    struct rtn_str name = take_token(rest, "");
    struct rtn_str value;
    if (name.length == 0 || !take_char(rest, '='))
        return false;
    if (take_char(rest, '"')) {
        if (!take_quoted(rest, &value))
            return false;
    } else {
        value = take_token(rest, ":[]");
        if (value.length == 0)
            return false;
    }
    struct rtn_str *place = parameter(element, name);
    if (place == NULL)
        return true;
    if (place->data != NULL)
        return false;
    *place = value;
    return true;
}

/* Pairs up to the next comma or the end. */
static bool take_element(struct rtn_str *rest, struct element *element)
{
    do {
        skip_spaces(rest);
        if (rest->length > 0 && rest->data[0] != ',' && rest->data[0] != ';' && !take_pair(rest, element))
            return false;
        skip_spaces(rest);
    } while (take_char(rest, ';'));
    return rest->length == 0 || rest->data[0] == ',';
}

/* False when it is malformed: nobody knows then where the elements of the proxies begin. */
static bool walk_forwarded(struct walk *walk, struct rtn_str rest)
{
    do {
        const char *start = rest.data;
        struct element element = { 0 };
        struct rtn_ip address;
        if (!take_element(&rest, &element))
            return false;
        if (rtn_str_trim((struct rtn_str){ start, (size_t) (rest.data - start) }).length > 0)
            step(walk, &element, read_node(element.node, false, &address) ? &address : NULL);
    } while (take_char(&rest, ','));
    return true;
}

static void walk_for(struct walk *walk, struct rtn_str rest)
{
    const struct element element = { 0 };
    struct rtn_str node;
    while (rtn_str_next(&rest, ',', &node)) {
        struct rtn_ip address;
        if (node.length > 0)
            step(walk, &element, read_node(node, true, &address) ? &address : NULL);
    }
}

static struct rtn_str last_of(struct rtn_str rest)
{
    struct rtn_str last = { 0 };
    struct rtn_str value;
    while (rtn_str_next(&rest, ',', &value)) {
        if (value.length > 0)
            last = value;
    }
    return last;
}

/* Kinds of fields, as bits. */
#define STANDARD 1U /* Forwarded */
#define OTHER 2U /* X-Forwarded-... */

enum field { FIELD_FORWARDED, FIELD_FOR, FIELD_PROTO, FIELD_HOST, FIELD_OTHER };

static enum field which(struct rtn_str name)
{
    static const char *const names[] = { [FIELD_FORWARDED] = "forwarded",
                                         [FIELD_FOR] = "x-forwarded-for",
                                         [FIELD_PROTO] = "x-forwarded-proto",
                                         [FIELD_HOST] = "x-forwarded-host" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        if (rtn_str_equal(name, rtn_str_of(names[i])))
            return (enum field) i;
    }
    return FIELD_OTHER;
}

bool rtn_forwarded_is_field(struct rtn_str name)
{
    return which(name) != FIELD_OTHER;
}

static bool read_forwarded(const struct rtn_header *fields, size_t count, struct walk *walk)
{
    for (size_t i = 0; i < count; i++) {
        if (which(fields[i].name) == FIELD_FORWARDED && !walk_forwarded(walk, fields[i].value))
            return false;
    }
    return true;
}

static void read_x_forwarded(const struct rtn_header *fields, size_t count, struct walk *walk)
{
    struct rtn_str last[FIELD_OTHER] = { 0 };
    for (size_t i = 0; i < count; i++) {
        enum field field = which(fields[i].name);
        if (field == FIELD_FOR)
            walk_for(walk, fields[i].value);
        else if (field == FIELD_PROTO || field == FIELD_HOST)
            last[field] = last_of(fields[i].value);
    }
    walk->found.scheme = read_scheme(last[FIELD_PROTO]);
    walk->found.host = read_host(last[FIELD_HOST]);
}

static bool same_client(const struct rtn_forwarded *a, const struct rtn_forwarded *b)
{
    if (a->has_client != b->has_client)
        return false;
    return !a->has_client || memcmp(&a->client, &b->client, sizeof(a->client)) == 0;
}

/* What both kinds say. A kind without any element says nothing of the client. */
static const char *read_both(const struct walk *standard, const struct walk *other, struct rtn_forwarded *ret)
{
    const struct rtn_forwarded *a = &standard->found;
    const struct rtn_forwarded *b = &other->found;
    if (standard->begun && other->begun && !same_client(a, b))
        return "Forwarded and X-Forwarded-For name different clients; set proxy_header";
    *ret = standard->begun ? *a : *b;
    if (a->scheme != b->scheme)
        ret->scheme = NULL;
    if (!rtn_str_equal_nocase(a->host, b->host))
        ret->host = (struct rtn_str){ 0 };
    return NULL;
}

/* The kinds that are there, of those that are to be read. */
static unsigned kinds_of(const struct rtn_header *fields, size_t count, enum rtn_config_proxy_header mode)
{
    static const unsigned wanted[] = { [RTN_PROXY_HEADER_AUTO] = STANDARD | OTHER,
                                       [RTN_PROXY_HEADER_FORWARDED] = STANDARD,
                                       [RTN_PROXY_HEADER_X_FORWARDED] = OTHER,
                                       [RTN_PROXY_HEADER_NONE] = 0 };
    unsigned kinds = 0;
    for (size_t i = 0; i < count; i++) {
        enum field field = which(fields[i].name);
        if (field != FIELD_OTHER)
            kinds |= field == FIELD_FORWARDED ? STANDARD : OTHER;
    }
    return kinds & wanted[mode];
}

const char *rtn_forwarded_read(const struct rtn_header *fields, size_t count, enum rtn_config_proxy_header mode,
                               const struct rtn_cidr *trusted, size_t trusted_count, struct rtn_forwarded *ret)
{
    struct walk standard = { .trusted = trusted, .trusted_count = trusted_count };
    struct walk other = standard;
    unsigned kinds = kinds_of(fields, count, mode);
    if ((kinds & STANDARD) != 0 && !read_forwarded(fields, count, &standard))
        return "the Forwarded field is malformed";
    if ((kinds & OTHER) != 0)
        read_x_forwarded(fields, count, &other);
    if (kinds == (STANDARD | OTHER))
        return read_both(&standard, &other, ret);
    *ret = kinds == STANDARD ? standard.found : other.found;
    return NULL;
}
