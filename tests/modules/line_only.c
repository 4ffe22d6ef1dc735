/* One line handler and nothing else. */
#include "hub_ignore.h"

static const struct rtn_line_handler line_handlers[] = {
    { .name = "only", .line = take_line },
    { 0 },
};

static const struct rtn_module module = {
    .name = "line_only",
    .threads = RTN_THREADS_LOOP,
    .line = line_handlers,
};
RTN_REGISTER_MODULE(module)
