/* Files that whole lines are appended to. [owner's thread], but give_up_at and check: [any] */
#ifndef RTN_LOG_LOG_FILE_H
#define RTN_LOG_LOG_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct rtn_log_file {
    int fd; /* -1: not open */
    bool torn; /* the file ends in a part of a line */
    _Atomic int64_t give_up_at; /* ms, monotonic: from then on nobody waits for a file that takes nothing */
};

/* Opens or makes the file, not for others to read. In place. 0 or -errno (-ENXIO: a FIFO that nobody reads). */
int rtn_log_file_open(struct rtn_log_file *file, const char *path);

/* The new file takes the place of the old one, which stays in use on failure. 0 or -errno. */
int rtn_log_file_reopen(struct rtn_log_file *file, const char *path);

/*
 * Writes all of it or fails; *ret_written says how much was written either way. What was written of a line that was
 * cut becomes a line of its own. -EAGAIN: the file took nothing until give_up_at; or another -errno.
 */
int rtn_log_file_write(struct rtn_log_file *file, struct rtn_str lines, size_t *ret_written);

void rtn_log_file_close(struct rtn_log_file *file);

/* Whether rtn_log_file_open() would succeed, without making the file: 0 or -errno. */
int rtn_log_file_check(const char *path);

#endif
