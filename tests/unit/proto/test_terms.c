/*
 * Terms that change under connections: who has begun keeps the old ones, who comes gets the new ones, and the old ones
 * are told when the last of their users has gone, without anything else having to happen. The loop is the test's own
 * thread.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/macros.h"
#include "proto/http1_internal.h"
#include "proto/response.h"
#include "proto/session.h"
#include "proto/terms.h"

#define BOUND_MS 20000 /* generous: only a fault takes so long */
#define LONG_MS 600000

static struct rtn_config_server configs[3];
static struct rtn_terms all[3]; /* the first is in force at the beginning */
static struct rtn_line_policy policies[3];
static struct rtn_loop loop;
static struct rtn_http1 http;
static struct rtn_terms *unused[3];
static unsigned unused_count;
static struct rtn_terms *headed[8]; /* by requests, when their heads are complete */
static unsigned headed_count;
static enum { REPLY, WAIT, HOLD } mode;
static struct rtn_request *kept; /* that waits, or that the worker has */
static const void *move_to; /* a policy */
static unsigned lines_seen;

/* The layer above */

static void give(struct rtn_request *request)
{
    (void) rtn_response_give(request, 204, &(struct rtn_piece){ 0 });
}

static void on_head(struct rtn_request *request)
{
    headed[headed_count++] = request->terms;
}

static enum rtn_outcome on_run(struct rtn_request *request)
{
    if (mode == REPLY) {
        give(request);
        return RTN_OUTCOME_REPLIED;
    }
    kept = request;
    if (mode == WAIT)
        return RTN_OUTCOME_WAITING;
    rtn_http1_hold(request);
    return RTN_OUTCOME_HELD;
}

static enum rtn_outcome on_fail(struct rtn_request *request, int status, const char *text)
{
    (void) rtn_response_error(request, status != 0 ? status : 503, text);
    return RTN_OUTCOME_REPLIED;
}

static void on_replied(struct rtn_request *request, bool whole)
{
    (void) request;
    (void) whole;
}

static void on_closed(struct rtn_connection *connection)
{
    rtn_http1_release(connection);
}

static void on_drained(struct rtn_http1 *drained)
{
    (void) drained;
}

static const void *on_move(struct rtn_connection *connection, const struct rtn_terms *terms)
{
    (void) connection;
    cr_expect_eq(terms, http.terms);
    return move_to;
}

static void on_unused(struct rtn_http1 *of, struct rtn_terms *terms)
{
    cr_expect_eq(of, &http);
    cr_expect_eq(terms->users, 0);
    unused[unused_count++] = terms;
}

static const struct rtn_http1_handler handler = {
    .head = on_head,
    .run = on_run,
    .fail = on_fail,
    .replied = on_replied,
    .closed = on_closed,
    .drained = on_drained,
    .move = on_move,
    .terms_unused = on_unused,
};

static void on_open(struct rtn_session *session)
{
    (void) session;
}

static void on_message(struct rtn_session *session, enum rtn_ws_opcode type, unsigned char *data, size_t length,
                       bool last)
{
    (void) session;
    (void) type;
    (void) data;
    (void) length;
    (void) last;
    lines_seen++;
}

static const struct rtn_session_events session_events = { .open = on_open, .message = on_message };

static int on_made(struct rtn_line *line)
{
    (void) line;
    return 0;
}

static const struct rtn_line_events line_events = { .made = on_made };

/* The loop */

static void turn(void)
{
    rtn_session_flush(&http);
    rtn_http1_collect(&http);
    ev_run(loop.ev, EVRUN_NOWAIT);
    rtn_session_flush(&http);
    rtn_http1_collect(&http);
}

/* Until the condition, which is looked at once in each turn, holds; false when the bound passes. */
#define turns_until(condition)                                               \
    ({                                                                       \
        int64_t until_ms = rtn_clock_ms() + BOUND_MS;                        \
        bool holds;                                                          \
        while (!(holds = (condition)) && rtn_clock_ms() < until_ms) {        \
            turn();                                                          \
            (void) nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL); \
        }                                                                    \
        holds;                                                               \
    })

