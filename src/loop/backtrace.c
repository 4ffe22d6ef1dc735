/*
 * One request at a time: main says which thread is to answer, and signals it; the handler fills the buffer and posts.
 * Main waits with a bound. Whoever answers too late finds that it is not asked any more; whoever has begun to answer is
 * waited for, since the buffer is its.
 */
#include "loop/backtrace.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <inttypes.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macros.h"
#include "log/log.h"
#include "loop/symbols.h"

#define ANSWER_MS 200 /* that a thread has for an answer */
#define FINISH_MS 1000 /* once it has begun */

enum state { STATE_FREE, STATE_ASKED, STATE_ANSWERING, STATE_ANSWERED };

static struct {
    _Atomic int state; /* enum state */
    _Atomic pid_t thread; /* who is asked */
    struct rtn_backtrace answer;
    sem_t answered;
    bool (*file_of)(const char *name, char *out, size_t size);
} asked;

int rtn_backtrace_signal(void)
{
    return SIGRTMIN + 3;
}

/* Where the thread was when the signal came; NULL when this machine's context is not known here. */
static void *interrupted(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (void *) (uintptr_t) context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (void *) (uintptr_t) context->uc_mcontext.pc;
#else
    (void) context;
    return NULL;
#endif
}

/* Those of the signal handler come first. */
static void drop_own_frames(struct rtn_backtrace *answer, const void *at)
{
    int skip = 0;
    while (skip < answer->count && answer->frames[skip] != at)
        skip++;
    if (skip == answer->count)
        return;
    answer->count -= skip;
    memmove(&answer->frames[0], &answer->frames[skip], (size_t) answer->count * sizeof(answer->frames[0]));
}

static void note_request(struct rtn_backtrace *answer)
{
    const char *id = rtn_log_set_request(NULL);
    (void) rtn_log_set_request(id);
    size_t length = id != NULL ? RTN_MIN(strlen(id), sizeof(answer->request_id) - 1) : 0;
    memcpy(answer->request_id, id != NULL ? id : "", length);
    answer->request_id[length] = '\0';
}

/* The signal itself may end what it asks for: a sleep comes back early. */
static void note_call(struct rtn_backtrace *answer)
{
    const struct rtn_activity *activity = rtn_activity_here();
    if (activity == NULL || !rtn_activity_read(activity, &answer->call))
        answer->call = (struct rtn_activity_call){ 0 };
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void) number;
    (void) info;
    int error = errno;
    int state = STATE_ASKED;
    if (atomic_load(&asked.thread) == (pid_t) syscall(SYS_gettid) &&
        atomic_compare_exchange_strong(&asked.state, &state, STATE_ANSWERING)) {
        asked.answer.count = backtrace(asked.answer.frames, RTN_BACKTRACE_FRAMES);
        drop_own_frames(&asked.answer, interrupted(context));
        note_request(&asked.answer);
        note_call(&asked.answer);
        atomic_store(&asked.state, STATE_ANSWERED);
        (void) sem_post(&asked.answered);
    }
    errno = error;
}

void rtn_backtrace_init(bool (*file_of)(const char *name, char *out, size_t size))
{
    void *frames[4];
    (void) backtrace(frames, RTN_ARRAY_LENGTH(frames)); /* the first one loads a library */
    asked.file_of = file_of;
    (void) sem_init(&asked.answered, 0, 0);
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK | SA_SIGINFO };
    sigfillset(&action.sa_mask);
    (void) sigaction(rtn_backtrace_signal(), &action, NULL);
}

static bool wait_for_answer(int64_t ms)
{
    struct timespec until = rtn_clock_after(CLOCK_REALTIME, ms);
    int r;
    do
        r = sem_timedwait(&asked.answered, &until);
    while (r < 0 && errno == EINTR);
    return r == 0;
}

bool rtn_backtrace_take(const struct rtn_activity *activity, struct rtn_backtrace *ret)
{
    if (atomic_load(&asked.state) != STATE_FREE) { /* an answer that came much too late */
        if (!wait_for_answer(0))
            return false;
        atomic_store(&asked.state, STATE_FREE);
    }
    atomic_store(&asked.thread, activity->thread);
    atomic_store(&asked.state, STATE_ASKED);
    bool answered =
        syscall(SYS_tgkill, getpid(), activity->thread, rtn_backtrace_signal()) == 0 && wait_for_answer(ANSWER_MS);
    int state = STATE_ASKED;
    if (!answered && atomic_compare_exchange_strong(&asked.state, &state, STATE_FREE))
        return false;
    if (!answered && !wait_for_answer(FINISH_MS))
        return false;
    *ret = asked.answer;
    atomic_store(&asked.state, STATE_FREE);
    return true;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The linker knows the program by the name that it was called by, which need not be that of a file. */
static const char *file_with_symbols(const Dl_info *info)
{
    static const char mark;
    Dl_info program;
    bool is_program = dladdr(&mark, &program) != 0 && program.dli_fbase == info->dli_fbase;
    return is_program ? "/proc/self/exe" : info->dli_fname;
}

/* Return addresses are behind their calls, which may be the last instruction of a function. */
static void format_frame(const void *frame, bool innermost, struct rtn_buf *out)
{
    uintptr_t address = (uintptr_t) frame - (innermost ? 0 : 1);
    Dl_info info;
    if (dladdr((void *) address, &info) == 0 || info.dli_fname == NULL) {
        rtn_buf_printf(out, "0x%" PRIxPTR, address);
        return;
    }
    char file[PATH_MAX];
    bool known = asked.file_of != NULL && asked.file_of(info.dli_fname, file, sizeof(file));
    const char *shown = known ? file : base_name(info.dli_fname);
    struct rtn_symbol symbol;
    uintptr_t offset = address - (uintptr_t) info.dli_fbase;
    if (info.dli_sname != NULL)
        rtn_buf_printf(out, "%s+0x%" PRIxPTR " (%s)", info.dli_sname, address - (uintptr_t) info.dli_saddr, shown);
    else if (rtn_symbol_find(file_with_symbols(&info), offset, &symbol))
        rtn_buf_printf(out, "%s+0x%" PRIxPTR " (%s)", symbol.name, symbol.offset, shown);
    else
        rtn_buf_printf(out, "%s+0x%" PRIxPTR, shown, offset);
}

void rtn_backtrace_format(const struct rtn_backtrace *backtrace, size_t most, struct rtn_buf *out)
{
    size_t start = out->length;
    for (int i = 0; i < backtrace->count; i++) {
        size_t before = out->length;
        if (i > 0)
            rtn_buf_append_text(out, " < ");
        format_frame(backtrace->frames[i], i == 0, out);
        if (out->length - start > most) {
            out->length = before;
            out->data[before] = '\0';
            return;
        }
    }
}
