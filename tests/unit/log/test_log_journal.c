#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <criterion/criterion.h>

#include "support.h"

static struct rtn_buf out;

Test(log_journal, fields)
{
    const struct rtn_log_line line = { RTN_LOG_ERROR, "get", "get/worker-3", 12, RTN_STR("bad\nMESSAGE=fake"), NULL };

    rtn_log_journal_fields(&line, &out);
    cr_assert_str_eq(out.data, "MESSAGE=bad\\nMESSAGE=fake\nPRIORITY=3\nSYSLOG_IDENTIFIER=retinued\nTID=12\n"
                               "RETINUE_SERVER=get\nRETINUE_THREAD=get/worker-3\n");
    rtn_buf_done(&out);
}

Test(log_journal, fields_of_main)
{
    const struct rtn_log_line line = { RTN_LOG_INFO, NULL, "main", 1, RTN_STR(""), NULL };

    rtn_log_journal_fields(&line, &out);
    cr_assert_str_eq(out.data, "MESSAGE=\nPRIORITY=6\nSYSLOG_IDENTIFIER=retinued\nTID=1\nRETINUE_THREAD=main\n");
    rtn_buf_done(&out);
}

Test(log_journal, fields_of_a_request)
{
    const struct rtn_log_line line = { RTN_LOG_INFO, NULL, "main", 1, RTN_STR("done"), "id-1" };

    rtn_log_journal_fields(&line, &out);
    cr_assert_str_eq(out.data, "MESSAGE=done\nPRIORITY=6\nSYSLOG_IDENTIFIER=retinued\nTID=1\nRETINUE_THREAD=main\n"
                               "RETINUE_REQUEST=id-1\n");
    rtn_buf_done(&out);
}

static struct fixture f;
static char folder[32];
static char path[48];
static int journal = -1;

/* What stands for the journal: a datagram socket in a temporary folder. */
static void start_journal(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    strcpy(address.sun_path, path);
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(journal, (const struct sockaddr *) &address, sizeof(address)), 0);
}

static void stop_journal(void)
{
    (void) close(journal);
    cr_assert_eq(unlink(path), 0);
}

static void start_socket_log(enum rtn_log_to to)
{
    struct rtn_log_options options = { .to = to, .path = path, .format = RTN_LOG_JSON };

    strcpy(folder, "/tmp/rtn-journal-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void) snprintf(path, sizeof(path), "%s/socket", folder);
    start_journal();
    cr_assert_eq(rtn_log_new(&options, &f.log), 0);
    f.level = RTN_LOG_TRACE;
    f.context = (struct rtn_log_context){ .log = f.log, .server = "get", .thread = "get/loop-0", .level = &f.level };
    rtn_log_set_context(&f.context);
}

static void stop_socket_log(void)
{
    rtn_log_set_context(NULL);
    rtn_log_free(f.log);
    (void) close(journal);
    (void) unlink(path);
    (void) rmdir(folder);
    rtn_buf_done(&f.text);
}

Test(log_journal, one_datagram_per_line)
{
    start_socket_log(RTN_LOG_TO_JOURNAL);
    rtn_log(RTN_LOG_NOTICE, "one");
    rtn_log(RTN_LOG_DEBUG, "two");
    const char *first = read_fd(&f, journal);
    cr_assert(rtn_str_starts_with(rtn_str_of(first), RTN_STR("MESSAGE=one\nPRIORITY=5\n")));
    cr_assert_null(strstr(first, "two"));
    cr_assert(rtn_str_starts_with(rtn_str_of(read_fd(&f, journal)), RTN_STR("MESSAGE=two\nPRIORITY=7\n")));
    cr_assert_eq(rtn_log_drops(f.log), 0);
    stop_socket_log();
}

Test(log_journal, longest_line_fits)
{
    start_socket_log(RTN_LOG_TO_JOURNAL);
    struct rtn_buf text = { 0 };
    for (int i = 0; i < 3000; i++)
        rtn_buf_append_char(&text, '\x1b');
    rtn_log(RTN_LOG_NOTICE, "%s", text.data);
    const char *datagram = read_fd(&f, journal);
    cr_assert_gt(strlen(datagram), 7000);
    cr_assert_not_null(strstr(datagram, "\nRETINUE_THREAD=get/loop-0\n"));
    rtn_buf_done(&text);
    stop_socket_log();
}

Test(log_journal, survives_a_restart_of_the_journal)
{
    start_socket_log(RTN_LOG_TO_JOURNAL);
    stop_journal();
    rtn_log(RTN_LOG_NOTICE, "lost");
    rtn_log(RTN_LOG_NOTICE, "lost");
    cr_assert_eq(rtn_log_drops(f.log), 2);
    start_journal();
    rtn_log(RTN_LOG_NOTICE, "back");
    cr_assert_eq(rtn_log_drops(f.log), 2);
    cr_assert(rtn_str_starts_with(rtn_str_of(read_fd(&f, journal)), RTN_STR("MESSAGE=back\n")));
    stop_socket_log();
}

Test(log_journal, stuck_journal_costs_lines_only)
{
    start_socket_log(RTN_LOG_TO_JOURNAL);
    for (int i = 0; i < 100000 && rtn_log_drops(f.log) == 0; i++)
        rtn_log(RTN_LOG_NOTICE, "line");
    cr_assert_eq(rtn_log_drops(f.log), 1);
    (void) read_fd(&f, journal);
    rtn_log(RTN_LOG_NOTICE, "line");
    cr_assert_eq(rtn_log_drops(f.log), 1);
    stop_socket_log();
}

static void claim_journal(void)
{
    struct stat st;
    char value[64];

    cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
    (void) snprintf(value, sizeof(value), "%llu:%llu", (unsigned long long) st.st_dev, (unsigned long long) st.st_ino);
    (void) setenv("JOURNAL_STREAM", value, 1);
}

Test(log_journal, auto_takes_it_when_stderr_is_the_journal)
{
    claim_journal();
    start_socket_log(RTN_LOG_TO_AUTO);
    rtn_log(RTN_LOG_NOTICE, "x");
    cr_assert(rtn_str_starts_with(rtn_str_of(read_fd(&f, journal)), RTN_STR("MESSAGE=x\n")));
    stop_socket_log();
}

Test(log_journal, auto_falls_back_to_stderr)
{
    struct rtn_log_options options = { .to = RTN_LOG_TO_AUTO, .path = "/nonexistent/socket" };
    int fds[2];

    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    claim_journal();
    cr_assert_eq(rtn_log_new(&options, &f.log), 0);
    f.level = RTN_LOG_INFO;
    f.context = (struct rtn_log_context){ .log = f.log, .thread = "main", .level = &f.level };
    rtn_log_set_context(&f.context);
    rtn_log(RTN_LOG_INFO, "x");
    cr_assert(rtn_str_starts_with(rtn_str_of(read_fd(&f, fds[0])), RTN_STR("<6>info   main[")));
    rtn_log_set_context(NULL);
    rtn_log_free(f.log);
    rtn_buf_done(&f.text);
}
