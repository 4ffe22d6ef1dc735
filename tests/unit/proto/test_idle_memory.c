/* What connections that do nothing keep. */
#include <criterion/criterion.h>

#include <string.h>

#include "proto/ws_internal.h"

static struct rtn_http1 http;
static const struct rtn_ws_policy policy = { .session = { .message_limit = 100 } };
static int messages;

static void on_message(struct rtn_session *session, enum rtn_ws_opcode type, unsigned char *data, size_t length,
                       bool last)
{
    (void) session;
    (void) type;
    (void) data;
    messages += length == 5 && last;
}

static const struct rtn_session_events events = { .message = on_message };

static struct rtn_ws *make(struct rtn_connection *connection)
{
    http.session_events = &events;
    *connection = (struct rtn_connection){ .http = &http };
    struct rtn_ws *ws = rtn_ws_new(connection, &policy, NULL);
    cr_assert_not_null(ws);
    return ws;
}

/* Some bytes of the frame of a text. */
static void feed(struct rtn_ws *ws, size_t from, size_t to)
{
    static const char frame[] = "\x81\x85\x00\x00\x00\x00hello";
    unsigned char bytes[sizeof(frame)];
    memcpy(bytes, frame + from, to - from);
    cr_expect_eq(ws->session.wire->feed(&ws->session, bytes, to - from), to - from);
}

static void end(struct rtn_ws *one, struct rtn_ws *other)
{
    rtn_session_free(&one->session);
    rtn_session_free(&other->session);
    rtn_ws_drop_spare_reader(&http);
    cr_expect_null(http.ws_reader);
}

/* There may be a hundred thousand of them: a member more is a decision. */
Test(idle_memory, of_a_connection)
{
    cr_expect_leq(sizeof(struct rtn_connection), 280, "%zu", sizeof(struct rtn_connection));
}

Test(idle_memory, of_a_websocket)
{
    cr_expect_leq(sizeof(struct rtn_ws), 184, "%zu", sizeof(struct rtn_ws));
}

Test(idle_memory, reader_goes_from_one_to_the_other)
{
    struct rtn_connection connections[2];
    struct rtn_ws *one = make(&connections[0]), *other = make(&connections[1]);
    feed(one, 0, 11);
    const struct rtn_ws_reader *reader = http.ws_reader;
    cr_expect_not_null(reader);
    feed(other, 0, 11);
    cr_expect_eq(http.ws_reader, reader);
    cr_expect_null(one->reader);
    cr_expect_null(other->reader);
    cr_expect_eq(messages, 2);
    end(one, other);
}

Test(idle_memory, cut_message_has_a_reader_until_it_ends)
{
    struct rtn_connection connections[2];
    struct rtn_ws *one = make(&connections[0]), *other = make(&connections[1]);
    feed(one, 0, 8);
    cr_expect_not_null(one->reader);
    cr_expect_null(http.ws_reader);
    feed(other, 0, 11);
    cr_expect_eq(messages, 1);
    feed(one, 8, 11);
    cr_expect_eq(messages, 2);
    cr_expect_null(one->reader);
    cr_expect_not_null(http.ws_reader);
    end(one, other);
}

Test(idle_memory, connection_that_ends_within_a_message_takes_its_reader_with_it)
{
    struct rtn_connection connections[2];
    struct rtn_ws *one = make(&connections[0]), *other = make(&connections[1]);
    feed(one, 0, 9);
    feed(other, 0, 1);
    end(one, other);
    cr_expect_eq(messages, 0);
}
