/*
 * status: what the daemon counts, as text for Prometheus, as JSON, and as a page that draws it. Handlers for each of
 * them, and one that serves all three below a prefix.
 *
 * Thread model: loop for the page, which is ready. Numbers are put together on a worker: with many routes that takes
 * milliseconds, in which the loop can serve hundreds of requests.
 */
#include <string.h>

#include <retinue/module.h>

#include "page.h"

struct status {
    const char *title;
    int64_t refresh;
    struct page *page;
};

/* Numbers are of the moment, and for nobody else. */
static int answer_numbers(rtn_request *request, enum rtn_metrics_format format)
{
    if (!rtn_may_block())
        return RTN_WORKER;
    int r = rtn_reply_header(request, "Cache-Control", "no-store");
    if (r == 0)
        r = rtn_reply_header(request, "X-Content-Type-Options", "nosniff");
    return r < 0 ? r : rtn_reply_metrics(request, format);
}

static bool is(rtn_str text, const char *other)
{
    return text.length == strlen(other) && memcmp(text.data, other, text.length) == 0;
}

static int metrics(rtn_request *request, void *instance)
{
    (void) instance;
    return answer_numbers(request, RTN_METRICS_PROMETHEUS);
}

static int json(rtn_request *request, void *instance)
{
    (void) instance;
    return answer_numbers(request, RTN_METRICS_JSON);
}

/* The page asks for its numbers at its own path, so that it works wherever the route is and whatever a proxy makes of
 * it. */
static int page(rtn_request *request, void *instance)
{
    const struct status *status = instance;
    if (is(rtn_request_query(request), "status.json"))
        return json(request, instance);
    return page_answer(request, status->page);
}

static int all(rtn_request *request, void *instance)
{
    static const struct {
        const char *name;
        int (*answer)(rtn_request *request, void *instance);
    } parts[] = { { "", page }, { "metrics", metrics }, { "status.json", json } };
    rtn_str name = rtn_request_param(request, "*");
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (is(name, parts[i].name))
            return parts[i].answer(request, instance);
    }
    return RTN_NEXT;
}

static int configure(void *instance, rtn_setup *setup)
{
    struct status *status = instance;
    int r = page_new(status->title, status->refresh, &status->page);
    return r < 0 ? rtn_setup_error(setup, NULL, "memory is out") : 0;
}

static void unload(void *instance)
{
    struct status *status = instance;
    page_free(status->page);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct status, title, .name = "title", .fallback = "Retinue", .help = "Title of the page."),
    RTN_OPTION(DURATION, struct status, refresh, .name = "refresh", .fallback = "2s", .min = 100, .max = 60000,
               .help = "How often the page asks for new numbers."),
    { 0 },
};

#define GET_ONLY .methods = RTN_METHOD_GET, .worker = true

static const struct rtn_http_handler http_handlers[] = {
    { .name = "status", .summary = "The page, metrics and status.json below a prefix.", .handle = all, GET_ONLY },
    { .name = "page", .summary = "The page.", .handle = page, GET_ONLY },
    { .name = "metrics", .summary = "All metrics as text for Prometheus.", .handle = metrics, GET_ONLY },
    { .name = "json", .summary = "All metrics as JSON.", .handle = json, GET_ONLY },
    { 0 },
};

static const struct rtn_module module = {
    .name = "status",
    .version = "1.0",
    .summary = "Shows what the daemon counts: a page, JSON, and text for Prometheus.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct status),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .unload = unload,
};
RTN_REGISTER_MODULE(module)
