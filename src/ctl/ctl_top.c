/*
 * `top`: a picture of the daemon every so often, and what has happened since the one before. Without a terminal, or
 * with a number of rounds, it is plain text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/macros.h"
#include "ctl/ctl.h"
#include "ctl/ctl_request.h"
#include "ctl/ctl_screen.h"
#include "ctl/ctl_view.h"

#define KEY_QUIT 'q'
#define KEY_PAUSE 'p'
#define KEY_SORT 's'

struct top {
    const struct rtn_ctl *ctl;
    struct rtn_ctl_reply picture; /* the last one; json NULL: none yet */
    struct rtn_ctl_reply status;
    struct rtn_ctl_rates rates; /* between the last two */
    int error; /* of the last round; 0: good */
    enum rtn_ctl_order order;
    unsigned skip;
    bool paused;
};

static void forget(struct rtn_ctl_reply *reply)
{
    if (reply->json != NULL)
        rtn_ctl_reply_done(reply);
}

/* What was seen before stays when it goes wrong. */
static int look(struct top *top)
{
    struct rtn_ctl_reply picture = { 0 };
    struct rtn_ctl_reply status = { 0 };
    int r = rtn_ctl_request(top->ctl->socket, false, "/status.json", RTN_CTL_PATIENCE_MS, &picture);
    if (r == 0)
        r = rtn_ctl_request(top->ctl->socket, false, "/status", RTN_CTL_PATIENCE_MS, &status);
    if (r == 0 && (picture.status >= 400 || status.status >= 400))
        r = -EPROTO;
    top->error = r;
    if (r < 0) {
        forget(&picture);
        forget(&status);
        return r;
    }
    struct rtn_ctl_rates rates;
    rtn_ctl_rates_make(top->picture.json, picture.json, &rates);
    rtn_ctl_rates_done(&top->rates);
    forget(&top->picture);
    forget(&top->status);
    top->rates = rates; /* names are in the new picture */
    top->picture = picture;
    top->status = status;
    return 0;
}

static void render(struct top *top, unsigned width, unsigned height, const char *note, struct rtn_buf *out)
{
    const struct rtn_ctl_view view = { .picture = top->picture.json,
                                       .status = top->status.json,
                                       .rates = &top->rates,
                                       .order = top->order,
                                       .color = top->ctl->color,
                                       .utf8 = top->ctl->utf8,
                                       .width = width,
                                       .height = height,
                                       .skip = top->skip,
                                       .note = note };
    rtn_ctl_view_render(&view, out);
}

static void done(struct top *top)
{
    rtn_ctl_rates_done(&top->rates);
    forget(&top->picture);
    forget(&top->status);
}

/* Plain text */

static void pause_ms(int64_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static int print_round(struct top *top)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    if (top->ctl->json)
        return rtn_ctl_print_json(&top->picture);
    render(top, top->ctl->width, 0, NULL, &text);
    return rtn_ctl_print(rtn_buf_str(&text));
}

/* A daemon that ends while it is asked cuts the connection: whether nobody is there any more, or the next one, is seen
 * then. */
static int look_again(struct top *top)
{
    pause_ms(top->ctl->interval_ms);
    int r = look(top);
    if (r != -ECONNRESET && r != -EPIPE)
        return r;
    pause_ms(top->ctl->interval_ms);
    return look(top);
}

/* The first picture is only there for the difference. */
static int run_plain(struct top *top)
{
    int64_t rounds = top->ctl->rounds;
    int status = RTN_CTL_OK;
    int r = look(top);
    for (int64_t i = 0; r == 0 && status == RTN_CTL_OK && (rounds == 0 || i < rounds); i++) {
        r = look_again(top);
        if (r == 0 && i > 0 && !top->ctl->json)
            putchar('\n');
        if (r == 0)
            status = print_round(top);
    }
    return r < 0 ? rtn_ctl_explain(top->ctl, r) : status;
}

/* On the screen */

static const char *order_name(enum rtn_ctl_order order)
{
    static const char *const names[RTN_CTL_ORDERS] = { [RTN_CTL_BY_REQUESTS] = "requests",
                                                       [RTN_CTL_BY_P99] = "p99",
                                                       [RTN_CTL_BY_ERRORS] = "errors",
                                                       [RTN_CTL_BY_NAME] = "name" };
    return names[order];
}

static void show(struct top *top)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf note = { 0 };
    unsigned width;
    unsigned height;
    rtn_ctl_screen_size(&width, &height);
    if (top->error < 0)
        rtn_buf_printf(&note, "no answer from the daemon: %s; ", strerror(-top->error));
    else if (top->paused)
        rtn_buf_append_text(&note, "paused; ");
    rtn_buf_printf(&note, "sorted by %s; keys: q quit, p pause, s sort, arrows scroll", order_name(top->order));
    render(top, width, height, note.data, &text);
    rtn_ctl_screen_show(&text);
}

static void scroll(struct top *top, int by)
{
    if (by < 0 && top->skip > 0)
        top->skip--;
    else if (by > 0 && top->skip + 1 < top->rates.route_count)
        top->skip++;
}

static void sort(struct top *top, unsigned by)
{
    top->order = (enum rtn_ctl_order)(((unsigned) top->order + by) % RTN_CTL_ORDERS);
    top->skip = 0;
}

/* False: it is over. */
static bool handle(struct top *top, int key)
{
    switch (key) {
    case RTN_CTL_KEY_END:
    case RTN_CTL_KEY_OTHER + KEY_QUIT:
        return false;
    case RTN_CTL_KEY_OTHER + KEY_PAUSE:
        top->paused = !top->paused;
        return true;
    case RTN_CTL_KEY_OTHER + KEY_SORT:
    case RTN_CTL_KEY_RIGHT:
        sort(top, 1);
        return true;
    case RTN_CTL_KEY_LEFT:
        sort(top, RTN_CTL_ORDERS - 1);
        return true;
    case RTN_CTL_KEY_UP:
        scroll(top, -1);
        return true;
    case RTN_CTL_KEY_DOWN:
        scroll(top, 1);
        return true;
    default:
        return true;
    }
}

static void run_live(struct top *top)
{
    int64_t next = rtn_clock_ms() + RTN_MIN(top->ctl->interval_ms, 500); /* the first rates come soon */
    for (;;) {
        show(top);
        if (!handle(top, rtn_ctl_screen_key(RTN_MAX(next - rtn_clock_ms(), 0))))
            return;
        if (rtn_clock_ms() < next)
            continue;
        if (!top->paused)
            (void) look(top);
        next = rtn_clock_ms() + top->ctl->interval_ms;
    }
}

int rtn_ctl_top(const struct rtn_ctl *ctl)
{
    struct top top = { .ctl = ctl };
    int status = RTN_CTL_OK;
    if (ctl->rounds > 0 || ctl->json || ctl->width == 0) {
        status = run_plain(&top);
        done(&top);
        return status;
    }
    int r = look(&top);
    if (r < 0)
        return rtn_ctl_explain(ctl, r);
    if (rtn_ctl_screen_open() < 0) {
        fputs("retinuectl: top needs a terminal for its keys; --once shows one round without\n", stderr);
        done(&top);
        return RTN_CTL_FAILED;
    }
    run_live(&top);
    rtn_ctl_screen_close();
    done(&top);
    return status;
}
