/*
 * What frames hold, piece by piece: checked at once, then handed on in place, or kept until the message is complete.
 *
 * The memory for what is kept follows what has come, by doubling, and never what a header announces. It goes away with
 * the message, so that an idle connection has none.
 */
#include "proto/ws_reader_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macros.h"

static struct rtn_str as_text(const unsigned char *data, size_t length)
{
    return (struct rtn_str){ (const char *) data, length };
}

static int fail_text(struct rtn_ws_reader *reader)
{
    return rtn_ws_reader_fail(reader, RTN_WS_BAD_DATA, "a text that is not UTF-8");
}

static int check_text(struct rtn_ws_reader *reader, const unsigned char *data, size_t length)
{
    if (reader->type != RTN_WS_OP_TEXT || rtn_utf8_feed(&reader->utf8, as_text(data, length)))
        return 0;
    return fail_text(reader);
}

static int check_text_end(struct rtn_ws_reader *reader)
{
    if (reader->type != RTN_WS_OP_TEXT || rtn_utf8_is_whole(&reader->utf8))
        return 0;
    return fail_text(reader);
}

static int keep(struct rtn_ws_reader *reader, const unsigned char *data, size_t length)
{
    if (length == 0)
        return 0;
    char *end = rtn_buf_try_reserve(&reader->message, length);
    if (end == NULL)
        return -ENOMEM;
    memcpy(end, data, length);
    end[length] = '\0';
    reader->message.length += length;
    return 0;
}

static int deliver(struct rtn_ws_reader *reader, unsigned char *data, size_t length, bool last)
{
    if (last)
        reader->in_message = false;
    bool on = reader->events->message(reader->owner, (enum rtn_ws_opcode) reader->type, data, length, last);
    return on ? RTN_WS_READER_ON : RTN_WS_READER_STOP;
}

/* A checked piece of a message. */
static int hand_on(struct rtn_ws_reader *reader, unsigned char *data, size_t length, bool last)
{
    if (reader->streamed)
        return length > 0 || last ? deliver(reader, data, length, last) : RTN_WS_READER_ON;
    if (last && reader->message.length == 0)
        return deliver(reader, data, length, true);
    int r = keep(reader, data, length);
    if (r < 0 || !last)
        return r;
    r = deliver(reader, (unsigned char *) reader->message.data, reader->message.length, true);
    rtn_buf_done(&reader->message);
    return r;
}

/*
 * What comes out of inflating. Text is checked up to the limit first, so that which of the two is found wrong does not
 * depend on how it is cut.
 */
static int take_inflated(void *owner, unsigned char *data, size_t length)
{
    struct rtn_ws_reader *reader = owner;
    uint64_t room = rtn_ws_reader_room(reader, reader->message_length);

    int r = check_text(reader, data, (size_t) RTN_MIN((uint64_t) length, room));
    if (r < 0)
        return r;
    if (length > room)
        return rtn_ws_reader_fail(reader, RTN_WS_TOO_BIG, "a message that is too long");
    reader->message_length += length;
    r = hand_on(reader, data, length, false);
    if (r == RTN_WS_READER_STOP)
        reader->stopped = true;
    return r < 0 ? r : 0;
}

static int take_compressed(struct rtn_ws_reader *reader, unsigned char *data, size_t length, bool last)
{
    reader->stopped = false;
    int r = rtn_ws_inflate_feed(reader->inflate, data, length, last, take_inflated, reader);
    if (r == -EPROTO && reader->error_code == 0)
        return rtn_ws_reader_fail(reader, RTN_WS_BAD_DATA, "compressed data that is broken");
    if (r == 0 && last)
        r = check_text_end(reader);
    if (r == 0 && last)
        r = hand_on(reader, data, 0, true);
    if (r < 0)
        return r;
    return reader->stopped ? RTN_WS_READER_STOP : r;
}

int rtn_ws_reader_data(struct rtn_ws_reader *reader, unsigned char *data, size_t length, bool ascii)
{
    bool last = rtn_ws_reader_is_final(reader) && reader->frame_left == 0;

    if (reader->compressed)
        return take_compressed(reader, data, length, last);
    bool sound = ascii && rtn_utf8_is_whole(&reader->utf8);
    int r = sound ? 0 : check_text(reader, data, length);
    if (r == 0 && last)
        r = check_text_end(reader);
    if (r < 0)
        return r;
    reader->message_length += length;
    return hand_on(reader, data, length, last);
}

/* As much as there is of a close frame's content (RFC 6455, 5.5.1); it is short enough to be checked again. */
static int check_close(struct rtn_ws_reader *reader, const unsigned char *data, size_t length)
{
    struct rtn_utf8_state state = { 0 };

    if (length < 2)
        return 0;
    if (!rtn_ws_code_is_valid(data[0] << 8 | data[1]))
        return rtn_ws_reader_fail(reader, RTN_WS_PROTOCOL_ERROR, "a close frame with an invalid code");
    bool valid = rtn_utf8_feed(&state, as_text(data + 2, length - 2));
    if (valid && (reader->frame_left > 0 || rtn_utf8_is_whole(&state)))
        return 0;
    return rtn_ws_reader_fail(reader, RTN_WS_BAD_DATA, "a close frame with a reason that is not UTF-8");
}

/* Of a cut frame, what is kept of it: content is put behind that. NULL when memory is out. */
static unsigned char *keep_control(struct rtn_ws_reader *reader, const unsigned char *data, size_t length)
{
    if (reader->control == NULL) {
        reader->control = malloc(RTN_WS_CONTROL_MOST);
        reader->control_length = 0;
    }
    if (reader->control == NULL)
        return NULL;
    memcpy(reader->control + reader->control_length, data, length);
    reader->control_length = (unsigned char) (reader->control_length + length);
    return reader->control;
}

static int check_control(struct rtn_ws_reader *reader, const unsigned char *data, size_t length)
{
    enum rtn_ws_opcode type = (enum rtn_ws_opcode) rtn_ws_reader_opcode(reader);

    int r = type == RTN_WS_OP_CLOSE ? check_close(reader, data, length) : 0;
    if (r < 0 || reader->frame_left > 0)
        return r;
    return reader->events->control(reader->owner, type, data, length) ? RTN_WS_READER_ON : RTN_WS_READER_STOP;
}

int rtn_ws_reader_control(struct rtn_ws_reader *reader, unsigned char *data, size_t length)
{
    if (reader->control == NULL && reader->frame_left == 0)
        return check_control(reader, data, length);
    const unsigned char *kept = keep_control(reader, data, length);
    if (kept == NULL)
        return -ENOMEM;
    int r = check_control(reader, kept, reader->control_length);
    if (reader->frame_left == 0) {
        free(reader->control);
        reader->control = NULL;
    }
    return r;
}
