#include <errno.h>
#include <fcntl.h>

#include "base/utf8.h"
#include "support.h"

static struct fixture f;

static void start(void)
{
    start_log(&f, RTN_LOG_TEXT);
}

static void stop(void)
{
    stop_log(&f);
}

TestSuite(log, .init = start, .fini = stop);

/* The message of the only line. */
static struct rtn_str message(void)
{
    const char *line = read_log(&f);
    const char *text = strstr(line, "] ");
    const char *end = strchr(line, '\n');

    cr_assert_not_null(text);
    cr_assert_not_null(end);
    cr_assert_eq(end[1], '\0');
    return (struct rtn_str){ text + 2, (size_t) (end - text - 2) };
}

Test(log, level_of_the_context_decides)
{
    f.level = RTN_LOG_WARN;
    cr_assert_not(rtn_log_enabled(RTN_LOG_NOTICE));
    cr_assert(rtn_log_enabled(RTN_LOG_WARN));
    cr_assert_not(rtn_log_enabled(RTN_LOG_NONE));
    rtn_log(RTN_LOG_NOTICE, "no");
    cr_assert_str_eq(read_log(&f), "");
    rtn_log(RTN_LOG_WARN, "yes");
    cr_assert(rtn_str_equal(message(), RTN_STR("yes")));
}

Test(log, none_shows_nothing)
{
    f.level = RTN_LOG_NONE;
    cr_assert_not(rtn_log_enabled(RTN_LOG_FATAL));
    rtn_log(RTN_LOG_FATAL, "no");
    rtn_log(RTN_LOG_NONE, "no");
    cr_assert_str_eq(read_log(&f), "");
}

Test(log, level_changes_while_running)
{
    f.level = RTN_LOG_ERROR;
    rtn_log(RTN_LOG_DEBUG, "no");
    f.level = RTN_LOG_DEBUG;
    rtn_log(RTN_LOG_DEBUG, "yes");
    cr_assert(rtn_str_equal(message(), RTN_STR("yes")));
}

Test(log, errno_is_kept_and_can_be_shown)
{
    errno = ENOSPC;
    rtn_log(RTN_LOG_INFO, "failed: %m");
    cr_assert_eq(errno, ENOSPC);
    cr_assert(rtn_str_equal(message(), RTN_STR("failed: No space left on device")));
}

Test(log, errno_is_kept_when_the_sink_fails)
{
    (void) close(f.log->fd);
    errno = ENOENT;
    rtn_log(RTN_LOG_INFO, "lost");
    cr_assert_eq(errno, ENOENT);
    cr_assert_eq(rtn_log_drops(f.log), 1);
    rtn_log(RTN_LOG_INFO, "lost");
    cr_assert_eq(rtn_log_drops(f.log), 2);
    f.log->fd = -1;
}

Test(log, newlines_and_controls_stay_in_one_line)
{
    rtn_log(RTN_LOG_INFO, "a\nb\x1b[0m%c\xff", 0x7f);
    cr_assert(rtn_str_equal(message(), RTN_STR("a\\nb\\x1b[0m\\x7f\\xff")));
}

Test(log, empty_message)
{
    rtn_log(RTN_LOG_INFO, "%s", "");
    cr_assert_eq(message().length, 0);
}

Test(log, longest_uncut_message)
{
    rtn_log(RTN_LOG_INFO, "<%*d>", RTN_LOG_MESSAGE_MAX - 2, 7);
    cr_assert_eq(message().length, RTN_LOG_MESSAGE_MAX);
    cr_assert_null(strstr(message().data, " ... "));
    cr_assert(rtn_str_ends_with(message(), RTN_STR(" 7>")));
}

Test(log, long_messages_are_cut_in_the_middle)
{
    for (int extra = 1; extra < 20000; extra = extra * 7) {
        struct rtn_buf text = { 0 };
        rtn_buf_append_text(&text, "START");
        while (text.length < (size_t) (RTN_LOG_MESSAGE_MAX + extra - 3))
            rtn_buf_append_char(&text, 'x');
        rtn_buf_append_text(&text, "END");
        rtn_log(RTN_LOG_INFO, "%s", text.data);
        struct rtn_str m = message();
        cr_assert_eq(m.length, RTN_LOG_MESSAGE_MAX);
        cr_assert(rtn_str_starts_with(m, RTN_STR("STARTx")));
        cr_assert(rtn_str_ends_with(m, RTN_STR("xEND")));
        cr_assert_not_null(strstr(m.data, "x ... x"));
        cr_assert_eq(truncate(f.path, 0), 0);
        rtn_buf_done(&text);
    }
}

