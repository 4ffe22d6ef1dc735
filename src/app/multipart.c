/*
 * The parser is a list of states with a function each, which takes what it knows off the front of the piece.
 *
 * A delimiter is CR LF "--" and the boundary; there can be no CR inside of it. So when one that has begun turns out to
 * be none, it is content as it stands (taken from the delimiter itself, nothing was kept), and the search goes on at
 * the byte that differed. The search goes from CR to CR, and where there are many, skips by the byte that stands where
 * the delimiter would end (Horspool).
 *
 * The line end before a delimiter may be one that was already seen: at the start of the body there need be none, and
 * an empty part's may be the one that ended its header.
 */
#include "app/multipart.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "app/field.h"
#include "app/multipart_header.h"

#define DEFAULT_PARTS 100
#define DEFAULT_HEADER (INT64_C(8) * 1024)
#define LINE_END 2 /* bytes */

#define PART "part %lld: "

static int fail(struct rtn_multipart *multipart, int error, const char *format, ...) RTN_PRINTF(3, 4);

static int fail(struct rtn_multipart *multipart, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void) vsnprintf(multipart->error_text, sizeof(multipart->error_text), format, arguments);
    va_end(arguments);
    return error;
}

static void advance(struct rtn_str *input, size_t length)
{
    input->data += length;
    input->length -= length;
}

static int hand_on(struct rtn_multipart *multipart, const char *data, size_t length)
{
    if (multipart->state == RTN_MULTIPART_PREAMBLE || length == 0)
        return 0;
    int64_t limit = multipart->options.part_size;
    size_t left = limit > 0 ? (size_t) (limit - multipart->content) : SIZE_MAX;
    size_t taken = RTN_MIN(length, left);
    multipart->content += (int64_t) taken;
    int r = taken > 0 && multipart->options.part_data != NULL
                ? multipart->options.part_data(multipart->options.data, data, taken)
                : 0;
    if (r >= 0 && taken < length)
        return fail(multipart, -EMSGSIZE, PART "it is larger than %lld bytes", (long long) multipart->parts,
                    (long long) limit);
    return r;
}

/* Where a delimiter begins in s, whole or cut off by the end of s; the length of s when there is none. */
static size_t find_delimiter(const struct rtn_multipart *multipart, struct rtn_str s)
{
    const size_t length = multipart->delimiter_length;
    for (size_t at = 0; at < s.length;) {
        const char *start = memchr(s.data + at, '\r', s.length - at);
        if (start == NULL)
            break;
        at = (size_t) (start - s.data);
        if (memcmp(start, multipart->delimiter, RTN_MIN(length, s.length - at)) == 0)
            return at;
        at += s.length - at < length ? 1 : multipart->skip[(unsigned char) start[length - 1]];
    }
    return s.length;
}

static int end_part(struct rtn_multipart *multipart)
{
    bool open = multipart->state == RTN_MULTIPART_CONTENT;
    multipart->state = RTN_MULTIPART_DELIMITED;
    multipart->matched = 0;
    multipart->borrowed = 0;
    return open && multipart->options.part_end != NULL ? multipart->options.part_end(multipart->options.data) : 0;
}

/* Goes on with a delimiter that an earlier piece began. */
static int match_on(struct rtn_multipart *multipart, struct rtn_str *input)
{
    while (input->length > 0 && multipart->matched < multipart->delimiter_length &&
           *input->data == multipart->delimiter[multipart->matched]) {
        multipart->matched++;
        advance(input, 1);
    }
    if (multipart->matched == multipart->delimiter_length)
        return end_part(multipart);
    if (input->length == 0)
        return 0;
    size_t borrowed = multipart->borrowed;
    size_t held = multipart->matched;
    multipart->matched = 0;
    multipart->borrowed = 0;
    return hand_on(multipart, multipart->delimiter + borrowed, held - borrowed);
}

