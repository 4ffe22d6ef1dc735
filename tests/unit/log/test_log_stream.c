#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/clock.h"
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

TestSuite(log_stream, .init = start, .fini = stop);

/* A second log, to `fd` as stderr. */
static void use_stderr(int fd, enum rtn_log_to to, enum rtn_log_format format)
{
    struct rtn_log_options options = { .to = to, .format = format };
    static struct rtn_log *log;

    cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    cr_assert_eq(rtn_log_new(&options, &log), 0);
    f.context.log = log;
}

/* The process ends with it; only the memory is given back. */
static void leave_stderr(void)
{
    rtn_log_set_context(NULL);
    rtn_log_free(f.context.log);
}

Test(log_stream, form)
{
    char expected[64];

    rtn_log(RTN_LOG_INFO, "hello");
    const char *line = read_log(&f);
    (void) snprintf(expected, sizeof(expected), " info   get/loop-0[%d] hello\n", (int) gettid());
    cr_assert_str_eq(line + 24, expected);
}

Test(log_stream, file_is_not_for_others_and_appended)
{
    struct rtn_log_options options = { .to = RTN_LOG_TO_FILE, .path = f.path };
    struct rtn_log *log = NULL;
    struct stat st;

    rtn_log(RTN_LOG_INFO, "first");
    cr_assert_eq(rtn_log_new(&options, &log), 0);
    f.context.log = log;
    rtn_log(RTN_LOG_INFO, "second");
    f.context.log = f.log;
    rtn_log_free(log);
    const char *first = strstr(read_log(&f), "first\n");
    cr_assert_not_null(first);
    cr_assert_not_null(strstr(first, "second\n"));
    cr_assert_eq(unlink(f.path), 0);
    cr_assert_eq(rtn_log_reopen(f.log), 1);
    cr_assert_eq(stat(f.path, &st), 0);
    cr_assert_eq(st.st_mode & 07137, 0);
    cr_assert_eq(fcntl(f.log->fd, F_GETFD), FD_CLOEXEC);
}

Test(log_stream, reopen_after_rename)
{
    char old[64];
    struct rtn_buf text = { 0 };

    (void) snprintf(old, sizeof(old), "%s.1", f.path);
    rtn_log(RTN_LOG_INFO, "one");
    cr_assert_eq(rename(f.path, old), 0);
    rtn_log(RTN_LOG_INFO, "two");
    cr_assert_eq(rtn_log_reopen(f.log), 1);
    rtn_log(RTN_LOG_INFO, "three");
    cr_assert_eq(rtn_buf_read_file(&text, old, 10000), 0);
    cr_assert_not_null(strstr(text.data, "one\n"));
    cr_assert(rtn_str_ends_with(rtn_buf_str(&text), RTN_STR("] two\n")));
    cr_assert_null(strstr(read_log(&f), "two"));
    cr_assert(rtn_str_ends_with(rtn_buf_str(&f.text), RTN_STR("] three\n")));
    (void) unlink(old);
    rtn_buf_done(&text);
}

Test(log_stream, failed_reopen_keeps_the_old_file)
{
    char path[64];

    strcpy(path, f.log->path);
    strcpy(f.log->path, "/proc/none"); /* shorter, and nobody can create it */
    cr_assert_lt(rtn_log_reopen(f.log), 0);
    strcpy(f.log->path, path);
    rtn_log(RTN_LOG_INFO, "still here");
    cr_assert_not_null(strstr(read_log(&f), "still here\n"));
}

Test(log_stream, reopen_of_others_does_nothing)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    use_stderr(fds[1], RTN_LOG_TO_STDERR, RTN_LOG_TEXT);
    cr_assert_eq(rtn_log_reopen(f.context.log), 0);
    rtn_log(RTN_LOG_INFO, "x");
    cr_assert_not_null(strstr(read_fd(&f, fds[0]), "] x\n"));
    leave_stderr();
}

