/*
 * Negotiation of permessage-deflate (RFC 7692, 7.1). A small parser takes one extension after the other from the field
 * (grammar of RFC 6455, 9.1) and notes which of the four parameters it has; what that means is settled apart from it,
 * on the server's side for an offer, on the client's for an answer.
 */
#include "proto/ws_deflate.h"

#include <errno.h>

#include "base/macros.h"

#define NAME "permessage-deflate"
#define LEAST_BITS 8 /* in the protocol; see ws_deflate.h for ours */
#define MOST_BITS 15

enum parameter { SERVER_FORGETS, CLIENT_FORGETS, SERVER_BITS, CLIENT_BITS, PARAMETERS };

static const struct {
    struct rtn_str name;
    bool takes_value; /* a number of bits */
    bool needs_value; /* in an offer */
} parameters[PARAMETERS] = {
    [SERVER_FORGETS] = { { "server_no_context_takeover", 26 }, false, false },
    [CLIENT_FORGETS] = { { "client_no_context_takeover", 26 }, false, false },
    [SERVER_BITS] = { { "server_max_window_bits", 22 }, true, true },
    [CLIENT_BITS] = { { "client_max_window_bits", 22 }, true, false },
};

/* One extension of the field. The rest counts only with is_deflate. */
struct extension {
    bool is_deflate;
    bool is_bad; /* a parameter that is unknown, doubled, or has a value that it cannot have */
    bool has[PARAMETERS];
    int bits[PARAMETERS]; /* 0: no value */
};

/* Without quotes and backslashes. No value of ours has more than two characters, so that no more than three matter. */
struct value {
    bool present;
    char text[3];
    size_t length; /* at most what fits into text */
};

static void skip_space(struct rtn_str *rest)
{
    while (rest->length > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        rest->data++;
        rest->length--;
    }
}

/* The separator, when it is next; white space around it goes too. */
static bool take_char(struct rtn_str *rest, char c)
{
    skip_space(rest);
    if (rest->length == 0 || rest->data[0] != c)
        return false;
    rest->data++;
    rest->length--;
    skip_space(rest);
    return true;
}

static bool take_token(struct rtn_str *rest, struct rtn_str *ret)
{
    size_t length = 0;
    while (length < rest->length && rtn_is_token_char(rest->data[length]))
        length++;
    *ret = (struct rtn_str){ rest->data, length };
    rest->data += length;
    rest->length -= length;
    return length > 0;
}

/* Only what a token may hold can stand in a value, be it quoted or escaped. */
static bool keep_char(struct value *value, char c)
{
    if (!rtn_is_token_char(c))
        return false;
    if (value->length < sizeof(value->text))
        value->text[value->length++] = c;
    return true;
}

/* Behind the opening quote. */
static bool take_quoted(struct rtn_str *rest, struct value *value)
{
    size_t at = 0;
    while (at < rest->length && rest->data[at] != '"') {
        if (rest->data[at] == '\\')
            at++;
        if (at == rest->length || !keep_char(value, rest->data[at]))
            return false;
        at++;
    }
    if (at == rest->length || value->length == 0)
        return false;
    rest->data += at + 1;
    rest->length -= at + 1;
    return true;
}

static bool take_value(struct rtn_str *rest, struct value *value)
{
    struct rtn_str token;
    value->present = true;
    if (rest->length > 0 && rest->data[0] == '"') {
        rest->data++;
        rest->length--;
        return take_quoted(rest, value);
    }
    if (!take_token(rest, &token))
        return false;
    for (size_t i = 0; i < token.length; i++)
        (void) keep_char(value, token.data[i]);
    return true;
}

/* 8 to 15 without leading zeros; 0: something else. */
static int bits_of(const struct value *value)
{
    if (value->length == 1 && (value->text[0] == '8' || value->text[0] == '9'))
        return value->text[0] - '0';
    if (value->length == 2 && value->text[0] == '1' && value->text[1] >= '0' && value->text[1] <= '5')
        return 10 + value->text[1] - '0';
    return 0;
}

/* False: it is not one that the extension may have. */
static bool note(struct extension *extension, struct rtn_str name, const struct value *value)
{
    size_t i = 0;
    while (i < PARAMETERS && !rtn_str_equal_nocase(name, parameters[i].name))
        i++;
    if (i == PARAMETERS || extension->has[i])
        return false;
    extension->has[i] = true;
    if (!value->present)
        return !parameters[i].needs_value;
    extension->bits[i] = bits_of(value);
    return parameters[i].takes_value && extension->bits[i] != 0;
}

static bool take_parameter(struct rtn_str *rest, struct extension *extension)
{
    struct rtn_str name;
    struct value value = { 0 };
    if (!take_token(rest, &name) || (take_char(rest, '=') && !take_value(rest, &value)))
        return false;
    if (!note(extension, name, &value))
        extension->is_bad = true;
    return true;
}

/* The next of the list, whose elements may be empty. 1; 0: the list ends; -EPROTO: it is malformed. */
static int take_extension(struct rtn_str *rest, struct extension *ret)
{
    struct rtn_str name;
    *ret = (struct extension){ 0 };
    skip_space(rest);
    while (take_char(rest, ','))
        ;
    if (rest->length == 0)
        return 0;
    if (!take_token(rest, &name))
        return -EPROTO;
    ret->is_deflate = rtn_str_equal_nocase(name, RTN_STR(NAME));
    while (take_char(rest, ';')) {
        if (!take_parameter(rest, ret))
            return -EPROTO;
    }
    return rest->length == 0 || take_char(rest, ',') ? 1 : -EPROTO;
}

