/* SHA-1 (RFC 3174), for the handshake of WebSockets. It protects nothing: whoever needs a secure hash takes another. */
#ifndef RTN_BASE_SHA1_H
#define RTN_BASE_SHA1_H

#include <stddef.h>

#define RTN_SHA1_SIZE 20

void rtn_sha1(const void *data, size_t length, unsigned char digest[RTN_SHA1_SIZE]);

#endif
