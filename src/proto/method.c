/* The table of request methods: names and their bits. */
#include "proto/method.h"

static const struct {
    struct rtn_str name;
    unsigned bit;
} known[] = {
#define METHOD(name_)                                      \
    {                                                      \
        { #name_, sizeof(#name_) - 1 }, RTN_METHOD_##name_ \
    }
    METHOD(GET),     METHOD(HEAD),     METHOD(POST),      METHOD(PUT),    METHOD(DELETE), METHOD(PATCH),
    METHOD(OPTIONS), METHOD(PROPFIND), METHOD(PROPPATCH), METHOD(MKCOL),  METHOD(COPY),   METHOD(MOVE),
    METHOD(LOCK),    METHOD(UNLOCK),   METHOD(REPORT),    METHOD(SEARCH),
#undef METHOD
};

unsigned rtn_method_parse(struct rtn_str name)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(known); i++) {
        if (rtn_str_equal(known[i].name, name))
            return known[i].bit;
    }
    return 0;
}

void rtn_method_allow(unsigned methods, struct rtn_buf *out)
{
    methods |= RTN_METHOD_OPTIONS;
    if (methods & RTN_METHOD_GET)
        methods |= RTN_METHOD_HEAD;
    size_t start = out->length;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(known); i++) {
        if ((methods & known[i].bit) == 0)
            continue;
        if (out->length > start)
            rtn_buf_append_text(out, ", ");
        rtn_buf_append_str(out, known[i].name);
    }
}
