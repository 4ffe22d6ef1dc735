/* Bytes as a path: what is taken starts at the root, is clean, and has nothing left to remove. */
#include <stdlib.h>

#include "app/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtn_str path = { NULL, 0 };
    struct rtn_arena arena;
    rtn_arena_init(&arena, NULL, 0);
    if (rtn_path_decode((struct rtn_str){ (const char *) data, size }, &arena, &path) == 0) {
        if (path.length == 0 || path.length > size || path.data[0] != '/')
            abort();
        for (size_t i = 0; i < path.length; i++) {
            if ((unsigned char) path.data[i] < 0x20 || path.data[i] == 0x7f)
                abort();
        }
        struct rtn_str again = { NULL, 0 };
        if (memchr(path.data, '%', path.length) == NULL &&
            (rtn_path_decode(path, &arena, &again) != 0 || !rtn_str_equal(again, path)))
            abort();
    }
    rtn_arena_done(&arena);
    return 0;
}
