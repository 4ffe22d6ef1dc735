#include "base/sha1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static void expect(const void *data, size_t length, const char *hex)
{
    unsigned char digest[RTN_SHA1_SIZE];
    char text[2 * RTN_SHA1_SIZE + 1];
    rtn_sha1(data, length, digest);
    for (size_t i = 0; i < RTN_SHA1_SIZE; i++)
        (void) snprintf(text + i * 2, 3, "%02x", digest[i]);
    cr_expect_str_eq(text, hex, "%zu", length);
}

/* RFC 3174, 7.3; FIPS 180 */
Test(sha1, published_values)
{
    static char million[1000000];
    memset(million, 'a', sizeof(million));
    expect("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    expect("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    expect(million, sizeof(million), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

/* Around the ends of blocks, where the length fits behind the content or not: made with another program. */
Test(sha1, lengths_around_a_block)
{
    static const struct {
        size_t length;
        const char *hex;
    } cases[] = {
        { 1, "11f6ad8ec52a2984abaafd7c3b516503785c2072" },   { 54, "31045e7bb077ff8d188a776b196b980388735dbb" },
        { 55, "cef734ba81a024479e09eb5a75b6ddae62e6abf1" },  { 56, "901305367c259952f4e7af8323f480d59f81335b" },
        { 63, "0ddc4e0cccd9a12850deb5abb0853a4425559fec" },  { 64, "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163" },
        { 65, "78c741ddc482e4cdf8c474a0876347a0905b6233" },  { 119, "4300320394f7ee239bcdce7d3b8bcee173a0cd5c" },
        { 120, "ceb2821639c4b6dcb10bce0e522ca2e608ce056d" }, { 128, "150fa3fbdc899bd0b8f95a9fb6027f564d953762" },
    };
    char text[200];
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect(text, cases[i].length, cases[i].hex);
}