static int read_content(struct rtn_multipart *multipart, struct rtn_str *input)
{
    if (multipart->matched > 0)
        return match_on(multipart, input);
    const char *content = input->data;
    size_t length = find_delimiter(multipart, *input);
    size_t matched = RTN_MIN(input->length - length, multipart->delimiter_length);
    advance(input, length + matched);
    multipart->matched = matched;
    int r = hand_on(multipart, content, length);
    return r < 0 || matched < multipart->delimiter_length ? r : end_part(multipart);
}

static int bad_delimiter(struct rtn_multipart *multipart)
{
    return fail(multipart, -EBADMSG, "behind a boundary there is neither the end of the line nor \"--\"");
}

static int read_delimited(struct rtn_multipart *multipart, struct rtn_str *input)
{
    bool dash = *input->data == '-';
    multipart->state = dash ? RTN_MULTIPART_DASH : RTN_MULTIPART_PADDING;
    advance(input, dash ? 1 : 0);
    return 0;
}

static int read_dash(struct rtn_multipart *multipart, struct rtn_str *input)
{
    if (*input->data != '-')
        return bad_delimiter(multipart);
    multipart->state = RTN_MULTIPART_EPILOGUE;
    return 0;
}

static int read_padding(struct rtn_multipart *multipart, struct rtn_str *input)
{
    char c = *input->data;
    if (c != ' ' && c != '\t' && c != '\r')
        return bad_delimiter(multipart);
    if (c == '\r')
        multipart->state = RTN_MULTIPART_LINE_END;
    advance(input, 1);
    return 0;
}

static int read_line_end(struct rtn_multipart *multipart, struct rtn_str *input)
{
    if (*input->data != '\n')
        return bad_delimiter(multipart);
    if (multipart->parts == multipart->options.parts)
        return fail(multipart, -EMSGSIZE, "there are more than %lld parts", (long long) multipart->parts);
    advance(input, 1);
    multipart->part = (struct rtn_part){ .struct_size = sizeof(multipart->part), .index = (size_t) multipart->parts };
    multipart->parts++;
    multipart->header_length = 0;
    multipart->line_start = 0;
    multipart->fields = 0;
    multipart->state = RTN_MULTIPART_HEADER;
    return 0;
}

static int begin_content(struct rtn_multipart *multipart)
{
    const char *wrong = rtn_multipart_header_end(&multipart->part);
    if (wrong != NULL)
        return fail(multipart, -EBADMSG, PART "%s", (long long) multipart->parts, wrong);
    multipart->content = 0;
    multipart->matched = LINE_END;
    multipart->borrowed = LINE_END;
    multipart->state = RTN_MULTIPART_CONTENT;
    return multipart->options.part_begin != NULL
               ? multipart->options.part_begin(multipart->options.data, &multipart->part)
               : 0;
}

static int take_line(struct rtn_multipart *multipart)
{
    char *line = multipart->header + multipart->line_start;
    size_t length = multipart->header_length - multipart->line_start;
    if (length < LINE_END || line[length - LINE_END] != '\r')
        return fail(multipart, -EBADMSG, PART "a line of the header does not end in CR LF",
                    (long long) multipart->parts);
    multipart->line_start = multipart->header_length;
    if (length == LINE_END)
        return begin_content(multipart);
    if (multipart->fields++ == RTN_MULTIPART_FIELDS_MAX)
        return fail(multipart, -EMSGSIZE, PART "the header has more than %d fields", (long long) multipart->parts,
                    RTN_MULTIPART_FIELDS_MAX);
    const char *wrong = rtn_multipart_header_line(&multipart->part, line, length - LINE_END);
    return wrong != NULL ? fail(multipart, -EBADMSG, PART "%s", (long long) multipart->parts, wrong) : 0;
}

static int read_header(struct rtn_multipart *multipart, struct rtn_str *input)
{
    const char *end = memchr(input->data, '\n', input->length);
    size_t length = end != NULL ? (size_t) (end - input->data) + 1 : input->length;
    if (length > (size_t) multipart->options.header - multipart->header_length)
        return fail(multipart, -EMSGSIZE, PART "the header is larger than %lld bytes", (long long) multipart->parts,
                    (long long) multipart->options.header);
    memcpy(multipart->header + multipart->header_length, input->data, length);
    multipart->header_length += length;
    advance(input, length);
    return end != NULL ? take_line(multipart) : 0;
}

