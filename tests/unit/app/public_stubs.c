/*
 * What a daemon exports to modules, but for rtn_setup_*, which are under test: enough for modules to be loaded. A
 * shared library, so that its names are there for modules and in nobody else's way.
 */
#include <errno.h>

#include <retinue/module.h>

#include "public_stubs.h"

#define ABSENT ((rtn_str){ NULL, 0 })

bool public_stubs_are_here(void)
{
    return true;
}

RTN_EXPORT unsigned rtn_api_level(void)
{
    return RTN_API_LEVEL;
}

RTN_EXPORT void rtn_log(enum rtn_log_level level, const char *format, ...)
{
    (void) level;
    (void) format;
}

RTN_EXPORT bool rtn_log_enabled(enum rtn_log_level level)
{
    (void) level;
    return false;
}

RTN_EXPORT bool rtn_stopping(void)
{
    return false;
}

RTN_EXPORT const char *rtn_server_name(const rtn_server *server)
{
    (void) server;
    return "";
}

RTN_EXPORT const char *rtn_thread_name(void)
{
    return "";
}

RTN_EXPORT void rtn_block_begin(void)
{
}

RTN_EXPORT void rtn_block_end(void)
{
}

RTN_EXPORT void rtn_suspend(int64_t milliseconds)
{
    (void) milliseconds;
}

RTN_EXPORT enum rtn_method rtn_request_method(const rtn_request *request)
{
    (void) request;
    return RTN_METHOD_GET;
}

RTN_EXPORT bool rtn_request_is_head(const rtn_request *request)
{
    (void) request;
    return false;
}

#define ABSENT_OF_REQUEST(name_)                         \
    RTN_EXPORT rtn_str name_(const rtn_request *request) \
    {                                                    \
        (void) request;                                  \
        return ABSENT;                                   \
    }
ABSENT_OF_REQUEST(rtn_request_method_name)
ABSENT_OF_REQUEST(rtn_request_target)
ABSENT_OF_REQUEST(rtn_request_path)
ABSENT_OF_REQUEST(rtn_request_query)
ABSENT_OF_REQUEST(rtn_request_body)

RTN_EXPORT rtn_str rtn_request_param(const rtn_request *request, const char *name)
{
    (void) request;
    (void) name;
    return ABSENT;
}

RTN_EXPORT int rtn_request_version(const rtn_request *request)
{
    (void) request;
    return 11;
}

RTN_EXPORT rtn_str rtn_request_header(const rtn_request *request, const char *name)
{
    (void) request;
    (void) name;
    return ABSENT;
}

RTN_EXPORT bool rtn_request_header_at(const rtn_request *request, size_t index, rtn_str *name, rtn_str *value)
{
    (void) request;
    (void) index;
    (void) name;
    (void) value;
    return false;
}

RTN_EXPORT void *rtn_request_alloc(rtn_request *request, size_t size)
{
    (void) request;
    (void) size;
    return NULL;
}

RTN_EXPORT rtn_connection *rtn_request_connection(rtn_request *request)
{
    (void) request;
    return NULL;
}

RTN_EXPORT rtn_server *rtn_request_server(rtn_request *request)
{
    (void) request;
    return NULL;
}

#define ABSENT_VALUE(name_)                                                        \
    RTN_EXPORT rtn_str name_(rtn_request *request, const char *name, size_t index) \
    {                                                                              \
        (void) request;                                                            \
        (void) name;                                                               \
        (void) index;                                                              \
        return ABSENT;                                                             \
    }
ABSENT_VALUE(rtn_query_value)
ABSENT_VALUE(rtn_form_value)

#define NO_PAIR(name_)                                                                       \
    RTN_EXPORT bool name_(rtn_request *request, size_t index, rtn_str *name, rtn_str *value) \
    {                                                                                        \
        (void) request;                                                                      \
        (void) index;                                                                        \
        (void) name;                                                                         \
        (void) value;                                                                        \
        return false;                                                                        \
    }
NO_PAIR(rtn_query_at)
NO_PAIR(rtn_form_at)

RTN_EXPORT int rtn_reply_header(rtn_request *request, const char *name, const char *value)
{
    (void) request;
    (void) name;
    (void) value;
    return -ENOSYS;
}

RTN_EXPORT int rtn_reply_header_str(rtn_request *request, const char *name, rtn_str value)
{
    (void) request;
    (void) name;
    (void) value;
    return -ENOSYS;
}

RTN_EXPORT int rtn_reply(rtn_request *request, int status, const void *body, size_t length)
{
    (void) request;
    (void) status;
    (void) body;
    (void) length;
    return -ENOSYS;
}

RTN_EXPORT int rtn_reply_status(rtn_request *request, int status)
{
    (void) request;
    (void) status;
    return -ENOSYS;
}

RTN_EXPORT int rtn_reply_text(rtn_request *request, int status, const char *text)
{
    (void) request;
    (void) status;
    (void) text;
    return -ENOSYS;
}

RTN_EXPORT int rtn_reply_format(rtn_request *request, int status, const char *format, ...)
{
    (void) request;
    (void) status;
    (void) format;
    return -ENOSYS;
}

RTN_EXPORT int rtn_reply_redirect(rtn_request *request, int status, const char *location)
{
    (void) request;
    (void) status;
    (void) location;
    return -ENOSYS;
}

RTN_EXPORT int rtn_reply_static(rtn_request *request, int status, const void *body, size_t length)
{
    return rtn_reply(request, status, body, length);
}

RTN_EXPORT int rtn_reply_release(rtn_request *request, int status, const void *body, size_t length,
                                 void (*release)(void *data), void *data)
{
    release(data);
    return rtn_reply(request, status, body, length);
}

RTN_EXPORT uint64_t rtn_connection_id(const rtn_connection *connection)
{
    (void) connection;
    return 1;
}

RTN_EXPORT const char *rtn_connection_peer(rtn_connection *connection)
{
    (void) connection;
    return "";
}

RTN_EXPORT int rtn_connection_set_data(rtn_connection *connection, void *data, void (*destroy)(void *data))
{
    (void) connection;
    (void) data;
    (void) destroy;
    return -ENOSYS;
}

RTN_EXPORT void *rtn_connection_data(const rtn_connection *connection)
{
    (void) connection;
    return NULL;
}
