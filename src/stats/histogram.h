/*
 * The shape of histograms: values from 1 to 2^26 (of microseconds: about 67 s) in buckets that grow by half a power of
 * two, and one for what is larger. Two buckets per power of two are right to a quarter of the value. [any]
 */
#ifndef RTN_STATS_HISTOGRAM_H
#define RTN_STATS_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define RTN_HISTOGRAM_BUCKETS 53 /* the last one has no upper end */
#define RTN_HISTOGRAM_SUM RTN_HISTOGRAM_BUCKETS /* the cell behind them: the sum of all values */
#define RTN_HISTOGRAM_CELLS (RTN_HISTOGRAM_BUCKETS + 1)

/* The bucket of a value. */
static inline unsigned rtn_histogram_bucket(uint64_t value)
{
    uint64_t below = value - (value > 0); /* upper ends belong to their bucket */
    if (below < 2)
        return (unsigned) below;
    unsigned power = 63U - (unsigned) __builtin_clzll(below);
    unsigned bucket = power * 2 + (unsigned) (below >> (power - 1) & 1);
    return bucket < RTN_HISTOGRAM_BUCKETS ? bucket : RTN_HISTOGRAM_BUCKETS - 1;
}

/* The largest value of a bucket; UINT64_MAX of the last one. */
uint64_t rtn_histogram_upper(unsigned bucket);

/* How many values there are in all. `cells`: RTN_HISTOGRAM_CELLS of them, as in the next. */
uint64_t rtn_histogram_count(const uint64_t *cells);

/*
 * The value that `share` (0 to 1) of all values do not exceed, taken evenly within its bucket. 1: the upper end of the
 * highest bucket that has any. 0 without values; of the last bucket always its lower end.
 */
uint64_t rtn_histogram_percentile(const uint64_t *cells, double share);

#endif
