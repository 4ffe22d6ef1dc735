/*
 * Runs on the thread that failed, on its stack for signals, with what may be called in a signal handler: what is known
 * of the thread and its call stack goes to standard error by write(). Then the signal does what it does by default, so
 * that the core and the exit status are those of the fault. A second fault meanwhile ends the process at once.
 */
#include "daemon/crash.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/module_name.h"
#include "base/macros.h"
#include "loop/activity.h"
#include "loop/sanitized.h"

#define FRAMES 32

static const struct {
    int number;
    const char *name;
} faults[] = {
    { SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" }, { SIGFPE, "SIGFPE" }, { SIGILL, "SIGILL" }, { SIGABRT, "SIGABRT" },
};

/* One write for each, so that it is not mixed with those of others. */
struct line {
    char text[1024 + PATH_MAX];
    size_t length;
};

static void put(struct line *line, const char *text)
{
    size_t length = RTN_MIN(strlen(text), sizeof(line->text) - line->length);
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void put_hex(struct line *line, uintptr_t number)
{
    char text[2 + 2 * sizeof(number) + 1];
    char *at = text + sizeof(text) - 1;
    *at = '\0';
    do
        *--at = "0123456789abcdef"[number % 16];
    while ((number /= 16) > 0);
    *--at = 'x';
    *--at = '0';
    put(line, at);
}

static void flush(struct line *line)
{
    ssize_t written = write(STDERR_FILENO, line->text, line->length);
    (void) written;
    line->length = 0;
}

static const char *name_of(int number)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(faults); i++) {
        if (faults[i].number == number)
            return faults[i].name;
    }
    return "a signal";
}

static void put_callback(struct line *line, const struct rtn_activity_call *call)
{
    put(line, ": ");
    put(line, call->label->who);
    put(line, ": ");
    put(line, call->what);
    put(line, call->name != NULL ? " " : "");
    put(line, call->name != NULL ? call->name : "");
}

static void put_thread(struct line *line, const struct rtn_activity *activity)
{
    struct rtn_activity_call call;
    if (activity == NULL) {
        put(line, " in a thread that is none of the daemon's");
        return;
    }
    put(line, " in ");
    put(line, activity->name);
    if (activity->server[0] != '\0') {
        put(line, ": server \"");
        put(line, activity->server);
        put(line, "\"");
    }
    if (rtn_activity_read(activity, &call) && call.label != NULL)
        put_callback(line, &call);
    else
        put(line, ": in no callback of a module");
}

/*
 * FILE(SYMBOL+0xOFFSET)[0xADDRESS], as backtrace_symbols_fd() has it. But the linker knows modules by the names of
 * their copies, which are gone with the process: they are named by their files.
 */
static void put_frame(struct line *line, uintptr_t address)
{
    char path[PATH_MAX];
    Dl_info info;
    if (dladdr((void *) address, &info) != 0 && info.dli_fname != NULL) {
        bool symbol = info.dli_sname != NULL;
        put(line, rtn_module_name_try_find(info.dli_fname, path, sizeof(path)) ? path : info.dli_fname);
        put(line, "(");
        put(line, symbol ? info.dli_sname : "");
        put(line, "+");
        put_hex(line, address - (uintptr_t) (symbol ? info.dli_saddr : info.dli_fbase));
        put(line, ")");
    }
    put(line, "[");
    put_hex(line, address);
    put(line, "]\n");
}

/* Once: its line need not be on the stack for signals. */
static void report(int number)
{
    static struct line line;
    void *frames[FRAMES];
    put(&line, "retinued: died of ");
    put(&line, name_of(number));
    put_thread(&line, rtn_activity_here());
    put(&line, "; backtrace:\n");
    flush(&line);
    int count = backtrace(frames, FRAMES);
    for (int i = 0; i < count; i++) {
        put_frame(&line, (uintptr_t) frames[i]);
        flush(&line);
    }
}

/* One that was sent does not come again when the handler returns; a fault does, at the same instruction. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    static atomic_flag reported = ATOMIC_FLAG_INIT;
    (void) context;
    if (!atomic_flag_test_and_set(&reported))
        report(number);
    (void) signal(number, SIG_DFL);
    if (info->si_code <= 0)
        (void) raise(number);
}

/* Who was started with such a signal ignored goes on that way. */
static void watch(int number)
{
    struct sigaction old;
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        (void) sigaction(number, &action, NULL);
}

void rtn_crash_watch(void)
{
    void *frames[4];
    if (RTN_SANITIZED)
        return;
    (void) backtrace(frames, RTN_ARRAY_LENGTH(frames)); /* the first one loads a library */
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(faults); i++)
        watch(faults[i].number);
}
