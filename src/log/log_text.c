/*
 * The form of a line that people read:
 *
 *     2026-11-21T08:49:37.123Z notice get/loop-0[12345] message
 *     2026-11-21T08:49:37.123Z notice get/worker-3[12348] message request=ID
 */
#include <stdio.h>

#include <sys/syslog.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "log/level.h"
#include "log/log_sink.h"

struct level_look {
    const char *sgr;
    int priority;
};

static const struct level_look looks[] = {
    [RTN_LOG_TRACE] = { "\x1b[2m", LOG_DEBUG },   [RTN_LOG_DEBUG] = { "\x1b[36m", LOG_DEBUG },
    [RTN_LOG_INFO] = { "\x1b[32m", LOG_INFO },    [RTN_LOG_NOTICE] = { "\x1b[1;34m", LOG_NOTICE },
    [RTN_LOG_WARN] = { "\x1b[33m", LOG_WARNING }, [RTN_LOG_ERROR] = { "\x1b[31m", LOG_ERR },
    [RTN_LOG_FATAL] = { "\x1b[1;31m", LOG_CRIT },
};

int rtn_log_priority(enum rtn_log_level level)
{
    return looks[level].priority;
}

/* Length of the valid character at the start of s that can be shown as it is, or 0. */
static unsigned showable(struct rtn_str s)
{
    const unsigned char *bytes = (const unsigned char *) s.data;
    unsigned step = rtn_utf8_next(s);

    if (step == 1 && (bytes[0] < 0x20 || bytes[0] == 0x7f))
        return 0;
    if (step == 2 && bytes[0] == 0xc2 && bytes[1] < 0xa0) /* C1: terminals obey these, too */
        return 0;
    return step;
}

static void escape_byte(unsigned char byte, struct rtn_buf *out)
{
    switch (byte) {
    case '\n':
        rtn_buf_append_text(out, "\\n");
        return;
    case '\r':
        rtn_buf_append_text(out, "\\r");
        return;
    case '\t':
        rtn_buf_append_text(out, "\\t");
        return;
    default:
        rtn_buf_printf(out, "\\x%02x", byte);
    }
}

void rtn_log_escape(struct rtn_str s, struct rtn_buf *out)
{
    while (s.length > 0) {
        size_t run = 0;
        for (unsigned step = showable(s); step > 0; step = showable((struct rtn_str){ s.data + run, s.length - run }))
            run += step;
        rtn_buf_append(out, s.data, run);
        s.data += run;
        s.length -= run;
        if (s.length == 0)
            return;
        escape_byte((unsigned char) *s.data, out);
        s.data++;
        s.length--;
    }
}

void rtn_log_message(const struct rtn_log_line *line, struct rtn_buf *out)
{
    rtn_log_escape(line->message, out);
    if (line->request == NULL)
        return;
    rtn_buf_append_text(out, " request=");
    rtn_log_escape(rtn_str_of(line->request), out);
}

void rtn_log_text_line(enum rtn_log_look look, const struct rtn_log_line *line, struct rtn_buf *out)
{
    bool color = look == RTN_LOG_LOOK_COLOR;

    if (look == RTN_LOG_LOOK_PRIORITY) {
        rtn_buf_printf(out, "<%d>", rtn_log_priority(line->level));
    } else {
        char time[RTN_TIMESTAMP_SIZE];
        rtn_clock_timestamp(time);
        rtn_buf_printf(out, "%s ", time);
    }
    rtn_buf_printf(out, "%s%-6s%s ", color ? looks[line->level].sgr : "", rtn_log_level_name(line->level),
                   color ? "\x1b[0m" : "");
    rtn_log_escape(rtn_str_of(line->thread), out);
    rtn_buf_printf(out, "[%d] ", (int) line->tid);
    rtn_log_message(line, out);
}
