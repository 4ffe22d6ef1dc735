#include <criterion/criterion.h>

#include "stats/rows.h"

/* What writers of text rely on: a family, once it is left, does not come back. */
Test(rows, families_stand_together)
{
    for (size_t i = 1; i < rtn_stats_row_count; i++) {
        const char *family = rtn_stats_rows[i].family;
        if (family == NULL ||
            (rtn_stats_rows[i - 1].family != NULL && strcmp(family, rtn_stats_rows[i - 1].family) == 0))
            continue;
        for (size_t j = 0; j < i; j++)
            cr_expect(rtn_stats_rows[j].family == NULL || strcmp(rtn_stats_rows[j].family, family) != 0, "%s", family);
    }
}

static bool is_of_process(const struct rtn_stats_row *row)
{
    return row->from == RTN_STATS_FROM_PROCESS_SOURCE;
}

/* "connections.closed" of a path; absent without a dot. */
static struct rtn_str folder_of(const struct rtn_stats_row *row)
{
    const char *dot = row->json != NULL ? strrchr(row->json, '.') : NULL;
    return dot != NULL ? (struct rtn_str){ row->json, (size_t) (dot - row->json) } : (struct rtn_str){ 0 };
}

Test(rows, members_are_there_once)
{
    for (size_t i = 0; i < rtn_stats_row_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct rtn_stats_row *a = &rtn_stats_rows[i];
            const struct rtn_stats_row *b = &rtn_stats_rows[j];
            bool same = a->json != NULL && b->json != NULL && strcmp(a->json, b->json) == 0;
            cr_expect(!same || is_of_process(a) != is_of_process(b), "%s", a->json);
        }
    }
}

Test(rows, objects_are_opened_once)
{
    for (size_t i = 1; i < rtn_stats_row_count; i++) {
        struct rtn_str folder = folder_of(&rtn_stats_rows[i]);
        size_t last = i - 1;
        while (last > 0 && rtn_stats_rows[last].json == NULL)
            last--;
        if (folder.length == 0 || rtn_str_starts_with(rtn_str_of(rtn_stats_rows[last].json), folder))
            continue;
        for (size_t j = 0; j < last; j++)
            cr_expect_not(rtn_stats_rows[j].json != NULL && rtn_str_equal(folder_of(&rtn_stats_rows[j]), folder), "%s",
                          rtn_stats_rows[i].json);
    }
}

Test(rows, counters_are_named_like_counters)
{
    for (size_t i = 0; i < rtn_stats_row_count; i++) {
        const struct rtn_stats_row *row = &rtn_stats_rows[i];
        if (row->family == NULL)
            continue;
        cr_expect_eq(rtn_str_ends_with(rtn_str_of(row->family), RTN_STR("_total")), row->type == RTN_STATS_COUNTER,
                     "%s", row->family);
        cr_expect(rtn_str_starts_with(rtn_str_of(row->family), RTN_STR("retinue_")), "%s", row->family);
        cr_expect_not_null(row->help, "%s", row->family);
        cr_expect_eq(row->label == NULL, row->value == NULL, "%s", row->family);
    }
}

Test(rows, what_ended_before_it_was_seen_to_begin)
{
    uint64_t cells[RTN_STATS_SERVER_CELLS] = { 0 };
    cells[RTN_STATS_REQUESTS_ENDED] = 1;
    cells[RTN_STATS_CLOSED] = 1;
    for (unsigned i = RTN_STATS_OPEN; i <= RTN_STATS_OUTGOING; i++)
        cr_expect_eq(rtn_stats_derive(cells, (enum rtn_stats_derived) i), 0, "%u", i);
}
