#include <criterion/criterion.h>

#include "base/arena.h"

static bool is_aligned(const void *p)
{
    return (uintptr_t) p % _Alignof(max_align_t) == 0;
}

Test(arena, uses_the_first_block)
{
    _Alignas(max_align_t) char first[256];
    struct rtn_arena arena;

    rtn_arena_init(&arena, first, sizeof(first));
    char *a = rtn_arena_alloc(&arena, 1);
    char *b = rtn_arena_alloc(&arena, 100);
    cr_assert_eq(a, first);
    cr_assert(b > a && b + 100 <= first + sizeof(first));
    cr_assert_null(arena.extra);
    rtn_arena_done(&arena);
}

Test(arena, exact_fit)
{
    _Alignas(max_align_t) char first[64];
    struct rtn_arena arena;

    rtn_arena_init(&arena, first, sizeof(first));
    cr_assert_eq((char *) rtn_arena_alloc(&arena, 64), first);
    cr_assert_null(arena.extra);
    cr_assert_not_null(rtn_arena_alloc(&arena, 1));
    cr_assert_not_null(arena.extra);
    rtn_arena_done(&arena);
}

Test(arena, odd_first_blocks)
{
    _Alignas(max_align_t) char first[64];

    for (size_t offset = 0; offset < 20; offset++) {
        for (size_t size = 0; size + offset <= sizeof(first); size++) {
            struct rtn_arena arena;
            rtn_arena_init(&arena, first + offset, size);
            char *p = rtn_arena_alloc(&arena, 8);
            cr_assert_not_null(p);
            cr_assert(is_aligned(p));
            memset(p, 1, 8);
            rtn_arena_done(&arena);
        }
    }
}

Test(arena, grows_without_overlap)
{
    struct rtn_arena arena;
    unsigned char *blocks[500];

    rtn_arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < 500; i++) {
        blocks[i] = rtn_arena_alloc(&arena, i * 7);
        cr_assert_not_null(blocks[i]);
        cr_assert(is_aligned(blocks[i]));
        memset(blocks[i], (int) (i & 0xff), i * 7);
    }
    for (size_t i = 0; i < 500; i++) {
        for (size_t j = 0; j < i * 7; j++)
            cr_assert_eq(blocks[i][j], i & 0xff);
    }
    rtn_arena_done(&arena);
}

Test(arena, size_zero_gives_distinct_pointers)
{
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    void *a = rtn_arena_alloc(&arena, 0);
    void *b = rtn_arena_alloc(&arena, 0);
    cr_assert_not_null(a);
    cr_assert_not_null(b);
    cr_assert_neq(a, b);
    rtn_arena_done(&arena);
}

Test(arena, large_one_keeps_the_current_block)
{
    _Alignas(max_align_t) char first[128];
    struct rtn_arena arena;

    rtn_arena_init(&arena, first, sizeof(first));
    char *large = rtn_arena_alloc(&arena, 100000);
    cr_assert_not_null(large);
    memset(large, 1, 100000);
    cr_assert_eq((char *) rtn_arena_alloc(&arena, 16), first);
    rtn_arena_done(&arena);
}

Test(arena, impossible_sizes)
{
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    cr_assert_null(rtn_arena_alloc(&arena, SIZE_MAX));
    cr_assert_null(rtn_arena_alloc(&arena, SIZE_MAX - 8));
    cr_assert_null(rtn_arena_zalloc(&arena, SIZE_MAX - 64));
    cr_assert_null(rtn_arena_strdup(&arena, (struct rtn_str){ "x", SIZE_MAX }));
    cr_assert_not_null(rtn_arena_alloc(&arena, 8));
    rtn_arena_done(&arena);
}

Test(arena, reset_starts_again_in_the_first_block)
{
    _Alignas(max_align_t) char first[64];
    struct rtn_arena arena;

    rtn_arena_init(&arena, first, sizeof(first));
    for (int round = 0; round < 3; round++) {
        cr_assert_eq((char *) rtn_arena_alloc(&arena, 32), first);
        for (int i = 0; i < 1000; i++)
            cr_assert_not_null(rtn_arena_alloc(&arena, 48));
        rtn_arena_reset(&arena);
        cr_assert_null(arena.extra);
    }
    rtn_arena_done(&arena);
}

Test(arena, zalloc_after_reset_is_zero)
{
    _Alignas(max_align_t) char first[64];
    struct rtn_arena arena;

    memset(first, 0xff, sizeof(first));
    rtn_arena_init(&arena, first, sizeof(first));
    const char *zeros = rtn_arena_zalloc(&arena, 40);
    for (int i = 0; i < 40; i++)
        cr_assert_eq(zeros[i], 0);
    rtn_arena_done(&arena);
}

Test(arena, strings)
{
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    cr_assert_str_eq(rtn_arena_strdup(&arena, (struct rtn_str){ "abcdef", 3 }), "abc");
    cr_assert_str_eq(rtn_arena_strdup(&arena, (struct rtn_str){ NULL, 0 }), "");
    cr_assert_str_eq(rtn_arena_printf(&arena, "%s-%d", "x", 5), "x-5");
    const char *wide = rtn_arena_printf(&arena, "%5000d", 1);
    cr_assert_eq(strlen(wide), 5000);
    rtn_arena_done(&arena);
}
