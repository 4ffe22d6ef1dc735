/* The writer: order, bounds, reopening, losses; and the set that shares writers by path. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "base/clock.h"
#include "log/log_file.h"
#include "log/log_writers.h"
#include "support.h"

#define BOUND_MS 20000
#define LONG_MS 60000

static struct fixture f;
static char folder[32];
static char path[64];
static struct rtn_log_writer *writer;

static void start(void)
{
    start_log(&f, RTN_LOG_TEXT);
    (void) signal(SIGPIPE, SIG_IGN);
    strcpy(folder, "/tmp/rtn-writer-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void) snprintf(path, sizeof(path), "%s/access.log", folder);
}

static void stop(void)
{
    char command[128];
    if (writer != NULL) {
        cr_expect(rtn_log_writer_stop(writer, BOUND_MS));
        rtn_log_writer_free(writer);
    }
    stop_log(&f);
    (void) snprintf(command, sizeof(command), "rm -r '%s'", folder);
    cr_expect_eq(system(command), 0); /* NOLINT(cert-env33-c): a name of our own */
}

TestSuite(log_writer, .init = start, .fini = stop);

static struct rtn_log_writer_options options_of(const char *file, size_t buffer, int64_t flush_ms)
{
    return (struct rtn_log_writer_options){
        .what = "access log", .path = file, .buffer = buffer, .flush_ms = flush_ms, .log = f.log, .log_level = &f.level
    };
}

static void open_writer(const char *file, size_t buffer, int64_t flush_ms)
{
    struct rtn_log_writer_options options = options_of(file, buffer, flush_ms);
    cr_assert_eq(rtn_log_writer_open(&options, &writer), 0);
    cr_assert_eq(rtn_log_writer_start(writer), 0);
}

static bool append(const char *line)
{
    return rtn_log_writer_append(writer, rtn_str_of(line));
}

static const char *read_file(const char *name)
{
    rtn_buf_clear(&f.text);
    cr_assert_eq(rtn_buf_read_file(&f.text, name, 100000000), 0);
    return rtn_buf_str(&f.text).data;
}

static bool wait_for_text(const char *name, const char *text)
{
    int64_t until = rtn_clock_ms() + BOUND_MS;
    while (rtn_clock_ms() < until) {
        if (strstr(read_file(name), text) != NULL)
            return true;
        (void) usleep(2000);
    }
    return false;
}

static void finish(void)
{
    cr_assert(rtn_log_writer_stop(writer, BOUND_MS));
}

Test(log_writer, stop_writes_everything)
{
    open_writer(path, 65536, LONG_MS);
    cr_assert(append("one\n"));
    cr_assert(append("two\n"));
    finish();
    cr_assert_str_eq(read_file(path), "one\ntwo\n");
}

Test(log_writer, file_is_appended_to_and_not_for_others)
{
    struct stat info;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, "old\n", 4), 4);
    (void) close(fd);
    open_writer(path, 65536, LONG_MS);
    cr_assert(append("new\n"));
    finish();
    cr_assert_str_eq(read_file(path), "old\nnew\n");
    cr_assert_eq(unlink(path), 0);
    struct rtn_log_file file;
    cr_assert_eq(rtn_log_file_open(&file, path), 0);
    rtn_log_file_close(&file);
    cr_assert_eq(stat(path, &info), 0);
    cr_assert_eq(info.st_mode & 07, 0);
}

Test(log_writer, line_is_written_when_the_flush_time_is_due)
{
    open_writer(path, 65536, 20);
    for (int i = 0; i < 3; i++) { /* the first wakes the thread, the others find it in each state */
        char line[32];
        (void) snprintf(line, sizeof(line), "line %d\n", i);
        cr_assert(append(line));
        cr_assert(wait_for_text(path, line));
        (void) usleep((useconds_t) i * 30000);
    }
}

Test(log_writer, line_waits_for_the_flush_time)
{
    open_writer(path, 65536, LONG_MS);
    cr_assert(append("waits\n"));
    (void) usleep(100000);
    cr_expect_str_eq(read_file(path), "");
}

Test(log_writer, half_a_buffer_is_written_before_the_flush_time)
{
    open_writer(path, 100, LONG_MS);
    (void) usleep(20000);
    for (int i = 0; i < 5; i++)
        cr_assert(append("123456789\n"));
    cr_assert(wait_for_text(path, "123456789\n123456789\n123456789\n123456789\n123456789\n"));
}

