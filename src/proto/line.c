/*
 * Lines as a protocol of sessions (session.h). A line to many stands in its parcel as most connections send it; where
 * lines end otherwise, or there are several, it is copied.
 *
 * Whatever ends the connection, what was queued before leaves first. A peer that has ended its side is still answered
 * what it has asked for: it is closed when its lines are handled.
 */
#include "proto/line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/session_internal.h"
#include "proto/session_send.h"

static struct rtn_line *line_of(struct rtn_session *session)
{
    return RTN_CONTAINER_OF(session, struct rtn_line, session);
}

void rtn_line_policy_init(struct rtn_line_policy *policy, const struct rtn_config_server *config)
{
    char size[RTN_FORMAT_MAX];
    *policy = (struct rtn_line_policy){
        .session = { .message_limit = config->limits.line,
                     .backlog_limit = config->limits.backlog,
                     .drop = config->backlog_policy == RTN_BACKLOG_DROP,
                     .write_timeout = config->timeouts.write },
        .idle_timeout = config->timeouts.idle,
        .drop_long = config->long_lines == RTN_LONG_LINES_DROP,
        .lf = config->line_end == RTN_LINE_END_LF,
        .greeting = config->greeting,
    };
    snprintf(policy->too_long, sizeof(policy->too_long), "error: line longer than %s",
             rtn_format_size(size, config->limits.line));
}

/* Closing */

static void begin_close(struct rtn_session *session, const struct rtn_session_end *end)
{
    if (session->closing || session->connection->state != RTN_CONNECTION_SESSION)
        return;
    rtn_session_begin_closing(session, end->cause, end->detail);
    rtn_session_mark_unsent(session);
    rtn_session_resume(session); /* to see the end of input; lines before it are dropped */
}

static void close_for(struct rtn_session *session, enum rtn_close_cause cause, const char *detail)
{
    begin_close(session, &(struct rtn_session_end){ .cause = cause, .detail = detail });
}

/* It waits for its lines to be handled, if they are not. */
static void end_of_input(struct rtn_session *session)
{
    session->deaf = true;
    rtn_session_watch_input(session);
    if (session->closing)
        rtn_session_mark_unsent(session);
    else if (!session->busy)
        close_for(session, RTN_CLOSE_CLIENT, "the peer closed the connection");
}

static void settled(struct rtn_session *session)
{
    if (session->deaf)
        close_for(session, RTN_CLOSE_CLIENT, "the peer closed the connection");
}

static bool end_when_due(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    if (!session->closing)
        return false;
    if (session->deaf)
        rtn_http1_close(connection, connection->cause, connection->detail);
    else
        rtn_http1_linger(connection);
    return true;
}

/* When silence has lasted too long; 0: never. Not while nobody listens. */
static int64_t deadline(struct rtn_session *session)
{
    int64_t timeout = line_of(session)->policy->idle_timeout;
    if (timeout == 0 || session->closing || session->deaf || session->paused || session->write_deadline != 0)
        return 0;
    return session->heard + timeout;
}

static void on_timeout(struct rtn_session *session)
{
    if (rtn_session_write_has_passed(session))
        return;
    if (rtn_session_has_passed(session, deadline(session)))
        close_for(session, RTN_CLOSE_TIMEOUT, "nothing came (timeouts.idle)");
    else
        rtn_session_file_deadline(session);
}

/* Sending */

static bool ends_with_lf(const struct rtn_line *line)
{
    return line->always_lf || line->policy->lf;
}

static struct rtn_str end_of(const struct rtn_line *line)
{
    return ends_with_lf(line) ? RTN_STR("\n") : RTN_STR("\r\n");
}

/* The next line of *rest, which then begins behind it. */
static struct rtn_str cut_line(struct rtn_str *rest)
{
    const char *end = rest->length > 0 ? memchr(rest->data, '\n', rest->length) : NULL;
    size_t length = end != NULL ? (size_t) (end - rest->data) : rest->length;
    struct rtn_str line = { rest->data, length };
    size_t skip = length + (end != NULL);
    *rest = (struct rtn_str){ end != NULL ? rest->data + skip : NULL, rest->length - skip };
    if (end != NULL && length > 0 && line.data[length - 1] == '\r')
        line.length--;
    return line;
}

