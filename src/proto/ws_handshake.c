/*
 * The server's side of the opening handshake: whether a request asks for a WebSocket, what is wrong with it, and the
 * answer to its key. Here is also the reading of header fields that the other parts share.
 *
 * Nothing is remembered while a request is parsed: its header table has all fields, whatever `header_fields` keeps from
 * handlers.
 */
#include "proto/ws_handshake.h"

#include <assert.h>
#include <errno.h>

#include "base/macros.h"
#include "proto/ws_crypto.h"

#define KEY_BYTES 16
#define KEY_LENGTH (RTN_WS_KEY_SIZE - 1)
#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */

static unsigned count_fields(const struct rtn_request *request, struct rtn_str name)
{
    unsigned count = 0;
    for (unsigned i = 0; i < request->header_count; i++)
        count += rtn_str_equal(request->headers[i].name, name);
    return count;
}

struct rtn_str rtn_ws_field(const struct rtn_request *request, const char *name)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        if (rtn_str_equal(request->headers[i].name, rtn_str_of(name)))
            return request->headers[i].value;
    }
    return (struct rtn_str){ 0 };
}

static struct rtn_str join(struct rtn_request *request, struct rtn_str name)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf list = { 0 };
    for (unsigned i = 0; i < request->header_count; i++) {
        if (!rtn_str_equal(request->headers[i].name, name))
            continue;
        if (list.data != NULL)
            rtn_buf_append_char(&list, ',');
        rtn_buf_append_str(&list, request->headers[i].value);
    }
    const char *text = rtn_arena_strdup(&request->arena, rtn_buf_str(&list));
    return (struct rtn_str){ text, text != NULL ? list.length : 0 };
}

struct rtn_str rtn_ws_fields(struct rtn_request *request, const char *name)
{
    if (count_fields(request, rtn_str_of(name)) > 1)
        return join(request, rtn_str_of(name));
    return rtn_ws_field(request, name);
}

bool rtn_ws_list_has(struct rtn_str list, struct rtn_str token)
{
    struct rtn_str member;
    while (rtn_str_next(&list, ',', &member)) {
        if (rtn_str_equal(member, token))
            return true;
    }
    return false;
}

/* True when one of the fields has the token in its list, in any case. */
static bool fields_name(const struct rtn_request *request, struct rtn_str name, struct rtn_str token)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        if (!rtn_str_equal(request->headers[i].name, name))
            continue;
        struct rtn_str list = request->headers[i].value;
        struct rtn_str member;
        while (rtn_str_next(&list, ',', &member)) {
            if (rtn_str_equal_nocase(member, token))
                return true;
        }
    }
    return false;
}

bool rtn_ws_is_asked_for(const struct rtn_request *request)
{
    return request->version >= 11 && fields_name(request, RTN_STR("upgrade"), RTN_STR("websocket"));
}

static int check_request(const struct rtn_request *request, const char **text)
{
    *text = "a WebSocket is asked for with GET";
    if (request->method != RTN_METHOD_GET)
        return 400;
    *text = "a request for a WebSocket has no body";
    if (request->coding_seen || request->content_length > 0)
        return 400;
    *text = "the Connection field does not have upgrade";
    return fields_name(request, RTN_STR("connection"), RTN_STR("upgrade")) ? 0 : 400;
}

static int check_version(const struct rtn_request *request, const char **text)
{
    unsigned count = count_fields(request, RTN_STR("sec-websocket-version"));
    if (count != 1) {
        *text =
            count == 0 ? "the Sec-WebSocket-Version field is missing" : "there is more than one Sec-WebSocket-Version";
        return 400;
    }
    *text = "the only version of WebSocket here is 13";
    return rtn_str_equal(rtn_ws_field(request, "sec-websocket-version"), RTN_STR("13")) ? 0 : 426;
}

/* 16 bytes are 22 digits of base64, the last with four bits that must be 0, and two signs that fill up. */
static bool is_key(struct rtn_str key)
{
    if (key.length != KEY_LENGTH || memcmp(key.data + 22, "==", 2) != 0)
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.data[i];
        if (!rtn_is_alnum(c) && c != '+' && c != '/')
            return false;
    }
    return strchr("AQgw", key.data[21]) != NULL;
}

static int check_key(const struct rtn_request *request, const char **text)
{
    unsigned count = count_fields(request, RTN_STR("sec-websocket-key"));
    if (count != 1) {
        *text = count == 0 ? "the Sec-WebSocket-Key field is missing" : "there is more than one Sec-WebSocket-Key";
        return 400;
    }
    *text = "the Sec-WebSocket-Key is not 16 bytes in base64";
    return is_key(rtn_ws_field(request, "sec-websocket-key")) ? 0 : 400;
}

static int check_extensions(const struct rtn_request *request, const char **text)
{
    *text = "the Sec-WebSocket-Extensions field is malformed";
    for (unsigned i = 0; i < request->header_count; i++) {
        const struct rtn_header *field = &request->headers[i];
        if (rtn_str_equal(field->name, RTN_STR("sec-websocket-extensions")) &&
            !rtn_ws_extensions_are_sound(field->value))
            return 400;
    }
    return 0;
}

int rtn_ws_handshake_check(const struct rtn_request *request, const char **text)
{
    static int (*const checks[])(const struct rtn_request *, const char **) = { check_request, check_version, check_key,
                                                                                check_extensions };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(checks); i++) {
        const char *wrong;
        int status = checks[i](request, &wrong);
        if (status != 0) {
            *text = wrong;
            return status;
        }
    }
    return 0;
}

void rtn_ws_accept_of(struct rtn_str key, char out[RTN_WS_ACCEPT_SIZE])
{
    assert(key.length == KEY_LENGTH);
    unsigned char text[KEY_LENGTH + sizeof(GUID) - 1];
    unsigned char digest[SHA_DIGEST_LENGTH];
    memcpy(text, key.data, KEY_LENGTH);
    memcpy(text + KEY_LENGTH, GUID, sizeof(GUID) - 1);
    (void) rtn_ws_crypto()->sha1(text, sizeof(text), digest);
    (void) rtn_ws_crypto()->encode_base64((unsigned char *) out, digest, sizeof(digest));
}

int rtn_ws_key_make(char out[RTN_WS_KEY_SIZE])
{
    unsigned char bytes[KEY_BYTES];
    if (rtn_ws_crypto()->random_bytes(bytes, sizeof(bytes)) != 1)
        return -EIO;
    (void) rtn_ws_crypto()->encode_base64((unsigned char *) out, bytes, sizeof(bytes));
    return 0;
}
