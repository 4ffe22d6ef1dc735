/*
 * Bytes as a multipart/form-data body: the first says how long the pieces are, the second which limits hold; up to the
 * next LF comes the Content-Type, then the body. In one piece or in many, the callbacks hear the same, and the result
 * is the same.
 */
#include <stdio.h>
#include <stdlib.h>

#include "app/multipart.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    struct rtn_buf text;
    bool open;
    int result;
    char error[128];
};

static void check(bool sound, const char *what)
{
    if (sound)
        return;
    (void) fprintf(stderr, "broken: %s\n", what);
    abort();
}

static int on_begin(void *data, const struct rtn_part *part)
{
    struct heard *heard = data;
    check(!heard->open && part->name.data != NULL && part->type.length > 0, "begin");
    check(part->filename.length == 0 || memchr(part->filename.data, '/', part->filename.length) == NULL, "folder");
    heard->open = true;
    rtn_buf_printf(&heard->text, "%zu(", part->index);
    rtn_buf_append_str(&heard->text, part->name);
    rtn_buf_append_char(&heard->text, '|');
    rtn_buf_append_str(&heard->text, part->filename);
    rtn_buf_append_char(&heard->text, '|');
    rtn_buf_append_str(&heard->text, part->type);
    return 0;
}

static int on_data(void *data, const void *bytes, size_t length)
{
    struct heard *heard = data;
    check(heard->open && length > 0, "data");
    rtn_buf_append(&heard->text, bytes, length);
    return 0;
}

static int on_end(void *data)
{
    struct heard *heard = data;
    check(heard->open, "end");
    heard->open = false;
    rtn_buf_append_char(&heard->text, ')');
    return 0;
}

static void read_body(struct rtn_str boundary, struct rtn_str body, size_t cut, bool limited, struct heard *heard)
{
    struct rtn_multipart multipart;
    struct rtn_multipart_options options = {
        .part_begin = on_begin, .part_data = on_data, .part_end = on_end, .data = heard
    };
    struct rtn_arena arena;
    rtn_arena_init(&arena, NULL, 0);
    if (limited) {
        options.parts = 3;
        options.header = 100;
        options.part_size = 20;
    }
    check(rtn_multipart_init(&multipart, boundary, &options, &arena) == 0, "init");
    for (size_t at = 0; at < body.length; at += cut)
        (void) rtn_multipart_push(&multipart, (struct rtn_str){ body.data + at, RTN_MIN(cut, body.length - at) });
    heard->result = rtn_multipart_close(&multipart);
    check((heard->result == 0) == (multipart.error_text[0] == '\0'), "error without text");
    check(heard->result != 0 || !heard->open, "an open part at a good end");
    memcpy(heard->error, multipart.error_text, sizeof(heard->error));
    rtn_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *line_end = size > 2 ? memchr(data + 2, '\n', size - 2) : NULL;
    struct rtn_str boundary;
    if (line_end == NULL)
        return 0;
    const struct rtn_str type = { (const char *) data + 2, (size_t) (line_end - (const char *) data) - 2 };
    const struct rtn_str body = { line_end + 1, size - type.length - 3 };
    if (rtn_multipart_boundary(type, &boundary) < 0)
        return 0;
    struct heard whole = { 0 };
    struct heard cut = { 0 };
    read_body(boundary, body, body.length + 1, data[1] & 1, &whole);
    read_body(boundary, body, 1 + data[0] % 64, data[1] & 1, &cut);
    check(whole.result == cut.result && strcmp(whole.error, cut.error) == 0, "the result depends on the cuts");
    check(rtn_str_equal(rtn_buf_str(&whole.text), rtn_buf_str(&cut.text)), "what is heard depends on the cuts");
    rtn_buf_done(&whole.text);
    rtn_buf_done(&cut.text);
    return 0;
}
