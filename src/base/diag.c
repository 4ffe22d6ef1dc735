/*
 * The list of diagnostics, and how it is shown. Showing sorts groups, a group being one diagnostic with
 * the notes added right behind it, so that a note never leaves what it explains.
 *
 * Messages and source lines may hold anything that a file can hold. Control characters and broken
 * UTF-8 are shown as '?', one for one: nothing reaches a terminal as a command, and columns still fit.
 */
#include "base/diag.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

enum {
    DIAG_MOST = 200, /* more are only counted: nobody reads them, and each looks its place up in the text */
    DIAG_WIDTH = 120, /* characters of a source line that are shown at most */
    DIAG_LEAD = 40, /* of these, before the mark when the start is cut */
    DIAG_NUMBER_WIDTH = 5
};

struct severity_look {
    const char *name;
    const char *sgr;
};

static const struct severity_look looks[] = {
    [RTN_SEVERITY_ERROR] = { "error", "\x1b[1;31m" },
    [RTN_SEVERITY_WARNING] = { "warning", "\x1b[1;35m" },
    [RTN_SEVERITY_NOTE] = { "note", "\x1b[1;36m" },
};

struct group {
    const struct rtn_diag *first;
    size_t count;
    size_t rank; /* of its file, by first mention */
};

void rtn_diags_done(struct rtn_diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        free(diags->items[i].message);
    free(diags->items);
    *diags = (struct rtn_diags){ 0 };
}

void rtn_diags_add(struct rtn_diags *diags, enum rtn_severity severity, struct rtn_mark mark, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    rtn_diags_vadd(diags, severity, mark, format, arguments);
    va_end(arguments);
}

static bool same_place(const struct rtn_mark *a, const struct rtn_mark *b)
{
    return a->source == b->source && a->line == b->line && a->column == b->column;
}

/* Notes may repeat: each explains the diagnostic before it. */
static bool is_repeated(const struct rtn_diags *diags, const struct rtn_diag *diag)
{
    if (diag->severity == RTN_SEVERITY_NOTE)
        return false;
    for (size_t i = 0; i < diags->count; i++) {
        const struct rtn_diag *other = &diags->items[i];
        if (other->severity == diag->severity && same_place(&other->mark, &diag->mark) &&
            strcmp(other->message, diag->message) == 0)
            return true;
    }
    return false;
}

static void grow(struct rtn_diags *diags)
{
    size_t capacity = diags->capacity > 0 ? diags->capacity * 2 : 8;
    struct rtn_diag *items = reallocarray(diags->items, capacity, sizeof(*items));

    if (items == NULL)
        abort();
    diags->items = items;
    diags->capacity = capacity;
}

void rtn_diags_vadd(struct rtn_diags *diags, enum rtn_severity severity, struct rtn_mark mark, const char *format,
                    va_list arguments)
{
    struct rtn_buf message = { 0 };

    rtn_buf_vprintf(&message, format, arguments);
    struct rtn_diag diag = { .severity = severity, .mark = mark, .message = rtn_buf_steal(&message) };
    diag.repeated = is_repeated(diags, &diag);
    if (diags->count == diags->capacity)
        grow(diags);
    diags->items[diags->count++] = diag;
    if (severity == RTN_SEVERITY_ERROR && !diag.repeated)
        diags->errors++;
}

/* Bytes of the first character; an invalid byte is one, as for rtn_utf8_count. */
static unsigned step_of(struct rtn_str s)
{
    unsigned step = rtn_utf8_next(s);
    return step > 0 ? step : 1;
}

/* C0 with DEL, C1 (U+0080 to U+009F are 0xc2 0x80 to 0xc2 0x9f), and bytes that are not UTF-8. */
static bool is_showable(struct rtn_str s)
{
    const unsigned char *bytes = (const unsigned char *) s.data;
    unsigned step = rtn_utf8_next(s);

    if (step <= 1)
        return step == 1 && (bytes[0] == '\t' || (bytes[0] >= 0x20 && bytes[0] != 0x7f));
    return !(bytes[0] == 0xc2 && bytes[1] < 0xa0);
}

static void append_clean(struct rtn_buf *out, struct rtn_str s)
{
    while (s.length > 0) {
        unsigned step = step_of(s);
        if (is_showable(s))
            rtn_buf_append(out, s.data, step);
        else
            rtn_buf_append_char(out, '?');
        s.data += step;
        s.length -= step;
    }
}

static struct rtn_str skip_chars(struct rtn_str s, size_t count)
{
    for (; count > 0 && s.length > 0; count--) {
        unsigned step = step_of(s);
        s.data += step;
        s.length -= step;
    }
    return s;
}

static struct rtn_str take_chars(struct rtn_str s, size_t count)
{
    return (struct rtn_str){ s.data, s.length - skip_chars(s, count).length };
}

/* The line without its line end; empty when there is no such line. */
static struct rtn_str find_line(struct rtn_str text, unsigned number)
{
    while (number > 0 && text.length > 0) {
        const char *end = memchr(text.data, '\n', text.length);
        size_t length = end != NULL ? (size_t) (end - text.data) : text.length;
        if (--number == 0) {
            if (length > 0 && text.data[length - 1] == '\r')
                length--;
            return (struct rtn_str){ text.data, length };
        }
        size_t step = length + (end != NULL ? 1 : 0);
        text = (struct rtn_str){ text.data + step, text.length - step };
    }
    return (struct rtn_str){ NULL, 0 };
}

