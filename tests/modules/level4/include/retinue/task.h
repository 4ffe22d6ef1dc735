/*
 * What modules do beside their handlers: tasks on workers, timers, descriptors of their own, files, and stopping
 * servers. Included by <retinue/module.h>, which says what holds for all of this. Since level 4.
 *
 * `server` and `instance` say whose it is: an instance of that server, as callbacks get it. Callbacks run where those
 * of the instance's handlers run, under the same promise: on a loop of the server (the calling one, else the first), or
 * on a worker. What is not over when the server has no connections any more is cancelled, before `stop`; from then on
 * these functions return -ECANCELED. All return 0 or a negative errno: -EINVAL for an instance that is none of the
 * server; -ENOMEM. [any]
 */
#ifndef RETINUE_TASK_H
#define RETINUE_TASK_H

#ifndef RETINUE_MODULE_H
#error "include <retinue/module.h>, which includes this file"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/*
 * Runs run(data) on a worker of the server, beside whatever runs there; then done(result, data) as a callback of the
 * instance, with what run returned, or with -ECANCELED when it was not run because the server stops. done may be NULL.
 * -EAGAIN: `queue` tasks, messages and calls of timers and the like wait for workers already, beside requests, with
 * which they take turns; -ENOTSUP: the server has `threads: 0`.
 */
int rtn_task(rtn_server *server, void *instance, int (*run)(void *data), void (*done)(int result, void *data),
             void *data);

/*
 * Calls fire(data) after `after` milliseconds, and then every `every` milliseconds (0: only once). On workers a call
 * that is still waiting or running is not doubled. end(data) is the last call, once, when the timer is over or
 * cancelled; it may be NULL. *timer, when not NULL, gets its number before the first call.
 */
int rtn_timer_start(rtn_server *server, void *instance, int64_t after, int64_t every, void (*fire)(void *data),
                    void (*end)(void *data), void *data, rtn_number *timer);

#define RTN_WATCH_READ 1u
#define RTN_WATCH_WRITE 2u

/*
 * Calls ready(fd, events, data) whenever the descriptor can be read or written, as `events` asks for (RTN_WATCH_ bits);
 * on workers, not again before the call has returned. The descriptor stays the caller's, and must be open until
 * end(data) is called, once, when it is cancelled. -EBADF, -EINVAL (no events), -EEXIST (it is watched already, on
 * that loop), -EPERM (a file that cannot be waited for: it is always ready).
 */
int rtn_watch_start(rtn_server *server, void *instance, int fd, unsigned events,
                    void (*ready)(int fd, unsigned events, void *data), void (*end)(void *data), void *data,
                    rtn_number *watch);

/*
 * Ends a timer or a watched descriptor. A callback that is running or waits for a worker is still finished; end() comes
 * after it, on the loop perhaps before this returns. On other threads than that of its loop, 0 says that the order is
 * on its way. -ENOENT: it is over.
 */
int rtn_cancel(rtn_number number);

/*
 * Reads or writes a file on a worker, then then(bytes, result, data) as a callback of the instance: bytes read (fewer
 * at the end of the file) or written, or a negative errno; `bytes` are valid during the call. Those to write are
 * copied, and so is the descriptor. -ENOTSUP, -EAGAIN as rtn_task(); -EBADF, -EMFILE; -EINVAL without bytes to write.
 */
typedef void (*rtn_task_file_then)(const void *bytes, int64_t result, void *data);
int rtn_task_file_read(rtn_server *server, void *instance, int fd, int64_t offset, size_t length,
                       rtn_task_file_then then, void *data);
int rtn_task_file_write(rtn_server *server, void *instance, int fd, int64_t offset, const void *bytes, size_t length,
                        rtn_task_file_then then, void *data);

/*
 * Stops one server, as the daemon stops them all: it accepts no more, what runs is finished for `shutdown_timeout` at
 * most, hooks run, and its addresses are free again. The others go on; messages to it are refused with -ECANCELED. With
 * the last server the daemon ends. The call returns at once. 0 (also when it is stopping already), -ENOENT (no server
 * has that name), -ENOMEM.
 */
int rtn_server_stop(const char *name);

/* Stops the daemon, as SIGTERM does. */
void rtn_shutdown(void);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