static void begin(void)
{
    (void) signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(all); i++) {
        configs[i] = (struct rtn_config_server){
            .name = "terms",
            .limits = { .target = 100,
                        .header = 20000,
                        .header_count = 10,
                        .body = 1000,
                        .line = 100,
                        .backlog = 1000 },
            .timeouts = { .header = LONG_MS, .body = LONG_MS, .idle = LONG_MS, .write = LONG_MS, .linger = LONG_MS },
        };
        rtn_line_policy_init(&policies[i], &configs[i]);
        all[i] = (struct rtn_terms){ .config = &configs[i] };
        rtn_terms_init(&all[i]);
    }
    cr_assert_eq(rtn_loop_init(&loop, &(struct rtn_loop_options){ .server = "terms" }), 0);
    http = (struct rtn_http1){ .loop = &loop,
                               .terms = &all[0],
                               .handler = &handler,
                               .session_events = &session_events,
                               .line_events = &line_events };
    cr_assert_eq(rtn_http1_init(&http), 0);
}

static void end(void)
{
    (void) rtn_http1_close_all(&http);
    turn();
    cr_expect_eq(http.terms->users, 0);
    rtn_http1_done(&http);
    rtn_loop_done(&loop);
}

TestSuite(terms, .init = begin, .fini = end);

/* The client's end of a new connection. */
static int connect_to_it(void)
{
    const struct sockaddr peer = { .sa_family = AF_UNIX };
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    cr_assert_eq(rtn_http1_accept(&http, fds[0], &peer, sizeof(peer.sa_family), false), 0);
    return fds[1];
}

static void say(int fd, const char *text)
{
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
}

static bool hears(int fd)
{
    char bytes[1000];
    return recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0;
}

#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

/* Requests */

Test(terms, without_users_the_old_ones_go_at_once)
{
    rtn_http1_set_terms(&http, &all[1]);
    cr_assert_eq(unused_count, 1);
    cr_expect_eq(unused[0], &all[0]);
    cr_expect_eq(http.terms, &all[1]);
}

Test(terms, idle_connection_uses_none)
{
    int fd = connect_to_it();
    say(fd, REQUEST);
    cr_assert(turns_until(hears(fd)));
    rtn_http1_set_terms(&http, &all[1]);
    cr_expect_eq(unused_count, 1);
    say(fd, REQUEST);
    cr_assert(turns_until(hears(fd)));
    cr_assert_eq(headed_count, 2);
    cr_expect_eq(headed[0], &all[0]);
    cr_expect_eq(headed[1], &all[1]);
    rtn_fd_close(&fd);
}

Test(terms, request_whose_head_is_not_complete_takes_the_new_ones)
{
    int fd = connect_to_it();
    say(fd, "GET / HTT");
    cr_assert(turns_until(http.terms->users == 1));
    rtn_http1_set_terms(&http, &all[1]);
    cr_expect_eq(unused_count, 1, "half a head is no reason to wait");
    say(fd, "P/1.1\r\nHost: a\r\n\r\n");
    cr_assert(turns_until(hears(fd)));
    cr_assert_eq(headed_count, 1);
    cr_expect_eq(headed[0], &all[1]);
    rtn_fd_close(&fd);
}

Test(terms, request_that_waits_keeps_its_own)
{
    int fd = connect_to_it();
    mode = WAIT;
    say(fd, REQUEST);
    cr_assert(turns_until(kept != NULL));
    rtn_http1_set_terms(&http, &all[1]);
    rtn_http1_set_terms(&http, &all[2]);
    turn();
    cr_expect_eq(kept->terms, &all[0]);
    cr_expect_eq(kept->policy, &all[0].policy);
    cr_assert_eq(unused_count, 1);
    cr_expect_eq(unused[0], &all[1], "those in between had no users");
    give(kept);
    rtn_http1_proceed(kept->connection, RTN_OUTCOME_REPLIED);
    cr_assert_eq(unused_count, 2);
    cr_expect_eq(unused[1], &all[0]);
    cr_expect(hears(fd));
    rtn_fd_close(&fd);
}