static int read_epilogue(struct rtn_multipart *multipart, struct rtn_str *input)
{
    (void) multipart;
    advance(input, input->length);
    return 0;
}

static int (*const readers[])(struct rtn_multipart *multipart, struct rtn_str *input) = {
    [RTN_MULTIPART_PREAMBLE] = read_content,    [RTN_MULTIPART_CONTENT] = read_content,
    [RTN_MULTIPART_DELIMITED] = read_delimited, [RTN_MULTIPART_DASH] = read_dash,
    [RTN_MULTIPART_PADDING] = read_padding,     [RTN_MULTIPART_LINE_END] = read_line_end,
    [RTN_MULTIPART_HEADER] = read_header,       [RTN_MULTIPART_EPILOGUE] = read_epilogue,
};

int rtn_multipart_push(struct rtn_multipart *multipart, struct rtn_str piece)
{
    while (multipart->error == 0 && piece.length > 0) {
        int r = readers[multipart->state](multipart, &piece);
        multipart->error = RTN_MIN(r, 0);
    }
    return multipart->error;
}

int rtn_multipart_close(struct rtn_multipart *multipart)
{
    if (multipart->error == 0 && multipart->state != RTN_MULTIPART_EPILOGUE)
        multipart->error = fail(multipart, -EBADMSG, "the closing boundary is missing");
    return multipart->error;
}

static bool is_boundary_char(char c)
{
    return rtn_is_alnum(c) || (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

static bool is_boundary(struct rtn_str s)
{
    for (size_t i = 0; i < s.length; i++) {
        if (!is_boundary_char(s.data[i]))
            return false;
    }
    return s.length > 0 && s.length <= RTN_MULTIPART_BOUNDARY_MAX && s.data[s.length - 1] != ' ';
}

int rtn_multipart_boundary(struct rtn_str content_type, struct rtn_str *ret)
{
    struct rtn_str boundary = { NULL, 0 };
    struct rtn_str piece;
    if (!rtn_field_next(&content_type, ';', &piece) || !rtn_str_equal_nocase(piece, RTN_STR("multipart/form-data")))
        return -EINVAL;
    while (rtn_field_next(&content_type, ';', &piece)) {
        struct rtn_parameter parameter;
        if (piece.length == 0)
            continue;
        if (!rtn_field_parameter(piece, &parameter))
            return -EINVAL;
        if (!rtn_str_equal_nocase(parameter.name, RTN_STR("boundary")))
            continue;
        if (boundary.data != NULL)
            return -EINVAL;
        boundary = parameter.value;
    }
    if (!is_boundary(boundary))
        return -EINVAL;
    *ret = boundary;
    return 0;
}

static void set_delimiter(struct rtn_multipart *multipart, struct rtn_str boundary)
{
    size_t length = 4 + boundary.length;
    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary.data, boundary.length);
    multipart->delimiter_length = length;
    memset(multipart->skip, (int) length, sizeof(multipart->skip));
    for (size_t i = 0; i + 1 < length; i++)
        multipart->skip[(unsigned char) multipart->delimiter[i]] = (uint8_t) (length - 1 - i);
}

int rtn_multipart_init(struct rtn_multipart *multipart, struct rtn_str boundary,
                       const struct rtn_multipart_options *options, struct rtn_arena *arena)
{
    struct rtn_multipart_options filled = *options;
    if (filled.parts <= 0)
        filled.parts = DEFAULT_PARTS;
    if (filled.header <= 0)
        filled.header = DEFAULT_HEADER;
    char *header = rtn_arena_alloc(arena, (size_t) filled.header);
    if (header == NULL)
        return -ENOMEM;
    *multipart = (struct rtn_multipart){
        .options = filled,
        .header = header,
        .matched = LINE_END,
        .borrowed = LINE_END,
    };
    set_delimiter(multipart, boundary);
    return 0;
}
