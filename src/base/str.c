/*
 * Views and strict parsing. Numbers with units come from two small tables, largest unit first; the
 * same rows read and write. Form is judged before value: "99999999999999999999x" is wrong, not large.
 */
#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"

struct unit {
    struct rtn_str name;
    int64_t factor;
};

#define UNIT(text, factor)                     \
    {                                          \
        { (text), sizeof(text) - 1 }, (factor) \
    }

static const struct unit size_units[] = {
    UNIT("GiB", 1 << 30), UNIT("MiB", 1 << 20), UNIT("KiB", 1 << 10), UNIT("B", 1), { { NULL, 0 }, 0 },
};

static const struct unit duration_units[] = {
    UNIT("d", INT64_C(1000) * 60 * 60 * 24),
    UNIT("h", INT64_C(1000) * 60 * 60),
    UNIT("m", INT64_C(1000) * 60),
    UNIT("s", 1000),
    UNIT("ms", 1),
    { { NULL, 0 }, 0 },
};

int rtn_hex_digit(char c)
{
    char lower = rtn_lower(c);
    if (rtn_is_digit(c))
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int rtn_percent_byte(struct rtn_str s, size_t at)
{
    if (s.length - at < 3 || s.data[at] != '%')
        return -1;
    int high = rtn_hex_digit(s.data[at + 1]);
    int low = rtn_hex_digit(s.data[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool rtn_str_equal_nocase(struct rtn_str a, struct rtn_str b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        if (a.data[i] != b.data[i] && rtn_lower(a.data[i]) != rtn_lower(b.data[i]))
            return false;
    }
    return true;
}

bool rtn_str_starts_with(struct rtn_str s, struct rtn_str prefix)
{
    return s.length >= prefix.length && rtn_str_equal((struct rtn_str){ s.data, prefix.length }, prefix);
}

bool rtn_str_starts_with_nocase(struct rtn_str s, struct rtn_str prefix)
{
    return s.length >= prefix.length && rtn_str_equal_nocase((struct rtn_str){ s.data, prefix.length }, prefix);
}

bool rtn_str_ends_with(struct rtn_str s, struct rtn_str suffix)
{
    if (s.length < suffix.length || suffix.length == 0)
        return suffix.length == 0;
    return memcmp(s.data + s.length - suffix.length, suffix.data, suffix.length) == 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

struct rtn_str rtn_str_trim(struct rtn_str s)
{
    while (s.length > 0 && is_space(s.data[0])) {
        s.data++;
        s.length--;
    }
    while (s.length > 0 && is_space(s.data[s.length - 1]))
        s.length--;
    return s;
}

bool rtn_str_next(struct rtn_str *rest, char separator, struct rtn_str *ret)
{
    if (rest->data == NULL)
        return false;
    const char *end = memchr(rest->data, separator, rest->length);
    struct rtn_str element = *rest;
    if (end == NULL) {
        *rest = (struct rtn_str){ NULL, 0 };
    } else {
        element.length = (size_t) (end - rest->data);
        *rest = (struct rtn_str){ end + 1, rest->length - element.length - 1 };
    }
    *ret = rtn_str_trim(element);
    return true;
}

bool rtn_is_token_char(char c)
{
    static const bool table[UCHAR_MAX + 1] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['!'] = true, ['#'] = true, ['$'] = true,
        ['%'] = true,         ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true, ['-'] = true,
        ['.'] = true,         ['^'] = true,         ['_'] = true,         ['`'] = true, ['|'] = true, ['~'] = true,
    };
    return table[(unsigned char) c];
}

bool rtn_is_token(struct rtn_str s)
{
    for (size_t i = 0; i < s.length; i++) {
        if (!rtn_is_token_char(s.data[i]))
            return false;
    }
    return s.length > 0;
}

char *rtn_str_dup(struct rtn_str s)
{
    if (s.length == SIZE_MAX)
        return NULL;
    char *copy = malloc(s.length + 1);
    if (copy == NULL)
        return NULL;
    if (s.length > 0)
        memcpy(copy, s.data, s.length);
    copy[s.length] = '\0';
    return copy;
}

static size_t count_digits(struct rtn_str s)
{
    size_t n = 0;

    while (n < s.length && rtn_is_digit(s.data[n]))
        n++;
    return n;
}

/* `s` holds digits only. */
static int read_digits(struct rtn_str s, uint64_t limit, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < s.length; i++) {
        uint64_t digit = (uint64_t) (s.data[i] - '0');
        if (value > (limit - digit) / 10)
            return -ERANGE;
        value = value * 10 + digit;
    }
    *ret = value;
    return 0;
}

int rtn_parse_int(struct rtn_str s, int64_t *ret)
{
    bool negative = s.length > 0 && s.data[0] == '-';
    uint64_t limit = negative ? (uint64_t) INT64_MAX + 1 : INT64_MAX;
    uint64_t value = 0;

    if (negative)
        s = (struct rtn_str){ s.data + 1, s.length - 1 };
    if (s.length == 0 || count_digits(s) != s.length)
        return -EINVAL;
    int r = read_digits(s, limit, &value);
    if (r < 0)
        return r;
    *ret = (int64_t) (negative ? 0 - value : value);
    return 0;
}

static const struct unit *find_unit(const struct unit *units, struct rtn_str name)
{
    for (; units->factor != 0; units++) {
        if (rtn_str_equal(units->name, name))
            return units;
    }
    return NULL;
}

static int parse_with_unit(struct rtn_str s, const struct unit *units, int64_t *ret)
{
    uint64_t value = 0;
    size_t digits = count_digits(s);

    if (rtn_str_equal(s, RTN_STR("0"))) {
        *ret = 0;
        return 0;
    }
    if (digits == 0)
        return -EINVAL;
    const struct unit *unit = find_unit(units, (struct rtn_str){ s.data + digits, s.length - digits });
    if (unit == NULL)
        return -EINVAL;
    int r = read_digits((struct rtn_str){ s.data, digits }, (uint64_t) (INT64_MAX / unit->factor), &value);
    if (r < 0)
        return r;
    *ret = (int64_t) value * unit->factor;
    return 0;
}

int rtn_parse_size(struct rtn_str s, int64_t *ret)
{
    return parse_with_unit(s, size_units, ret);
}

int rtn_parse_duration(struct rtn_str s, int64_t *ret)
{
    return parse_with_unit(s, duration_units, ret);
}

int rtn_parse_bool(struct rtn_str s, bool *ret)
{
    bool value = rtn_str_equal(s, RTN_STR("true"));

    if (!value && !rtn_str_equal(s, RTN_STR("false")))
        return -EINVAL;
    *ret = value;
    return 0;
}

static char *format_with_unit(char *out, int64_t value, const struct unit *unit)
{
    if (value == 0) {
        memcpy(out, "0", sizeof("0"));
        return out;
    }
    while (value % unit->factor != 0) /* ends at the last unit, whose factor is 1 */
        unit++;
    (void) snprintf(out, RTN_FORMAT_MAX, "%" PRId64 "%s", value / unit->factor, unit->name.data);
    return out;
}

char *rtn_format_size(char out[RTN_FORMAT_MAX], int64_t bytes)
{
    return format_with_unit(out, bytes, size_units);
}

char *rtn_format_duration(char out[RTN_FORMAT_MAX], int64_t ms)
{
    return format_with_unit(out, ms, duration_units);
}

/* One cell of the distance table: `row[0]` is the current row, then the two above it. */
static unsigned distance_cell(unsigned *const row[3], struct rtn_str a, struct rtn_str b, size_t i, size_t j)
{
    bool same = rtn_lower(a.data[i - 1]) == rtn_lower(b.data[j - 1]);
    unsigned best = row[1][j - 1] + (same ? 0 : 1);

    best = RTN_MIN(best, row[1][j] + 1);
    best = RTN_MIN(best, row[0][j - 1] + 1);
    if (i > 1 && j > 1 && rtn_lower(a.data[i - 1]) == rtn_lower(b.data[j - 2]) &&
        rtn_lower(a.data[i - 2]) == rtn_lower(b.data[j - 1]))
        best = RTN_MIN(best, row[2][j - 2] + 1);
    return best;
}

/*
 * Only cells within `limit` of the diagonal can matter, so only they are computed; a cell just outside
 * counts as far away. `cells` has room for three rows.
 */
static unsigned distance_table(unsigned *cells, struct rtn_str a, struct rtn_str b, size_t limit)
{
    const unsigned far = UINT32_MAX / 2;
    size_t width = b.length + 2;
    unsigned *row[3] = { cells, cells + width, cells + 2 * width };

    for (size_t j = 0; j < width; j++)
        row[0][j] = j <= limit ? (unsigned) j : far;
    for (size_t i = 1; i <= a.length; i++) {
        unsigned *oldest = row[2];
        row[2] = row[1];
        row[1] = row[0];
        row[0] = oldest;
        size_t from = i > limit ? i - limit : 1;
        size_t to = RTN_MIN(b.length, i + limit);
        row[0][from - 1] = from == 1 ? (unsigned) i : far;
        for (size_t j = from; j <= to; j++)
            row[0][j] = distance_cell(row, a, b, i, j);
        row[0][to + 1] = far;
    }
    return row[0][b.length];
}

unsigned rtn_str_distance(struct rtn_str a, struct rtn_str b, unsigned limit)
{
    size_t longer = RTN_MAX(a.length, b.length);

    if (longer - RTN_MIN(a.length, b.length) > limit)
        return limit + 1;
    unsigned *cells = calloc(3 * (b.length + 2), sizeof(*cells));
    if (cells == NULL)
        return limit + 1;
    unsigned distance = distance_table(cells, a, b, RTN_MIN((size_t) limit, longer));
    free(cells);
    return distance > limit ? limit + 1 : distance;
}
