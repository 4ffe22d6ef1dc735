#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"

static void check_invariant(const struct rtn_buf *buf)
{
    cr_assert(buf->length < buf->capacity || (buf->length == 0 && buf->capacity == 0));
    if (buf->data != NULL)
        cr_assert_eq(buf->data[buf->length], '\0');
}

Test(buf, empty)
{
    struct rtn_buf buf = { 0 };

    cr_assert_str_eq(rtn_buf_str(&buf).data, "");
    rtn_buf_clear(&buf);
    rtn_buf_append(&buf, NULL, 0);
    check_invariant(&buf);
    rtn_buf_done(&buf);
    rtn_buf_done(&buf);
    cr_assert_null(buf.data);
}

Test(buf, grows_and_keeps_the_nul)
{
    struct rtn_buf buf = { 0 };

    for (int i = 0; i < 10000; i++) {
        rtn_buf_append_char(&buf, (char) ('a' + i % 26));
        check_invariant(&buf);
    }
    cr_assert_eq(buf.length, 10000);
    for (int i = 0; i < 10000; i++)
        cr_assert_eq(buf.data[i], 'a' + i % 26);
    rtn_buf_clear(&buf);
    cr_assert_eq(buf.length, 0);
    cr_assert_geq(buf.capacity, 10001);
    check_invariant(&buf);
    rtn_buf_done(&buf);
}

Test(buf, exact_fit_has_room_for_the_nul)
{
    struct rtn_buf buf = { 0 };

    (void) rtn_buf_reserve(&buf, 0);
    size_t room = buf.capacity - 1;
    char *end = rtn_buf_reserve(&buf, room);
    memset(end, 'x', room);
    buf.length += room;
    rtn_buf_append_text(&buf, "");
    check_invariant(&buf);
    cr_assert_eq(buf.length, room);
    rtn_buf_done(&buf);
}

Test(buf, printf_around_the_capacity)
{
    for (int width = 50; width < 80; width++) {
        struct rtn_buf buf = { 0 };
        rtn_buf_append_str(&buf, RTN_STR("<"));
        rtn_buf_printf(&buf, "%*d", width, 7);
        rtn_buf_append_text(&buf, ">");
        check_invariant(&buf);
        cr_assert_eq(buf.length, (size_t) width + 2);
        cr_assert_str_eq(buf.data + width, "7>");
        rtn_buf_done(&buf);
    }
}

Test(buf, steal)
{
    struct rtn_buf buf = { 0 };
    char *empty = rtn_buf_steal(&buf);

    cr_assert_str_eq(empty, "");
    free(empty);
    rtn_buf_append_text(&buf, "text");
    char *text = rtn_buf_steal(&buf);
    cr_assert_str_eq(text, "text");
    free(text);
    cr_assert_null(buf.data);
    cr_assert_eq(buf.capacity, 0);
}

Test(buf, absurd_size_aborts, .signal = SIGABRT)
{
    struct rtn_buf buf = { 0 };

    rtn_buf_append_text(&buf, "x");
    (void) rtn_buf_reserve(&buf, SIZE_MAX - 1);
}

static void make_file(char *path, size_t length)
{
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    for (size_t i = 0; i < length; i++)
        cr_assert_eq(write(fd, "z", 1), 1);
    (void) close(fd);
}

Test(buf, read_file_limits)
{
    char path[] = "/tmp/rtn-buf-XXXXXX";
    struct rtn_buf buf = { 0 };

    make_file(path, 20);
    rtn_buf_append_text(&buf, "a");
    cr_assert_eq(rtn_buf_read_file(&buf, path, 19), -EFBIG);
    cr_assert_str_eq(buf.data, "a");
    cr_assert_eq(rtn_buf_read_file(&buf, path, 20), 0);
    cr_assert_str_eq(buf.data, "azzzzzzzzzzzzzzzzzzzz");
    check_invariant(&buf);
    (void) unlink(path);
    rtn_buf_done(&buf);
}

Test(buf, read_file_errors)
{
    struct rtn_buf buf = { 0 };

    cr_assert_eq(rtn_buf_read_file(&buf, "/nonexistent/file", 10), -ENOENT);
    cr_assert_eq(rtn_buf_read_file(&buf, "/tmp", 10), -EISDIR);
    cr_assert_eq(rtn_buf_read_file(&buf, "/dev/zero", 100), -EFBIG);
    cr_assert_eq(buf.length, 0);
    cr_assert_eq(rtn_buf_read_file(&buf, "/dev/null", 0), 0);
    rtn_buf_done(&buf);
}