static int open_terminal(void)
{
    int controller = posix_openpt(O_RDWR | O_NOCTTY);

    cr_assert_geq(controller, 0);
    cr_assert_eq(grantpt(controller), 0);
    cr_assert_eq(unlockpt(controller), 0);
    return controller;
}

static const char *line_on_terminal(const char *no_color)
{
    int controller = open_terminal();
    int terminal = open(ptsname(controller), O_RDWR | O_NOCTTY);

    cr_assert_geq(terminal, 0);
    (void) unsetenv("NO_COLOR");
    if (no_color != NULL)
        (void) setenv("NO_COLOR", no_color, 1);
    use_stderr(terminal, RTN_LOG_TO_STDERR, RTN_LOG_TEXT);
    rtn_log(RTN_LOG_ERROR, "x");
    leave_stderr();
    return read_fd(&f, controller);
}

Test(log_stream, colors_on_a_terminal)
{
    cr_assert_not_null(strstr(line_on_terminal(NULL), " \x1b[31merror \x1b[0m get/"));
}

Test(log_stream, no_color)
{
    cr_assert_null(strchr(line_on_terminal("1"), '\x1b'));
}

Test(log_stream, no_colors_in_a_pipe)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    (void) unsetenv("NO_COLOR");
    use_stderr(fds[1], RTN_LOG_TO_AUTO, RTN_LOG_TEXT);
    rtn_log(RTN_LOG_ERROR, "x");
    cr_assert_null(strchr(read_fd(&f, fds[0]), '\x1b'));
    leave_stderr();
}

static void claim_journal(int fd, int shift)
{
    struct stat st;
    char value[64];

    cr_assert_eq(fstat(fd, &st), 0);
    (void) snprintf(value, sizeof(value), "%llu:%llu", (unsigned long long) st.st_dev,
                    (unsigned long long) st.st_ino + (unsigned long long) shift);
    (void) setenv("JOURNAL_STREAM", value, 1);
}

Test(log_stream, priority_when_stderr_is_the_journal)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    claim_journal(fds[1], 0);
    use_stderr(fds[1], RTN_LOG_TO_STDERR, RTN_LOG_TEXT);
    rtn_log(RTN_LOG_WARN, "x");
    cr_assert(rtn_str_starts_with(rtn_str_of(read_fd(&f, fds[0])), RTN_STR("<4>warn   get/loop-0[")));
    leave_stderr();
}

Test(log_stream, inherited_journal_variable_is_not_enough)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    claim_journal(fds[1], 1);
    use_stderr(fds[1], RTN_LOG_TO_AUTO, RTN_LOG_TEXT);
    rtn_log(RTN_LOG_WARN, "x");
    cr_assert(rtn_str_starts_with(rtn_str_of(read_fd(&f, fds[0])), RTN_STR("20")));
    leave_stderr();
}

Test(log_stream, broken_journal_variable)
{
    static const char *const values[] = { "", ":", "1", "x:y", "1:" };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(values); i++) {
        (void) setenv("JOURNAL_STREAM", values[i], 1);
        cr_expect_not(rtn_log_stderr_is_journal());
    }
}

Test(log_stream, full_disk_counts_drops)
{
    int full = open("/dev/full", O_WRONLY);

    cr_assert_eq(dup2(full, f.log->fd), f.log->fd);
    rtn_log(RTN_LOG_INFO, "x");
    cr_assert_eq(rtn_log_drops(f.log), 1);
    cr_assert_eq(f.log->paused_until, 0, "only a reader that hangs makes a pause");
}

/* A pipe of two pages, blocking as stderr mostly is, takes the place of the file. Returns the end to read. */
static int use_pipe(void)
{
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(fcntl(fds[1], F_SETPIPE_SZ, 8192), 8192);
    cr_assert_eq(dup2(fds[1], f.log->fd), f.log->fd);
    return fds[0];
}

static void log_until_drop(void)
{
    for (int i = 0; rtn_log_drops(f.log) == 0; i++) {
        cr_assert_lt(i, 1000, "the pipe takes everything");
        rtn_log(RTN_LOG_INFO, "%1000d", 7);
    }
}

