#include <errno.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "base/map.h"

Test(map, empty)
{
    struct rtn_map map = { 0 };

    cr_assert_null(rtn_map_get(&map, RTN_STR("a")));
    cr_assert_null(rtn_map_get(&map, (struct rtn_str){ NULL, 0 }));
    rtn_map_done(&map);
    rtn_map_done(&map);
}

Test(map, add_and_get)
{
    struct rtn_map map = { 0 };
    int one, two, three;

    cr_assert_eq(rtn_map_add(&map, RTN_STR("one"), &one), 0);
    cr_assert_eq(rtn_map_add(&map, RTN_STR(""), &two), 0);
    cr_assert_eq(rtn_map_add(&map, RTN_STR("o\0e"), &three), 0);
    cr_assert_eq(rtn_map_get(&map, RTN_STR("one")), &one);
    cr_assert_eq(rtn_map_get(&map, (struct rtn_str){ NULL, 0 }), &two);
    cr_assert_eq(rtn_map_get(&map, RTN_STR("o\0e")), &three);
    cr_assert_null(rtn_map_get(&map, RTN_STR("One")));
    cr_assert_null(rtn_map_get(&map, RTN_STR("on")));
    cr_assert_null(rtn_map_get(&map, RTN_STR("o\0f")));
    rtn_map_done(&map);
}

/* Keys of all lengths, which differ at their end or at their beginning only. */
Test(map, trusted_keys_are_found)
{
    enum { COUNT = 2000 };
    static char keys[COUNT][48];
    struct rtn_map map = { .trusted = true };
    for (int i = 0; i < COUNT; i++) {
        const char *filler = "/abcdefghijklmnopqrstuvwxyz/abcdefghij";
        if (i % 2 == 0)
            (void) snprintf(keys[i], sizeof(keys[i]), "%.*s%d", i % 38, filler, i);
        else
            (void) snprintf(keys[i], sizeof(keys[i]), "%d%.*s", i, i % 38, filler);
        cr_assert_eq(rtn_map_add(&map, rtn_str_of(keys[i]), keys[i]), 0, "%s", keys[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        char copy[48];
        strcpy(copy, keys[i]);
        cr_assert_eq(rtn_map_get(&map, rtn_str_of(copy)), keys[i], "%s", copy);
        copy[0] ^= 0x40;
        cr_assert_null(rtn_map_get(&map, rtn_str_of(copy)));
    }
    rtn_map_done(&map);
    cr_assert(map.trusted);
}

/* The hashes of keys that are alike choose different slots: of 1,000 in 2,048 slots few have to wait for a free one. */
Test(map, trusted_keys_are_spread)
{
    static const char *const ends[][2] = {
        { "/a", "" }, { "/api/v1/users/", "" }, { "/", "/edit" }, { "/api/", "/the/long/end" }
    };
    for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
        static char keys[1000][48];
        struct rtn_map map = { .trusted = true };
        size_t taken[2048] = { 0 };
        size_t worst = 0;
        for (int i = 0; i < 1000; i++) {
            (void) snprintf(keys[i], sizeof(keys[i]), "%s%d%s", ends[e][0], i, ends[e][1]);
            cr_assert_eq(rtn_map_add(&map, rtn_str_of(keys[i]), keys[i]), 0);
        }
        for (size_t i = 0; i < map.count; i++) {
            size_t slot = map.entries[i].hash % 2048;
            worst = ++taken[slot] > worst ? taken[slot] : worst;
        }
        cr_expect_leq(worst, 8, "%s: %zu", ends[e][0], worst);
        rtn_map_done(&map);
    }
}

Test(map, duplicate_changes_nothing)
{
    struct rtn_map map = { 0 };
    int first, second;
    char key[] = "key";

    cr_assert_eq(rtn_map_add(&map, RTN_STR("key"), &first), 0);
    cr_assert_eq(rtn_map_add(&map, rtn_str_of(key), &second), -EEXIST);
    cr_assert_eq(map.count, 1);
    cr_assert_eq(rtn_map_get(&map, RTN_STR("key")), &first);
    rtn_map_done(&map);
}

/* Key lengths around the hash's word of 8 bytes, differing in one byte only. */
Test(map, lengths_and_single_bytes)
{
    struct rtn_map map = { 0 };
    static char keys[40][40];
    int values[40];

    for (size_t i = 0; i < 40; i++) {
        memset(keys[i], 'k', sizeof(keys[i]));
        cr_assert_eq(rtn_map_add(&map, (struct rtn_str){ keys[i], i }, &values[i]), 0);
    }
    for (size_t i = 0; i < 40; i++)
        cr_assert_eq(rtn_map_get(&map, (struct rtn_str){ keys[0], i }), &values[i]);
    for (size_t i = 1; i < 40; i++) {
        keys[0][i - 1] = 'x';
        cr_assert_null(rtn_map_get(&map, (struct rtn_str){ keys[0], i }));
        keys[0][i - 1] = 'k';
    }
    rtn_map_done(&map);
}

enum { MANY = 20000 };
static char names[MANY][16];

Test(map, growth_keeps_order_and_finds_all)
{
    struct rtn_map map = { 0 };

    for (int i = 0; i < MANY; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "name-%d", i);
        cr_assert_eq(rtn_map_add(&map, rtn_str_of(names[i]), names[i]), 0);
        cr_assert_eq(rtn_map_add(&map, rtn_str_of(names[i / 2]), NULL), -EEXIST);
    }
    cr_assert_eq(map.count, MANY);
    cr_assert_gt(map.slot_count, map.count);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(rtn_map_get(&map, rtn_str_of(names[i])), names[i]);
        cr_assert_eq(map.entries[i].value, names[i]);
    }
    cr_assert_null(rtn_map_get(&map, RTN_STR("name-20000")));
    rtn_map_done(&map);
    cr_assert_null(map.entries);
}

Test(map, hash_keys_differ)
{
    struct rtn_map a = { 0 };
    struct rtn_map b = { 0 };

    cr_assert_eq(rtn_map_add(&a, RTN_STR("x"), &a), 0);
    cr_assert_eq(rtn_map_add(&b, RTN_STR("x"), &b), 0);
    cr_assert_neq(memcmp(&a.key, &b.key, sizeof(a.key)), 0);
    rtn_map_done(&a);
    rtn_map_done(&b);
}
