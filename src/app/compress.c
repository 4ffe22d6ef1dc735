/*
 * First what depends on the reply alone: whether it could be compressed for anybody, and then it varies with
 * Accept-Encoding; then what this client takes. An encoding that the handler has chosen is never touched, nor is
 * anything that speaks of exact bytes: parts of content, digests.
 */
#include "app/compress.h"

#include "app/field.h"
#include "app/negotiate.h"
#include "base/buf.h"
#include "proto/encoder.h"
#include "proto/response.h"
#include "proto/status.h"

/* The handler's fields that forbid it. */
static const struct rtn_str forbidding[] = {
    { "content-encoding", 16 }, { "content-range", 13 }, { "content-digest", 14 },
    { "content-md5", 11 },      { "repr-digest", 11 },   { "digest", 6 },
};

/* Of encodings that a client likes the same, the first. */
static const enum rtn_config_encoding preference[] = { RTN_ENCODING_ZSTD, RTN_ENCODING_BR, RTN_ENCODING_GZIP };

static bool has_field(const struct rtn_request *request, struct rtn_str name)
{
    struct rtn_str value;
    size_t at = 0;
    return rtn_response_next_field(request, name, &at, &value);
}

/* Whether the element is in one of the lists that the reply's fields of that name are. */
static bool has_element(const struct rtn_request *request, struct rtn_str name, struct rtn_str wanted)
{
    struct rtn_str list, element;
    size_t at = 0;
    while (rtn_response_next_field(request, name, &at, &list)) {
        while (rtn_field_next(&list, ',', &element)) {
            if (rtn_str_equal_nocase(element, wanted))
                return true;
        }
    }
    return false;
}

static bool fits(struct rtn_str type, struct rtn_str pattern)
{
    if (!rtn_str_ends_with(pattern, RTN_STR("/*")))
        return rtn_str_equal_nocase(type, pattern);
    /* Events end never, and each client's encoder would take memory as long: only when it is asked for. */
    pattern.length--;
    return type.length > pattern.length &&
           rtn_str_equal_nocase((struct rtn_str){ type.data, pattern.length }, pattern) &&
           !rtn_str_equal_nocase(type, RTN_STR("text/event-stream"));
}

static bool is_type(const struct rtn_request *request, const struct rtn_schema_strings *types)
{
    struct rtn_str value, type;
    size_t at = 0;
    if (!rtn_response_next_field(request, RTN_STR("content-type"), &at, &value))
        return false;
    (void) rtn_field_next(&value, ';', &type);
    for (size_t i = 0; i < types->count; i++) {
        if (fits(type, rtn_str_of(types->items[i])))
            return true;
    }
    return false;
}

static bool is_compressible(const struct rtn_request *request, int status, int64_t length)
{
    const struct rtn_config_compression *config = &request->terms->config->compression;
    if (rtn_status_bodiless(status) || status == 205 || status == 206)
        return false;
    if (length == 0 || (length > 0 && length < config->min_size) || !is_type(request, &config->types))
        return false;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(forbidding); i++) {
        if (has_field(request, forbidding[i]))
            return false;
    }
    return !has_element(request, RTN_STR("cache-control"), RTN_STR("no-transform"));
}

/* False: memory is out. */
static bool add_vary(struct rtn_request *request)
{
    struct rtn_str before;
    size_t at = 0;
    if (has_element(request, RTN_STR("vary"), RTN_STR("accept-encoding")) ||
        has_element(request, RTN_STR("vary"), RTN_STR("*")))
        return true;
    if (!rtn_response_next_field(request, RTN_STR("vary"), &at, &before) || before.length == 0)
        return rtn_response_field(request, RTN_STR("Vary"), RTN_STR("Accept-Encoding")) == 0;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf list = { 0 };
    for (at = 0; rtn_response_next_field(request, RTN_STR("vary"), &at, &before);)
        rtn_buf_printf(&list, "%.*s, ", RTN_STR_ARG(before));
    rtn_buf_append_text(&list, "Accept-Encoding");
    rtn_response_remove_field(request, RTN_STR("vary"));
    return rtn_response_field(request, RTN_STR("Vary"), rtn_buf_str(&list)) == 0;
}

/* The request's fields of the name as one list (RFC 9110, 5.3); absent when there is none, or memory is out. */
static struct rtn_str list_of(struct rtn_request *request, struct rtn_str name)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    struct rtn_str list = { 0 };
    unsigned count = 0;
    for (unsigned i = 0; i < request->header_count; i++) {
        if (!rtn_str_equal(request->headers[i].name, name))
            continue;
        list = request->headers[i].value.data != NULL ? request->headers[i].value : RTN_STR("");
        rtn_buf_printf(&all, "%s%.*s", count++ > 0 ? "," : "", RTN_STR_ARG(list));
    }
    if (count <= 1)
        return list;
    return (struct rtn_str){ rtn_arena_strdup(&request->arena, rtn_buf_str(&all)), all.length };
}

/* 0: the reply goes out as it is. */
static unsigned choose_encoding(struct rtn_request *request, unsigned encodings)
{
    unsigned chosen = 0;
    struct rtn_str accept = list_of(request, RTN_STR("accept-encoding"));
    int best = rtn_negotiate_encoding(accept, RTN_STR("identity"));
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(preference); i++) {
        if ((encodings & preference[i]) == 0)
            continue;
        int quality = rtn_negotiate_encoding(accept, rtn_encoder_coding(preference[i]));
        if (quality == 0 || quality < best || (quality == best && chosen != 0))
            continue;
        best = quality;
        chosen = preference[i];
    }
    return chosen;
}

/*
 * A client that holds a compressed reply asks with the weak tag that came with it; the answer that it is still good has
 * to name the same one (RFC 9111, 4.3.4), but the handler knows only its own.
 */
static void match_etag(struct rtn_request *request)
{
    struct rtn_str etag, element;
    size_t at = 0;
    struct rtn_str list = list_of(request, RTN_STR("if-none-match"));
    if (list.data == NULL || !rtn_response_next_field(request, RTN_STR("etag"), &at, &etag))
        return;
    const char *text = rtn_arena_printf(&request->arena, "W/%.*s", RTN_STR_ARG(etag));
    if (text == NULL)
        return;
    struct rtn_str weak = rtn_str_of(text);
    while (rtn_field_next(&list, ',', &element)) {
        if (!rtn_str_equal(element, weak))
            continue;
        rtn_response_remove_field(request, RTN_STR("etag"));
        (void) rtn_response_field(request, RTN_STR("ETag"), weak);
        (void) add_vary(request);
        return;
    }
}

struct rtn_encoder *rtn_compress_choose(struct rtn_request *request, int status, int64_t length)
{
    const struct rtn_config_compression *config = &request->terms->config->compression;
    if (request->stage == RTN_REQUEST_BROKEN)
        return NULL;
    if (status == 304)
        match_etag(request);
    if (!is_compressible(request, status, length) || !add_vary(request))
        return NULL;
    unsigned encoding = choose_encoding(request, config->encodings);
    return encoding != 0 ? rtn_encoder_new((enum rtn_config_encoding) encoding, config->effort, length) : NULL;
}
