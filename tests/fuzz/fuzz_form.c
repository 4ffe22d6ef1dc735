/* Bytes as name=value pairs: what walking the pairs decodes is what looking for a name finds. */
#include <stdlib.h>

#include "app/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rtn_str pairs = { (const char *) data, size };
    struct rtn_str rest = pairs;
    struct rtn_str name;
    struct rtn_str value;
    struct rtn_arena arena;
    rtn_arena_init(&arena, NULL, 0);
    for (int i = 0; i < 16 && rtn_form_next(&rest, &name, &value); i++) {
        struct rtn_str plain_name = rtn_form_decode(name, &arena);
        struct rtn_str plain_value = rtn_form_decode(value, &arena);
        bool found = false;
        for (size_t index = 0; index <= (size_t) i && !found; index++) {
            struct rtn_str again = rtn_form_find(pairs, plain_name, index, &arena);
            found = again.data != NULL && rtn_str_equal(again, plain_value);
        }
        if (!found)
            abort();
    }
    rtn_arena_done(&arena);
    return 0;
}
