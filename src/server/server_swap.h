/*
 * From one program of a running server to the next. [main]; what it has done on loops comes back by mail of main
 *
 * prepare: the start hooks of new instances run on loop 0, then thread_start on every loop. commit: every loop puts the
 * new program in force between two iterations, then quiesce of the instances that are not in it runs on loop 0. An old
 * program is freed when no loop uses it any more; an instance ends (what it has running is cancelled, thread_stop on
 * loops and workers, stop on loop 0, unload) when nothing refers to it.
 */
#ifndef RTN_SERVER_SERVER_SWAP_H
#define RTN_SERVER_SERVER_SWAP_H

#include "server/server.h"

/*
 * What came of it: 0 or -errno, which was logged. It is always told, never before the call has returned; when the
 * server ends meanwhile by rtn_server_end(), with -ECANCELED, and of commit with 0.
 */
typedef void (*rtn_server_swap_done)(struct rtn_server *server, int result, void *data);

/* After a failure hooks may have run: it is to be discarded, like one that is not wanted. One at a time for a server.
 */
void rtn_server_prepare(struct rtn_server *server, struct rtn_program *program, rtn_server_swap_done done, void *data);

/* Adds an error at the instance whose hook let prepare, or the start of the server, fail, if it was one. */
void rtn_server_report_failure(struct rtn_server *server, struct rtn_diags *diags);

/*
 * For how long a loop has not come to what prepare is at: it is in a callback of its own. -1: they all have, also while
 * a hook runs, which may take its time.
 */
int64_t rtn_server_held_up_ms(const struct rtn_server *server);

/*
 * Undoes what prepare has done: thread_stop, stop; then done, and the program may be freed. Also before prepare is
 * through, of which nothing is told then.
 */
void rtn_server_discard(struct rtn_server *server, rtn_server_swap_done done, void *data);

/*
 * The prepared program is in force from now on; pool, client limits, log level and accept limits follow its
 * configuration. Cannot fail. `done` when every loop has it.
 */
void rtn_server_commit(struct rtn_server *server, rtn_server_swap_done done, void *data);

/* True from prepare to the end of what follows it, discard or commit, or to that of the server. */
bool rtn_server_is_swapping(const struct rtn_server *server);

/* How many programs beside the one in force are still in use, and how many sessions stay under them. */
void rtn_server_old_programs(const struct rtn_server *server, unsigned *programs, unsigned *sessions);

/* Asks sessions under programs of generations older than `number` to close (WebSocket: 1012), as with `generations`. */
void rtn_server_end_old(struct rtn_server *server, unsigned number);

#endif
