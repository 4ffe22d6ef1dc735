#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Of 1 to 3 bytes. */
static void encode_group(const unsigned char *in, size_t count, char *out)
{
    unsigned bits = (unsigned) in[0] << 16;
    if (count > 1)
        bits |= (unsigned) in[1] << 8;
    if (count > 2)
        bits |= in[2];
    out[0] = digits[bits >> 18];
    out[1] = digits[bits >> 12 & 63];
    out[2] = count > 1 ? digits[bits >> 6 & 63] : '=';
    out[3] = count > 2 ? digits[bits & 63] : '=';
}

void rtn_base64_encode(const void *data, size_t length, char *out)
{
    const unsigned char *in = data;
    for (; length > 0; in += 3, out += 4) {
        size_t count = length < 3 ? length : 3;
        encode_group(in, count, out);
        length -= count;
    }
    *out = '\0';
}