/* As if RTN_LOG_PAUSE had gone by. */
static void end_pause(void)
{
    f.log->paused_until = 0;
}

/* Behind the time of the line, which must be `text` of this thread, and behind the line. */
static const char *check_line(const char *line, const char *text)
{
    char expected[128];
    const char *space = strchr(line, ' ');
    const char *message = strstr(text, " ");

    (void) snprintf(expected, sizeof(expected), " %-6.*s get/loop-0[%d]%s\n", (int) (message - text), text,
                    (int) gettid(), message);
    cr_assert_not_null(space, "no line, but: %s", line);
    cr_assert(rtn_str_starts_with(rtn_str_of(space), rtn_str_of(expected)), "%s instead of%s", line, expected);
    return space + strlen(expected);
}

/* Nobody reads: the line that does not fit is dropped after a bounded wait, those behind it without one. */
Test(log_stream, stuck_reader, .timeout = 60)
{
    enum { MORE = 500 };
    int reader = use_pipe();
    int64_t before = rtn_clock_ms();

    log_until_drop();
    cr_assert_geq(rtn_clock_ms() - before, RTN_LOG_WAIT);
    before = rtn_clock_ms();
    for (int i = 0; i < MORE; i++)
        rtn_log(RTN_LOG_INFO, "more");
    cr_assert_lt(rtn_clock_ms() - before, MORE * RTN_LOG_WAIT / 2);
    cr_assert_eq(rtn_log_drops(f.log), 1 + MORE);
    cr_assert_null(strstr(read_fd(&f, reader), "more"));
}

Test(log_stream, pause_after_a_drop, .timeout = 60)
{
    int reader = use_pipe();
    int64_t before = rtn_clock_ms();

    log_until_drop();
    cr_assert_geq(f.log->paused_until, before + RTN_LOG_WAIT + RTN_LOG_PAUSE);
    cr_assert_leq(f.log->paused_until, rtn_clock_ms() + RTN_LOG_PAUSE);
    f.log->paused_until = rtn_clock_ms() + INT64_C(3600000);
    (void) read_fd(&f, reader);
    rtn_log(RTN_LOG_INFO, "though there is room");
    cr_assert_eq(rtn_log_drops(f.log), 2);
    end_pause();
    rtn_log(RTN_LOG_INFO, "taken");
    cr_assert_null(strstr(read_fd(&f, reader), "though"));
}

Test(log_stream, recovery_tells_how_many_lines_were_lost, .timeout = 60)
{
    int reader = use_pipe();

    log_until_drop();
    rtn_log(RTN_LOG_INFO, "lost in the pause");
    end_pause();
    rtn_log(RTN_LOG_INFO, "lost after another wait");
    (void) read_fd(&f, reader);
    end_pause();
    rtn_log(RTN_LOG_INFO, "fresh");
    rtn_log(RTN_LOG_INFO, "next");
    cr_assert_eq(rtn_log_drops(f.log), 3);
    const char *line = check_line(read_fd(&f, reader), "warn log lines lost before this one: 3");
    cr_assert_str_empty(check_line(check_line(line, "info fresh"), "info next"));
}

Test(log_stream, reopening_ends_a_pause, .timeout = 60)
{
    (void) use_pipe();
    log_until_drop();
    cr_assert_eq(rtn_log_reopen(f.log), 1);
    rtn_log(RTN_LOG_INFO, "in the file");
    cr_assert_str_empty(
        check_line(check_line(read_log(&f), "warn log lines lost before this one: 1"), "info in the file"));
}

/* A line that went out in part: what follows begins on a line of its own. */
Test(log_stream, torn_line, .timeout = 60)
{
    static char filler[4096];
    int reader = use_pipe();

    cr_assert_eq(write(f.log->fd, filler, sizeof(filler)), sizeof(filler));
    /* Escapes make it longer than PIPE_BUF: the second half finds no room. */
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    for (int i = 0; i < 1500; i++)
        rtn_buf_append_char(&text, '\x1b');
    rtn_log(RTN_LOG_INFO, "%s", text.data);
    cr_assert_eq(rtn_log_drops(f.log), 1);
    (void) read_fd(&f, reader);
    end_pause();
    rtn_log(RTN_LOG_INFO, "whole");
    rtn_log(RTN_LOG_INFO, "next");
    const char *lines = read_fd(&f, reader);
    cr_assert_eq(lines[0], '\n');
    const char *line = check_line(lines + 1, "warn log lines lost before this one: 1");
    cr_assert_str_empty(check_line(check_line(line, "info whole"), "info next"));
}

