/* One message handler and nothing else. */
#include "hub_ignore.h"

static const struct rtn_message_row rows[] = { RTN_ON(kinds_job, take_job), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "only", .on = rows },
    { 0 },
};

static const struct rtn_module module = {
    .name = "message_only",
    .threads = RTN_THREADS_LOOP,
    .messages = message_handlers,
};
RTN_REGISTER_MODULE(module)
