/* What the tests of this folder share: a log into a temporary file, and reading it back. */
#ifndef RTN_TESTS_LOG_SUPPORT_H
#define RTN_TESTS_LOG_SUPPORT_H

#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "log/log_sink.h"

struct fixture {
    char path[32];
    struct rtn_log *log;
    _Atomic int level;
    struct rtn_log_context context;
    struct rtn_buf text; /* of the last read_log */
};

static inline void start_log(struct fixture *f, enum rtn_log_format format)
{
    struct rtn_log_options options = { .to = RTN_LOG_TO_FILE, .path = f->path, .format = format };

    strcpy(f->path, "/tmp/rtn-log-XXXXXX");
    int fd = mkstemp(f->path);
    cr_assert_geq(fd, 0);
    (void) close(fd);
    cr_assert_eq(rtn_log_new(&options, &f->log), 0);
    f->level = RTN_LOG_TRACE;
    f->context = (struct rtn_log_context){ .log = f->log, .server = "get", .thread = "get/loop-0", .level = &f->level };
    rtn_log_set_context(&f->context);
}

static inline void stop_log(struct fixture *f)
{
    rtn_log_set_context(NULL);
    rtn_log_free(f->log);
    (void) unlink(f->path);
    rtn_buf_done(&f->text);
}

static inline const char *read_log(struct fixture *f)
{
    rtn_buf_clear(&f->text);
    cr_assert_eq(rtn_buf_read_file(&f->text, f->path, 100000000), 0);
    return rtn_buf_str(&f->text).data;
}

/* What is in a pipe or socket now. */
static inline const char *read_fd(struct fixture *f, int fd)
{
    char *end = rtn_buf_reserve(&f->text, 65536);
    ssize_t got = read(fd, end, 65536);

    cr_assert_gt(got, 0);
    f->text.length += (size_t) got;
    end[got] = '\0';
    return end;
}

#endif
