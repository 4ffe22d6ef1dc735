/*
 * A file that many threads append lines to, and one thread of its own writes: whoever appends never waits for the
 * disk. Lines gather in a bounded buffer; what does not fit is dropped and counted, and the log says so.
 *
 * Order: open, start, (append, reopen), stop, free. [main], but append from any thread
 */
#ifndef RTN_LOG_LOG_WRITER_H
#define RTN_LOG_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "log/log.h"

struct rtn_log_writer;

struct rtn_log_writer_options {
    const char *what; /* "access log", for messages; static */
    const char *path;
    size_t buffer; /* bytes that may wait for the disk; a longer line is always dropped */
    int64_t flush_ms; /* the longest a line waits for others; 0: each is written as soon as possible */
    struct rtn_log *log; /* of the thread, as the next */
    const _Atomic int *log_level;
};

/* Opens the file. 0 or -errno; *ret is untouched then. */
int rtn_log_writer_open(const struct rtn_log_writer_options *options, struct rtn_log_writer **ret);

/* Another user of the file with wishes of its own: the larger buffer and the shorter wait are taken. */
void rtn_log_writer_share(struct rtn_log_writer *writer, size_t buffer, int64_t flush_ms);

/* The longest wait, when who wished for a shorter one has gone. */
void rtn_log_writer_set_flush(struct rtn_log_writer *writer, int64_t flush_ms);

/* "/var/log/access.log" */
const char *rtn_log_writer_path(const struct rtn_log_writer *writer);

/* Starts the thread, unless it runs. 0 or -errno. */
int rtn_log_writer_start(struct rtn_log_writer *writer);

/*
 * Appends lines: one or more, each with its newline. False when they were dropped, all of them. Never blocks, and
 * wakes the thread only when the buffer is half full or the thread had nothing to do for a while. [any]
 */
bool rtn_log_writer_append(struct rtn_log_writer *writer, struct rtn_str lines);

/*
 * Lines appended from now on go to the file that is at the path by then, those before to the old one. When it cannot
 * be opened the log says so, and the old file stays in use. Returns at once. [any]
 */
void rtn_log_writer_reopen(struct rtn_log_writer *writer);

/* Lines dropped, for lack of room or by a failed write. [any] */
uint64_t rtn_log_writer_lost(struct rtn_log_writer *writer);

/*
 * Writes what there is and ends the thread. False when the file takes nothing for `ms`: the thread is left behind, and
 * the writer must not be freed.
 */
bool rtn_log_writer_stop(struct rtn_log_writer *writer, int64_t ms);

/* Accepts NULL. Not while the thread runs. */
void rtn_log_writer_free(struct rtn_log_writer *writer);

#endif
