/* The words themselves: one table for thread models, one for methods. */
#include "app/module_text.h"

static const struct {
    enum rtn_threads threads;
    const char *name;
    const char *meaning;
} models[] = {
    { RTN_THREADS_SERIAL, "serial", "on a worker, one call at a time per route" },
    { RTN_THREADS_PARALLEL, "parallel", "on workers, several calls at once" },
    { RTN_THREADS_LOOP, "loop", "never blocks, runs on the server's loops" },
};

static const struct {
    enum rtn_method method;
    const char *name;
} method_names[] = {
    { RTN_METHOD_GET, "GET" },         { RTN_METHOD_HEAD, "HEAD" },         { RTN_METHOD_POST, "POST" },
    { RTN_METHOD_PUT, "PUT" },         { RTN_METHOD_DELETE, "DELETE" },     { RTN_METHOD_PATCH, "PATCH" },
    { RTN_METHOD_OPTIONS, "OPTIONS" }, { RTN_METHOD_PROPFIND, "PROPFIND" }, { RTN_METHOD_PROPPATCH, "PROPPATCH" },
    { RTN_METHOD_MKCOL, "MKCOL" },     { RTN_METHOD_COPY, "COPY" },         { RTN_METHOD_MOVE, "MOVE" },
    { RTN_METHOD_LOCK, "LOCK" },       { RTN_METHOD_UNLOCK, "UNLOCK" },     { RTN_METHOD_REPORT, "REPORT" },
    { RTN_METHOD_SEARCH, "SEARCH" },
};

void rtn_methods_text(unsigned methods, struct rtn_buf *out)
{
    const char *separator = "";
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(method_names); i++) {
        if ((methods & (unsigned) method_names[i].method) == 0)
            continue;
        rtn_buf_printf(out, "%s%s", separator, method_names[i].name);
        separator = ", ";
    }
}

const char *rtn_threads_name(enum rtn_threads threads)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        if (models[i].threads == threads)
            return models[i].name;
    }
    return "unknown";
}

const char *rtn_threads_meaning(enum rtn_threads threads)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        if (models[i].threads == threads)
            return models[i].meaning;
    }
    return "";
}
