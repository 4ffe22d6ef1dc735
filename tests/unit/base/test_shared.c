#include <criterion/criterion.h>

#include "base/shared.h"

static void count_release(void *data)
{
    ++*(unsigned *) data;
}

Test(shared, is_released_by_the_last_and_once)
{
    unsigned released = 0;
    struct rtn_shared *shared = rtn_shared_new(count_release, &released);
    cr_assert_not_null(shared);
    rtn_shared_ref(shared);
    rtn_shared_ref(shared);
    rtn_shared_unref(shared);
    rtn_shared_unref(shared);
    cr_expect_eq(released, 0);
    rtn_shared_unref(shared);
    cr_expect_eq(released, 1);
}

Test(shared, without_others_the_first_is_the_last)
{
    unsigned released = 0;
    rtn_shared_unref(rtn_shared_new(count_release, &released));
    cr_expect_eq(released, 1);
}
