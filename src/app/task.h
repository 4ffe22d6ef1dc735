/* Work of modules on workers: functions of theirs, and files that are read or written. [any] */
#ifndef RTN_APP_TASK_H
#define RTN_APP_TASK_H

#include "app/dispatch.h"

/* As rtn_task() in <retinue/task.h>, which says what these are. */
struct rtn_task_spec {
    int (*run)(void *data);
    void (*done)(int result, void *data);
    void *data;
};

int rtn_task_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_task_spec *spec);

/* As rtn_task_file_read() and rtn_task_file_write(). */
struct rtn_task_file_spec {
    int fd;
    int64_t offset;
    bool writes;
    const void *bytes; /* to be written */
    size_t length;
    void (*then)(const void *bytes, int64_t result, void *data);
    void *data;
};

int rtn_task_file_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_task_file_spec *spec);

#endif
