/*
 * The rtn_setup_ functions of the public header, and the one way errors of a route, client or entry of `modules` are
 * worded: server "x": route "/": what is wrong. Of the last, what is wrong begins with the module anyway.
 */
#include "app/setup.h"

#include <errno.h>

static void vreport(const struct rtn_setup *setup, struct rtn_mark mark, const char *prefix, const char *format,
                    va_list arguments) RTN_PRINTF(4, 0);

static void vreport(const struct rtn_setup *setup, struct rtn_mark mark, const char *prefix, const char *format,
                    va_list arguments)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_buf_vprintf(&text, format, arguments);
    rtn_diags_error(setup->diags, mark, "server \"%s\": %s%s", setup->instance->server->name, prefix,
                    rtn_buf_str(&text).data);
}

/* route "/": */
static void append_place(const struct rtn_setup *setup, struct rtn_buf *prefix)
{
    rtn_buf_printf(prefix, "%s: ", setup->instance->place.text);
}

void rtn_setup_report(const struct rtn_setup *setup, struct rtn_mark mark, const char *format, ...)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf prefix = { 0 };
    va_list arguments;
    if (setup->instance->use == NULL)
        append_place(setup, &prefix);
    va_start(arguments, format);
    vreport(setup, mark, rtn_buf_str(&prefix).data, format, arguments);
    va_end(arguments);
}

/* A given option, at its value; else the module. */
static struct rtn_mark option_mark(const struct rtn_setup *setup, const char *option)
{
    if (option != NULL && rtn_setup_given(setup, option))
        return rtn_schema_mark(setup->instance->place.options, option);
    return rtn_schema_mark(setup->instance->place.node, "module");
}

RTN_EXPORT int rtn_setup_error(rtn_setup *setup, const char *option, const char *format, ...)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf prefix = { 0 };
    va_list arguments;
    if (option != NULL || setup->instance->use == NULL)
        append_place(setup, &prefix);
    if (option != NULL)
        rtn_buf_printf(&prefix, "option \"%s\": ", option);
    else
        rtn_buf_printf(&prefix, "module \"%s\": ", setup->instance->loaded->module.name);
    va_start(arguments, format);
    vreport(setup, option_mark(setup, option), prefix.data, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

RTN_EXPORT bool rtn_setup_given(const rtn_setup *setup, const char *option)
{
    return rtn_node_get(setup->instance->place.options, option) != NULL;
}

RTN_EXPORT const char *rtn_setup_server(const rtn_setup *setup)
{
    return setup->instance->server->name;
}

RTN_EXPORT const char *rtn_setup_route(const rtn_setup *setup)
{
    return setup->instance->place.path;
}
