/*
 * The writers of a process: one per path, however many use it, so that lines of different users never mix. An all-zero
 * struct is an empty set. [main]
 */
#ifndef RTN_LOG_LOG_WRITERS_H
#define RTN_LOG_LOG_WRITERS_H

#include "log/log_writer.h"

struct rtn_log_writers {
    struct rtn_log_writer **items;
    size_t count;
};

/*
 * The writer of options->path: the one that is there, which then does as the more demanding user wants, or a new one.
 * It stays the set's. 0 or -errno; *ret is untouched then.
 */
int rtn_log_writers_get(struct rtn_log_writers *writers, const struct rtn_log_writer_options *options,
                        struct rtn_log_writer **ret);

/* 0 or -errno. */
int rtn_log_writers_start(struct rtn_log_writers *writers);

void rtn_log_writers_reopen(struct rtn_log_writers *writers);

/* Everything is written when it returns true. False: some file takes nothing; the set must be left as it is. */
bool rtn_log_writers_stop(struct rtn_log_writers *writers, int64_t ms);

/* After stop, or without start. */
void rtn_log_writers_done(struct rtn_log_writers *writers);

#endif
