#include "proto/ws_crypto.h"

#include <string.h>

#include <criterion/criterion.h>

Test(ws_crypto, functions)
{
    const char *wrong;
    const struct rtn_ws_crypto *crypto = rtn_ws_crypto_load(&wrong);
    cr_assert_not_null(crypto, "%s", wrong);
    cr_expect_str_eq(wrong, "");
    cr_expect_eq(rtn_ws_crypto(), crypto);

    unsigned char digest[SHA_DIGEST_LENGTH];
    char text[32];
    cr_assert_not_null(crypto->sha1((const unsigned char *) "abc", 3, digest));
    cr_expect_eq(crypto->encode_base64((unsigned char *) text, digest, sizeof(digest)), 28);
    cr_expect_str_eq(text, "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="); /* FIPS 180, appendix A.1 */

    unsigned char random[2][16] = { { 0 }, { 0 } };
    cr_expect_eq(crypto->random_bytes(random[0], sizeof(random[0])), 1);
    cr_expect_eq(crypto->random_bytes(random[1], sizeof(random[1])), 1);
    cr_expect_neq(memcmp(random[0], random[1], sizeof(random[0])), 0);
}
