/*
 * The JSON writer keeps one pair of flags per open level: is it an array, and has it got an element.
 * Every value begins with begin_value(), which places what belongs in front of it.
 */
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>

#include "base/utf8.h"

static void new_line(struct rtn_json *json)
{
    if (!json->pretty)
        return;
    rtn_buf_append_char(json->out, '\n');
    for (unsigned i = 0; i < json->depth; i++)
        rtn_buf_append_text(json->out, "  ");
}

/* The comma and line break in front of an array element or a key. */
static void begin_element(struct rtn_json *json)
{
    if (json->level[json->depth - 1].used)
        rtn_buf_append_char(json->out, ',');
    json->level[json->depth - 1].used = true;
    new_line(json);
}

static void begin_value(struct rtn_json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->depth == 0)
        return;
    assert(json->level[json->depth - 1].array); /* in an object a key comes first */
    begin_element(json);
}

static void open_level(struct rtn_json *json, bool array)
{
    begin_value(json);
    assert(json->depth < RTN_JSON_DEPTH);
    json->level[json->depth].array = array;
    json->level[json->depth].used = false;
    json->depth++;
    rtn_buf_append_char(json->out, array ? '[' : '{');
}

void rtn_json_object(struct rtn_json *json)
{
    open_level(json, false);
}

void rtn_json_array(struct rtn_json *json)
{
    open_level(json, true);
}

void rtn_json_end(struct rtn_json *json)
{
    assert(json->depth > 0 && !json->after_key);
    json->depth--;
    if (json->level[json->depth].used)
        new_line(json);
    rtn_buf_append_char(json->out, json->level[json->depth].array ? ']' : '}');
}

static void append_escape(struct rtn_buf *out, unsigned char c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, letter of its escape */

    for (const char *pair = letters; *pair != '\0'; pair += 2) {
        if ((unsigned char) *pair == c) {
            rtn_buf_append_char(out, '\\');
            rtn_buf_append_char(out, pair[1]);
            return;
        }
    }
    rtn_buf_printf(out, "\\u%04x", c);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* Length of the run at the start of s that can be copied as it is. */
static size_t plain_run(struct rtn_str s)
{
    size_t run = 0;

    while (run < s.length && !needs_escape((unsigned char) s.data[run])) {
        unsigned step = rtn_utf8_next((struct rtn_str){ s.data + run, s.length - run });
        if (step == 0)
            break;
        run += step;
    }
    return run;
}

static void append_string(struct rtn_buf *out, struct rtn_str s)
{
    rtn_buf_append_char(out, '"');
    while (s.length > 0) {
        size_t run = plain_run(s);
        rtn_buf_append(out, s.data, run);
        s.data += run;
        s.length -= run;
        if (s.length == 0)
            break;
        if (needs_escape((unsigned char) *s.data))
            append_escape(out, (unsigned char) *s.data);
        else
            rtn_buf_append_text(out, "\xef\xbf\xbd"); /* U+FFFD */
        s.data++;
        s.length--;
    }
    rtn_buf_append_char(out, '"');
}

void rtn_json_key(struct rtn_json *json, const char *key)
{
    assert(json->depth > 0 && !json->level[json->depth - 1].array && !json->after_key);
    begin_element(json);
    append_string(json->out, rtn_str_of(key));
    rtn_buf_append_text(json->out, json->pretty ? ": " : ":");
    json->after_key = true;
}

void rtn_json_str(struct rtn_json *json, struct rtn_str value)
{
    begin_value(json);
    append_string(json->out, value);
}

void rtn_json_text(struct rtn_json *json, const char *value)
{
    if (value == NULL) {
        rtn_json_null(json);
        return;
    }
    rtn_json_str(json, rtn_str_of(value));
}

void rtn_json_int(struct rtn_json *json, int64_t value)
{
    begin_value(json);
    rtn_buf_printf(json->out, "%" PRId64, value);
}

void rtn_json_bool(struct rtn_json *json, bool value)
{
    begin_value(json);
    rtn_buf_append_text(json->out, value ? "true" : "false");
}

void rtn_json_null(struct rtn_json *json)
{
    begin_value(json);
    rtn_buf_append_text(json->out, "null");
}

void rtn_json_put_text(struct rtn_json *json, const char *key, const char *value)
{
    rtn_json_key(json, key);
    rtn_json_text(json, value);
}

void rtn_json_put_int(struct rtn_json *json, const char *key, int64_t value)
{
    rtn_json_key(json, key);
    rtn_json_int(json, value);
}

void rtn_json_put_bool(struct rtn_json *json, const char *key, bool value)
{
    rtn_json_key(json, key);
    rtn_json_bool(json, value);
}
