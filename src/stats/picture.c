/* Taking the picture: every block is added up over all slabs once, so that what is written of it fits together. */
#include "stats/picture.h"

#include <errno.h>

static const uint64_t *sum(struct rtn_arena *arena, rtn_stats_block block, size_t count)
{
    uint64_t *cells = rtn_arena_alloc(arena, count * sizeof(*cells));
    if (cells != NULL)
        rtn_stats_sum(block, count, cells);
    return cells;
}

static int take_kind(struct rtn_stats_picture *picture, enum rtn_stats_kind kind)
{
    size_t count = rtn_stats_entry_count(kind);
    struct rtn_stats_series *series = rtn_arena_alloc(&picture->arena, (count + 1) * sizeof(*series));
    if (series == NULL)
        return -ENOMEM;
    picture->series[kind] = series;
    RTN_LIST_FOREACH (node, rtn_stats_entries(kind)) {
        const struct rtn_stats_entry *entry = RTN_CONTAINER_OF(node, struct rtn_stats_entry, node);
        series->labels[0] = entry->labels[0];
        series->labels[1] = entry->labels[1];
        series->cells = sum(&picture->arena, entry->block, rtn_stats_size(kind));
        if (series->cells == NULL)
            return -ENOMEM;
        series++;
        picture->count[kind]++;
    }
    return 0;
}

static int take_all(struct rtn_stats_picture *picture)
{
    for (unsigned kind = 0; kind < RTN_STATS_LABELLED; kind++) {
        int r = take_kind(picture, (enum rtn_stats_kind) kind);
        if (r < 0)
            return r;
    }
    rtn_stats_read_sources(&picture->readings);
    if (picture->readings.failed)
        return -ENOMEM;
    return rtn_stats_view_metrics(&picture->arena, &picture->metrics, &picture->metric_count);
}

int rtn_stats_picture_take(struct rtn_stats_picture *picture)
{
    *picture = (struct rtn_stats_picture){ 0 };
    rtn_arena_init(&picture->arena, NULL, 0);
    rtn_list_init(&picture->readings.readings);
    picture->readings.arena = &picture->arena;
    pthread_mutex_lock(&rtn_stats_mutex);
    int r = take_all(picture);
    pthread_mutex_unlock(&rtn_stats_mutex);
    return r;
}

void rtn_stats_picture_done(struct rtn_stats_picture *picture)
{
    rtn_arena_done(&picture->arena);
}
