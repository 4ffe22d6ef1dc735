/*
 * Replies with the metrics of the daemon, declares metrics of its own, and counts in them as requests say, on threads
 * of the daemon and on its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

RTN_MESSAGE_BYTES(metrics_text)

struct probe {
    const char *label;
    const char *name; /* of one more metric */
    int64_t kind;
    const char *help;
    const char *key; /* of one more label */
    rtn_metric *orders;
    rtn_metric *rooms;
    rtn_metric *sizes;
    rtn_metric *waits;
    rtn_metric *more;
};

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct probe, label, .name = "label", .fallback = "", .help = "Value of a label."),
    RTN_OPTION(STRING, struct probe, name, .name = "name", .fallback = "", .help = "One more metric."),
    RTN_OPTION(INT, struct probe, kind, .name = "kind", .fallback = "1", .help = "Its kind."),
    RTN_OPTION(STRING, struct probe, help, .name = "help", .fallback = "Help.", .help = "Its help text."),
    RTN_OPTION(STRING, struct probe, key, .name = "key", .fallback = "where", .help = "Name of the label."),
    { 0 },
};

static int declare_more(struct probe *probe, rtn_setup *setup)
{
    const struct rtn_metric_label labels[] = { { probe->key, probe->label }, { NULL, NULL } };
    if (probe->name[0] == '\0')
        return 0;
    return rtn_metric_declare(setup, (enum rtn_metric_kind) probe->kind, probe->name, probe->help, labels,
                              &probe->more);
}

static int configure(void *instance, rtn_setup *setup)
{
    struct probe *probe = instance;
    const struct rtn_metric_label labels[] = { { "where", probe->label }, { NULL, NULL } };
    int r = rtn_metric_declare(setup, RTN_METRIC_COUNTER, "probe_orders_total", "Orders.", labels, &probe->orders);
    if (r == 0)
        r = rtn_metric_declare(setup, RTN_METRIC_GAUGE, "probe_rooms", "Rooms \\ \"now\".", labels, &probe->rooms);
    if (r == 0)
        r = rtn_metric_declare(setup, RTN_METRIC_HISTOGRAM, "probe_sizes", "Sizes.", NULL, &probe->sizes);
    return r < 0 ? r : declare_more(probe, setup);
}

/* The last place where metrics may be declared. */
static int ready(void *instance, rtn_setup *setup)
{
    struct probe *probe = instance;
    return rtn_metric_declare(setup, RTN_METRIC_DURATION, "probe_wait_seconds", "Waits.", NULL, &probe->waits);
}

static int reply_prometheus(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_metrics(request, RTN_METRICS_PROMETHEUS);
}

static int reply_json(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_metrics(request, RTN_METRICS_JSON);
}

static int reply_wrong(rtn_request *request, void *instance)
{
    (void) instance;
    int r = rtn_reply_metrics(request, (enum rtn_metrics_format) 7);
    return rtn_reply_format(request, 200, "%d", r);
}

static int64_t number_of(rtn_request *request, const char *name)
{
    rtn_str value = rtn_query_value(request, name, 0);
    char text[24] = "";
    if (value.data == NULL || value.length >= sizeof(text))
        return 0;
    memcpy(text, value.data, value.length);
    return strtoll(text, NULL, 10);
}

/* ?status=N, else 200. */
static int reply_status(rtn_request *request, void *instance)
{
    (void) instance;
    int64_t status = number_of(request, "status");
    if (status == -1)
        return -EIO;
    return rtn_reply_text(request, status != 0 ? (int) status : 200, "hi\n");
}

struct order {
    const struct probe *probe;
    int64_t n;
    int64_t times;
};

static void *count(void *data)
{
    const struct order *order = data;
    const struct probe *probe = order->probe;
    for (int64_t i = 0; i < order->times; i++) {
        rtn_metric_add(probe->orders, order->n);
        rtn_metric_add(probe->rooms, order->n);
        rtn_metric_observe(probe->sizes, order->n);
        rtn_metric_observe(probe->waits, order->n);
        rtn_metric_add(probe->more, order->n);
        rtn_metric_observe(probe->more, order->n);
    }
    /* Nothing of this counts. */
    rtn_metric_add(NULL, 1);
    rtn_metric_add(probe->sizes, 1);
    rtn_metric_add(probe->orders, -5);
    rtn_metric_set(probe->orders, 5);
    rtn_metric_observe(probe->rooms, 5);
    return NULL;
}

/* ?n=N&times=N&own=1: on a thread of our own. */
static int take_order(rtn_request *request, void *instance)
{
    const struct probe *probe = instance;
    struct order order = { .probe = probe, .n = number_of(request, "n"), .times = number_of(request, "times") };
    pthread_t thread;
    if (number_of(request, "own") == 0)
        count(&order);
    else if (pthread_create(&thread, NULL, count, &order) != 0 || pthread_join(thread, NULL) != 0)
        return -EAGAIN;
    return rtn_reply_status(request, 204);
}

static int set_rooms(rtn_request *request, void *instance)
{
    const struct probe *probe = instance;
    rtn_metric_set(probe->rooms, number_of(request, "n"));
    return rtn_reply_status(request, 204);
}

/* ?n=N messages; the number of those that were taken. */
static int send_messages(rtn_request *request, void *instance)
{
    (void) instance;
    int64_t sent = 0;
    for (int64_t i = number_of(request, "n"); i > 0; i--)
        sent += rtn_send_metrics_text("text", 4) == 0;
    return rtn_reply_format(request, 200, "%lld", (long long) sent);
}

static int take_message(rtn_message *message, const void *data, size_t length, void *instance)
{
    (void) message;
    (void) data;
    (void) length;
    (void) instance;
    return RTN_DONE;
}

static int echo_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) instance;
    return rtn_line_send(rtn_connection_id(connection), line, length);
}

static int echo_frame(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                      void *instance)
{
    (void) instance;
    return rtn_ws_send(rtn_connection_id(connection), type, data, length);
}

static struct rtn_message_type *const sends[] = { RTN_TYPE(metrics_text), NULL };

static const struct rtn_http_handler http_handlers[] = {
    { .name = "prometheus", .handle = reply_prometheus, .threads = RTN_THREADS_PARALLEL },
    { .name = "json", .handle = reply_json, .threads = RTN_THREADS_PARALLEL },
    { .name = "wrong", .handle = reply_wrong, .threads = RTN_THREADS_PARALLEL },
    { .name = "worker", .handle = reply_status, .threads = RTN_THREADS_PARALLEL },
    { .name = "loop", .handle = reply_status },
    { .name = "order", .handle = take_order, .threads = RTN_THREADS_PARALLEL },
    { .name = "order-loop", .handle = take_order },
    { .name = "rooms", .handle = set_rooms, .threads = RTN_THREADS_PARALLEL },
    { .name = "send", .handle = send_messages, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = { { .name = "echo", .message = echo_frame }, { 0 } };

static const struct rtn_line_handler line_handlers[] = { { .name = "echo", .line = echo_line }, { 0 } };

static const struct rtn_message_row rows[] = { RTN_ON(metrics_text, take_message), { 0 } };

static const struct rtn_message_handler message_handlers[] = { { .name = "text", .on = rows }, { 0 } };

static const struct rtn_module module = {
    .name = "metrics_probe",
    .version = "1.0",
    .summary = "Metrics.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct probe),
    .options = options,
    .configure = configure,
    .ready = ready,
    .http = http_handlers,
    .websocket = ws_handlers,
    .line = line_handlers,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
