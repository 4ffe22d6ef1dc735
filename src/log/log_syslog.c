/*
 * Lines through syslog(3), which adds the time and does not tell whether anybody got them: this sink
 * never counts a drop.
 */
#include <syslog.h>

#include "log/log_sink.h"

static int syslog_open(struct rtn_log *log, const struct rtn_log_options *options)
{
    (void) log;
    (void) options;
    openlog("retinued", LOG_PID, LOG_DAEMON);
    return 0;
}

static int syslog_write(struct rtn_log *log, const struct rtn_log_line *line)
{
    rtn_buf_clear(&log->buf);
    rtn_log_escape(rtn_str_of(line->thread), &log->buf);
    rtn_buf_printf(&log->buf, "[%d] ", (int) line->tid);
    rtn_log_message(line, &log->buf);
    syslog(rtn_log_priority(line->level), "%s", log->buf.data);
    return 0;
}

static void syslog_close(struct rtn_log *log)
{
    (void) log;
    closelog();
}

const struct rtn_log_sink rtn_log_syslog_sink = { syslog_open, syslog_write, syslog_close };
