/*
 * What the opening handshake of WebSockets needs of OpenSSL: SHA-1, base64 and random bytes. Its library is loaded with
 * the first module that has WebSocket handlers: a daemon without them is smaller by a quarter. [any]
 */
#ifndef RTN_PROTO_WS_CRYPTO_H
#define RTN_PROTO_WS_CRYPTO_H

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

struct rtn_ws_crypto {
    __typeof__(&SHA1) sha1;
    __typeof__(&EVP_EncodeBlock) encode_base64;
    __typeof__(&RAND_bytes) random_bytes;
};

/* The functions, loaded by the first caller. NULL: the library, or one of them, is not there; *ret says why. Any thread
 */
const struct rtn_ws_crypto *rtn_ws_crypto_load(const char **ret);

/* The same after it has succeeded once. */
const struct rtn_ws_crypto *rtn_ws_crypto(void);

#endif