Test(log, cuts_do_not_split_characters)
{
    for (int shift = 0; shift < 8; shift++) {
        struct rtn_buf text = { 0 };
        rtn_buf_printf(&text, "%.*s", shift, "aaaaaaaa");
        for (int i = 0; i < 1000; i++)
            rtn_buf_append_text(&text, "\xf0\x9f\x98\x80");
        rtn_buf_printf(&text, "%.*s", shift / 2, "bbbbbbbb");
        rtn_log(RTN_LOG_INFO, "%s", text.data);
        struct rtn_str m = message();
        cr_assert(rtn_utf8_valid(m));
        cr_assert_null(memmem(m.data, m.length, "\\x", 2));
        cr_assert_leq(m.length, RTN_LOG_MESSAGE_MAX);
        cr_assert_geq(m.length, RTN_LOG_MESSAGE_MAX - 6);
        cr_assert_eq(truncate(f.path, 0), 0);
        rtn_buf_done(&text);
    }
}

Test(log, errno_of_a_long_message)
{
    errno = ENOSPC;
    rtn_log(RTN_LOG_INFO, "%3000d %m", 1);
    cr_assert(rtn_str_ends_with(message(), RTN_STR("No space left on device")));
}

Test(log, context_is_what_was_set)
{
    cr_assert_eq(rtn_log_get_context(), &f.context);
    rtn_log_set_context(NULL);
    cr_assert_null(rtn_log_get_context());
}

Test(log, without_context_only_errors_to_stderr)
{
    int fds[2];

    rtn_log_set_context(NULL);
    cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
    cr_assert_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    cr_assert_not(rtn_log_enabled(RTN_LOG_WARN));
    rtn_log(RTN_LOG_WARN, "no");
    errno = EBUSY;
    rtn_log(RTN_LOG_ERROR, "yes %d", 1);
    cr_assert_eq(errno, EBUSY);
    const char *line = read_fd(&f, fds[0]);
    cr_assert_not_null(strstr(line, "Z error  main["));
    cr_assert_null(strstr(line, "no"));
    cr_assert(rtn_str_ends_with(rtn_str_of(line), RTN_STR("] yes 1\n")));
    cr_assert_str_eq(read_log(&f), "");
}

static void *log_lines(void *data)
{
    (void) data;
    (void) pthread_setname_np(pthread_self(), "my thread\n");
    cr_expect_not(rtn_log_enabled(RTN_LOG_DEBUG));
    rtn_log(RTN_LOG_DEBUG, "no");
    rtn_log(RTN_LOG_INFO, "yes");
    return NULL;
}

Test(log, threads_without_context_log_by_the_default_under_their_own_name)
{
    static _Atomic int level = RTN_LOG_INFO;
    const struct rtn_log_context main_thread = { .log = f.log, .thread = "main", .level = &level };
    pthread_t thread;

    rtn_log_set_default(&main_thread);
    cr_assert_eq(pthread_create(&thread, NULL, log_lines, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    const char *line = read_log(&f);
    cr_assert_not_null(strstr(line, " info   my thread\\n["));
    cr_assert(rtn_str_ends_with(rtn_str_of(line), RTN_STR("] yes\n")));
    cr_assert_null(strstr(line, "no"));
    rtn_log_set_default(NULL);
    rtn_log_set_context(NULL);
    cr_assert_not(rtn_log_enabled(RTN_LOG_WARN));
}

Test(log, new_fails_without_output)
{
    struct rtn_log_options options = { .to = RTN_LOG_TO_FILE, .path = "/nonexistent/log" };
    struct rtn_log *log = (struct rtn_log *) &options;

    cr_assert_eq(rtn_log_new(&options, &log), -ENOENT);
    options.path = NULL;
    cr_assert_eq(rtn_log_new(&options, &log), -EINVAL);
    options = (struct rtn_log_options){ .to = RTN_LOG_TO_JOURNAL, .path = "/nonexistent/socket" };
    cr_assert_eq(rtn_log_new(&options, &log), -ENOENT);
    cr_assert_eq((void *) log, (void *) &options);
    rtn_log_free(NULL);
}

Test(log, lines_carry_the_request_of_the_thread)
{
    cr_assert_null(rtn_log_set_request("id-1"));
    rtn_log(RTN_LOG_INFO, "inside");
    cr_assert_str_eq(rtn_log_set_request(NULL), "id-1");
    rtn_log(RTN_LOG_INFO, "outside");
    cr_assert_not_null(strstr(read_log(&f), "inside request=id-1\n"));
    cr_assert_not_null(strstr(read_log(&f), "outside\n"));
}