Test(log_writer, line_longer_than_the_buffer_is_lost_and_counted)
{
    open_writer(path, 16, 10);
    cr_assert_not(append("much longer than the buffer\n"));
    cr_assert(append("short\n"));
    cr_assert(wait_for_text(path, "short\n"));
    cr_assert_eq(rtn_log_writer_lost(writer), 1);
    cr_assert(wait_for_text(f.path, "lost: the disk is too slow"));
    cr_assert_not_null(strstr(read_log(&f), ": 1 line lost"));
}

Test(log_writer, append_before_start_is_lost)
{
    struct rtn_log_writer_options options = options_of(path, 4096, 10);
    cr_assert_eq(rtn_log_writer_open(&options, &writer), 0);
    cr_assert_not(append("early\n"));
    cr_assert_eq(rtn_log_writer_lost(writer), 1);
}

Test(log_writer, lines_before_reopening_go_to_the_old_file)
{
    char old[80];
    (void) snprintf(old, sizeof(old), "%s.1", path);
    open_writer(path, 65536, LONG_MS);
    cr_assert(append("before\n"));
    cr_assert_eq(rename(path, old), 0);
    cr_assert(append("still before\n"));
    rtn_log_writer_reopen(writer);
    cr_assert(append("after\n"));
    cr_assert(wait_for_text(f.path, "was opened again"));
    finish();
    cr_expect_str_eq(read_file(old), "before\nstill before\n");
    cr_expect_str_eq(read_file(path), "after\n");
}

Test(log_writer, file_that_cannot_be_opened_again_stays_in_use)
{
    char moved[64];
    char file[80];
    (void) snprintf(moved, sizeof(moved), "%s-moved", folder);
    open_writer(path, 65536, LONG_MS);
    cr_assert_eq(rename(folder, moved), 0);
    rtn_log_writer_reopen(writer);
    cr_assert(wait_for_text(f.path, "the old file stays in use"));
    cr_assert(append("after\n"));
    finish();
    (void) snprintf(file, sizeof(file), "%s/access.log", moved);
    cr_expect_str_eq(read_file(file), "after\n");
    cr_assert_eq(rename(moved, folder), 0);
}

Test(log_writer, full_disk_costs_lines_and_is_told)
{
    open_writer("/dev/full", 4096, 10);
    cr_assert(append("one\ntwo\n"));
    cr_assert(wait_for_text(f.path, "/dev/full: 2 lines lost: No space left on device"));
    cr_assert_eq(rtn_log_writer_lost(writer), 2);
}

Test(log_writer, complaints_come_once_a_second)
{
    open_writer("/dev/full", 4096, 10);
    int64_t began = rtn_clock_ms();
    while (rtn_clock_ms() < began + 300) {
        (void) append("line\n");
        (void) usleep(1000);
    }
    cr_assert(wait_for_text(f.path, "lost"));
    int64_t count = 0;
    for (const char *at = read_log(&f); (at = strstr(at, "lost")) != NULL; at++)
        count++;
    cr_assert_leq(count, 2 + (rtn_clock_ms() - began) / 1000);
    finish();
    uint64_t sum = 0;
    for (const char *at = read_log(&f); (at = strstr(at, "/dev/full: ")) != NULL; at++)
        sum += strtoull(at + strlen("/dev/full: "), NULL, 10);
    cr_assert_eq(sum, rtn_log_writer_lost(writer));
}

/* The FIFO's buffer is full, then the writer's; nobody has waited. */
Test(log_writer, fifo_that_nobody_reads_costs_lines_but_no_time)
{
    static char line[1001];
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(rtn_log_file_check(path), -ENXIO);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    cr_assert_geq(reader, 0);
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 2] = '\n';
    open_writer(path, 8192, 10);
    int64_t began = rtn_clock_ms();
    while (rtn_log_writer_lost(writer) < 1000) {
        (void) append(line);
        cr_assert_lt(rtn_clock_ms() - began, BOUND_MS);
    }
    cr_assert(wait_for_text(f.path, "lost: the disk is too slow"));
    began = rtn_clock_ms();
    finish();
    cr_assert_lt(rtn_clock_ms() - began, BOUND_MS);
    (void) close(reader);
}

Test(log_writer, cut_line_stays_one_line_and_the_next_is_whole)
{
    struct rtn_log_file file;
    char got[64];
    char filler[1 << 16];
    size_t written;
    cr_assert_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    cr_assert_eq(rtn_log_file_open(&file, path), 0);
    cr_assert_eq(fcntl(file.fd, F_SETPIPE_SZ, 4096), 4096);
    memset(filler, 'x', sizeof(filler));
    memcpy(filler + sizeof(filler) - 1, "\n", 1);
    atomic_store(&file.give_up_at, 0);
    cr_assert_eq(rtn_log_file_write(&file, (struct rtn_str){ filler, sizeof(filler) }, &written), -EAGAIN);
    cr_assert_eq(written, 4096);
    for (size_t left = written; left > 0;) {
        ssize_t n = read(reader, filler, left);
        cr_assert_gt(n, 0);
        left -= (size_t) n;
    }
    cr_assert_eq(rtn_log_file_write(&file, RTN_STR("next\n"), &written), 0);
    cr_assert_eq(read(reader, got, sizeof(got)), 6);
    cr_assert_arr_eq(got, "\nnext\n", 6);
    rtn_log_file_close(&file);
    (void) close(reader);
}