bool rtn_ws_extensions_are_sound(struct rtn_str list)
{
    struct extension extension;
    int r;
    while ((r = take_extension(&list, &extension)) > 0)
        ;
    return r == 0;
}

static void write_flag(struct rtn_buf *out, enum parameter parameter)
{
    rtn_buf_append_text(out, "; ");
    rtn_buf_append_str(out, parameters[parameter].name);
}

static void write_bits(struct rtn_buf *out, enum parameter parameter, int bits)
{
    write_flag(out, parameter);
    rtn_buf_printf(out, "=%d", bits);
}

/* The narrower of our window and the one that is asked for; 0: none is. */
static int narrower(int64_t ours, int asked)
{
    return asked == 0 ? (int) ours : (int) RTN_MIN(ours, asked);
}

/* False: the offer is declined. */
static bool settle(const struct rtn_config_deflate *config, const struct extension *offer,
                   struct rtn_ws_deflate_terms *terms)
{
    if (!offer->is_deflate || offer->is_bad || offer->bits[SERVER_BITS] == LEAST_BITS)
        return false;
    *terms = (struct rtn_ws_deflate_terms){
        .server_bits = narrower(config->server_max_window_bits, offer->bits[SERVER_BITS]),
        .client_bits = MOST_BITS,
        .server_forgets = config->server_no_context_takeover || offer->has[SERVER_FORGETS],
        .client_forgets = config->client_no_context_takeover || offer->has[CLIENT_FORGETS],
    };
    if (offer->has[CLIENT_BITS])
        terms->client_bits = narrower(config->client_max_window_bits, offer->bits[CLIENT_BITS]);
    return true;
}

/* The client's window may be spoken of only when the client did so. */
static void write_answer(const struct rtn_ws_deflate_terms *terms, const struct extension *offer, struct rtn_buf *out)
{
    rtn_buf_append_text(out, NAME);
    if (terms->server_forgets)
        write_flag(out, SERVER_FORGETS);
    if (terms->client_forgets)
        write_flag(out, CLIENT_FORGETS);
    if (terms->server_bits < MOST_BITS || offer->has[SERVER_BITS])
        write_bits(out, SERVER_BITS, terms->server_bits);
    if (offer->has[CLIENT_BITS] && (terms->client_bits < MOST_BITS || offer->bits[CLIENT_BITS] != 0))
        write_bits(out, CLIENT_BITS, terms->client_bits);
}

bool rtn_ws_deflate_accept(const struct rtn_config_deflate *config, struct rtn_str offers,
                           struct rtn_ws_deflate_terms *terms, struct rtn_buf *out)
{
    struct extension offer;
    struct extension taken = { 0 };
    struct rtn_ws_deflate_terms settled;
    bool found = false;
    int r;
    while ((r = take_extension(&offers, &offer)) > 0) {
        if (!found && settle(config, &offer, &settled)) {
            found = true;
            taken = offer;
        }
    }
    if (r < 0 || !found)
        return false;
    *terms = settled;
    write_answer(terms, &taken, out);
    return true;
}

void rtn_ws_deflate_offer(const struct rtn_config_deflate *config, struct rtn_buf *out)
{
    rtn_buf_append_text(out, NAME);
    if (config->server_no_context_takeover)
        write_flag(out, SERVER_FORGETS);
    if (config->client_no_context_takeover)
        write_flag(out, CLIENT_FORGETS);
    if (config->server_max_window_bits < MOST_BITS)
        write_bits(out, SERVER_BITS, (int) config->server_max_window_bits);
    if (config->client_max_window_bits < MOST_BITS)
        write_bits(out, CLIENT_BITS, (int) config->client_max_window_bits);
    else
        write_flag(out, CLIENT_BITS);
}

/*
 * What was demanded must be there, and no window may be wider than offered. A server may narrow its own window and
 * forget unasked, and tell the client to forget.
 */
static bool answers(const struct rtn_config_deflate *config, const struct extension *answer)
{
    if (config->server_no_context_takeover && !answer->has[SERVER_FORGETS])
        return false;
    if (config->server_max_window_bits < MOST_BITS && !answer->has[SERVER_BITS])
        return false;
    if (answer->bits[SERVER_BITS] > config->server_max_window_bits)
        return false;
    return !answer->has[CLIENT_BITS] ||
           (answer->bits[CLIENT_BITS] != 0 && answer->bits[CLIENT_BITS] <= config->client_max_window_bits);
}

int rtn_ws_deflate_confirm(const struct rtn_config_deflate *config, struct rtn_str answer,
                           struct rtn_ws_deflate_terms *terms)
{
    struct extension given;
    struct extension second;
    if (rtn_str_trim(answer).length == 0)
        return 0;
    if (take_extension(&answer, &given) != 1 || take_extension(&answer, &second) != 0)
        return -EPROTO;
    if (!given.is_deflate || given.is_bad || !answers(config, &given))
        return -EPROTO;
    *terms = (struct rtn_ws_deflate_terms){
        .server_bits = narrower(MOST_BITS, given.bits[SERVER_BITS]),
        .client_bits = narrower(config->client_max_window_bits, given.bits[CLIENT_BITS]),
        .server_forgets = given.has[SERVER_FORGETS],
        .client_forgets = config->client_no_context_takeover || given.has[CLIENT_FORGETS],
    };
    return 1;
}
