/*
 * The post: a text, plain or as the member "text" of a JSON object. It is sent as a question, and the request waits for
 * the answer without holding anything up.
 */
#include "fanout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

/* 0, or the status that says what is wrong. */
static int copy(struct fanout_text *text, const char *bytes, size_t length)
{
    if (length == 0 || length > sizeof(text->bytes))
        return length == 0 ? 400 : 413;
    memcpy(text->bytes, bytes, length);
    text->length = (uint32_t) length;
    return 0;
}

static int copy_json(struct fanout_text *text, rtn_str body)
{
    json_error_t error;
    json_t *root = json_loadb(body.data, body.length, JSON_REJECT_DUPLICATES, &error);
    const json_t *member = json_object_get(root, "text");
    int status = json_is_string(member) ? copy(text, json_string_value(member), json_string_length(member)) : 400;
    json_decref(root);
    return status;
}

/* A JSON string is UTF-8, and nothing else is. */
static int copy_plain(struct fanout_text *text, rtn_str body)
{
    json_t *string = json_stringn(body.data, body.length);
    bool valid = string != NULL;
    json_decref(string);
    return valid ? copy(text, body.data, body.length) : 400;
}

/* "application/json", with or without parameters. */
static bool is_json(const rtn_request *request)
{
    static const char wanted[] = "application/json";
    const size_t length = sizeof(wanted) - 1;
    rtn_str type = rtn_request_header(request, "Content-Type");
    return type.length >= length && strncasecmp(type.data, wanted, length) == 0 &&
           (type.length == length || strchr("; \t", type.data[length]) != NULL);
}

static int refuse(rtn_request *request, int status)
{
    switch (status) {
    case 413:
        return rtn_reply_format(request, status, "a text may have %d bytes\n", FANOUT_TEXT_LONGEST);
    case 503:
        (void) rtn_reply_header(request, "Retry-After", "1");
        return rtn_reply_text(request, status, "the worker cannot take more now\n");
    case 504:
        return rtn_reply_text(request, status, "the worker did not answer in time\n");
    default:
        return rtn_reply_text(request, status, "post UTF-8 text that is not empty, or JSON: {\"text\": \"...\"}\n");
    }
}

/* What stands in the way of an answer, as a status; other errors are the daemon's to report. */
static int refuse_for(rtn_request *request, int error)
{
    if (error == -EAGAIN || error == -ECANCELED)
        return refuse(request, 503);
    return error == -ETIMEDOUT ? refuse(request, 504) : error;
}

static int on_facts(rtn_request *request, int result, const struct fanout_facts *facts, void *data)
{
    (void) data;
    if (result < 0)
        return refuse_for(request, result);
    char *json = facts_json(facts);
    if (json == NULL)
        return -ENOMEM;
    int r = rtn_reply_header(request, "Content-Type", "application/json");
    r = r < 0 ? r : rtn_reply_format(request, 200, "%s\n", json);
    free(json);
    return r;
}

int post(rtn_request *request, void *instance)
{
    const struct fanout *fanout = instance;
    rtn_str body = rtn_request_body(request);
    struct fanout_text text = { 0 };
    if (body.length == 0)
        return refuse(request, 400);
    int status = is_json(request) ? copy_json(&text, body) : copy_plain(&text, body);
    if (status != 0)
        return refuse(request, status);
    int r = rtn_ask_fanout_text_for(request, &text, fanout->timeout, on_facts, NULL, NULL);
    return r == 0 ? RTN_LATER : refuse_for(request, r);
}