static void count_sent(unsigned lines, size_t length)
{
    rtn_stats_count(RTN_STATS_LINE_OUT, lines);
    rtn_stats_count(RTN_STATS_LINE_OUT_BYTES, lines * length);
}

/* Writes the lines of `text`, each with its end; `out` NULL: only counts. How many bytes. */
static size_t write_lines(char *out, struct rtn_str text, struct rtn_str end)
{
    size_t written = 0;
    do {
        struct rtn_str line = cut_line(&text);
        if (out != NULL && line.length > 0)
            memcpy(out + written, line.data, line.length);
        if (out != NULL)
            memcpy(out + written + line.length, end.data, end.length);
        count_sent(out != NULL, line.length);
        written += line.length + end.length;
    } while (text.data != NULL);
    return written;
}

static int queue(struct rtn_session *session, enum rtn_ws_opcode type, struct rtn_str content)
{
    struct rtn_str end = end_of(line_of(session));
    if (type != RTN_WS_OP_TEXT)
        return 0;
    char *at = rtn_session_reserve(session, write_lines(NULL, content, end));
    if (at == NULL)
        return -ENOMEM;
    (void) write_lines(at, content, end);
    return 0;
}

/* Looked for once, whoever many get it. */
static bool is_one_line(struct rtn_mailing *mailing)
{
    if (mailing->lines == RTN_MAILING_UNKNOWN) {
        struct rtn_str content = rtn_parcel_content(mailing->parcel);
        bool several = memchr(content.data, '\n', content.length) != NULL;
        mailing->lines = several ? RTN_MAILING_LINES : RTN_MAILING_LINE;
    }
    return mailing->lines == RTN_MAILING_LINE;
}

static void fail(struct rtn_session *session, enum rtn_close_cause cause, const char *detail)
{
    close_for(session, cause, detail);
}

static void queue_mailing(struct rtn_session *session, struct rtn_mailing *mailing)
{
    struct rtn_parcel *parcel = mailing->parcel;
    if (session->closing || parcel->opcode != RTN_WS_OP_TEXT)
        return;
    bool as_it_is = !ends_with_lf(line_of(session)) && is_one_line(mailing);
    int r = as_it_is ? rtn_session_queue_shared(session, mailing, parcel, rtn_parcel_line(parcel))
                     : queue(session, parcel->opcode, rtn_parcel_content(parcel));
    if (r < 0)
        fail(session, RTN_CLOSE_NETWORK, "memory is out");
    else
        count_sent(as_it_is, parcel->length);
}

/* Reading */

static bool may_go_on(const struct rtn_session *session)
{
    return !session->paused && !session->closing;
}

static bool on_line(void *owner, char *line, size_t length)
{
    struct rtn_session *session = owner;
    rtn_stats_count(RTN_STATS_LINE_IN, 1);
    rtn_stats_count(RTN_STATS_LINE_IN_BYTES, length);
    session->connection->http->session_events->message(session, RTN_WS_OP_TEXT, (unsigned char *) line, length, true);
    return may_go_on(session);
}

/* The peer is told as it would be by a handler. */
static bool on_dropped(void *owner)
{
    struct rtn_session *session = owner;
    rtn_stats_count(RTN_STATS_LINE_TOO_LONG, 1);
    if (!rtn_session_has_room(session))
        rtn_session_refuse_message(session);
    else if (queue(session, RTN_WS_OP_TEXT, rtn_str_of(line_of(session)->policy->too_long)) < 0)
        fail(session, RTN_CLOSE_NETWORK, "memory is out");
    return may_go_on(session);
}

static const struct rtn_line_reader_events reader_events = { .line = on_line, .dropped = on_dropped };

