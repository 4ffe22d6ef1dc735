/*
 * The log front: level filter, formatting and cutting; then the sink, one line at a time.
 *
 * A thread says who it is by a pointer in thread-local storage. Formatting happens on the stack and
 * outside the mutex; only the sink's bytes and its write(2) are under it. malloc is needed only for a
 * message that is too long, to see its end.
 */
#include "log/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log_sink.h"

#define CUT_MARK " ... "
#define THREAD_NAME_SIZE 16 /* as the kernel has it */

static const struct rtn_log_context *_Atomic fallback; /* of threads that have no `current` */
static _Thread_local const struct rtn_log_context *current;
static _Thread_local const char *current_request;
static _Thread_local pid_t current_tid; /* of the thread that has `current`: saves a system call per line */

static const struct rtn_log_sink *const sinks[] = {
    [RTN_LOG_TO_STDERR] = &rtn_log_stderr_sink,
    [RTN_LOG_TO_JOURNAL] = &rtn_log_journal_sink,
    [RTN_LOG_TO_SYSLOG] = &rtn_log_syslog_sink,
    [RTN_LOG_TO_FILE] = &rtn_log_file_sink,
};

static int open_sink(struct rtn_log *log, enum rtn_log_to to, const struct rtn_log_options *options)
{
    log->sink = sinks[to];
    return log->sink->open(log, options);
}

/* A stderr that looks like the journal while its socket is out of reach (a container) is still good. */
static int open_auto(struct rtn_log *log, const struct rtn_log_options *options)
{
    if (rtn_log_stderr_is_journal() && open_sink(log, RTN_LOG_TO_JOURNAL, options) == 0)
        return 0;
    return open_sink(log, RTN_LOG_TO_STDERR, options);
}

int rtn_log_new(const struct rtn_log_options *options, struct rtn_log **ret)
{
    struct rtn_log *log = calloc(1, sizeof(*log));
    if (log == NULL)
        return -ENOMEM;
    log->fd = -1;
    int r = options->to == RTN_LOG_TO_AUTO ? open_auto(log, options) : open_sink(log, options->to, options);
    if (r < 0) {
        free(log);
        return r;
    }
    (void) pthread_mutex_init(&log->mutex, NULL);
    *ret = log;
    return 0;
}

void rtn_log_free(struct rtn_log *log)
{
    if (log == NULL)
        return;
    log->sink->close(log);
    (void) pthread_mutex_destroy(&log->mutex);
    rtn_buf_done(&log->buf);
    free(log);
}

int rtn_log_reopen(struct rtn_log *log)
{
    if (log->sink != &rtn_log_file_sink)
        return 0;
    int r = rtn_log_stream_reopen(log);
    return r < 0 ? r : 1;
}

void rtn_log_set_context(const struct rtn_log_context *context)
{
    current = context;
    current_tid = context != NULL ? gettid() : 0;
}

const struct rtn_log_context *rtn_log_get_context(void)
{
    return current;
}

void rtn_log_set_default(const struct rtn_log_context *context)
{
    atomic_store_explicit(&fallback, context, memory_order_release);
}

static const struct rtn_log_context *context_in_use(void)
{
    return current != NULL ? current : atomic_load_explicit(&fallback, memory_order_acquire);
}

const char *rtn_log_set_request(const char *id)
{
    const char *before = current_request;

    current_request = id;
    return before;
}

bool rtn_log_enabled(enum rtn_log_level level)
{
    const struct rtn_log_context *context = context_in_use();
    int lowest = RTN_LOG_ERROR;

    if (context != NULL)
        lowest = atomic_load_explicit(context->level, memory_order_relaxed);
    return (int) level >= lowest && level < RTN_LOG_NONE;
}

static bool is_continuation(char c)
{
    return ((unsigned char) c & 0xc0) == 0x80;
}

/*
 * Writes start and end of the message to out, which has RTN_LOG_MESSAGE_MAX bytes. Characters are not
 * split: cuts move by up to three bytes to the border of one.
 */
static struct rtn_str cut_middle(char *out, struct rtn_str message)
{
    const size_t mark = sizeof(CUT_MARK) - 1;
    size_t head = RTN_LOG_MESSAGE_MAX / 2;
    size_t tail = message.length - (RTN_LOG_MESSAGE_MAX - head - mark);

    for (int i = 0; i < 3 && is_continuation(message.data[head]); i++)
        head--;
    for (int i = 0; i < 3 && is_continuation(message.data[tail]); i++)
        tail++;
    memcpy(out, message.data, head);
    memcpy(out + head, CUT_MARK, mark);
    memcpy(out + head + mark, message.data + tail, message.length - tail);
    return (struct rtn_str){ out, head + mark + message.length - tail };
}

/* `out` has RTN_LOG_MESSAGE_MAX + 1 bytes. Without memory for the whole of a long message its start has to do. */
RTN_PRINTF(2, 0) static struct rtn_str format_message(char *out, const char *format, va_list arguments)
{
    va_list again;
    int saved = errno;

    va_copy(again, arguments);
    int length = vsnprintf(out, RTN_LOG_MESSAGE_MAX + 1, format, arguments);
    struct rtn_str message = { out, length > 0 ? (size_t) length : 0 };
    if (message.length > RTN_LOG_MESSAGE_MAX) {
        char *whole = malloc(message.length + 1);
        if (whole != NULL) {
            errno = saved; /* for %m */
            (void) vsnprintf(whole, message.length + 1, format, again);
            message.data = whole;
            message = cut_middle(out, message);
            free(whole);
        } else {
            message.length = RTN_LOG_MESSAGE_MAX;
        }
    }
    va_end(again);
    return message;
}

/* Fills in who says it. A thread without a context of its own is known by the name that the system has for it. */
static void identify(struct rtn_log_line *line, const struct rtn_log_context *context, char name[THREAD_NAME_SIZE])
{
    line->thread = "main";
    line->tid = current != NULL ? current_tid : gettid();
    if (context == NULL)
        return;
    line->server = context->server;
    if (current == NULL && pthread_getname_np(pthread_self(), name, THREAD_NAME_SIZE) == 0)
        line->thread = name;
    else if (context->thread != NULL)
        line->thread = context->thread;
}

static void write_line(enum rtn_log_level level, struct rtn_str message)
{
    struct rtn_log_line line = { .level = level, .message = message, .request = current_request };
    const struct rtn_log_context *context = context_in_use();
    char name[THREAD_NAME_SIZE];

    identify(&line, context, name);
    if (context == NULL) {
        (void) rtn_log_stderr_line(&line);
        return;
    }
    struct rtn_log *log = context->log;
    (void) pthread_mutex_lock(&log->mutex);
    int r = log->sink->write(log, &line);
    if (r < 0)
        atomic_fetch_add_explicit(&log->drops, 1, memory_order_relaxed);
    (void) pthread_mutex_unlock(&log->mutex);
}

void rtn_log(enum rtn_log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    rtn_logv(level, format, arguments);
    va_end(arguments);
}

void rtn_logv(enum rtn_log_level level, const char *format, va_list arguments)
{
    char text[RTN_LOG_MESSAGE_MAX + 1];
    int saved = errno;

    if (!rtn_log_enabled(level))
        return;
    write_line(level, format_message(text, format, arguments));
    errno = saved;
}

uint64_t rtn_log_drops(const struct rtn_log *log)
{
    return atomic_load_explicit(&log->drops, memory_order_relaxed);
}
