/*
 * A byte that is a quote, a backslash, or no printable ASCII becomes \xHH, so that a line stays a line and quotes need
 * no counting. What a value costs is known before it is written, which is how it is shortened without being cut in an
 * escape. Times are formatted once per second and thread.
 */
#include "app/access_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/macros.h"

#define CUT_MARK "..."
#define CUT_MARK_LENGTH (sizeof(CUT_MARK) - 1)
#define TIME_SIZE 32

/* Of this second. */
static _Thread_local struct {
    time_t second;
    char common[TIME_SIZE];
    char iso[TIME_SIZE]; /* without milliseconds */
} times;

static size_t room(const struct rtn_access_text *text)
{
    return (size_t) (text->end - text->at);
}

void rtn_access_text_put(struct rtn_access_text *text, struct rtn_str s)
{
    size_t length = RTN_MIN(s.length, room(text));
    if (length == 0)
        return;
    memcpy(text->at, s.data, length);
    text->at += length;
}

void rtn_access_text_char(struct rtn_access_text *text, char c)
{
    if (text->at < text->end)
        *text->at++ = c;
}

void rtn_access_text_number(struct rtn_access_text *text, uint64_t number)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    rtn_access_text_put(text, (struct rtn_str){ digits, (size_t) length });
}

static bool is_plain(unsigned char byte)
{
    return byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
}

static size_t text_cost(unsigned char byte)
{
    return is_plain(byte) ? 1 : 4;
}

static void put_escaped(struct rtn_access_text *text, struct rtn_str s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.length; i++) {
        unsigned char byte = (unsigned char) s.data[i];
        if (is_plain(byte)) {
            rtn_access_text_char(text, s.data[i]);
            continue;
        }
        const char escape[] = { '\\', 'x', digits[byte >> 4], digits[byte & 15] };
        rtn_access_text_put(text, (struct rtn_str){ escape, sizeof(escape) });
    }
}

/* Never less than what base/json.h makes of the byte: \u001f, \", or U+FFFD in the place of what is no UTF-8. */
static size_t json_cost(unsigned char byte)
{
    if (byte < ' ')
        return 6;
    if (byte == '"' || byte == '\\')
        return 2;
    return byte < 0x80 ? 1 : 3;
}

/* The number of bytes, from the start or the end of s, that cost no more than `limit`. */
static size_t affordable(struct rtn_str s, size_t limit, size_t (*cost)(unsigned char), bool from_end)
{
    size_t count = 0;
    size_t sum = 0;
    for (; count < s.length; count++) {
        sum += cost((unsigned char) s.data[from_end ? s.length - 1 - count : count]);
        if (sum > limit)
            break;
    }
    return count;
}

struct pieces {
    struct rtn_str head;
    struct rtn_str tail;
    bool cut;
};

static struct pieces shorten(struct rtn_str s, size_t limit, size_t (*cost)(unsigned char))
{
    if (affordable(s, limit, cost, false) == s.length)
        return (struct pieces){ .head = s };
    size_t rest = limit - RTN_MIN(limit, CUT_MARK_LENGTH);
    size_t head = affordable(s, rest - rest / 2, cost, false);
    size_t tail = affordable((struct rtn_str){ s.data + head, s.length - head }, rest / 2, cost, true);
    return (struct pieces){ { s.data, head }, { s.data + s.length - tail, tail }, true };
}

void rtn_access_text_value(struct rtn_access_text *text, struct rtn_str value, size_t limit)
{
    if (value.data == NULL) {
        rtn_access_text_char(text, '-');
        return;
    }
    struct pieces pieces = shorten(value, RTN_MIN(limit, room(text)), text_cost);
    put_escaped(text, pieces.head);
    if (pieces.cut)
        rtn_access_text_put(text, RTN_STR(CUT_MARK));
    put_escaped(text, pieces.tail);
}

/* The remainders never change anything: they tell the compiler that the output fits. */
static unsigned digits(long value, unsigned below)
{
    return (unsigned) value % below;
}

static void format_times(time_t second)
{
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct tm tm;
    (void) localtime_r(&second, &tm);
    long minutes = labs(tm.tm_gmtoff) / 60;
    (void) snprintf(times.common, TIME_SIZE, "%02u/%s/%04u:%02u:%02u:%02u %c%02u%02u", digits(tm.tm_mday, 100),
                    months[tm.tm_mon], digits(tm.tm_year + 1900, 10000), digits(tm.tm_hour, 100),
                    digits(tm.tm_min, 100), digits(tm.tm_sec, 100), tm.tm_gmtoff < 0 ? '-' : '+',
                    digits(minutes / 60, 100), digits(minutes % 60, 100));
    (void) gmtime_r(&second, &tm);
    (void) snprintf(times.iso, TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", digits(tm.tm_year + 1900, 10000),
                    digits(tm.tm_mon + 1, 100), digits(tm.tm_mday, 100), digits(tm.tm_hour, 100),
                    digits(tm.tm_min, 100), digits(tm.tm_sec, 100));
    times.second = second;
}

static struct timespec refresh_times(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec != times.second)
        format_times(now.tv_sec);
    return now;
}

void rtn_access_text_time(struct rtn_access_text *text)
{
    (void) refresh_times();
    rtn_access_text_put(text, rtn_str_of(times.common));
}

void rtn_access_text_time_iso(struct rtn_access_text *text)
{
    char end[8];
    struct timespec now = refresh_times();
    (void) snprintf(end, sizeof(end), ".%03uZ", digits(now.tv_nsec / 1000000, 1000));
    rtn_access_text_put(text, rtn_str_of(times.iso));
    rtn_access_text_put(text, rtn_str_of(end));
}

struct rtn_str rtn_access_text_shorten_json(struct rtn_str value, size_t limit, char *out)
{
    struct pieces pieces = shorten(value, limit, json_cost);
    if (!pieces.cut)
        return value;
    struct rtn_access_text text = { out, out, out + limit };
    rtn_access_text_put(&text, pieces.head);
    rtn_access_text_put(&text, RTN_STR(CUT_MARK));
    rtn_access_text_put(&text, pieces.tail);
    return (struct rtn_str){ out, (size_t) (text.at - out) };
}