/* What comes while it is closing is dropped. */
static size_t feed(struct rtn_session *session, unsigned char *data, size_t length)
{
    size_t used = 0;
    if (session->closing)
        return length;
    int r = rtn_line_reader_feed(&line_of(session)->reader, (char *) data, length, &used);
    if (r == -EMSGSIZE)
        close_for(session, RTN_CLOSE_PROTOCOL, "a line longer than limits.line");
    else if (r < 0)
        fail(session, RTN_CLOSE_NETWORK, "memory is out");
    return session->closing ? length : used;
}

/* The table, and the start */

static void tune(struct rtn_session *session, const void *policy)
{
    struct rtn_line *line = line_of(session);
    line->policy = policy;
    session->policy = &line->policy->session;
    line->reader.limit = (size_t) session->policy->message_limit;
    line->reader.drops = line->policy->drop_long;
}

static void detach(struct rtn_session *session)
{
    rtn_line_reader_done(&line_of(session)->reader);
}

static void free_session(struct rtn_session *session)
{
    struct rtn_line *line = line_of(session);
    rtn_line_reader_done(&line->reader);
    free(line);
}

static const struct rtn_session_wire wire = {
    .kind = RTN_SESSION_LINE,
    .types = 1U << RTN_WS_OP_TEXT,
    .feed = feed,
    .end_of_input = end_of_input,
    .queue = queue,
    .queue_mailing = queue_mailing,
    .begin_close = begin_close,
    .fail = fail,
    .end_when_due = end_when_due,
    .deadline = deadline,
    .on_timeout = on_timeout,
    .tune = tune,
    .settled = settled,
    .detach = detach,
    .free = free_session,
};

static struct rtn_line *line_new(struct rtn_connection *connection, bool always_lf)
{
    struct rtn_terms *terms = connection->http->terms;
    const struct rtn_line_policy *policy = terms->lines;
    struct rtn_line *line = calloc(1, sizeof(*line));
    if (line == NULL)
        return NULL;
    rtn_session_init(&line->session, &wire, connection, &policy->session, terms->line_owner);
    rtn_session_take_terms(&line->session, terms);
    line->policy = policy;
    line->reader.events = &reader_events;
    line->reader.owner = &line->session;
    line->reader.limit = (size_t) policy->session.message_limit;
    line->reader.drops = policy->drop_long;
    line->always_lf = always_lf;
    return line;
}

/* Not counted: the session is not open yet. */
static int greet(struct rtn_line *line)
{
    struct rtn_str end = end_of(line);
    struct rtn_str text = rtn_str_of(line->policy->greeting);
    if (text.data == NULL)
        return 0;
    char *at = rtn_stream_reserve(&line->session.connection->stream, text.length + end.length);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, text.data, text.length);
    memcpy(at + text.length, end.data, end.length);
    return 0;
}

/* The peer is told, if its socket takes that: nothing is kept for it. */
static void refuse(struct rtn_connection *connection, bool lf)
{
    struct rtn_str line =
        lf ? RTN_STR("error: " RTN_HTTP1_TOO_MANY "\n") : RTN_STR("error: " RTN_HTTP1_TOO_MANY "\r\n");
    (void) send(connection->stream.fd, line.data, line.length, MSG_NOSIGNAL);
    rtn_stats_count(RTN_STATS_REFUSED_CONNECTIONS, 1);
    rtn_http1_close(connection, RTN_CLOSE_NORMAL, RTN_HTTP1_TOO_MANY);
}

void rtn_line_start(struct rtn_connection *connection, bool always_lf)
{
    if (!rtn_http1_is_admitted(connection)) {
        refuse(connection, always_lf || connection->http->terms->lines->lf);
        return;
    }
    struct rtn_line *line = line_new(connection, always_lf);
    if (line != NULL) {
        connection->session = &line->session;
        rtn_stats_count(RTN_STATS_LINES_BEGUN, 1);
    }
    if (line == NULL || connection->http->line_events->made(line) < 0 || greet(line) < 0)
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
    else
        rtn_session_open(&line->session);
}
