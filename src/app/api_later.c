/* Bodies of the public functions about replies that come later, in pieces, or with a file's bytes. */
#include <retinue/module.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/file_bytes.h"
#include "app/later.h"
#include "app/step.h"
#include "proto/response.h"

void rtn_request_set_data(rtn_request *request, void *data, void (*destroy)(void *data))
{
    struct rtn_call *call = rtn_call_of(request);
    if (call->destroy != NULL)
        call->destroy(call->data);
    call->data = data;
    call->destroy = destroy;
}

void *rtn_request_data(const rtn_request *request)
{
    return rtn_call_of(request)->data;
}

bool rtn_request_gone(rtn_request *request)
{
    return rtn_connection_is_gone(request->connection);
}

rtn_later rtn_request_later(rtn_request *request, void (*cancel)(void *data), void *data)
{
    struct rtn_call *call = rtn_call_of(request);
    call->armed = true;
    call->cancel = cancel;
    call->cancel_data = data;
    return request->id;
}

int rtn_resume(rtn_later later, int (*then)(rtn_request *request, void *data), void (*drop)(void *data), void *data)
{
    return rtn_later_post(later, then, drop, data);
}

/* A whole reply on its way; its strings are behind it. */
struct whole_reply {
    int status;
    size_t length;
    const char *type;
    char bytes[];
};

static void free_reply(void *data)
{
    free(data);
}

static int give_whole_reply(rtn_request *request, void *data)
{
    const struct whole_reply *reply = data;
    int r = reply->type != NULL ? rtn_reply_header(request, "Content-Type", reply->type) : 0;
    if (r == 0)
        r = rtn_reply_release(request, reply->status, reply->bytes, reply->length, free_reply, data);
    else
        free(data);
    return r;
}

int rtn_later_reply(rtn_later later, int status, const char *type, const void *body, size_t length)
{
    if (status < 200 || status > 599) {
        rtn_log(RTN_LOG_WARN, "rtn_later_reply: refused: status %d is not in 200..599", status);
        return -EINVAL;
    }
    size_t type_size = type != NULL ? strlen(type) + 1 : 0;
    struct whole_reply *reply = malloc(sizeof(*reply) + length + type_size);
    if (reply == NULL)
        return -ENOMEM;
    *reply = (struct whole_reply){ .status = status, .length = length };
    if (length > 0)
        memcpy(reply->bytes, body, length);
    if (type != NULL)
        reply->type = memcpy(reply->bytes + length, type, type_size);
    return rtn_later_post(later, give_whole_reply, free_reply, reply);
}

/* Files: a task of its own in the pool, so that the request waits without holding a worker. */
struct file_job {
    struct rtn_task task;
    uint64_t id;
    int fd; /* a duplicate: the module may close its own */
    bool writes;
    int64_t offset;
    size_t length;
    int64_t result;
    rtn_file_then then;
    void *data;
    char bytes[];
};

static void free_job(void *data)
{
    struct file_job *job = data;
    (void) close(job->fd);
    free(job);
}

static int finish_job(rtn_request *request, void *data)
{
    struct file_job *job = data;
    int r = job->then(request, job->bytes, job->result, job->data);
    free_job(job);
    return r;
}

static void run_job(struct rtn_task *task)
{
    struct file_job *job = RTN_CONTAINER_OF(task, struct file_job, task);
    job->result = job->writes ? rtn_file_bytes_write(job->fd, job->offset, job->bytes, job->length)
                              : rtn_file_bytes_read(job->fd, job->offset, job->bytes, job->length);
    (void) rtn_later_post(job->id, finish_job, free_job, job);
}

static int start_job(rtn_request *request, struct file_job *job)
{
    struct rtn_call *call = rtn_call_of(request);
    bool armed = call->armed;
    call->armed = true;
    if (rtn_pool_submit_always(call->site->pool, &job->task))
        return 0;
    call->armed = armed;
    free_job(job);
    return -ECANCELED;
}

/* A job as described, with a descriptor of its own. 0 or -errno. */
static int begin_job(rtn_request *request, const struct file_job *what, const void *bytes)
{
    if (rtn_call_of(request)->site->pool == NULL)
        return -ENOTSUP;
    struct file_job *job = malloc(sizeof(*job) + what->length);
    if (job == NULL)
        return -ENOMEM;
    *job = *what;
    job->task = (struct rtn_task){ .run = run_job, .what = "reading or writing a file" };
    job->id = request->id;
    job->fd = fcntl(what->fd, F_DUPFD_CLOEXEC, 0);
    if (job->fd < 0) {
        int r = -errno;
        free(job);
        return r;
    }
    if (job->writes && job->length > 0)
        memcpy(job->bytes, bytes, job->length);
    return start_job(request, job);
}

int rtn_file_read(rtn_request *request, int fd, int64_t offset, size_t length, rtn_file_then then, void *data)
{
    const struct file_job what = { .fd = fd, .offset = offset, .length = length, .then = then, .data = data };
    return begin_job(request, &what, NULL);
}

int rtn_file_write(rtn_request *request, int fd, int64_t offset, const void *bytes, size_t length, rtn_file_then then,
                   void *data)
{
    const struct file_job what = {
        .fd = fd, .writes = true, .offset = offset, .length = length, .then = then, .data = data
    };
    return begin_job(request, &what, bytes);
}
