#include <criterion/criterion.h>

#include "stats/histogram.h"

#define LAST (RTN_HISTOGRAM_BUCKETS - 1)

static void observe(uint64_t cells[RTN_HISTOGRAM_CELLS], uint64_t value)
{
    cells[rtn_histogram_bucket(value)]++;
    cells[RTN_HISTOGRAM_SUM] += value;
}

Test(histogram, buckets_end_where_they_say)
{
    cr_assert_eq(rtn_histogram_bucket(0), 0);
    for (unsigned i = 0; i < LAST; i++) {
        uint64_t upper = rtn_histogram_upper(i);
        cr_assert_eq(rtn_histogram_bucket(upper), i, "%u", i);
        cr_assert_eq(rtn_histogram_bucket(upper + 1), i + 1, "%u", i);
        cr_assert(i == 0 || upper > rtn_histogram_upper(i - 1), "%u", i);
    }
    cr_assert_eq(rtn_histogram_upper(LAST), UINT64_MAX);
    cr_assert_eq(rtn_histogram_bucket(UINT64_MAX), LAST);
}

Test(histogram, every_power_of_two_ends_a_bucket)
{
    for (unsigned power = 0; power <= 26; power++) {
        uint64_t value = UINT64_C(1) << power;
        cr_assert_eq(rtn_histogram_upper(rtn_histogram_bucket(value)), value, "%u", power);
    }
}

Test(histogram, buckets_are_narrow)
{
    for (uint64_t value = 4; value < UINT64_C(1) << 26; value += value / 7 + 1) {
        uint64_t upper = rtn_histogram_upper(rtn_histogram_bucket(value));
        cr_assert(upper >= value && upper - value <= value / 2, "%llu", (unsigned long long) value);
    }
}

Test(histogram, percentiles_of_nothing)
{
    uint64_t cells[RTN_HISTOGRAM_CELLS] = { 0 };
    cr_assert_eq(rtn_histogram_count(cells), 0);
    cr_assert_eq(rtn_histogram_percentile(cells, 0.5), 0);
    cr_assert_eq(rtn_histogram_percentile(cells, 1), 0);
}

Test(histogram, percentiles_of_even_values)
{
    uint64_t cells[RTN_HISTOGRAM_CELLS] = { 0 };
    for (uint64_t value = 1; value <= 1024; value++)
        observe(cells, value);
    cr_assert_eq(rtn_histogram_count(cells), 1024);
    cr_assert_eq(cells[RTN_HISTOGRAM_SUM], 1024 * 1025 / 2);
    static const double shares[] = { 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999 };
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        double found = (double) rtn_histogram_percentile(cells, shares[i]);
        cr_assert(found - shares[i] * 1024 <= 1 && shares[i] * 1024 - found <= 1, "%g: %g", shares[i], found);
    }
    cr_assert_eq(rtn_histogram_percentile(cells, 1), 1024);
}

Test(histogram, one_value_far_out)
{
    uint64_t cells[RTN_HISTOGRAM_CELLS] = { 0 };
    for (int i = 0; i < 999; i++)
        observe(cells, 100);
    observe(cells, 5000000);
    cr_assert_leq(rtn_histogram_percentile(cells, 0.99), 128);
    cr_assert_gt(rtn_histogram_percentile(cells, 0.99), 96);
    cr_assert_geq(rtn_histogram_percentile(cells, 1), 5000000);
    cr_assert_leq(rtn_histogram_percentile(cells, 1), 7500000);
}

Test(histogram, past_the_last_end)
{
    uint64_t cells[RTN_HISTOGRAM_CELLS] = { 0 };
    observe(cells, UINT64_C(1) << 40);
    cr_assert_eq(cells[LAST], 1);
    cr_assert_eq(rtn_histogram_percentile(cells, 0.5), UINT64_C(1) << 26);
    cr_assert_eq(rtn_histogram_percentile(cells, 1), UINT64_C(1) << 26);
}
