/*
 * From the top: the process, the servers, handlers that are stuck, the routes that do most, as far as there is room.
 * The columns fit into 80; with less, the last ones are left out.
 */
#include "ctl/ctl_view.h"

#include <stdlib.h>

#include "base/macros.h"
#include "ctl/ctl_format.h"
#include "ctl/ctl_request.h"
#include "ctl/ctl_table.h"

#define BAR 4 /* columns */
#define STUCK_MOST 5 /* lines */
#define UNBOUND 1000000

static const char bold[] = "1";
static const char red[] = "31";
static const char yellow[] = "33";

/* Cells */

/* full of most, in eighths of a column. */
static void append_bar(struct rtn_buf *out, double full, bool utf8)
{
    static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    int eighths = (int) (RTN_MIN(RTN_MAX(full, 0.), 1.) * BAR * 8 + .5);
    int used = 0;
    for (; used < eighths / 8; used++)
        rtn_buf_append_text(out, utf8 ? "█" : "#");
    if (utf8 && eighths % 8 > 0 && used < BAR) {
        rtn_buf_append_text(out, parts[eighths % 8]);
        used++;
    }
    for (; used < BAR; used++)
        rtn_buf_append_text(out, utf8 ? "░" : ".");
}

static void add_count(struct rtn_ctl_table *table, double count)
{
    char text[RTN_CTL_FORMAT_MAX];
    rtn_ctl_table_add(table, "%s", count > 0. ? rtn_ctl_count(text, count) : "0");
}

static void add_time(struct rtn_ctl_table *table, int64_t us)
{
    char text[RTN_CTL_FORMAT_MAX];
    rtn_ctl_table_add(table, "%s", us > 0 ? rtn_ctl_time(text, us) : "-");
}

static const char *paint_bad(const char *cell)
{
    return strcmp(cell, "0") != 0 && strcmp(cell, "-") != 0 ? red : NULL;
}

static const char *paint_waiting(const char *cell)
{
    return strcmp(cell, "0") != 0 ? yellow : NULL;
}

/* Servers */

static void add_server(struct rtn_ctl_table *table, const struct rtn_ctl_rate *rate, bool utf8)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf busy = { 0 };
    if (rate->workers > 0) {
        const int64_t running = rate->running - rate->beside;
        append_bar(&busy, (double) running / (double) rate->workers, utf8);
        rtn_buf_printf(&busy, " %lld/%lld", (long long) running, (long long) rate->workers);
        if (rate->beside > 0)
            rtn_buf_printf(&busy, "+%lld", (long long) rate->beside);
    }
    rtn_ctl_table_add(table, "%s", rate->server);
    add_count(table, rate->requests);
    add_time(table, rate->p50_us);
    add_time(table, rate->p99_us);
    rtn_ctl_table_add(table, "%s", rtn_buf_str(&busy).data);
    rtn_ctl_table_add(table, "%lld", (long long) rate->queued);
    rtn_ctl_table_add(table, "%lld/%lld/%lld", (long long) rate->http, (long long) rate->websocket,
                      (long long) rate->line);
    add_count(table, rate->messages);
    add_count(table, rate->in);
    add_count(table, rate->out);
    add_count(table, rate->errors);
    rtn_ctl_table_add(table, "%lld", (long long) rate->stalls);
}

static void render_servers(const struct rtn_ctl_view *view, struct rtn_buf *out)
{
    static const struct rtn_ctl_column columns[] = {
        { .title = "SERVER", .cut = true },
        { .title = "REQ/S", .right = true },
        { .title = "P50", .right = true },
        { .title = "P99", .right = true },
        { .title = "BUSY" },
        { .title = "WAIT", .right = true, .paint = paint_waiting },
        { .title = "CONN", .right = true }, /* of HTTP, WebSocket and lines */
        { .title = "MSG/S", .right = true },
        { .title = "IN/S", .right = true },
        { .title = "OUT/S", .right = true },
        { .title = "ERR/S", .right = true, .paint = paint_bad },
        { .title = "STALL", .right = true, .paint = paint_bad },
    };
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    table.gap = 1;
    table.drop = true;
    for (size_t i = 0; i < view->rates->server_count; i++)
        if (view->rates->servers[i].up)
            add_server(&table, &view->rates->servers[i], view->utf8);
    rtn_ctl_table_render(&table, view->width, view->color, out);
    rtn_ctl_table_done(&table);
}

/* Routes */

static void add_route(struct rtn_ctl_table *table, const struct rtn_ctl_rate *rate, double most, bool utf8)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf share = { 0 };
    append_bar(&share, most > 0. ? rate->requests / most : 0., utf8);
    rtn_ctl_table_add(table, "%s", rate->route);
    rtn_ctl_table_add(table, "%s", rate->server);
    rtn_ctl_table_add(table, "%s", share.data);
    add_count(table, rate->requests);
    add_time(table, rate->p50_us);
    add_time(table, rate->p99_us);
    rtn_ctl_table_add(table, "%.1f", rate->load);
    add_count(table, rate->errors);
}

