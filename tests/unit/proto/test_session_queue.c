/* Which messages for many stand in the round of the loop. */
#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/session_internal.h"

#define CONTENT "hello"

struct peer {
    struct rtn_entry entry;
    struct rtn_connection connection;
    struct rtn_session session;
};

static struct rtn_http1 http;

static void begin(struct peer *peer)
{
    *peer = (struct peer){ .connection = { .http = &http, .entry = &peer->entry },
                           .session = { .connection = &peer->connection } };
    rtn_list_init(&peer->session.unsent);
}

static void end(struct peer *peer)
{
    peer->connection.stream.fd = -1;
    rtn_stream_close(&peer->connection.stream);
}

static void begin_round(void)
{
    rtn_list_init(&http.unsent);
    http.round.length = 0;
}

static void send_to(struct peer *peer, struct rtn_mailing *mailing)
{
    struct rtn_str bytes = rtn_parcel_frame(mailing->parcel);
    cr_assert_eq(rtn_session_queue_shared(&peer->session, mailing, mailing->parcel, bytes), 0);
}

/* Something waits in its queue, as of a socket that is full. */
static void fill(struct peer *peer)
{
    cr_assert_not_null(rtn_stream_reserve(&peer->connection.stream, 10));
}

Test(session_queue, all_refer_to_one_copy)
{
    struct peer one, other;
    struct rtn_mailing mailing = { .parcel = rtn_parcel_new(RTN_WS_OP_TEXT, CONTENT, strlen(CONTENT)) };
    begin_round();
    begin(&one);
    begin(&other);
    send_to(&one, &mailing);
    send_to(&other, &mailing);
    size_t length = rtn_parcel_frame(mailing.parcel).length;
    cr_expect_eq(http.round.length, length);
    cr_expect_eq(one.session.stretch.length, length);
    cr_expect_eq(other.session.stretch.length, length);
    cr_expect_eq(one.entry.queued, (int64_t) length);
    rtn_mailing_done(&mailing);
    rtn_parcel_unref(mailing.parcel);
    end(&one);
    end(&other);
}

/* They use up nothing of what the others have. */
Test(session_queue, slow_receivers_take_no_room_of_the_round)
{
    struct peer slow;
    begin_round();
    begin(&slow);
    fill(&slow);
    for (unsigned i = 0; i < 100; i++) {
        struct rtn_mailing mailing = { .parcel = rtn_parcel_new(RTN_WS_OP_TEXT, CONTENT, strlen(CONTENT)) };
        send_to(&slow, &mailing);
        rtn_mailing_done(&mailing);
        rtn_parcel_unref(mailing.parcel);
    }
    cr_expect_eq(http.round.length, 0);
    cr_expect_eq(slow.session.stretch.length, 0);
    cr_expect_gt(rtn_session_queued(&slow.session), 100 * strlen(CONTENT));
    end(&slow);
}
