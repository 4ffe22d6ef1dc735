#include <criterion/criterion.h>

#include "ctl/ctl_view.h"

static const char picture_text[] =
    "{\"started_ms\": 1, \"uptime_ms\": 3000, \"process\": {\"memory\": {\"resident\": 9437184}}, \"servers\": ["
    "{\"name\": \"get\", \"up\": 1, \"connections\": {\"open\": 9, \"websocket\": 2, \"line\": 1},"
    " \"pool\": {\"running\": 5, \"max\": 8}, \"routes\": [{\"route\": \"/\"}, {\"route\": \"/b\"}, {\"route\": "
    "\"/c\"}]},"
    "{\"name\": \"a-server-with-a-long-name\", \"up\": 1, \"routes\": []}, {\"name\": \"stopped\"}]}";
static const char status_text[] =
    "{\"version\": \"1.2\", \"state\": \"running\", \"uptime_ms\": 107000, "
    "\"generation\": {\"current\": 3, \"alive\": 2},"
    " \"stuck\": [{\"thread\": \"get/worker-1\", \"handler\": \"module slow\", \"ms\": 12345}]}";

static struct rtn_ctl_rates rates;
static struct rtn_ctl_view view;
static struct rtn_buf out;

static void begin(void)
{
    json_t *picture = json_loads(picture_text, 0, NULL);
    json_t *status = json_loads(status_text, 0, NULL);
    rtn_ctl_rates_make(NULL, picture, &rates);
    rates.servers[0].requests = 1234.;
    rates.servers[0].p50_us = 400;
    rates.servers[0].p99_us = 15000;
    rates.servers[0].errors = 2.;
    rates.routes[1].requests = 1234.;
    view = (struct rtn_ctl_view){ .picture = picture, .status = status, .rates = &rates, .width = 80 };
}

static void end(void)
{
    rtn_ctl_rates_done(&rates);
    json_decref((json_t *) (uintptr_t) view.picture);
    json_decref((json_t *) (uintptr_t) view.status);
    rtn_buf_done(&out);
}

TestSuite(ctl_view, .init = begin, .fini = end);

static void expect(const char *expected)
{
    rtn_ctl_view_render(&view, &out);
    cr_expect_str_eq(out.data, expected, "%s", out.data);
    rtn_buf_clear(&out);
}

Test(ctl_view, plain)
{
    expect("retinued 1.2 running, 1m 47s, generation 3 (2 in use), cpu 0%, memory 9.0 MiB\n"
           "\n"
           "SERVER         REQ/S   P50  P99 BUSY     WAIT  CONN MSG/S IN/S OUT/S ERR/S STALL\n"
           "get             1.2k 400us 15ms ##.. 5/8    0 6/2/1     0    0     0     2     0\n"
           "a-server-with~     0     -    - -           0 0/0/0     0    0     0     0     0\n"
           "\n"
           "stuck for 12s: get/worker-1: module slow\n"
           "\n"
           "ROUTE  SERVER        REQ/S  P50  P99  LOAD  ERR/S\n"
           "/b     get     ####   1.2k    -    -   0.0      0\n"
           "/      get     ....      0    -    -   0.0      0\n"
           "/c     get     ....      0    -    -   0.0      0\n");
}

Test(ctl_view, small_screen)
{
    view.height = 11;
    view.note = "a note";
    view.skip = 1;
    view.order = RTN_CTL_BY_NAME;
    expect("retinued 1.2 running, 1m 47s, generation 3 (2 in use), cpu 0%, memory 9.0 MiB\n"
           "\n"
           "SERVER         REQ/S   P50  P99 BUSY     WAIT  CONN MSG/S IN/S OUT/S ERR/S STALL\n"
           "a-server-with~     0     -    - -           0 0/0/0     0    0     0     0     0\n"
           "get             1.2k 400us 15ms ##.. 5/8    0 6/2/1     0    0     0     2     0\n"
           "\n"
           "stuck for 12s: get/worker-1: module slow\n"
           "\n"
           "ROUTE  SERVER        REQ/S  P50  P99  LOAD  ERR/S\n"
           "/b     get     ####   1.2k    -    -   0.0      0\n"
           "a note\n");
    view.height = 3;
    expect("retinued 1.2 running, 1m 47s, generation 3 (2 in use), cpu 0%, memory 9.0 MiB\n"
           "\n"
           "a note\n");
    view.height = 1;
    expect("a note\n");
}

Test(ctl_view, narrow_with_colors)
{
    view.width = 30;
    view.height = 1;
    view.color = true;
    expect("\033[1mretinued 1.2 running, 1m 47s,~\033[0m\n");
}

Test(ctl_view, bars)
{
    view.utf8 = true;
    rtn_ctl_view_render(&view, &out);
    cr_expect_not_null(strstr(out.data, "██▌░ 5/8"), "%s", out.data);
}
