/* Ids: their form, that none comes twice, and what is taken from clients. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "app/request_id.h"

#define THREADS 4
#define IDS 2000

static char ids[THREADS * IDS][RTN_REQUEST_ID_SIZE];

static void *make_many(void *data)
{
    char(*out)[RTN_REQUEST_ID_SIZE] = data;
    for (int i = 0; i < IDS; i++)
        rtn_request_id_make(out[i]);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

Test(request_id, form)
{
    char id[RTN_REQUEST_ID_SIZE];
    rtn_request_id_make(id);
    cr_assert_eq(strlen(id), 32);
    cr_assert_eq(strspn(id, "0123456789abcdef"), 32);
    cr_assert(rtn_request_id_valid(rtn_str_of(id)));
}

Test(request_id, none_comes_twice)
{
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, make_many, ids[i * IDS]), 0);
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    qsort(ids, sizeof(ids) / sizeof(ids[0]), sizeof(ids[0]), compare);
    for (size_t i = 1; i < THREADS * IDS; i++)
        cr_assert_neq(strcmp(ids[i - 1], ids[i]), 0);
}

Test(request_id, what_is_taken_from_clients)
{
    static const char *const good[] = { "a", "0", "A-Z_a.z:0+9/=@", "6f3c2b1e-0000-4000-8000-000000000000" };
    static const char *const bad[] = { "", "a b", "a\tb", "a\"b", "a\\b", "a\nb", "a,b", "\xc3\xa9", "a;b", "<a>" };
    char text[RTN_REQUEST_ID_MAX + 2];
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_expect(rtn_request_id_valid(rtn_str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_expect_not(rtn_request_id_valid(rtn_str_of(bad[i])), "%s", bad[i]);
    cr_expect_not(rtn_request_id_valid((struct rtn_str){ "a\0b", 3 }));
    cr_expect_not(rtn_request_id_valid((struct rtn_str){ NULL, 0 }));
    memset(text, 'x', sizeof(text));
    cr_expect(rtn_request_id_valid((struct rtn_str){ text, RTN_REQUEST_ID_MAX }));
    cr_expect_not(rtn_request_id_valid((struct rtn_str){ text, RTN_REQUEST_ID_MAX + 1 }));
}
