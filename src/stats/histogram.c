/* What the buckets of a histogram say about its values. */
#include "stats/histogram.h"

uint64_t rtn_histogram_upper(unsigned bucket)
{
    if (bucket >= RTN_HISTOGRAM_BUCKETS - 1)
        return UINT64_MAX;
    if (bucket < 2)
        return bucket + 1;
    return (uint64_t) (3 + bucket % 2) << (bucket / 2 - 1);
}

uint64_t rtn_histogram_count(const uint64_t *cells)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < RTN_HISTOGRAM_BUCKETS; i++)
        count += cells[i];
    return count;
}

/* The value that stands `part` of `count` values deep in a bucket. */
static uint64_t within(unsigned bucket, double part, double count)
{
    uint64_t lower = bucket > 0 ? rtn_histogram_upper(bucket - 1) : 0;
    if (bucket == RTN_HISTOGRAM_BUCKETS - 1)
        return lower;
    double width = (double) (rtn_histogram_upper(bucket) - lower);
    return lower + (uint64_t) (width * part / count + 0.5);
}

uint64_t rtn_histogram_percentile(const uint64_t *cells, double share)
{
    double wanted = share * (double) rtn_histogram_count(cells);
    double seen = 0;
    uint64_t upper = 0; /* end of the last bucket that has any */
    for (unsigned i = 0; i < RTN_HISTOGRAM_BUCKETS; i++) {
        double count = (double) cells[i];
        if (cells[i] == 0)
            continue;
        if (seen + count >= wanted && share < 1)
            return within(i, wanted - seen, count);
        seen += count;
        upper = within(i, count, count);
    }
    return upper;
}
