/*
 * What the files of the log layer share: a line on its way out, the sinks, and the forms of a line.
 * Private to this folder and its tests. [any]
 */
#ifndef RTN_LOG_LOG_SINK_H
#define RTN_LOG_LOG_SINK_H

#include <pthread.h>
#include <sys/types.h>

#include "base/buf.h"
#include "log/log.h"

/* Longest wait for a sink that takes no more data, in milliseconds; then the line is dropped. */
#define RTN_LOG_WAIT 100

/* After such a wait, lines are dropped at once for this long, in milliseconds, before the sink is tried again. */
#define RTN_LOG_PAUSE 1000

/* Messages keep this many bytes; more are cut out in the middle. */
#define RTN_LOG_MESSAGE_MAX 2000

struct rtn_log_line {
    enum rtn_log_level level;
    const char *server; /* NULL on main */
    const char *thread; /* never NULL */
    pid_t tid;
    struct rtn_str message; /* as it was formatted, cut but not escaped: any byte may be in it */
    const char *request; /* id of the one that the thread handles; NULL: none */
};

/* A sink is called with the mutex held; open and close while no other thread knows the log. */
struct rtn_log_sink {
    int (*open)(struct rtn_log *log, const struct rtn_log_options *options);
    int (*write)(struct rtn_log *log, const struct rtn_log_line *line); /* 0 or -errno: the line is lost */
    void (*close)(struct rtn_log *log);
};

extern const struct rtn_log_sink rtn_log_stderr_sink;
extern const struct rtn_log_sink rtn_log_file_sink;
extern const struct rtn_log_sink rtn_log_journal_sink;
extern const struct rtn_log_sink rtn_log_syslog_sink;

enum rtn_log_look {
    RTN_LOG_LOOK_PLAIN,
    RTN_LOG_LOOK_COLOR, /* a terminal */
    RTN_LOG_LOOK_PRIORITY, /* "<5>" instead of the time: the reader of stderr is the journal */
    RTN_LOG_LOOK_JSON
};

struct rtn_log {
    const struct rtn_log_sink *sink;
    char *path; /* of the file sink */
    enum rtn_log_look look;
    _Atomic uint64_t drops;
    pthread_mutex_t mutex; /* guards the rest; a leaf: nothing else is locked under it */
    struct rtn_buf buf; /* the line as bytes; kept, so that a line costs no malloc */
    int fd; /* -1 for the syslog sink */
    bool torn; /* the last line was written in part: the next one begins with a newline */
    int64_t paused_until; /* of the stream sinks: nobody takes lines before this time */
    uint64_t told; /* of the drops, those that a line of a stream sink has reported */
};

/* The forms of a line, appended without the newline. */
void rtn_log_text_line(enum rtn_log_look look, const struct rtn_log_line *line, struct rtn_buf *out);
void rtn_log_json_line(const struct rtn_log_line *line, struct rtn_buf *out);
void rtn_log_journal_fields(const struct rtn_log_line *line, struct rtn_buf *out);

/* One line of valid UTF-8: control characters and other bytes become \n, \t, \x1b and so on. */
void rtn_log_escape(struct rtn_str s, struct rtn_buf *out);

/* The message as rtn_log_escape() writes it, and " request=ID" when there is one. */
void rtn_log_message(const struct rtn_log_line *line, struct rtn_buf *out);

/* As in syslog(3), 0 to 7. */
int rtn_log_priority(enum rtn_log_level level);

/* True when fd 2 is connected to the journal (JOURNAL_STREAM). */
bool rtn_log_stderr_is_journal(void);

/* Plain text to stderr, for threads without a context. Returns 0 or -errno. */
int rtn_log_stderr_line(const struct rtn_log_line *line);

/* The new file takes the place of the old one, which is closed. */
int rtn_log_stream_reopen(struct rtn_log *log);

/* Connects to the datagram socket at `path` and sets log->fd. Returns 0 or -errno. */
int rtn_log_journal_connect(struct rtn_log *log, const char *path);

#endif
