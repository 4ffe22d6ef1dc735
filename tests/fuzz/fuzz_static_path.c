/*
 * Bytes as the path of a request and as what a route's star stands for: what the module static takes leads below its
 * root, and the way it writes a path in a link reads back as that path, on this host.
 */
#include <stdlib.h>

#include "app/form.h"
#include "base/buf.h"
#include "modules/static/static_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* With slashes around it, no taken path holds any of these. */
static void check_taken(struct rtn_str path, bool dot_files)
{
    struct rtn_buf whole = { 0 };
    rtn_buf_append_char(&whole, '/');
    rtn_buf_append_str(&whole, path);
    require(strlen(whole.data) == whole.length);
    require(path.length == 0 || path.data[0] != '/');
    require(strstr(whole.data, "//") == NULL);
    if (whole.data[whole.length - 1] != '/')
        rtn_buf_append_char(&whole, '/');
    require(strstr(whole.data, "/../") == NULL && strstr(whole.data, "/./") == NULL);
    require(dot_files || strstr(whole.data, "/.") == NULL);
    rtn_buf_done(&whole);
}

static void check_links(struct rtn_str path, struct rtn_arena *arena)
{
    struct rtn_str back = { NULL, 0 };
    char *location = malloc(STATIC_REDIRECT_MAX(path.length, path.length));
    require(location != NULL);
    static_path_redirect(path, (struct rtn_str){ NULL, 0 }, location);
    require(location[0] == '/' && location[1] != '/' && location[1] != '\\');
    require(rtn_path_decode(rtn_str_of(location), arena, &back) == 0);
    while (path.length > 0 && path.data[0] == '/') {
        path.data++;
        path.length--;
    }
    require(back.length == path.length + (path.length > 0 ? 2 : 1));
    require(path.length == 0 || memcmp(back.data + 1, path.data, path.length) == 0);
    free(location);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtn_str raw = { size > 0 ? (const char *) data : NULL, size };
    struct rtn_str path = { NULL, 0 };
    struct rtn_arena arena;
    rtn_arena_init(&arena, NULL, 0);
    for (int dot_files = 0; dot_files < 2; dot_files++) {
        if (static_path_allowed(raw, dot_files, false))
            check_taken(raw, dot_files);
    }
    if (rtn_path_decode(raw, &arena, &path) == 0)
        check_links(path, &arena);
    rtn_arena_done(&arena);
    return 0;
}
