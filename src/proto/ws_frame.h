/*
 * Frames of WebSocket (RFC 6455, 5.2): opcodes, headers, masks, close codes. Pure functions. [any]
 */
#ifndef RTN_PROTO_WS_FRAME_H
#define RTN_PROTO_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtn_ws_opcode {
    RTN_WS_OP_CONTINUATION = 0x0,
    RTN_WS_OP_TEXT = 0x1,
    RTN_WS_OP_BINARY = 0x2,
    RTN_WS_OP_CLOSE = 0x8,
    RTN_WS_OP_PING = 0x9,
    RTN_WS_OP_PONG = 0xa
};

#define RTN_WS_FIN 0x80u
#define RTN_WS_RSV1 0x40u /* of a compressed message (RFC 7692, 6) */
#define RTN_WS_RESERVED 0x30u /* RSV2 and RSV3, which nobody has given a meaning */
#define RTN_WS_CONTROL 0x8u /* the bit that opcodes of control frames have */
#define RTN_WS_MASKED 0x80u /* of the second byte; the rest is a length, or one of these */
#define RTN_WS_LENGTH_16 126 /* it follows in 2 bytes */
#define RTN_WS_LENGTH_64 127 /* in 8 bytes */
#define RTN_WS_HEADER_MOST 14 /* bytes of a frame header, mask included */
#define RTN_WS_CONTROL_MOST 125 /* bytes of content of a control frame */

/* Codes of RFC 6455, 7.4.1. */
enum rtn_ws_code {
    RTN_WS_NORMAL = 1000,
    RTN_WS_GOING_AWAY = 1001,
    RTN_WS_PROTOCOL_ERROR = 1002,
    RTN_WS_NO_CODE = 1005, /* never sent */
    RTN_WS_ABNORMAL = 1006, /* never sent */
    RTN_WS_BAD_DATA = 1007,
    RTN_WS_POLICY = 1008,
    RTN_WS_TOO_BIG = 1009,
    RTN_WS_EXTENSION_MISSING = 1010,
    RTN_WS_INTERNAL_ERROR = 1011,
    RTN_WS_SERVICE_RESTART = 1012,
    RTN_WS_TRY_AGAIN = 1013
};

/* Writes a header in its shortest form; returns its length. `first` is FIN, RSV1 and opcode; mask NULL: not masked. */
size_t rtn_ws_header_write(unsigned char out[RTN_WS_HEADER_MOST], unsigned first, uint64_t length,
                           const unsigned char *mask);

/*
 * Masks or unmasks in place (RFC 6455, 5.3), word-wise; `offset` of data[0] in the frame's content. Returns whether
 * what stands there now is ASCII: that comes for nothing here, and spares most texts another look.
 */
bool rtn_ws_mask(unsigned char *data, size_t length, const unsigned char mask[4], uint64_t offset);

/* Codes that may stand in a close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999. */
bool rtn_ws_code_is_valid(int code);

#endif
