/* The set of writers: a short list, searched by path while starting. */
#include "log/log_writers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/macros.h"

#define LEAST_STOP_MS 100

static struct rtn_log_writer *find(const struct rtn_log_writers *writers, const char *path)
{
    for (size_t i = 0; i < writers->count; i++) {
        if (strcmp(rtn_log_writer_path(writers->items[i]), path) == 0)
            return writers->items[i];
    }
    return NULL;
}

static int add(struct rtn_log_writers *writers, const struct rtn_log_writer_options *options,
               struct rtn_log_writer **ret)
{
    struct rtn_log_writer **items = realloc(writers->items, (writers->count + 1) * sizeof(struct rtn_log_writer *));
    if (items == NULL)
        return -ENOMEM;
    writers->items = items;
    int r = rtn_log_writer_open(options, &items[writers->count]);
    if (r == 0)
        *ret = items[writers->count++];
    return r;
}

int rtn_log_writers_get(struct rtn_log_writers *writers, const struct rtn_log_writer_options *options,
                        struct rtn_log_writer **ret)
{
    struct rtn_log_writer *writer = find(writers, options->path);
    if (writer == NULL)
        return add(writers, options, ret);
    rtn_log_writer_share(writer, options->buffer, options->flush_ms);
    *ret = writer;
    return 0;
}

int rtn_log_writers_start(struct rtn_log_writers *writers)
{
    int r = 0;
    for (size_t i = 0; i < writers->count && r == 0; i++)
        r = rtn_log_writer_start(writers->items[i]);
    return r;
}

void rtn_log_writers_reopen(struct rtn_log_writers *writers)
{
    for (size_t i = 0; i < writers->count; i++)
        rtn_log_writer_reopen(writers->items[i]);
}

/* One that is stuck takes most of the time; the others still get theirs. */
bool rtn_log_writers_stop(struct rtn_log_writers *writers, int64_t ms)
{
    int64_t until = rtn_clock_ms() + ms;
    bool clean = true;
    for (size_t i = 0; i < writers->count; i++)
        clean = rtn_log_writer_stop(writers->items[i], RTN_MAX(until - rtn_clock_ms(), LEAST_STOP_MS)) && clean;
    return clean;
}

void rtn_log_writers_done(struct rtn_log_writers *writers)
{
    for (size_t i = 0; i < writers->count; i++)
        rtn_log_writer_free(writers->items[i]);
    free(writers->items);
    *writers = (struct rtn_log_writers){ 0 };
}
