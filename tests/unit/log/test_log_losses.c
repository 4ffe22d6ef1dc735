/* Losses: both counts, how often they are told, and the last time. */
#include <errno.h>

#include <criterion/criterion.h>

#include "log/log_losses.h"

Test(log_losses, none_are_not_told)
{
    struct rtn_log_losses losses = { 0 };
    struct rtn_log_losses taken = rtn_log_losses_take(&losses, 5, true);
    cr_assert_not(rtn_log_losses_any(&losses));
    cr_assert_not(rtn_log_losses_any(&taken));
    cr_assert_eq(losses.tell_at, 0);
}

Test(log_losses, are_counted_by_what_is_to_be_mended)
{
    struct rtn_log_losses losses = { 0 };
    rtn_log_losses_add(&losses, 2, -EAGAIN);
    rtn_log_losses_add(&losses, 3, -EIO);
    rtn_log_losses_add(&losses, 4, -ENOSPC);
    struct rtn_log_losses taken = rtn_log_losses_take(&losses, 100, false);
    cr_assert_eq(taken.slow, 2);
    cr_assert_eq(taken.failed, 7);
    cr_assert_eq(taken.error, -ENOSPC);
    cr_assert_not(rtn_log_losses_any(&losses));
}

Test(log_losses, are_told_once_a_second)
{
    struct rtn_log_losses losses = { 0 };
    rtn_log_losses_add(&losses, 1, -EIO);
    cr_assert_eq(rtn_log_losses_take(&losses, 100, false).failed, 1);
    rtn_log_losses_add(&losses, 1, -EIO);
    cr_assert_eq(rtn_log_losses_take(&losses, 1099, false).failed, 0);
    rtn_log_losses_add(&losses, 1, -EIO);
    cr_assert_eq(rtn_log_losses_take(&losses, 1100, false).failed, 2);
}

Test(log_losses, the_last_ones_do_not_wait)
{
    struct rtn_log_losses losses = { .tell_at = 1000 };
    rtn_log_losses_add(&losses, 1, -EAGAIN);
    cr_assert_eq(rtn_log_losses_take(&losses, 1, false).slow, 0);
    cr_assert_eq(rtn_log_losses_take(&losses, 1, true).slow, 1);
}
