/*
 * String views (struct rtn_str) and strict parsing of what people write: integers, sizes,
 * durations, booleans. [any]
 *
 * Parsers accept the whole view or nothing: no leading or trailing spaces, no rest. They return 0,
 * -EINVAL for the wrong form, -ERANGE for a value that does not fit; outputs are untouched on failure.
 */
#ifndef RTN_BASE_STR_H
#define RTN_BASE_STR_H

#include <stdbool.h>
#include <string.h>

#include <retinue/types.h>

/* A view of a literal; sizeof makes it free. */
#define RTN_STR(literal) ((struct rtn_str){ (literal), sizeof(literal) - 1 })

/* View of a NUL-terminated string; NULL gives the absent view. */
static inline struct rtn_str rtn_str_of(const char *text)
{
    return (struct rtn_str){ text, text != NULL ? strlen(text) : 0 };
}

static inline bool rtn_str_equal(struct rtn_str a, struct rtn_str b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* ASCII case only, as the next; independent of the locale. */
static inline char rtn_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

static inline bool rtn_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A letter or a digit. */
static inline bool rtn_is_alnum(char c)
{
    return rtn_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 0 to 15, of a hexadecimal digit in either case; -1: it is none. */
int rtn_hex_digit(char c);

/* The byte of an escape "%XX" at s.data[at], which is inside; -1: there is none. */
int rtn_percent_byte(struct rtn_str s, size_t at);

bool rtn_str_equal_nocase(struct rtn_str a, struct rtn_str b);
bool rtn_str_starts_with(struct rtn_str s, struct rtn_str prefix);
bool rtn_str_starts_with_nocase(struct rtn_str s, struct rtn_str prefix);
bool rtn_str_ends_with(struct rtn_str s, struct rtn_str suffix);

/* Without leading and trailing spaces and tabs (OWS of RFC 9110, 5.6.3). */
struct rtn_str rtn_str_trim(struct rtn_str s);

/*
 * Takes the next element of a list separated by `separator` from *rest, trimmed. False at the end,
 * where *rest is absent. "a, ,b" gives "a", "", "b"; "a," gives "a", ""; "" gives one empty element.
 */
bool rtn_str_next(struct rtn_str *rest, char separator, struct rtn_str *ret);

/* A token of RFC 9110, 5.6.2: at least one tchar, and nothing else. */
bool rtn_is_token_char(char c);
bool rtn_is_token(struct rtn_str s);

/* malloc'ed NUL-terminated copy; NULL when memory is out. */
char *rtn_str_dup(struct rtn_str s);

/* Decimal, optional '-'. */
int rtn_parse_int(struct rtn_str s, int64_t *ret);

/* Bytes: "16KiB", "1MiB", "2GiB", "512B", or a bare "0". Units are needed, fractions are not taken. */
int rtn_parse_size(struct rtn_str s, int64_t *ret);

/* Milliseconds: "250ms", "10s", "5m", "2h", "1d", or a bare "0". */
int rtn_parse_duration(struct rtn_str s, int64_t *ret);

/* "true" / "false" only (YAML 1.2 core); yes/no/on/off give -EINVAL so that the caller can say so. */
int rtn_parse_bool(struct rtn_str s, bool *ret);

/*
 * The shortest form that the parsers above read back: 16384 -> "16KiB", 300000 -> "5m".
 * Writes a NUL-terminated string into out (RTN_FORMAT_MAX bytes are enough) and returns out.
 */
#define RTN_FORMAT_MAX 32
char *rtn_format_size(char out[RTN_FORMAT_MAX], int64_t bytes);
char *rtn_format_duration(char out[RTN_FORMAT_MAX], int64_t ms);

/* Damerau-Levenshtein distance, case-insensitive, stops counting at `limit` + 1. For "did you mean". */
unsigned rtn_str_distance(struct rtn_str a, struct rtn_str b, unsigned limit);

#endif