static double most_requests(const struct rtn_ctl_rates *rates)
{
    double most = 0.;
    for (size_t i = 0; i < rates->route_count; i++)
        most = RTN_MAX(most, rates->routes[i].requests);
    return most;
}

static void render_routes(const struct rtn_ctl_view *view, unsigned lines, struct rtn_buf *out)
{
    static const struct rtn_ctl_column columns[] = {
        { .title = "ROUTE", .cut = true },
        { .title = "SERVER", .cut = true },
        { .title = "" },
        { .title = "REQ/S", .right = true },
        { .title = "P50", .right = true },
        { .title = "P99", .right = true },
        { .title = "LOAD", .right = true },
        { .title = "ERR/S", .right = true, .paint = paint_bad },
    };
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    double most = most_requests(view->rates);
    table.drop = true;
    for (size_t i = view->skip; i < view->rates->route_count && i - view->skip < lines; i++)
        add_route(&table, &view->rates->routes[i], most, view->utf8);
    rtn_ctl_table_render(&table, view->width, view->color, out);
    rtn_ctl_table_done(&table);
}

/* The rest */

/* A line, cut where the screen ends. */
static void add_line(const struct rtn_ctl_view *view, const char *text, const char *paint, struct rtn_buf *out)
{
    unsigned length = rtn_ctl_columns(text);
    if (view->color && paint != NULL)
        rtn_buf_printf(out, "\033[%sm", paint);
    rtn_ctl_fit(out, text, view->width > 0 ? RTN_MIN(length, view->width) : length, false);
    if (view->color && paint != NULL)
        rtn_buf_append_text(out, "\033[0m");
    rtn_buf_append_char(out, '\n');
}

static void render_process(const struct rtn_ctl_view *view, struct rtn_buf *out)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf line = { 0 };
    char age[RTN_CTL_FORMAT_MAX];
    char memory[RTN_CTL_FORMAT_MAX];
    const json_t *process = json_object_get(view->picture, "process");
    const json_t *generation = json_object_get(view->status, "generation");
    long long alive = rtn_ctl_int(generation, "alive");
    rtn_buf_printf(&line, "retinued %s %s, %s, generation %lld", rtn_ctl_text(view->status, "version"),
                   rtn_ctl_text(view->status, "state"), rtn_ctl_age(age, rtn_ctl_int(view->status, "uptime_ms")),
                   (long long) rtn_ctl_int(generation, "current"));
    if (alive > 1)
        rtn_buf_printf(&line, " (%lld in use)", alive);
    rtn_buf_printf(&line, ", cpu %.0f%%, memory %s", view->rates->cpu * 100.,
                   rtn_ctl_bytes(memory, rtn_ctl_int(json_object_get(process, "memory"), "resident")));
    add_line(view, rtn_buf_str(&line).data, bold, out);
}

static unsigned render_stuck(const struct rtn_ctl_view *view, struct rtn_buf *out)
{
    const json_t *stuck = rtn_ctl_array(view->status, "stuck");
    unsigned lines = 0;
    const json_t *row;
    for (size_t i = 0; (row = json_array_get(stuck, i)) != NULL; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf line = { 0 };
        char age[RTN_CTL_FORMAT_MAX];
        if (lines == STUCK_MOST)
            break;
        rtn_buf_printf(&line, "stuck for %s: %s: %s", rtn_ctl_age(age, rtn_ctl_int(row, "ms")),
                       rtn_ctl_text(row, "thread"), rtn_ctl_text(row, "handler"));
        add_line(view, line.data, red, out);
        lines++;
    }
    return lines;
}

static unsigned lines_of(const struct rtn_buf *text)
{
    unsigned lines = 0;
    for (size_t i = 0; i < text->length; i++)
        lines += text->data[i] == '\n';
    return lines;
}

/* What does not fit is cut off at the end. */
static void keep_lines(struct rtn_buf *text, unsigned most)
{
    size_t length = 0;
    for (unsigned lines = 0; length < text->length && lines < most; length++)
        lines += text->data[length] == '\n';
    text->length = length;
    text->data[length] = '\0';
}

void rtn_ctl_view_render(const struct rtn_ctl_view *view, struct rtn_buf *out)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    unsigned height = view->height > 0 ? view->height : UNBOUND;
    unsigned foot = view->note != NULL ? 1 : 0;
    rtn_ctl_rates_sort(view->rates->servers, view->rates->server_count, view->order);
    rtn_ctl_rates_sort(view->rates->routes, view->rates->route_count, view->order);
    render_process(view, &text);
    rtn_buf_append_char(&text, '\n');
    render_servers(view, &text);
    rtn_buf_append_char(&text, '\n');
    if (render_stuck(view, &text) > 0)
        rtn_buf_append_char(&text, '\n');
    unsigned used = lines_of(&text) + 1 + foot; /* with the titles of the routes */
    if (used < height && view->rates->route_count > 0)
        render_routes(view, height - used, &text);
    keep_lines(&text, height - RTN_MIN(foot, height));
    rtn_buf_append_str(out, rtn_buf_str(&text));
    if (view->note != NULL)
        add_line(view, view->note, NULL, out);
}
