#include <criterion/criterion.h>

#include "base/siphash.h"

static struct rtn_siphash_key counting_key(void)
{
    struct rtn_siphash_key key;
    for (unsigned i = 0; i < sizeof(key); i++)
        ((unsigned char *) &key)[i] = (unsigned char) i;
    return key;
}

/* The published value for no data at all, under the key 00 01 02 ... 0f. */
Test(siphash, known_value)
{
    struct rtn_siphash_key key = counting_key();
    cr_assert_eq(rtn_siphash(&key, RTN_STR("")), 0xabac0158050fc4dcU);
}

/* Each byte counts, and so does the length. */
Test(siphash, every_byte)
{
    struct rtn_siphash_key key = counting_key();
    char text[20] = { 0 };
    for (size_t length = 1; length <= sizeof(text); length++) {
        uint64_t plain = rtn_siphash(&key, (struct rtn_str){ text, length });
        cr_expect_neq(plain, rtn_siphash(&key, (struct rtn_str){ text, length - 1 }), "length %zu", length);
        for (size_t i = 0; i < length; i++) {
            text[i] = 1;
            cr_expect_neq(plain, rtn_siphash(&key, (struct rtn_str){ text, length }), "%zu of %zu", i, length);
            text[i] = 0;
        }
    }
}

Test(siphash, keys_differ)
{
    struct rtn_siphash_key a;
    struct rtn_siphash_key b;
    rtn_siphash_choose_key(&a);
    rtn_siphash_choose_key(&b);
    cr_assert_neq(rtn_siphash(&a, RTN_STR("x")), rtn_siphash(&b, RTN_STR("x")));
}
