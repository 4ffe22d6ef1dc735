/* Lines about requests that ran out of time: the first few one by one, then their number, and none is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "app/overdue.h"
#include "log/log.h"

static _Atomic int level = RTN_LOG_TRACE;
static char path[] = "/tmp/test-overdue-XXXXXX";
static struct rtn_log *file;
static struct rtn_log_context context;
static struct ev_loop *ev;
static struct rtn_overdue overdue;

static void set_up(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(rtn_log_new(&(struct rtn_log_options){ .to = RTN_LOG_TO_FILE, .path = path }, &file), 0);
    context = (struct rtn_log_context){ .log = file, .thread = "test", .level = &level };
    rtn_log_set_context(&context);
    ev = ev_loop_new(EVFLAG_AUTO);
    rtn_overdue_init(&overdue, ev);
}

static void tear_down(void)
{
    rtn_log_set_context(NULL);
    rtn_log_free(file);
    unlink(path);
    ev_loop_destroy(ev);
}

static unsigned note(unsigned count, enum rtn_overdue_end end)
{
    unsigned lines = 0;
    for (unsigned i = 0; i < count; i++)
        lines += rtn_overdue_note(&overdue, end);
    return lines;
}

/* How many lines were logged that have the text. */
static unsigned logged(const char *text)
{
    char line[1000];
    unsigned count = 0;
    FILE *read = fopen(path, "r");
    cr_assert_not_null(read);
    while (fgets(line, sizeof(line), read) != NULL)
        count += strstr(line, text) != NULL;
    fclose(read);
    return count;
}

TestSuite(overdue, .init = set_up, .fini = tear_down, .timeout = 60);

Test(overdue, a_few_have_their_own_lines)
{
    cr_assert_eq(note(3, RTN_OVERDUE_CUT) + note(RTN_OVERDUE_MOST - 3, RTN_OVERDUE_ANSWERED), RTN_OVERDUE_MOST);
    rtn_overdue_done(&overdue);
    cr_assert_eq(logged(""), 0);
}

Test(overdue, the_others_are_counted_by_what_became_of_them)
{
    cr_assert_eq(note(RTN_OVERDUE_MOST + 5, RTN_OVERDUE_ANSWERED), RTN_OVERDUE_MOST);
    cr_assert_eq(note(2, RTN_OVERDUE_CUT), 0);
    rtn_overdue_done(&overdue);
    cr_assert_eq(logged("7 more requests ran out of time (timeouts.handler): 5 got 504, 2 were cut off"), 1);
    rtn_overdue_done(&overdue);
    cr_assert_eq(logged(""), 1);
}

Test(overdue, each_second_has_its_own_and_then_nothing_runs)
{
    (void) note(RTN_OVERDUE_MOST + 1, RTN_OVERDUE_ANSWERED);
    ev_run(ev, EVRUN_ONCE);
    cr_assert_eq(logged("1 more request ran out of time"), 1);
    cr_assert_eq(note(RTN_OVERDUE_MOST, RTN_OVERDUE_ANSWERED), RTN_OVERDUE_MOST);
    ev_run(ev, 0); /* until there is nothing to wait for */
    cr_assert_eq(logged(""), 1);
    cr_assert_not(ev_is_active(&overdue.second));
}