/* `shown` is what stands in front of the mark: its tabs are kept, so that a terminal lines both up. */
static void append_padding(struct rtn_buf *out, struct rtn_str shown)
{
    while (shown.length > 0) {
        unsigned step = step_of(shown);
        rtn_buf_append_char(out, *shown.data == '\t' ? '\t' : ' ');
        shown.data += step;
        shown.length -= step;
    }
}

static void append_underline(struct rtn_buf *out, size_t length, const char *sgr)
{
    rtn_buf_append_text(out, sgr);
    rtn_buf_append_char(out, '^');
    for (size_t i = 1; i < length; i++)
        rtn_buf_append_char(out, '~');
    rtn_buf_append_text(out, *sgr != '\0' ? "\x1b[0m\n" : "\n");
}

/* The line of the mark, cut around it when very long, and the underline. Nothing for an empty line. */
static void render_excerpt(const struct rtn_mark *mark, struct rtn_buf *out, const char *sgr)
{
    struct rtn_str line = find_line(mark->source->text, mark->line);
    if (line.length == 0)
        return;
    size_t chars = rtn_utf8_count(line);
    size_t column = RTN_MIN(mark->column > 0 ? mark->column - 1U : 0U, chars);
    size_t start = 0;
    if (chars > DIAG_WIDTH && column > DIAG_LEAD)
        start = RTN_MIN(column - DIAG_LEAD, chars - DIAG_WIDTH);
    struct rtn_str shown = take_chars(skip_chars(line, start), DIAG_WIDTH);
    const char *tail = start + rtn_utf8_count(shown) < chars ? "..." : "";

    int width = snprintf(NULL, 0, "%u", mark->line);
    width = RTN_MAX(width, (int) DIAG_NUMBER_WIDTH);
    rtn_buf_printf(out, "%*u | %s", width, mark->line, start > 0 ? "..." : "");
    append_clean(out, shown);
    rtn_buf_printf(out, "%s\n", tail);
    if (mark->length == 0)
        return;
    struct rtn_str before = take_chars(shown, column - start);
    size_t room = rtn_utf8_count(shown) - rtn_utf8_count(before);
    rtn_buf_printf(out, "%*s | %s", width, "", start > 0 ? "   " : "");
    append_padding(out, before);
    append_underline(out, RTN_MIN((size_t) mark->length, room), sgr);
}

static void render_place(const struct rtn_mark *mark, struct rtn_buf *out)
{
    rtn_buf_append_text(out, mark->source != NULL ? mark->source->path : "retinued");
    if (mark->source != NULL && mark->line > 0) {
        rtn_buf_printf(out, ":%u", mark->line);
        if (mark->column > 0)
            rtn_buf_printf(out, ":%u", mark->column);
    }
    rtn_buf_append_text(out, ": ");
}

static void render_one(const struct rtn_diag *diag, struct rtn_buf *out, bool color)
{
    const struct severity_look *look = &looks[diag->severity];
    const char *sgr = color ? look->sgr : "";

    render_place(&diag->mark, out);
    rtn_buf_printf(out, "%s%s:%s ", sgr, look->name, color ? "\x1b[0m" : "");
    append_clean(out, rtn_str_of(diag->message));
    rtn_buf_append_char(out, '\n');
    if (diag->mark.source != NULL)
        render_excerpt(&diag->mark, out, sgr);
}

static size_t rank_of(const struct rtn_diags *diags, const struct rtn_source *source)
{
    size_t i = 0;

    while (diags->items[i].mark.source != source)
        i++;
    return i;
}

static size_t make_groups(const struct rtn_diags *diags, struct group *groups)
{
    size_t count = 0;

    for (size_t i = 0; i < diags->count; i++) {
        const struct rtn_diag *diag = &diags->items[i];
        if (count > 0 && diag->severity == RTN_SEVERITY_NOTE)
            groups[count - 1].count++;
        else
            groups[count++] = (struct group){ diag, 1, rank_of(diags, diag->mark.source) };
    }
    return count;
}

static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_groups(const void *left, const void *right)
{
    const struct group *a = left;
    const struct group *b = right;
    int r = compare(a->rank, b->rank);

    if (r == 0)
        r = compare(a->first->mark.line, b->first->mark.line);
    if (r == 0)
        r = compare(a->first->mark.column, b->first->mark.column);
    return r != 0 ? r : (a->first > b->first) - (a->first < b->first); /* as added */
}

static void render_groups(const struct group *groups, size_t count, struct rtn_buf *out, bool color)
{
    size_t seen = 0;

    for (size_t i = 0; i < count; i++) {
        if (groups[i].first->repeated || ++seen > DIAG_MOST)
            continue;
        for (size_t j = 0; j < groups[i].count; j++)
            render_one(&groups[i].first[j], out, color);
    }
    if (seen > DIAG_MOST)
        rtn_buf_printf(out, "retinued: and %zu more\n", seen - DIAG_MOST);
}

void rtn_diags_render(struct rtn_diags *diags, struct rtn_buf *out, bool color)
{
    if (diags->count == 0)
        return;
    struct group *groups = calloc(diags->count, sizeof(*groups));
    if (groups == NULL)
        abort();
    size_t count = make_groups(diags, groups);
    qsort(groups, count, sizeof(*groups), compare_groups);
    render_groups(groups, count, out, color);
    free(groups);
}
