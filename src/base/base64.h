/* Base64 (RFC 4648, 4). */
#ifndef RTN_BASE_BASE64_H
#define RTN_BASE_BASE64_H

#include <stddef.h>

/* Characters for so many bytes, with NUL. */
#define RTN_BASE64_SIZE(length) (((length) + 2) / 3 * 4 + 1)

/* Writes RTN_BASE64_SIZE(length) characters. */
void rtn_base64_encode(const void *data, size_t length, char *out);

#endif
