/* The words themselves: the table of thread models. */
#include "app/module_text.h"

#include "base/macros.h"

static const struct {
    enum rtn_threads threads;
    const char *name;
    const char *meaning;
} models[] = {
    { RTN_THREADS_SERIAL, "serial", "on a worker, one call at a time per route" },
    { RTN_THREADS_PARALLEL, "parallel", "on workers, several calls at once" },
    { RTN_THREADS_LOOP, "loop", "never blocks, runs on the server's loops" },
};

const char *rtn_threads_name(enum rtn_threads threads)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        if (models[i].threads == threads)
            return models[i].name;
    }
    return "unknown";
}

const char *rtn_threads_meaning(enum rtn_threads threads)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        if (models[i].threads == threads)
            return models[i].meaning;
    }
    return "";
}
