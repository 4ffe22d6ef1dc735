/* What the files of the test module ws_probe share. */
#ifndef WS_PROBE_H
#define WS_PROBE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

struct ws_job;

/* One instance: one route or one row of clients. */
struct ws_probe {
    const char *name; /* told in each line of the log */
    bool quiet; /* messages and ends are not told */
    bool farewell; /* quiesce says good-bye to all */
    rtn_server *server;
    atomic_int inside; /* callbacks that run now */
    atomic_int peak; /* the most that ever did */
    pthread_t thread;
    pthread_mutex_t mutex; /* of the next three */
    pthread_cond_t changed;
    struct ws_job *jobs;
    bool ending;
};

/* Text that grows. */
struct ws_text {
    char *data;
    size_t length;
    size_t capacity;
};
void ws_say(struct ws_text *text, const char *format, ...) RTN_FORMAT_LIKE_PRINTF(2, 3);

/* "0", "1", or "-ENOENT". */
void ws_say_result(struct ws_text *text, int64_t result);

/*
 * Runs one command a line, of those at the end of ws_command.c, and says what each returned, a line each. `self` is the
 * connection that @ stands for.
 */
void ws_command(struct ws_probe *probe, uint64_t self, rtn_str lines, struct ws_text *out);

/* connect and adopt of ws_connect.c. */
void ws_connect_command(struct ws_probe *probe, rtn_str arguments, struct ws_text *out);
void ws_adopt_command(struct ws_probe *probe, rtn_str arguments, struct ws_text *out);

/* The first word of *rest, which then begins behind it. Empty at the end. */
rtn_str ws_word(rtn_str *rest);
void ws_take_word(rtn_str *rest, char *out, size_t size);
int64_t ws_number(rtn_str word);

/* What a connection keeps: made in upgrade, in open, or by who connects. destroy() tells. */
struct ws_peer {
    struct ws_probe *probe;
    char name[32];
    atomic_int inside;
    size_t pieces;
    size_t bytes;
    unsigned sum;
};
struct ws_peer *ws_peer_new(struct ws_probe *probe, rtn_str name);
void ws_peer_free(void *data);

/* The thread of its own that an instance has. */
int ws_thread_start(struct ws_probe *probe);
void ws_thread_stop(struct ws_probe *probe);

/* On that thread, after so many milliseconds: the request gets what the commands say. */
int ws_thread_run(struct ws_probe *probe, rtn_later later, rtn_str lines);

/* After so many milliseconds, and once the gate is open if there is a path of one, `then` continues the request. */
int ws_thread_resume(struct ws_probe *probe, rtn_later later, int64_t pause, rtn_str gate,
                     int (*then)(rtn_request *request, void *data));

extern const struct rtn_http_handler ws_http_handlers[];

/* A string of its own; freed by the caller. */
static inline char *ws_copy(rtn_str s)
{
    char *copy = calloc(1, s.length + 1);
    if (copy != NULL && s.length > 0)
        memcpy(copy, s.data, s.length);
    return copy;
}

#endif
