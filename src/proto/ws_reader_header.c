/*
 * Frame headers (RFC 6455, 5.2), byte by byte: each is checked as soon as it has come, so that what is wrong is refused
 * without waiting for more. Lengths are big-endian; the forms of 16 and 64 bits are for what does not fit into a
 * shorter one.
 */
#include "proto/ws_reader_internal.h"

#include "base/macros.h"

static int refuse(struct rtn_ws_reader *reader, const char *text)
{
    return rtn_ws_reader_fail(reader, RTN_WS_PROTOCOL_ERROR, text);
}

static int check_control(struct rtn_ws_reader *reader, unsigned first)
{
    if ((first & RTN_WS_RSV1) != 0)
        return refuse(reader, "a reserved bit that is set");
    if ((first & RTN_WS_FIN) == 0)
        return refuse(reader, "a control frame that is fragmented");
    return 0;
}

/* Compression is told by the first frame of a message. */
static int check_data(struct rtn_ws_reader *reader, unsigned first)
{
    bool continues = rtn_ws_reader_opcode(reader) == RTN_WS_OP_CONTINUATION;

    if ((first & RTN_WS_RSV1) != 0 && (reader->inflate == NULL || continues))
        return refuse(reader, "a reserved bit that is set");
    if (continues && !reader->in_message)
        return refuse(reader, "a continuation without a message");
    if (!continues && reader->in_message)
        return refuse(reader, "a message inside of another");
    return 0;
}

static int check_first(struct rtn_ws_reader *reader)
{
    static const bool known[16] = {
        [RTN_WS_OP_CONTINUATION] = true, [RTN_WS_OP_TEXT] = true, [RTN_WS_OP_BINARY] = true,
        [RTN_WS_OP_CLOSE] = true,        [RTN_WS_OP_PING] = true, [RTN_WS_OP_PONG] = true,
    };
    unsigned first = reader->header[0];

    if ((first & RTN_WS_RESERVED) != 0)
        return refuse(reader, "a reserved bit that is set");
    if (!known[rtn_ws_reader_opcode(reader)])
        return refuse(reader, "an unknown opcode");
    return rtn_ws_reader_is_control(reader) ? check_control(reader, first) : check_data(reader, first);
}

static int check_second(struct rtn_ws_reader *reader)
{
    bool masked = (reader->header[1] & RTN_WS_MASKED) != 0;
    unsigned length = reader->header[1] & 0x7fu;

    if (masked && reader->from_server)
        return refuse(reader, "a frame that is masked");
    if (!masked && !reader->from_server)
        return refuse(reader, "a frame that is not masked");
    if (rtn_ws_reader_is_control(reader) && length > RTN_WS_CONTROL_MOST)
        return refuse(reader, "a control frame that is too long");
    if (rtn_ws_reader_opcode(reader) == RTN_WS_OP_CLOSE && length == 1)
        return refuse(reader, "a close frame with half a code");
    return 0;
}

/* Bytes of the length behind the first two of the header. */
static unsigned length_bytes(const struct rtn_ws_reader *reader)
{
    unsigned length = reader->header[1] & 0x7fu;
    if (length == RTN_WS_LENGTH_64)
        return 8;
    return length == RTN_WS_LENGTH_16 ? 2 : 0;
}

/* The number that the last `bytes` bytes of the header make. */
static uint64_t read_big_endian(const struct rtn_ws_reader *reader, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = reader->header_length - bytes; i < reader->header_length; i++)
        value = value << 8 | reader->header[i];
    return value;
}

/* A byte of a long length has come. */
static int check_length(struct rtn_ws_reader *reader, unsigned bytes)
{
    unsigned have = reader->header_length - 2;

    if (bytes == 8 && have == 1 && (reader->header[2] & 0x80) != 0)
        return refuse(reader, "a length of more than 63 bits");
    /* What the shorter form holds: 125, or 16 bits, of which the last two bytes do not matter. */
    bool needless = bytes == 8 ? have == 6 && read_big_endian(reader, 6) == 0
                               : have == 2 && read_big_endian(reader, 2) < RTN_WS_LENGTH_16;
    return needless ? refuse(reader, "a length that is not in its shortest form") : 0;
}

/* Known is the length of the frame. What a compressed one makes is found out by inflating. */
static int check_limit(struct rtn_ws_reader *reader)
{
    bool continues = rtn_ws_reader_opcode(reader) == RTN_WS_OP_CONTINUATION;
    bool compressed = continues ? reader->compressed : (reader->header[0] & RTN_WS_RSV1) != 0;
    uint64_t before = continues ? reader->message_length : 0;

    if (rtn_ws_reader_is_control(reader) || compressed || reader->frame_left <= rtn_ws_reader_room(reader, before))
        return 0;
    return rtn_ws_reader_fail(reader, RTN_WS_TOO_BIG, "a message that is too long");
}

static bool take_byte(struct rtn_ws_reader *reader, struct rtn_ws_input *input)
{
    if (input->at == input->length)
        return false;
    reader->header[reader->header_length++] = input->data[input->at++];
    return true;
}

/* The first two bytes and the length. 1: they are complete. */
static int take_length(struct rtn_ws_reader *reader, struct rtn_ws_input *input)
{
    int r = 0;

    if (reader->header_length == 0 && take_byte(reader, input))
        r = check_first(reader);
    if (r == 0 && reader->header_length == 1 && take_byte(reader, input))
        r = check_second(reader);
    if (r < 0 || reader->header_length < 2)
        return r;
    unsigned bytes = length_bytes(reader);
    while (r == 0 && reader->header_length < 2 + bytes) {
        if (!take_byte(reader, input))
            return 0;
        r = check_length(reader, bytes);
    }
    if (r < 0)
        return r;
    if (reader->header_length == 2 + bytes) {
        reader->frame_left = bytes == 0 ? reader->header[1] & 0x7fu : read_big_endian(reader, bytes);
        r = check_limit(reader);
    }
    return r < 0 ? r : 1;
}

/* Mostly it comes whole. */
static bool take_mask(struct rtn_ws_reader *reader, struct rtn_ws_input *input)
{
    unsigned begin = 2 + length_bytes(reader), end = begin + 4;

    if (reader->header_length == begin && input->length - input->at >= 4) {
        memcpy(reader->header + begin, input->data + input->at, 4);
        reader->header_length = (unsigned char) end;
        input->at += 4;
        return true;
    }
    while (reader->header_length < end && take_byte(reader, input))
        continue;
    return reader->header_length == end;
}

static void begin_frame(struct rtn_ws_reader *reader)
{
    unsigned opcode = rtn_ws_reader_opcode(reader);

    reader->in_frame = true;
    reader->mask_at = 0;
    if (rtn_ws_reader_is_control(reader) || opcode == RTN_WS_OP_CONTINUATION)
        return;
    reader->in_message = true;
    reader->type = (unsigned char) opcode;
    reader->compressed = (reader->header[0] & RTN_WS_RSV1) != 0;
    reader->message_length = 0;
    reader->utf8 = (struct rtn_utf8_state){ 0 };
}

int rtn_ws_reader_header(struct rtn_ws_reader *reader, struct rtn_ws_input *input)
{
    int r = take_length(reader, input);
    if (r <= 0)
        return r;
    if (reader->from_server || take_mask(reader, input))
        begin_frame(reader);
    return 0;
}
