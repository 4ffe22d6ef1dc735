/* The sources of gauges. */
#include "stats/gauge.h"

#include "stats/picture.h"
#include "stats/stats_internal.h"

static struct rtn_list sources = { &sources, &sources };

void rtn_stats_source_add(struct rtn_stats_source *source)
{
    pthread_mutex_lock(&rtn_stats_mutex);
    rtn_list_append(&sources, &source->node);
    pthread_mutex_unlock(&rtn_stats_mutex);
}

void rtn_stats_source_remove(struct rtn_stats_source *source)
{
    pthread_mutex_lock(&rtn_stats_mutex);
    if (source->node.next != NULL)
        rtn_list_remove(&source->node);
    pthread_mutex_unlock(&rtn_stats_mutex);
}

void rtn_stats_read_sources(struct rtn_stats_readings *out)
{
    RTN_LIST_FOREACH (node, &sources) {
        struct rtn_stats_source *source = RTN_CONTAINER_OF(node, struct rtn_stats_source, node);
        const char *server = NULL;
        if (source->server != NULL) {
            server = rtn_arena_strdup(out->arena, rtn_str_of(source->server));
            out->failed = out->failed || server == NULL;
        }
        out->server = server;
        source->read(out, source->data);
    }
}

void rtn_stats_give(struct rtn_stats_readings *out, enum rtn_stats_gauge gauge, const char *label, int64_t value)
{
    struct rtn_stats_reading *reading = rtn_arena_alloc(out->arena, sizeof(*reading));
    if (reading == NULL) {
        out->failed = true;
        return;
    }
    *reading = (struct rtn_stats_reading){ .gauge = gauge, .server = out->server, .label = label, .value = value };
    rtn_list_append(&out->readings, &reading->node);
}
