/*
 * A head that is there as a whole, as most are, is read here in one pass: the request line, then one field after the
 * other, each with its characters, its line end and what it means. [owner's thread]
 *
 * This reader refuses nothing. What it does not know to be right, from a head that is not complete to a folded line, it
 * leaves to llhttp and the checks around it (http1_parse.c), which begin anew and say what is wrong. So whatever is
 * taken here is taken there as well, and means the same: tests and the fuzz target see to that, since a request that
 * comes in pieces is read there.
 *
 * Behind the last byte read are zeros while it reads, which are no part of anything: nobody has to ask where the end
 * is.
 */
#include "proto/http1_head.h"

#include <endian.h>
#include <limits.h>

#include "base/method.h"
#include "proto/http1_check.h"

/* All characters of a path with its query. A fragment has no place there. */
static const bool target_chars[UCHAR_MAX + 1] = { ['!' ... '"'] = true, ['$' ... '~'] = true };

/* The bit that makes a character of a token lower case, or that it has anyway; 0: it is none (RFC 9110, 5.6.2). */
static const unsigned char name_bits[UCHAR_MAX + 1] = {
    ['A' ... 'Z'] = 0x20,  ['a' ... 'z'] = 0x20, ['0' ... '9'] = 0x20, ['!'] = 0x20,
    ['#' ... '\''] = 0x20, ['*' ... '+'] = 0x20, ['-' ... '.'] = 0x20, ['^' ... '_'] = 0x40,
    ['`'] = 0x20,          ['|'] = 0x20,         ['~'] = 0x20,
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* True when exactly these bytes come next, which are skipped then. */
static bool skip(char **at, struct rtn_str text)
{
    if (memcmp(*at, text.data, text.length) != 0)
        return false;
    *at += text.length;
    return true;
}

/* As far as the table goes. */
static struct rtn_str take(char **at, const bool table[UCHAR_MAX + 1])
{
    const char *from = *at;
    while (table[(unsigned char) **at])
        (*at)++;
    return (struct rtn_str){ from, (size_t) (*at - from) };
}

/* Characters that are looked at together. Where a comparison holds, all bits of the byte are set. */
typedef unsigned char group __attribute__((vector_size(RTN_REQUEST_SPARE)));

static group load(const char *at)
{
    group characters;
    memcpy(&characters, at, sizeof(characters));
    return characters;
}

/* How many come before the first one found; sizeof(group) when there is none. */
static size_t before_first(group found)
{
    uint64_t half[2];
    memcpy(half, &found, sizeof(half));
    if (half[0] != 0)
        return (size_t) __builtin_ctzll(le64toh(half[0])) / CHAR_BIT;
    return half[1] != 0 ? sizeof(half[0]) + (size_t) __builtin_ctzll(le64toh(half[1])) / CHAR_BIT : sizeof(group);
}

/* The first control character. */
static char *find_control(char *at)
{
    for (;;) {
        group characters = load(at);
        size_t before = before_first((group) (characters < ' ') | (group) (characters == 0x7f));
        at += before;
        if (before < sizeof(group))
            return at;
    }
}

/* Makes the letters, digits and hyphens that come first lower case, up to a whole group. Returns how many there are. */
static size_t lower_usual(char *at)
{
    static const group places = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    group characters = load(at);
    group bits = (group) (characters - 'A' <= 'Z' - 'A') & 0x20;
    group letters = (group) ((characters | bits) - 'a' <= 'z' - 'a');
    group others = (group) (characters - '0' <= 9) | (group) (characters == '-');
    size_t usual = before_first(~(letters | others));
    characters |= bits & (group) (places < (unsigned char) usual);
    memcpy(at, &characters, sizeof(characters));
    return usual;
}

/* Made lower case on the way: what names usually are made of together, anything else one by one. */
static struct rtn_str take_name(char **at)
{
    char *to = *at;
    size_t usual;
    do {
        usual = lower_usual(to);
        to += usual;
    } while (usual == sizeof(group));
    unsigned char bit;
    while ((bit = name_bits[(unsigned char) *to]) != 0)
        *to++ |= (char) bit;
    struct rtn_str name = { *at, (size_t) (to - *at) };
    *at = to;
    return name;
}

/* Up to the end of the line, without the blanks around it. */
static struct rtn_str take_value(char **at)
{
    char *from = *at;
    while (is_blank(*from))
        from++;
    char *to = find_control(from);
    while (*to == '\t')
        to = find_control(to + 1);
    *at = to;
    while (to > from && is_blank(to[-1]))
        to--;
    return (struct rtn_str){ from, (size_t) (to - from) };
}

static bool read_request_line(struct rtn_request *request, char **at)
{
    request->method_name = take(at, target_chars);
    request->method = rtn_method_parse(request->method_name);
    if (request->method == 0 || !skip(at, RTN_STR(" ")) || **at != '/')
        return false;
    request->target = take(at, target_chars);
    if (!skip(at, RTN_STR(" HTTP/1.")) || (**at != '0' && **at != '1'))
        return false;
    request->version = *(*at)++ == '1' ? 11 : 10;
    return skip(at, RTN_STR("\r\n"));
}

static bool read_field(struct rtn_request *request, char **at)
{
    struct rtn_str name = take_name(at);
    if (name.length == 0 || !skip(at, RTN_STR(":")))
        return false;
    struct rtn_str value = take_value(at);
    if (!skip(at, RTN_STR("\r\n")) || request->header_count == request->header_capacity)
        return false;
    request->headers[request->header_count++] = (struct rtn_header){ .name = name, .value = value };
    return rtn_http1_check_field(request, name, value) == 0;
}

/* The position behind the head; NULL when this is not for us. */
static char *read_lines(struct rtn_request *request, char *at)
{
    if (!read_request_line(request, &at))
        return NULL;
    while (*at != '\r') {
        if (!read_field(request, &at))
            return NULL;
    }
    return skip(&at, RTN_STR("\r\n")) ? at : NULL;
}

static bool is_beyond_doubt(struct rtn_request *request)
{
    const struct rtn_config_limits *limits = &request->terms->config->limits;
    return !request->coding_seen && request->target.length <= (size_t) limits->target &&
           request->head_length <= (size_t) limits->header && rtn_http1_check_framing(request) == 0;
}

bool rtn_http1_head_read(struct rtn_request *request)
{
    memset(request->buffer + request->end, 0, RTN_REQUEST_SPARE);
    const char *behind = read_lines(request, request->buffer + request->start);
    if (behind != NULL)
        rtn_http1_end_head(request, behind);
    if (behind == NULL || !is_beyond_doubt(request)) {
        rtn_request_forget_head(request);
        return false;
    }
    request->field_count = request->header_count;
    request->parsed = request->start + request->head_length;
    request->stage = RTN_REQUEST_HEADED;
    return true;
}
