/* Loop threads: begin and end hooks and their failures, mail, names, signals, the end. */
#include "loop/loop.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/macros.h"

#include "support.h"

static _Atomic int silent = RTN_LOG_NONE;

struct seen {
    struct rtn_loop loop;
    int begin_result;
    bool begun;
    bool here;
    bool ended;
    bool end_here;
    atomic_uint waits;
    char name[RTN_THREAD_NAME_SIZE];
    sigset_t blocked;
    atomic_uint received;
};

/* A loop gives its thread a context. */
static bool is_here(const struct rtn_loop *loop)
{
    return rtn_log_get_context() == &loop->log_context;
}

static int on_begin(void *data)
{
    struct seen *seen = data;
    pause_ms(20); /* start must wait for it */
    seen->begun = true;
    seen->here = is_here(&seen->loop);
    pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
    pthread_sigmask(SIG_SETMASK, NULL, &seen->blocked);
    return seen->begin_result;
}

static void on_wait(void *data)
{
    struct seen *seen = data;
    atomic_fetch_add(&seen->waits, 1);
}

static void on_end(void *data)
{
    struct seen *seen = data;
    seen->ended = true;
    seen->end_here = is_here(&seen->loop);
}

static void init(struct seen *seen, int begin_result)
{
    *seen = (struct seen){ .begin_result = begin_result };
    const struct rtn_loop_options options = { .server = "getandpost",
                                              .index = 12,
                                              .log_level = &silent,
                                              .begin = on_begin,
                                              .before_wait = on_wait,
                                              .end = on_end,
                                              .data = seen };
    cr_assert_eq(rtn_loop_init(&seen->loop, &options), 0);
}

Test(loop, start_waits_for_begin_and_stop_runs_end_on_the_thread)
{
    struct seen seen;
    init(&seen, 0);
    cr_assert_eq(rtn_loop_start(&seen.loop), 0);
    cr_expect(seen.begun);
    cr_expect(seen.here);
    cr_expect_not(is_here(&seen.loop));
    cr_expect_str_eq(seen.name, "getandp/loop-12");
    cr_expect(sigismember(&seen.blocked, SIGTERM) == 1);
    cr_expect(sigismember(&seen.blocked, SIGHUP) == 1);
    cr_expect(reaches(&seen.waits, 1));
    cr_assert_eq(rtn_loop_stop(&seen.loop, 30000), 0);
    cr_expect(seen.ended);
    cr_expect(seen.end_here);
    rtn_loop_done(&seen.loop);
    rtn_loop_done(&seen.loop); /* no effect */
}

Test(loop, starting_a_thread_leaves_the_signals_of_the_starter)
{
    struct seen seen;
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    init(&seen, 0);
    cr_assert_eq(rtn_loop_start(&seen.loop), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    cr_expect_eq(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
    cr_assert_eq(rtn_loop_stop(&seen.loop, 30000), 0);
    rtn_loop_done(&seen.loop);
}

Test(loop, begin_that_fails_is_what_start_returns)
{
    struct seen seen;
    init(&seen, -ENOLINK);
    cr_expect_eq(rtn_loop_start(&seen.loop), -ENOLINK);
    cr_expect(seen.begun);
    cr_expect_not(seen.ended);
    cr_expect_eq(atomic_load(&seen.waits), 0);
    rtn_loop_done(&seen.loop);
}

#define POSTERS 4
#define EACH 5000

struct letter {
    struct rtn_mail mail;
    struct seen *seen;
};

static void on_letter(struct rtn_mail *mail)
{
    struct seen *seen = RTN_CONTAINER_OF(mail, struct letter, mail)->seen;
    if (is_here(&seen->loop))
        atomic_fetch_add(&seen->received, 1);
}

struct poster {
    pthread_t thread;
    struct letter *letters;
    struct seen *seen;
};

static void *post_letters(void *data)
{
    struct poster *poster = data;
    for (unsigned i = 0; i < EACH; i++) {
        poster->letters[i] = (struct letter){ .mail = { .deliver = on_letter }, .seen = poster->seen };
        rtn_loop_post(&poster->seen->loop, &poster->letters[i].mail);
    }
    return NULL;
}

Test(loop, mail_of_many_threads_arrives_on_the_loop_before_it_stops)
{
    static struct letter letters[POSTERS][EACH];
    struct poster posters[POSTERS];
    struct seen seen;
    init(&seen, 0);
    cr_assert_eq(rtn_loop_start(&seen.loop), 0);
    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){ .letters = letters[i], .seen = &seen };
        cr_assert_eq(pthread_create(&posters[i].thread, NULL, post_letters, &posters[i]), 0);
    }
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    cr_assert_eq(rtn_loop_stop(&seen.loop, 30000), 0);
    cr_expect_eq(atomic_load(&seen.received), POSTERS * EACH);
    rtn_loop_done(&seen.loop);
}

struct probe {
    struct rtn_mail mail;
    struct rtn_loop *loop;
    int64_t now;
    int64_t clock;
};

static void on_probe(struct rtn_mail *mail)
{
    struct probe *probe = RTN_CONTAINER_OF(mail, struct probe, mail);
    probe->now = probe->loop->now_ms;
    probe->clock = rtn_clock_ms();
}

Test(loop, callbacks_see_the_time_of_their_iteration)
{
    struct seen seen;
    struct probe probe = { .mail = { .deliver = on_probe }, .loop = &seen.loop };
    init(&seen, 0);
    cr_assert_eq(rtn_loop_start(&seen.loop), 0);
    pause_ms(300);
    int64_t posted = rtn_clock_ms();
    rtn_loop_post(&seen.loop, &probe.mail);
    cr_assert_eq(rtn_loop_stop(&seen.loop, 30000), 0);
    cr_expect_geq(probe.now, posted, "the time of an iteration long ago");
    cr_expect_leq(probe.now, probe.clock);
    rtn_loop_done(&seen.loop);
}

Test(loop, thread_names_keep_their_end)
{
    static const struct {
        const char *server;
        const char *kind;
        unsigned number;
        const char *name;
    } table[] = {
        { "get", "loop", 0, "get/loop-0" },
        { "getandpost", "worker", 12, "getan/worker-12" },
        { "getandpost", "loop", 3, "getandpo/loop-3" },
        { "a", "worker", 1023, "a/worker-1023" },
        { "server", "worker", 4000000000U, "/worker-4000000" },
        { "", "loop", 1, "/loop-1" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        char name[RTN_THREAD_NAME_SIZE];
        rtn_thread_name_format(name, table[i].server, table[i].kind, table[i].number);
        cr_expect_str_eq(name, table[i].name, "%s instead of %s", name, table[i].name);
    }
}
