/*
 * The server's answer to our request (RFC 6455, 4.1): a strict reader of lines, each exactly "name: value CR LF", and
 * the checks of what the fields say. It begins anew with each call, so nothing is kept between reads, and tells what is
 * wrong as soon as the line with it is complete.
 *
 * Only 101 is taken. Extensions and the subprotocol may be given once (RFC 6455, 11.3.2 and 11.3.4).
 */
#include <errno.h>
#include <stdio.h>

#include "base/header.h"
#include "base/macros.h"
#include "proto/ws_handshake.h"

struct fields {
    struct rtn_str upgrade;
    struct rtn_str accept;
    struct rtn_str protocol;
    struct rtn_str extensions;
    bool connection_upgrades;
};

/*
 * Takes the line at *at off `bytes`, without its CR LF; *at is moved behind it. 1; 0: it is not complete; -EPROTO: it
 * has a control character, maybe a CR or LF alone.
 */
static int next_line(struct rtn_str bytes, size_t *at, struct rtn_str *ret)
{
    const char *line = bytes.data + *at;
    size_t rest = bytes.length - *at;
    size_t length = 0;
    while (length < rest && rtn_header_is_value_char(line[length]))
        length++;
    if (length == rest || (length + 1 == rest && line[length] == '\r'))
        return 0;
    if (line[length] != '\r' || line[length + 1] != '\n')
        return -EPROTO;
    *ret = (struct rtn_str){ line, length };
    *at += length + 2;
    return 1;
}

/* Numbers of a status line: "HTTP/1.1 101 ...". */
static bool is_status_line(struct rtn_str line)
{
    static const char pattern[] = "HTTP/1.d ddd";
    size_t length = sizeof(pattern) - 1;
    if (line.length < length || (line.length > length && line.data[length] != ' '))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (pattern[i] == 'd' ? !rtn_is_digit(line.data[i]) : line.data[i] != pattern[i])
            return false;
    }
    return true;
}

/* "the server answered 403 Forbidden": the server's words, with nothing in them that a log would not show. */
static const char *tell_status(struct rtn_ws_answer *answer, struct rtn_str line)
{
    struct rtn_str told = rtn_str_trim((struct rtn_str){ line.data + 9, line.length - 9 });
    int length = snprintf(answer->message, sizeof(answer->message), "the server answered %.*s", RTN_STR_ARG(told));
    for (int i = 0; i < length && answer->message[i] != '\0'; i++) {
        char c = answer->message[i];
        if (c < ' ' || c > '~')
            answer->message[i] = '?';
    }
    return answer->message;
}

static const char *read_status(struct rtn_ws_answer *answer, struct rtn_str line)
{
    if (!is_status_line(line))
        return "the server does not speak HTTP/1.1";
    const char *digits = line.data + 9;
    answer->status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
    if (answer->status != 101)
        return tell_status(answer, line);
    return line.data[7] == '0' ? "the server answered 101 with HTTP/1.0" : NULL;
}

static const char *note_once(struct rtn_str *field, struct rtn_str value)
{
    if (field->data != NULL)
        return "the server's answer has a field of the handshake twice";
    *field = value;
    return NULL;
}

static bool has_upgrade(struct rtn_str list)
{
    struct rtn_str option;
    while (rtn_str_next(&list, ',', &option)) {
        if (rtn_str_equal_nocase(option, RTN_STR("upgrade")))
            return true;
    }
    return false;
}

static const char *note_field(struct fields *fields, struct rtn_str name, struct rtn_str value)
{
    const struct {
        struct rtn_str name;
        struct rtn_str *field;
    } once[] = {
        { RTN_STR("upgrade"), &fields->upgrade },
        { RTN_STR("sec-websocket-accept"), &fields->accept },
        { RTN_STR("sec-websocket-protocol"), &fields->protocol },
        { RTN_STR("sec-websocket-extensions"), &fields->extensions },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(once); i++) {
        if (rtn_str_equal_nocase(name, once[i].name))
            return note_once(once[i].field, value);
    }
    if (rtn_str_equal_nocase(name, RTN_STR("connection")))
        fields->connection_upgrades |= has_upgrade(value);
    return NULL;
}

static const char *read_field(struct fields *fields, struct rtn_str line)
{
    const char *colon = memchr(line.data, ':', line.length);
    struct rtn_str name = { line.data, colon != NULL ? (size_t) (colon - line.data) : 0 };
    if (!rtn_is_token(name))
        return "the server's answer has a broken header field";
    struct rtn_str value = { colon + 1, line.length - name.length - 1 };
    return note_field(fields, name, rtn_str_trim(value));
}

static bool is_offered(const struct rtn_ws_request *request, struct rtn_str protocol)
{
    for (const char *const *offer = request->protocols; offer != NULL && *offer != NULL; offer++) {
        if (rtn_str_equal(protocol, rtn_str_of(*offer)))
            return true;
    }
    return false;
}

/* What is wrong with the fields together, in words. */
static const char *check_fields(const struct rtn_ws_request *request, const struct fields *fields)
{
    char accept[RTN_WS_ACCEPT_SIZE];
    rtn_ws_accept_of(rtn_str_of(request->key), accept);
    if (!rtn_str_equal_nocase(fields->upgrade, RTN_STR("websocket")) || !fields->connection_upgrades)
        return "the server's answer does not upgrade to WebSocket";
    if (!rtn_str_equal(fields->accept, rtn_str_of(accept)))
        return "the server's answer has another Sec-WebSocket-Accept than our key asks for";
    if (fields->protocol.data != NULL && !is_offered(request, fields->protocol))
        return "the server chose a subprotocol that was not offered";
    if (fields->extensions.length > 0 && request->extensions.length == 0)
        return "the server chose an extension that was not offered";
    return NULL;
}

static int fail(const char **text, const char *wrong)
{
    *text = wrong;
    return -EPROTO;
}

/* Lines up to the empty one, as next_line(). */
static int read_lines(struct rtn_str bytes, struct rtn_ws_answer *answer, struct fields *fields, const char **text)
{
    size_t at = 0;
    struct rtn_str line;
    int r = next_line(bytes, &at, &line);
    const char *wrong = r > 0 ? read_status(answer, line) : NULL;
    while (wrong == NULL && r > 0) {
        r = next_line(bytes, &at, &line);
        if (r > 0 && line.length == 0) {
            answer->length = at;
            return 1;
        }
        wrong = r > 0 ? read_field(fields, line) : NULL;
    }
    if (wrong != NULL)
        return fail(text, wrong);
    return r < 0 ? fail(text, "a line of the server's answer does not end in CR LF") : 0;
}

int rtn_ws_answer_read(const struct rtn_ws_request *request, struct rtn_str bytes, struct rtn_ws_answer *answer,
                       const char **text)
{
    *answer = (struct rtn_ws_answer){ 0 };
    struct fields fields = { 0 };
    struct rtn_str head = { bytes.data, RTN_MIN(bytes.length, (size_t) RTN_WS_ANSWER_MOST) };
    int r = read_lines(head, answer, &fields, text);
    if (r == 0 && head.length == RTN_WS_ANSWER_MOST)
        return fail(text, "the head of the server's answer is too large");
    if (r <= 0)
        return r;
    const char *wrong = check_fields(request, &fields);
    if (wrong != NULL)
        return fail(text, wrong);
    answer->protocol = fields.protocol;
    answer->extensions = fields.extensions;
    return 1;
}