/* Longer than PIPE_BUF, and yet one line. */
Test(log_stream, long_line_in_pieces)
{
    int fds[2];
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(dup2(fds[1], f.log->fd), f.log->fd);
    for (int i = 0; i < 1500; i++)
        rtn_buf_append_char(&text, '\x1b');
    rtn_log(RTN_LOG_INFO, "%s", text.data);
    struct rtn_str line = rtn_str_of(read_fd(&f, fds[0]));
    cr_assert_gt(line.length, 6000);
    cr_assert(rtn_str_ends_with(line, RTN_STR("\\x1b\n")));
    cr_assert_eq(rtn_log_drops(f.log), 0);
}

enum { THREADS = 4, LINES = 2000 };

struct writer {
    struct rtn_log_context context;
    pthread_t thread;
    char letter;
};

static void *write_lines(void *argument)
{
    const struct writer *writer = argument;
    char text[301];

    memset(text, writer->letter, 300);
    text[300] = '\0';
    rtn_log_set_context(&writer->context);
    for (int i = 0; i < LINES; i++)
        rtn_log(RTN_LOG_INFO, "%d %.*s", i, i % 300 + 1, text);
    rtn_log_set_context(NULL);
    return NULL;
}

/* Each line is cut off first: the sanitizers' strstr() and sscanf() look at the whole of what follows. */
static void check_written(char *line, int next[THREADS])
{
    const char *message = strstr(line, "] ");
    int number = -1;
    int offset = 0;

    cr_assert_not_null(message, "no line: %s", line);
    cr_assert_eq(sscanf(message, "] %d %n", &number, &offset), 1);
    const char *letters = message + offset;
    size_t run = strspn(letters, (char[]){ letters[0], '\0' });
    cr_assert_eq(run, (size_t) number % 300 + 1);
    cr_assert_eq(letters[run], '\0');
    cr_assert_eq(number, next[letters[0] - 'a']++);
}

/* Every line whole, and those of one thread in order. */
static void check_lines(struct rtn_buf *text)
{
    int next[THREADS] = { 0 };
    char *at = text->data;
    const char *end = at + text->length;

    while (at < end) {
        char *newline = memchr(at, '\n', (size_t) (end - at));
        cr_assert_not_null(newline);
        *newline = '\0';
        check_written(at, next);
        at = newline + 1;
    }
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(next[i], LINES);
}

static void run_writers(struct writer writers[THREADS], struct rtn_log *log)
{
    for (int i = 0; i < THREADS; i++) {
        writers[i].letter = (char) ('a' + i);
        writers[i].context = (struct rtn_log_context){ .log = log, .server = "s", .thread = "s/t", .level = &f.level };
        cr_assert_eq(pthread_create(&writers[i].thread, NULL, write_lines, &writers[i]), 0);
    }
}

Test(log_stream, threads_do_not_interleave)
{
    struct writer writers[THREADS];

    run_writers(writers, f.log);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(writers[i].thread, NULL), 0);
    (void) read_log(&f);
    check_lines(&f.text);
    cr_assert_eq(rtn_log_drops(f.log), 0);
}

Test(log_stream, reopen_under_load_loses_nothing)
{
    struct writer writers[THREADS];

    run_writers(writers, f.log);
    for (int i = 0; i < 200; i++)
        cr_assert_eq(rtn_log_reopen(f.log), 1);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(writers[i].thread, NULL), 0);
    (void) read_log(&f);
    check_lines(&f.text);
    cr_assert_eq(rtn_log_drops(f.log), 0);
}
