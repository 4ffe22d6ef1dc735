/*
 * Fields of a part: Content-Disposition and Content-Type are read, others may stand there. Values get shorter when they
 * are decoded, so that it is done where they are.
 *
 * What browsers send is not what MIME says: WHATWG HTML writes a quote, CR and LF in a name as %22, %0D and %0A and
 * leaves backslashes alone, others write \" and \\. Both are understood; a backslash before anything else is itself, or
 * "C:\temp\x.txt" of an old browser would lose its folders' ends. filename* (RFC 8187) wins over filename; only UTF-8
 * is taken.
 */
#include "app/multipart_header.h"

#include "app/field.h"
#include "base/macros.h"
#include "base/utf8.h"

#define EXTENDED_PREFIX RTN_STR("UTF-8''")

struct disposition {
    struct rtn_str name;
    struct rtn_str filename;
    struct rtn_str extended; /* filename* */
};

static bool is_control(char c)
{
    return (unsigned char) c < 0x20 || c == 0x7f;
}

/* True when there is a control character other than `allowed`. */
static bool has_control(struct rtn_str s, char allowed)
{
    for (size_t i = 0; i < s.length; i++) {
        if (is_control(s.data[i]) && s.data[i] != allowed)
            return true;
    }
    return false;
}

static const char *decode_text(char *text, size_t length, struct rtn_str *ret)
{
    size_t out = 0;
    for (size_t at = 0; at < length; at++) {
        int byte = rtn_percent_byte((struct rtn_str){ text, length }, at);
        if (byte == '"' || byte == '\r' || byte == '\n') {
            text[out++] = (char) byte;
            at += 2;
            continue;
        }
        if (text[at] == '\\' && at + 1 < length && (text[at + 1] == '"' || text[at + 1] == '\\'))
            at++;
        text[out++] = text[at];
    }
    *ret = (struct rtn_str){ text, out };
    return NULL;
}

static const char *decode_extended(char *text, size_t length, struct rtn_str *ret)
{
    static const char wrong[] = "filename* is not percent-encoded UTF-8";
    size_t prefix = EXTENDED_PREFIX.length;
    /* A language may stand between the apostrophes. */
    const char *second = length >= prefix ? memchr(text + prefix - 1, '\'', length - prefix + 1) : NULL;
    if (second == NULL || !rtn_str_equal_nocase((struct rtn_str){ text, prefix - 1 },
                                                (struct rtn_str){ EXTENDED_PREFIX.data, prefix - 1 }))
        return wrong;
    size_t out = 0;
    for (size_t at = (size_t) (second - text) + 1; at < length; at++) {
        int byte = rtn_percent_byte((struct rtn_str){ text, length }, at);
        if (byte < 0 && text[at] == '%')
            return wrong;
        text[out++] = byte < 0 ? text[at] : (char) byte;
        at += byte < 0 ? 0 : 2;
    }
    *ret = (struct rtn_str){ text, out };
    return !rtn_utf8_valid(*ret) || has_control(*ret, ' ') ? wrong : NULL;
}

static const struct {
    struct rtn_str name;
    size_t offset;
    const char *(*decode)(char *text, size_t length, struct rtn_str *ret);
} parameters[] = {
    { { "name", 4 }, offsetof(struct disposition, name), decode_text },
    { { "filename", 8 }, offsetof(struct disposition, filename), decode_text },
    { { "filename*", 9 }, offsetof(struct disposition, extended), decode_extended },
};

static const char *take_parameter(struct disposition *disposition, const struct rtn_parameter *parameter, char *value)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(parameters); i++) {
        if (!rtn_str_equal_nocase(parameter->name, parameters[i].name))
            continue;
        struct rtn_str *place = (struct rtn_str *) (void *) ((char *) disposition + parameters[i].offset);
        if (place->data != NULL)
            return "a parameter of Content-Disposition comes twice";
        return parameters[i].decode(value, parameter->value.length, place);
    }
    return NULL;
}

/* What is behind the last slash or backslash. */
static struct rtn_str without_folders(struct rtn_str path)
{
    for (size_t i = path.length; i > 0; i--) {
        if (path.data[i - 1] == '/' || path.data[i - 1] == '\\')
            return (struct rtn_str){ path.data + i, path.length - i };
    }
    return path;
}

static const char *read_disposition(struct rtn_part *part, char *line, struct rtn_str value)
{
    struct disposition disposition = { 0 };
    struct rtn_str piece;
    if (part->name.data != NULL)
        return "Content-Disposition comes twice";
    if (!rtn_field_next(&value, ';', &piece) || !rtn_str_equal_nocase(piece, RTN_STR("form-data")))
        return "Content-Disposition is not form-data";
    while (rtn_field_next(&value, ';', &piece)) {
        struct rtn_parameter parameter;
        if (piece.length == 0)
            continue;
        if (!rtn_field_parameter(piece, &parameter))
            return "Content-Disposition is malformed";
        const char *wrong = take_parameter(&disposition, &parameter, line + (parameter.value.data - line));
        if (wrong != NULL)
            return wrong;
    }
    if (disposition.name.data == NULL)
        return "the name of the form field is missing";
    part->name = disposition.name;
    part->filename = without_folders(disposition.extended.data != NULL ? disposition.extended : disposition.filename);
    return NULL;
}

static const char *read_type(struct rtn_part *part, char *line, struct rtn_str value)
{
    (void) line;
    if (part->type.data != NULL)
        return "Content-Type comes twice";
    part->type = value;
    return NULL;
}

static const struct {
    struct rtn_str name;
    const char *(*read)(struct rtn_part *part, char *line, struct rtn_str value);
} fields[] = {
    { { "Content-Disposition", 19 }, read_disposition },
    { { "Content-Type", 12 }, read_type },
};

const char *rtn_multipart_header_line(struct rtn_part *part, char *line, size_t length)
{
    const struct rtn_str text = { line, length };
    const char *colon = memchr(line, ':', length);
    if (colon == NULL || !rtn_is_token((struct rtn_str){ line, (size_t) (colon - line) }) || has_control(text, '\t'))
        return "a line of the header is malformed";
    struct rtn_str name = { line, (size_t) (colon - line) };
    struct rtn_str value = rtn_str_trim((struct rtn_str){ colon + 1, length - name.length - 1 });
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(fields); i++) {
        if (rtn_str_equal_nocase(name, fields[i].name))
            return fields[i].read(part, line, value);
    }
    return NULL;
}

const char *rtn_multipart_header_end(struct rtn_part *part)
{
    if (part->name.data == NULL)
        return "Content-Disposition is missing";
    if (part->type.length == 0)
        part->type = RTN_STR("text/plain");
    return NULL;
}
