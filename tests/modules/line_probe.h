/* What the files of the test module line_probe share. */
#ifndef LINE_PROBE_H
#define LINE_PROBE_H

#include <pthread.h>
#include <stdatomic.h>

#include <retinue/module.h>

#define LINE_THREADS 64

/* One instance: one line server. */
struct line_probe {
    const char *name; /* told in each line of the log */
    bool quiet;
    bool hello;
    bool farewell;
    bool fail_open;
    bool ends_daemon;
    rtn_server *server;
    pthread_t threads[LINE_THREADS]; /* that commands have started */
    atomic_uint thread_count;
};

/* What a connection keeps. */
struct line_data {
    struct line_probe *probe;
    atomic_int inside;
    char text[32];
};
int line_keep(rtn_connection *connection, struct line_probe *probe, rtn_str text);

/* Does what a line that begins with ! says, of the table at the end of line_command.c, and sends what came of it. */
int line_command(struct line_probe *probe, rtn_connection *connection, rtn_str line);

void line_threads_join(struct line_probe *probe);

#endif
