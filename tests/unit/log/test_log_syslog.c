/* syslog(3) cannot be listened to without being root, so its functions are replaced here. */
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "log/log_sink.h"

static char text[9000];
static int priority = -1;
static const char *identity;

void openlog(const char *ident, int option, int facility)
{
    cr_assert_eq(option & LOG_PID, LOG_PID);
    cr_assert_eq(facility, LOG_DAEMON);
    identity = ident;
}

void closelog(void)
{
    identity = NULL;
}

void syslog(int pri, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void) vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    priority = pri;
}

Test(log_syslog, line)
{
    struct rtn_log_options options = { .to = RTN_LOG_TO_SYSLOG };
    struct rtn_log *log = NULL;
    _Atomic int level = RTN_LOG_INFO;
    char expected[64];

    cr_assert_eq(rtn_log_new(&options, &log), 0);
    cr_assert_str_eq(identity, "retinued");
    struct rtn_log_context context = { log, "get", "get/loop-0", &level };
    rtn_log_set_context(&context);
    rtn_log(RTN_LOG_FATAL, "100%% %s\n", "%s%n");
    (void) snprintf(expected, sizeof(expected), "get/loop-0[%d] 100%% %%s%%n\\n", (int) gettid());
    cr_assert_str_eq(text, expected);
    cr_assert_eq(priority, LOG_CRIT);
    cr_assert_eq(rtn_log_reopen(log), 0);
    rtn_log_set_context(NULL);
    rtn_log_free(log);
    cr_assert_null(identity);
}