Test(terms, request_behind_one_that_waits_takes_the_new_ones)
{
    int fd = connect_to_it();
    mode = WAIT;
    say(fd, REQUEST REQUEST);
    cr_assert(turns_until(kept != NULL));
    rtn_http1_set_terms(&http, &all[1]);
    mode = REPLY;
    give(kept);
    rtn_http1_proceed(kept->connection, RTN_OUTCOME_REPLIED);
    cr_assert_eq(headed_count, 2);
    cr_expect_eq(headed[1], &all[1]);
    cr_expect_eq(unused_count, 1);
    rtn_fd_close(&fd);
}

Test(terms, connection_that_ends_gives_them_back)
{
    int fd = connect_to_it();
    mode = WAIT;
    say(fd, REQUEST);
    cr_assert(turns_until(kept != NULL));
    rtn_http1_set_terms(&http, &all[1]);
    cr_expect_eq(unused_count, 0);
    rtn_fd_close(&fd);
    cr_expect(turns_until(unused_count == 1));
}

/* Workers */

static void *finish(void *data)
{
    static struct rtn_sink sink; /* as each worker has one */
    struct rtn_request *request = data;
    request->sink = &sink;
    give(request);
    rtn_http1_finish(request);
    return NULL;
}

static void finish_on_worker(void)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, finish, kept), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(terms, worker_wakes_the_loop_for_old_ones)
{
    int fd = connect_to_it();
    mode = HOLD;
    say(fd, REQUEST);
    cr_assert(turns_until(kept != NULL));
    rtn_http1_set_terms(&http, &all[1]);
    turn();
    cr_expect_eq(unused_count, 0);
    finish_on_worker();
    cr_expect(turns_until(unused_count == 1), "no request comes to take what was given back");
    cr_expect(hears(fd));
    mode = REPLY;
    say(fd, REQUEST);
    cr_assert(turns_until(hears(fd)));
    cr_expect_eq(headed[1], &all[1]);
    rtn_fd_close(&fd);
}

Test(terms, what_workers_gave_back_before_is_looked_at)
{
    int fd = connect_to_it();
    mode = HOLD;
    say(fd, REQUEST);
    cr_assert(turns_until(kept != NULL));
    finish_on_worker();
    cr_expect_eq(all[0].users, 1, "the loop has not looked");
    rtn_http1_set_terms(&http, &all[1]);
    cr_expect_eq(unused_count, 1);
    rtn_fd_close(&fd);
}

Test(terms, request_that_goes_to_a_worker_after_the_change_wakes_the_loop)
{
    int fd = connect_to_it();
    mode = WAIT;
    say(fd, REQUEST);
    cr_assert(turns_until(kept != NULL));
    rtn_http1_set_terms(&http, &all[1]);
    rtn_http1_hold(kept);
    finish_on_worker();
    cr_expect(turns_until(unused_count == 1));
    rtn_fd_close(&fd);
}

/* Stands still in between, when the loop can ask nobody to wake it. */
Test(terms, worker_that_has_given_only_its_connection_back_wakes_the_loop)
{
    int fd = connect_to_it();
    mode = HOLD;
    say(fd, REQUEST);
    cr_assert(turns_until(kept != NULL));
    struct rtn_connection *connection = kept->connection;
    connection->request = NULL;
    connection->state = RTN_CONNECTION_READING;
    atomic_store(&connection->owner, RTN_OWNER_LOOP);
    rtn_http1_set_terms(&http, &all[1]);
    turn();
    cr_expect_eq(unused_count, 0);
    cr_expect_not(ev_async_pending(&loop.mailbox.wake));
    rtn_http1_give_request_from_worker(&http, kept);
    cr_expect(ev_async_pending(&loop.mailbox.wake));
    turn();
    cr_expect_eq(unused_count, 1);
    rtn_fd_close(&fd);
}

