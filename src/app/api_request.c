/* Bodies of the public functions that read a request and its connection. retinue-module(3) documents them. */
#include <retinue/module.h>

#include <errno.h>

#include "app/dispatch.h"
#include "app/form.h"
#include "app/slots.h"

#define FORM_TYPE RTN_STR("application/x-www-form-urlencoded")

enum rtn_method rtn_request_method(const rtn_request *request)
{
    return request->method == RTN_METHOD_HEAD ? RTN_METHOD_GET : (enum rtn_method) request->method;
}

bool rtn_request_is_head(const rtn_request *request)
{
    return request->method == RTN_METHOD_HEAD;
}

rtn_str rtn_request_method_name(const rtn_request *request)
{
    return request->method_name;
}

rtn_str rtn_request_target(const rtn_request *request)
{
    return request->target;
}

rtn_str rtn_request_path(const rtn_request *request)
{
    return rtn_call_of(request)->path;
}

rtn_str rtn_request_query(const rtn_request *request)
{
    return rtn_call_of(request)->query;
}

rtn_str rtn_request_param(const rtn_request *request, const char *name)
{
    const struct rtn_match *match = &rtn_call_of(request)->match;
    for (unsigned i = 0; i < match->param_count; i++) {
        if (rtn_str_equal(match->params[i].name, rtn_str_of(name)))
            return match->params[i].value;
    }
    return (rtn_str){ 0 };
}

int rtn_request_version(const rtn_request *request)
{
    return request->version;
}

/* Only handlers are kept from fields that `header_fields` leaves out; the daemon itself sees them all. */
static bool is_seen(const rtn_request *request, rtn_str name)
{
    const struct rtn_map *wanted = request->terms->header_fields;
    return wanted == NULL || rtn_map_get(wanted, name) != NULL;
}

rtn_str rtn_request_header(const rtn_request *request, const char *name)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        const struct rtn_header *header = &request->headers[i];
        if (rtn_str_equal_nocase(header->name, rtn_str_of(name)))
            return is_seen(request, header->name) ? header->value : (rtn_str){ 0 };
    }
    return (rtn_str){ 0 };
}

bool rtn_request_header_at(const rtn_request *request, size_t index, rtn_str *name, rtn_str *value)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        const struct rtn_header *header = &request->headers[i];
        if (!is_seen(request, header->name) || index-- > 0)
            continue;
        *name = header->name;
        *value = header->value;
        return true;
    }
    return false;
}

const char *rtn_request_id(rtn_request *request)
{
    return request->response.request_id != NULL ? request->response.request_id : "";
}

rtn_str rtn_request_body(const rtn_request *request)
{
    return request->body;
}

rtn_str rtn_request_trailer(const rtn_request *request, const char *name)
{
    for (unsigned i = 0; i < request->trailer_count; i++) {
        if (rtn_str_equal_nocase(request->trailers[i].name, rtn_str_of(name)))
            return request->trailers[i].value;
    }
    return (rtn_str){ 0 };
}

void *rtn_request_alloc(rtn_request *request, size_t size)
{
    return rtn_arena_alloc(&request->arena, size);
}

rtn_connection *rtn_request_connection(rtn_request *request)
{
    return request->connection;
}

rtn_server *rtn_request_server(rtn_request *request)
{
    return rtn_call_of(request)->site->server;
}

/* Asked for one after the other, pairs are found where the last call stopped; a step back starts anew. */
static bool pair_at(rtn_request *request, struct rtn_pair_cursor *cursor, rtn_str pairs, size_t index, rtn_str *name,
                    rtn_str *value)
{
    rtn_str raw_name;
    rtn_str raw_value;
    if (cursor->index == 0 || index < cursor->index)
        *cursor = (struct rtn_pair_cursor){ .rest = pairs };
    while (rtn_form_next(&cursor->rest, &raw_name, &raw_value)) {
        if (cursor->index++ < index)
            continue;
        *name = rtn_form_decode(raw_name, &request->arena);
        *value = rtn_form_decode(raw_value, &request->arena);
        return name->data != NULL && value->data != NULL;
    }
    return false;
}

/* The body when it is a urlencoded form, whatever parameters its media type carries. */
static rtn_str form_of(const rtn_request *request)
{
    rtn_str rest = request->content_type;
    rtn_str type;
    if (!rtn_str_next(&rest, ';', &type) || !rtn_str_equal_nocase(type, FORM_TYPE))
        return (rtn_str){ 0 };
    return request->body;
}

rtn_str rtn_query_value(rtn_request *request, const char *name, size_t index)
{
    return rtn_form_find(rtn_request_query(request), rtn_str_of(name), index, &request->arena);
}

rtn_str rtn_form_value(rtn_request *request, const char *name, size_t index)
{
    return rtn_form_find(form_of(request), rtn_str_of(name), index, &request->arena);
}

bool rtn_query_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value)
{
    return pair_at(request, &rtn_call_of(request)->query_cursor, rtn_request_query(request), index, name, value);
}

bool rtn_form_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value)
{
    return pair_at(request, &rtn_call_of(request)->form_cursor, form_of(request), index, name, value);
}

uint64_t rtn_connection_id(const rtn_connection *connection)
{
    return connection->id;
}

const char *rtn_connection_peer(rtn_connection *connection)
{
    return rtn_connection_peer_text(connection);
}

int rtn_connection_set_data(rtn_connection *connection, void *data, void (*destroy)(void *data))
{
    struct rtn_instance *instance = rtn_dispatch_instance(connection);
    if (instance == NULL)
        return -EINVAL;
    struct rtn_slot *slot = rtn_slots_make(connection, instance);
    if (slot == NULL)
        return -ENOMEM;
    if (slot->destroy != NULL)
        slot->destroy(slot->data);
    slot->data = data;
    slot->destroy = destroy;
    return 0;
}

void *rtn_connection_data(const rtn_connection *connection)
{
    const struct rtn_slot *slot = rtn_connection_slot(connection, rtn_dispatch_instance(connection));
    return slot != NULL ? slot->data : NULL;
}
