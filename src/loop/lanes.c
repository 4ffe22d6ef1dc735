/* Each lane is first in, first out. Tasks whose serial is busy are put aside when their turn comes. */
#include "loop/lanes.h"

#include "base/macros.h"

void rtn_lanes_init(struct rtn_lanes *lanes)
{
    *lanes = (struct rtn_lanes){ .turn = 0 };
    for (unsigned i = 0; i < RTN_LANES; i++)
        rtn_list_init(&lanes->lanes[i].tasks);
}

struct rtn_lane *rtn_lanes_of(struct rtn_lanes *lanes, const struct rtn_task *task)
{
    return &lanes->lanes[task->lane];
}

void rtn_lanes_add(struct rtn_lanes *lanes, struct rtn_task *task)
{
    struct rtn_lane *lane = rtn_lanes_of(lanes, task);
    rtn_list_append(&lane->tasks, &task->node);
    lane->queued++;
    lanes->ready++;
}

static struct rtn_task *take_from(struct rtn_lanes *lanes, struct rtn_lane *lane)
{
    struct rtn_list *node;
    while ((node = rtn_list_pop(&lane->tasks)) != NULL) {
        lanes->ready--;
        struct rtn_task *task = RTN_CONTAINER_OF(node, struct rtn_task, node);
        if (task->serial == NULL || !task->serial->busy) {
            lane->queued--;
            if (task->serial != NULL)
                task->serial->busy = true;
            return task;
        }
        rtn_list_append(&task->serial->waiting, node);
    }
    return NULL;
}

struct rtn_task *rtn_lanes_take(struct rtn_lanes *lanes)
{
    struct rtn_task *task = NULL;
    for (unsigned i = 0; i < RTN_LANES && task == NULL && lanes->ready > 0; i++) {
        task = take_from(lanes, &lanes->lanes[lanes->turn]);
        lanes->turn = (lanes->turn + 1) % RTN_LANES;
    }
    return task;
}

void rtn_lanes_release(struct rtn_lanes *lanes, struct rtn_serial *serial)
{
    serial->busy = false;
    struct rtn_list *node = rtn_list_pop(&serial->waiting);
    if (node == NULL)
        return;
    struct rtn_lane *lane = rtn_lanes_of(lanes, RTN_CONTAINER_OF(node, struct rtn_task, node));
    rtn_list_append(lane->tasks.next, node);
    lanes->ready++;
}

unsigned rtn_lanes_queued(const struct rtn_lanes *lanes)
{
    unsigned queued = 0;
    for (unsigned i = 0; i < RTN_LANES; i++)
        queued += lanes->lanes[i].queued;
    return queued;
}
