/* Names of methods, and the value of Allow. */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "base/method.h"

Test(method, parses)
{
    static const struct {
        const char *name;
        unsigned bit;
    } table[] = {
        { "GET", RTN_METHOD_GET },
        { "HEAD", RTN_METHOD_HEAD },
        { "POST", RTN_METHOD_POST },
        { "PUT", RTN_METHOD_PUT },
        { "DELETE", RTN_METHOD_DELETE },
        { "PATCH", RTN_METHOD_PATCH },
        { "OPTIONS", RTN_METHOD_OPTIONS },
        { "PROPFIND", RTN_METHOD_PROPFIND },
        { "PROPPATCH", RTN_METHOD_PROPPATCH },
        { "MKCOL", RTN_METHOD_MKCOL },
        { "COPY", RTN_METHOD_COPY },
        { "MOVE", RTN_METHOD_MOVE },
        { "LOCK", RTN_METHOD_LOCK },
        { "UNLOCK", RTN_METHOD_UNLOCK },
        { "REPORT", RTN_METHOD_REPORT },
        { "SEARCH", RTN_METHOD_SEARCH },
        { "get", 0 },
        { "GETS", 0 },
        { "GE", 0 },
        { "", 0 },
        { "CONNECT", 0 },
        { "TRACE", 0 },
        { "PRI", 0 },
    };
    unsigned all = 0;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        cr_expect_eq(rtn_method_parse(rtn_str_of(table[i].name)), table[i].bit, "%s", table[i].name);
        all |= table[i].bit;
    }
    cr_expect_eq(all, RTN_METHOD_ALL);
}

Test(method, allow_adds_head_and_options)
{
    static const struct {
        unsigned methods;
        const char *allow;
    } table[] = {
        { 0, "OPTIONS" },
        { RTN_METHOD_GET, "GET, HEAD, OPTIONS" },
        { RTN_METHOD_POST, "POST, OPTIONS" },
        { RTN_METHOD_GET | RTN_METHOD_POST | RTN_METHOD_DELETE, "GET, HEAD, POST, DELETE, OPTIONS" },
        { RTN_METHOD_OPTIONS | RTN_METHOD_SEARCH, "OPTIONS, SEARCH" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
        rtn_buf_append_text(&out, "Allow: ");
        rtn_method_allow(table[i].methods, &out);
        cr_expect_str_eq(out.data + 7, table[i].allow, "%s", out.data);
    }
}