#define THREADS 4
#define LINES 20000

static void *append_many(void *data)
{
    int number = *(const int *) data;
    for (int i = 0; i < LINES; i++) {
        char line[64];
        (void) snprintf(line, sizeof(line), "%d %d the end\n", number, i);
        while (!append(line))
            (void) usleep(100);
    }
    return NULL;
}

/* While the file is rotated all the time: every line is there once, whole, and in order per thread. */
Test(log_writer, lines_of_many_threads_are_whole_and_in_order)
{
    pthread_t threads[THREADS];
    int numbers[THREADS];
    int next[THREADS] = { 0 };
    unsigned rotations = 0;
    open_writer(path, 16384, 10);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        cr_assert_eq(pthread_create(&threads[i], NULL, append_many, &numbers[i]), 0);
    }
    struct rtn_buf all = { 0 };
    for (; rotations < 20; rotations++) {
        char old[80];
        (void) snprintf(old, sizeof(old), "%s.%u", path, rotations);
        cr_assert_eq(rename(path, old), 0);
        rtn_log_writer_reopen(writer);
        int64_t until = rtn_clock_ms() + BOUND_MS;
        while (access(path, F_OK) < 0 && rtn_clock_ms() < until)
            (void) usleep(500);
    }
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    finish();
    for (unsigned i = 0; i < rotations; i++) {
        char old[80];
        (void) snprintf(old, sizeof(old), "%s.%u", path, i);
        cr_assert_eq(rtn_buf_read_file(&all, old, 100000000), 0);
    }
    cr_assert_eq(rtn_buf_read_file(&all, path, 100000000), 0);
    struct rtn_str rest = rtn_buf_str(&all);
    struct rtn_str line;
    while (rtn_str_next(&rest, '\n', &line) && rest.data != NULL) {
        char expected[64];
        int number = line.length > 0 ? line.data[0] - '0' : -1;
        cr_assert(number >= 0 && number < THREADS);
        (void) snprintf(expected, sizeof(expected), "%d %d the end", number, next[number]++);
        cr_assert(rtn_str_equal(line, rtn_str_of(expected)));
    }
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(next[i], LINES);
    rtn_buf_done(&all);
}

Test(log_writer, writers_are_shared_by_path)
{
    struct rtn_log_writers writers = { 0 };
    struct rtn_log_writer *first = NULL;
    struct rtn_log_writer *second = NULL;
    struct rtn_log_writer *other = NULL;
    struct rtn_log_writer_options small = options_of(path, 8, LONG_MS);
    struct rtn_log_writer_options large = options_of(path, 4096, 10);
    char other_path[80];
    (void) snprintf(other_path, sizeof(other_path), "%s.other", path);
    struct rtn_log_writer_options third = options_of(other_path, 4096, 10);
    cr_assert_eq(rtn_log_writers_get(&writers, &small, &first), 0);
    cr_assert_eq(rtn_log_writers_get(&writers, &large, &second), 0);
    cr_assert_eq(rtn_log_writers_get(&writers, &third, &other), 0);
    cr_assert_eq(first, second);
    cr_assert_neq(first, other);
    third.path = "/nowhere/at/all";
    cr_assert_eq(rtn_log_writers_get(&writers, &third, &other), -ENOENT);
    cr_assert_eq(rtn_log_writers_start(&writers), 0);
    cr_assert(rtn_log_writer_append(first, RTN_STR("more than eight\n"))); /* the larger buffer */
    cr_assert(wait_for_text(path, "more than eight\n")); /* the shorter wait */
    cr_assert(rtn_log_writers_stop(&writers, BOUND_MS));
    rtn_log_writers_done(&writers);
    cr_assert_eq(writers.count, 0);
}

Test(log_writer, check_does_not_make_the_file)
{
    cr_assert_eq(rtn_log_file_check(path), 0);
    cr_assert_eq(access(path, F_OK), -1);
    cr_assert_eq(rtn_log_file_check(folder), -EISDIR);
    cr_assert_eq(rtn_log_file_check("/nowhere/at/all"), -ENOENT);
    cr_assert_eq(rtn_log_file_check("/dev/full"), 0);
}
