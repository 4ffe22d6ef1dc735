/*
 * The reader's walk through what is fed: header, content, header, ... Each step takes as much as there is of one of
 * them, so that frames may be cut anywhere; what a cut frame needs to go on is in the struct.
 *
 * Content is unmasked here, in place. A frame that lies whole in what is fed goes through one step.
 */
#include "proto/ws_reader.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macros.h"
#include "proto/ws_reader_internal.h"

int rtn_ws_reader_fail(struct rtn_ws_reader *reader, int code, const char *text)
{
    reader->error_code = code;
    reader->error_text = text;
    return -EPROTO;
}

/* How much of the frame's content is taken at once. */
static size_t content_length(const struct rtn_ws_reader *reader, size_t available)
{
    size_t length = (size_t) RTN_MIN((uint64_t) available, reader->frame_left);
    /* Small slices, since a callback cannot stop what is being inflated. */
    if (reader->streamed && reader->compressed && !rtn_ws_reader_is_control(reader))
        length = RTN_MIN(length, (size_t) RTN_WS_READER_SLICE);
    return length;
}

/* The mask ends the header. Returns whether the content is ASCII. */
static bool unmask(const struct rtn_ws_reader *reader, unsigned char *data, size_t length)
{
    return rtn_ws_mask(data, length, reader->header + reader->header_length - 4, reader->mask_at);
}

static int take_content(struct rtn_ws_reader *reader, struct rtn_ws_input *input)
{
    unsigned char *data = input->data + input->at;
    size_t length = content_length(reader, input->length - input->at);
    bool ascii = !reader->from_server && unmask(reader, data, length);

    input->at += length;
    reader->mask_at = (unsigned char) ((reader->mask_at + length) & 3);
    reader->frame_left -= length;
    if (rtn_ws_reader_is_control(reader))
        return rtn_ws_reader_control(reader, data, length);
    return rtn_ws_reader_data(reader, data, length, ascii);
}

static int step(struct rtn_ws_reader *reader, struct rtn_ws_input *input)
{
    if (!reader->in_frame) {
        int r = rtn_ws_reader_header(reader, input);
        if (r < 0 || !reader->in_frame)
            return r;
        if (reader->frame_left > 0 && input->at == input->length)
            return RTN_WS_READER_ON;
    }
    int r = take_content(reader, input);
    if (r >= 0 && reader->frame_left == 0) {
        reader->in_frame = false;
        reader->header_length = 0;
    }
    return r;
}

int rtn_ws_reader_feed(struct rtn_ws_reader *reader, unsigned char *data, size_t length, size_t *used)
{
    struct rtn_ws_input input = { .data = data, .length = length };
    int r = RTN_WS_READER_ON;

    while (r == RTN_WS_READER_ON && input.at < input.length)
        r = step(reader, &input);
    *used = input.at;
    return r < 0 ? r : 0;
}

bool rtn_ws_reader_is_idle(const struct rtn_ws_reader *reader)
{
    return !reader->in_message && reader->header_length == 0;
}

void rtn_ws_reader_done(struct rtn_ws_reader *reader)
{
    rtn_buf_done(&reader->message);
    free(reader->control);
    reader->control = NULL;
}
