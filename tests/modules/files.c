/*
 * Reads and writes files by rtn_file_read() and rtn_file_write(): "copy-*" answers with the file of its option, piece
 * by piece; "store-*" writes the body into it at ?offset and answers with the result; "ask-*" reads ?length bytes at
 * ?offset once, from a descriptor that is open as ?open says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <retinue/module.h>

struct files {
    const char *path;
};

struct job {
    int fd;
    int64_t at;
    size_t piece;
};

static int64_t number(rtn_request *request, const char *name, int64_t fallback)
{
    rtn_str value = rtn_query_value(request, name, 0);
    int64_t n = 0;
    for (size_t i = 0; i < value.length; i++)
        n = n * 10 + (value.data[i] - '0');
    return value.length > 0 ? n : fallback;
}

static void end_job(void *data)
{
    struct job *job = data;
    if (job->fd >= 0)
        (void) close(job->fd);
    free(job);
}

static struct job *open_job(rtn_request *request, const char *path, int flags)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    job->fd = open(path, flags | O_CLOEXEC, 0600);
    rtn_request_set_data(request, job, end_job);
    return job;
}

static int later_or(int r)
{
    return r < 0 ? r : RTN_LATER;
}

static int send_piece(rtn_request *request, const void *bytes, int64_t result, void *data);

/* The client had no room for the piece: it is read again. */
static int read_again(rtn_request *request, void *data)
{
    struct job *job = data;
    return later_or(rtn_file_read(request, job->fd, job->at, job->piece, send_piece, job));
}

static int send_piece(rtn_request *request, const void *bytes, int64_t result, void *data)
{
    struct job *job = data;
    if (result < 0)
        return (int) result;
    int r = result > 0 ? rtn_reply_write(request, bytes, (size_t) result) : 0;
    if (r == -EAGAIN)
        return later_or(rtn_reply_on_drain(request, read_again, job));
    if (r < 0)
        return r;
    job->at += result;
    if ((size_t) result < job->piece)
        return rtn_reply_end(request);
    return later_or(rtn_file_read(request, job->fd, job->at, job->piece, send_piece, job));
}

static int copy(rtn_request *request, void *instance)
{
    const struct files *files = instance;
    struct job *job = open_job(request, files->path, O_RDONLY);
    if (job == NULL || job->fd < 0)
        return -ENOENT;
    job->piece = (size_t) number(request, "piece", 4096);
    int r = rtn_reply_begin(request, 200, -1);
    return r < 0 ? r : later_or(rtn_file_read(request, job->fd, 0, job->piece, send_piece, job));
}

static int tell(rtn_request *request, const void *bytes, int64_t result, void *data)
{
    (void) data;
    int length = result > 0 && bytes != NULL ? (int) result : 0;
    return rtn_reply_format(request, 200, "result=%lld bytes=[%.*s] thread=%s\n", (long long) result, length,
                            length > 0 ? (const char *) bytes : "", rtn_thread_name());
}

static int tell_written(rtn_request *request, const void *bytes, int64_t result, void *data)
{
    (void) bytes;
    return tell(request, NULL, result, data);
}

static int store(rtn_request *request, void *instance)
{
    const struct files *files = instance;
    struct job *job = open_job(request, files->path, O_WRONLY | O_CREAT);
    if (job == NULL || job->fd < 0)
        return -EIO;
    rtn_str body = rtn_request_body(request);
    return later_or(
        rtn_file_write(request, job->fd, number(request, "offset", 0), body.data, body.length, tell_written, NULL));
}

static int ask(rtn_request *request, void *instance)
{
    const struct files *files = instance;
    struct job *job = open_job(request, files->path, number(request, "open", 1) == 1 ? O_RDONLY : O_WRONLY);
    if (job == NULL)
        return -ENOMEM;
    int r = rtn_file_read(request, job->fd, number(request, "offset", 0), (size_t) number(request, "length", 16), tell,
                          NULL);
    if (r < 0)
        return rtn_reply_format(request, 200, "refused=%d\n", r);
    return RTN_LATER;
}

static const struct rtn_option options[] = {
    RTN_OPTION(PATH, struct files, path, .name = "path", .required = true, .help = "The file."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "copy-loop", .handle = copy },
    { .name = "copy-serial", .handle = copy, .threads = RTN_THREADS_SERIAL },
    { .name = "copy-parallel", .handle = copy, .threads = RTN_THREADS_PARALLEL },
    { .name = "store-loop", .handle = store },
    { .name = "store-serial", .handle = store, .threads = RTN_THREADS_SERIAL },
    { .name = "store-parallel", .handle = store, .threads = RTN_THREADS_PARALLEL },
    { .name = "ask-loop", .handle = ask },
    { .name = "ask-serial", .handle = ask, .threads = RTN_THREADS_SERIAL },
    { .name = "ask-parallel", .handle = ask, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "files",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct files),
    .options = options,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