/* Limits */

static void ask_with_fields(int fd, unsigned fields)
{
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (unsigned i = 1; i < fields; i++)
        say(fd, "A: b\r\n");
    say(fd, "\r\n");
}

static bool is_taken(unsigned fields)
{
    unsigned before = headed_count;
    int fd = connect_to_it();
    ask_with_fields(fd, fields);
    cr_assert(turns_until(hears(fd)));
    rtn_fd_close(&fd);
    turn();
    return headed_count > before;
}

Test(terms, request_objects_fit_the_new_limit_of_fields)
{
    configs[1].limits.header_count = 40;
    configs[2].limits.header_count = 5;
    cr_expect(is_taken(10));
    cr_expect_not(is_taken(11));
    rtn_http1_set_terms(&http, &all[1]);
    cr_expect(is_taken(40));
    cr_expect_not(is_taken(41));
    rtn_http1_set_terms(&http, &all[2]);
    cr_expect(is_taken(5));
    cr_expect_not(is_taken(6));
}

/* Sessions */

static struct rtn_connection *first_connection(void)
{
    return RTN_CONTAINER_OF(http.connections.next, struct rtn_connection, node);
}

static int connect_for_lines(void)
{
    all[0].lines = &policies[0];
    int fd = connect_to_it();
    cr_assert_eq(first_connection()->session->terms, &all[0]);
    cr_expect_eq(atomic_load(&all[0].sessions), 1);
    return fd;
}

Test(terms, session_keeps_those_it_was_opened_under)
{
    int fd = connect_for_lines();
    rtn_http1_set_terms(&http, &all[1]);
    cr_expect_eq(unused_count, 0);
    cr_expect_eq(first_connection()->session->policy, &policies[0].session);
    say(fd, "still here\r\n");
    cr_expect(turns_until(lines_seen == 1));
    rtn_fd_close(&fd);
    cr_expect(turns_until(unused_count == 1));
    cr_expect_eq(atomic_load(&all[0].sessions), 0);
}

Test(terms, session_that_is_moved_has_the_new_limits)
{
    policies[1].session =
        (struct rtn_session_policy){ .message_limit = 10, .backlog_limit = 5, .drop = true, .write_timeout = LONG_MS };
    policies[1].drop_long = true;
    int fd = connect_for_lines();
    struct rtn_connection *connection = first_connection();
    move_to = &policies[1];
    rtn_http1_set_terms(&http, &all[1]);
    cr_expect_eq(unused_count, 1);
    cr_expect_eq(connection->session->terms, &all[1]);
    cr_expect_eq(connection->session->policy, &policies[1].session);
    cr_expect_eq(atomic_load(&connection->entry->backlog_limit), 5);
    cr_expect(atomic_load(&connection->entry->drops));
    say(fd, "this line is too long\r\nshort\r\n");
    cr_expect(turns_until(lines_seen == 1));
    cr_expect(turns_until(hears(fd)), "the peer is told of the one that was dropped");
    rtn_fd_close(&fd);
    cr_expect(turns_until(http.connection_count == 0));
    cr_expect_eq(all[1].users, 0);
}

static bool is_first(const struct rtn_terms *terms, unsigned number)
{
    cr_expect_eq(number, 7);
    return terms == &all[0];
}

Test(terms, old_sessions_are_asked_to_close)
{
    static const struct rtn_session_end words = { .cause = RTN_CLOSE_SHUTDOWN, .detail = "too old" };
    int fd = connect_for_lines();
    rtn_http1_end_old(&http, is_first, 7, &words);
    turn();
    cr_expect_eq(http.connection_count, 1, "those in force are left alone");
    rtn_http1_set_terms(&http, &all[1]);
    rtn_http1_end_old(&http, is_first, 7, &words);
    turn();
    char byte = 0;
    cr_expect(turns_until(recv(fd, &byte, 1, MSG_DONTWAIT) == 0));
    rtn_fd_close(&fd);
    cr_expect(turns_until(unused_count == 1));
}
