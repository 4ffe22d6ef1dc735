/* What the WebSocket reader keeps of what it is fed, and what it hands on in place. */
#include "ws_reader_support.h"

static const struct delivery at_once = { 0 };

/* Where the last message was, and what was kept then. */
struct place {
    struct rtn_ws_reader reader;
    unsigned char *data;
    size_t length;
    char *taken;
    bool takes;
    unsigned count;
};

static bool note_message(void *owner, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last)
{
    struct place *place = owner;
    cr_assert(last && type == RTN_WS_OP_TEXT);
    place->data = data;
    place->length = length;
    place->count++;
    if (place->takes)
        place->taken = rtn_buf_steal(&place->reader.message);
    return true;
}

static bool note_control(void *owner, enum rtn_ws_opcode type, const unsigned char *data, size_t length)
{
    (void) owner, (void) type, (void) data, (void) length;
    return true;
}

static const struct rtn_ws_reader_events noting = { .message = note_message, .control = note_control };

static void begin_place(struct place *place, uint64_t limit)
{
    *place = (struct place){ 0 };
    place->reader = (struct rtn_ws_reader){ .events = &noting, .owner = place, .limit = limit };
}

static void feed_place(struct place *place, struct rtn_buf *bytes, size_t from, size_t to)
{
    size_t used = 0;
    cr_assert_eq(rtn_ws_reader_feed(&place->reader, (unsigned char *) bytes->data + from, to - from, &used), 0);
    cr_assert_eq(used, to - from);
}

Test(ws_reader_memory, whole_frames_are_handed_on_in_place)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct place place;

    put_frame(&bytes, &at_once, FIN | TEXT, "hello", 5);
    put_frame(&bytes, &at_once, FIN | PING, "hello", 5);
    put_frame(&bytes, &at_once, FIN | TEXT, "world!", 6);
    begin_place(&place, 100);
    feed_place(&place, &bytes, 0, bytes.length);
    cr_assert_eq(place.count, 2);
    cr_assert_eq((char *) place.data, bytes.data + bytes.length - 6);
    cr_assert_eq(memcmp(place.data, "world!", 6), 0);
    cr_assert_null(place.reader.message.data);

    /* A header that comes alone changes nothing of that. */
    rtn_buf_clear(&bytes);
    put_frame(&bytes, &at_once, FIN | TEXT, "again", 5);
    feed_place(&place, &bytes, 0, 3);
    feed_place(&place, &bytes, 3, bytes.length);
    cr_assert_eq(place.count, 3);
    cr_assert_eq((char *) place.data, bytes.data + bytes.length - 5);
    rtn_ws_reader_done(&place.reader);
}

Test(ws_reader_memory, what_is_kept_goes_with_the_message)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct place place;

    begin_place(&place, 100);
    put_frame(&bytes, &at_once, TEXT, "hello", 5);
    put_frame(&bytes, &at_once, FIN | MORE, "", 0);
    feed_place(&place, &bytes, 0, bytes.length - 1);
    cr_assert_not_null(place.reader.message.data);
    feed_place(&place, &bytes, bytes.length - 1, bytes.length);
    cr_assert_eq(place.length, 5);
    cr_assert_null(place.reader.message.data);
    rtn_ws_reader_done(&place.reader);
}

Test(ws_reader_memory, what_is_kept_can_be_taken)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct place place;

    begin_place(&place, 100);
    place.takes = true;
    put_frame(&bytes, &at_once, TEXT, "hel", 3);
    put_frame(&bytes, &at_once, FIN | MORE, "lo", 2);
    for (unsigned i = 1; i <= 2; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf copy = { 0 };
        rtn_buf_append(&copy, bytes.data, bytes.length);
        feed_place(&place, &copy, 0, copy.length);
        cr_assert_eq(place.count, i);
        cr_assert_eq((char *) place.data, place.taken);
        cr_assert_str_eq(place.taken, "hello");
        free(place.taken);
    }
    rtn_ws_reader_done(&place.reader);
}

/* A header may announce what it likes. */
Test(ws_reader_memory, grows_with_what_has_come)
{
    static const unsigned char header[] = { 0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct place place;

    rtn_buf_append(&bytes, header, sizeof(header));
    for (int i = 0; i < 5000; i++)
        rtn_buf_append_char(&bytes, 'x');
    begin_place(&place, UINT64_C(1) << 40);
    feed_place(&place, &bytes, 0, sizeof(header));
    cr_assert_null(place.reader.message.data);
    for (size_t at = sizeof(header); at < bytes.length; at++) {
        feed_place(&place, &bytes, at, at + 1);
        size_t length = at + 1 - sizeof(header);
        cr_assert_eq(place.reader.message.length, length);
        cr_assert_leq(place.reader.message.capacity, 64 + 2 * length);
    }
    rtn_ws_reader_done(&place.reader);
    cr_assert_null(place.reader.message.data);
}

Test(ws_reader_memory, streamed_keeps_nothing)
{
    static const struct delivery streamed = { .streamed = true, .cut = 3 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;

    put_frame(&bytes, &streamed, TEXT, "hello", 5);
    put_frame(&bytes, &streamed, MORE, " wor", 4);
    begin(&outcome, &streamed, 100);
    feed(&outcome, &bytes);
    cr_assert_str_eq(outcome.log.data, "Thello wor");
    cr_assert_null(outcome.reader.message.data);
    finish(&outcome);
}

Test(ws_reader_memory, idle_between_messages)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct place place;

    put_frame(&bytes, &at_once, TEXT, "hel", 3);
    put_frame(&bytes, &at_once, FIN | PING, "", 0);
    put_frame(&bytes, &at_once, FIN | MORE, "", 0);
    begin_place(&place, 100);
    cr_assert(rtn_ws_reader_is_idle(&place.reader));
    for (size_t at = 0; at < bytes.length; at++) {
        feed_place(&place, &bytes, at, at + 1);
        cr_assert_eq(rtn_ws_reader_is_idle(&place.reader), at + 1 == bytes.length, "byte %zu", at);
    }
    rtn_ws_reader_done(&place.reader);
}

Test(ws_reader_memory, a_stop_is_behind_what_was_handled)
{
    static const struct delivery stopping = { .stopping = true };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;
    size_t used = 0;

    put_frame(&bytes, &stopping, FIN | TEXT, "hello", 5);
    size_t first = bytes.length;
    put_frame(&bytes, &stopping, FIN | PING, "you", 3);
    begin(&outcome, &stopping, 100);
    unsigned char *data = (unsigned char *) bytes.data;
    cr_assert_eq(rtn_ws_reader_feed(&outcome.reader, data, bytes.length, &used), 0);
    cr_assert_eq(used, first);
    cr_assert_str_eq(outcome.log.data, "Thello|");
    cr_assert_eq(rtn_ws_reader_feed(&outcome.reader, data + first, bytes.length - first, &used), 0);
    cr_assert_eq(used, bytes.length - first);
    cr_assert_str_eq(outcome.log.data, "Thello|Pyou|");
    finish(&outcome);
}

Test(ws_reader_memory, done_on_nothing)
{
    struct rtn_ws_reader reader = { 0 };
    rtn_ws_reader_done(&reader);
    cr_assert(rtn_ws_reader_is_idle(&reader));
}
