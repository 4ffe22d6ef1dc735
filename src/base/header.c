/* The check of one header field. Which fields the handshake of a WebSocket keeps for itself is known here alone. */
#include "base/header.h"

#include <stdint.h>

#include "base/macros.h"

/* They belong to the handshake, or frame a message, or would have the server answer before the answer. */
static const struct rtn_str of_handshake[] = {
    { "host", 4 },   { "upgrade", 7 }, { "connection", 10 }, { "content-length", 14 }, { "transfer-encoding", 17 },
    { "expect", 6 },
};

static bool is_of_handshake(struct rtn_str name)
{
    if (rtn_str_starts_with_nocase(name, RTN_STR("sec-websocket-")))
        return true;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(of_handshake); i++) {
        if (rtn_str_equal_nocase(name, of_handshake[i]))
            return true;
    }
    return false;
}

/* Eight characters at once: whether one of them is below `least`, or 0x7f. */
static inline bool has_below(const char *eight, unsigned char least)
{
    const uint64_t ones = UINT64_MAX / UINT8_MAX;
    uint64_t word;
    memcpy(&word, eight, sizeof(word));
    uint64_t no_del = word ^ ones * 0x7f;
    return ((((word - ones * least) & ~word) | ((no_del - ones) & ~no_del)) & ones * 0x80) != 0;
}

bool rtn_header_is_value(struct rtn_str s)
{
    size_t i = 0;
    while (s.length - i >= sizeof(uint64_t) && !has_below(s.data + i, ' '))
        i += sizeof(uint64_t);
    if (i > 0 && s.length - i < sizeof(uint64_t) && !has_below(s.data + s.length - sizeof(uint64_t), ' '))
        return true;
    for (; i < s.length; i++) {
        if (!rtn_header_is_value_char(s.data[i]))
            return false;
    }
    return true;
}

bool rtn_header_is_visible(struct rtn_str s)
{
    size_t i = 0;
    for (; s.length - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        if (has_below(s.data + i, '!'))
            return false;
    }
    if (i > 0)
        return !has_below(s.data + s.length - sizeof(uint64_t), '!');
    for (; i < s.length; i++) {
        if ((unsigned char) s.data[i] <= ' ' || s.data[i] == 0x7f)
            return false;
    }
    return true;
}

enum rtn_header_fault rtn_header_check(struct rtn_str header, struct rtn_str *ret_name)
{
    const char *colon = header.length > 0 ? memchr(header.data, ':', header.length) : NULL;
    if (colon == NULL)
        return RTN_HEADER_NO_COLON;
    struct rtn_str name = { header.data, (size_t) (colon - header.data) };
    *ret_name = name;
    if (!rtn_is_token(name))
        return RTN_HEADER_NAME;
    if (is_of_handshake(name))
        return RTN_HEADER_OF_HANDSHAKE;
    struct rtn_str value = { colon + 1, header.length - name.length - 1 };
    return rtn_header_is_value(value) ? RTN_HEADER_GOOD : RTN_HEADER_VALUE;
}

const char *rtn_header_words(enum rtn_header_fault fault)
{
    static const char *const words[] = {
        [RTN_HEADER_GOOD] = NULL,
        [RTN_HEADER_NO_COLON] = "there is no colon behind the name",
        [RTN_HEADER_NAME] = "the name has a character that names of fields do not have",
        [RTN_HEADER_OF_HANDSHAKE] = "the handshake sets this field itself",
        [RTN_HEADER_VALUE] = "the value has a control character",
    };
    return words[fault];
}
