/* The table of request methods: names and their bits. */
#include "base/method.h"

static const struct {
    struct rtn_str name;
    unsigned bit;
} known[] = {
#define ROW(name_) { { #name_, sizeof(#name_) - 1 }, RTN_METHOD_##name_ },
    RTN_METHODS(ROW)
#undef ROW
};

unsigned rtn_method_parse(struct rtn_str name)
{
    /* Row by row in code: bytes of a number that the compiler knows are compared at once. */
#define TRY(name_)                            \
    if (rtn_str_equal(name, RTN_STR(#name_))) \
        return RTN_METHOD_##name_;
    RTN_METHODS(TRY)
#undef TRY
    return 0;
}

void rtn_method_list(unsigned methods, struct rtn_buf *out)
{
    size_t start = out->length;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(known); i++) {
        if ((methods & known[i].bit) == 0)
            continue;
        if (out->length > start)
            rtn_buf_append_text(out, ", ");
        rtn_buf_append_str(out, known[i].name);
    }
}

void rtn_method_allow(unsigned methods, struct rtn_buf *out)
{
    methods |= RTN_METHOD_OPTIONS;
    if (methods & RTN_METHOD_GET)
        methods |= RTN_METHOD_HEAD;
    rtn_method_list(methods, out);
}
