/*
 * What is known of a request becomes an entry, and the entry a line: for files in the configured format, on the stack;
 * in the daemon's log always in the one that people read there.
 */
#include "app/access.h"

#include <assert.h>
#include <inttypes.h>

#include "app/access_line.h"
#include "app/dispatch.h"
#include "base/clock.h"
#include "log/log_file.h"

void rtn_access_init(struct rtn_access *access, const struct rtn_config_server *config)
{
    *access = (struct rtn_access){ .config = config,
                                   .to_log = config->access_log.to == RTN_ACCESS_TO_LOG,
                                   .level = (enum rtn_log_level) config->access_log.level };
    rtn_arena_init(&access->arena, NULL, 0);
    if (config->access_log.format != RTN_ACCESS_CUSTOM)
        return;
    const char *problem =
        rtn_access_pattern_parse(rtn_str_of(config->access_log.pattern), &access->arena, &access->pattern);
    assert(problem == NULL);
    (void) problem;
}

void rtn_access_done(struct rtn_access *access)
{
    rtn_arena_done(&access->arena);
}

int rtn_access_open(struct rtn_access *access, struct rtn_log_writers *writers, struct rtn_log *log,
                    const _Atomic int *log_level)
{
    const struct rtn_config_access_log *config = &access->config->access_log;
    if (config->to != RTN_ACCESS_TO_FILE)
        return 0;
    const struct rtn_log_writer_options options = { .what = "access log",
                                                    .path = config->path,
                                                    .buffer = (size_t) RTN_MAX(config->buffer, RTN_ACCESS_LINE_MAX),
                                                    .flush_ms = config->flush,
                                                    .log = log,
                                                    .log_level = log_level };
    return rtn_log_writers_get(writers, &options, &access->writer);
}

int rtn_access_check(const struct rtn_access *access)
{
    const struct rtn_config_access_log *config = &access->config->access_log;
    return config->to == RTN_ACCESS_TO_FILE ? rtn_log_file_check(config->path) : 0;
}

static struct rtn_str version_of(const struct rtn_request *request)
{
    return request->version == 11 ? RTN_STR("HTTP/1.1") : RTN_STR("HTTP/1.0");
}

/* Empty means unknown here. */
static struct rtn_str known(struct rtn_str s)
{
    return s.length > 0 ? s : (struct rtn_str){ 0 };
}

/* `out` is for a request whose head never came whole: whoever sent it. */
static struct rtn_str client_of(struct rtn_request *request, char out[RTN_IP_TEXT_SIZE])
{
    struct rtn_ip ip;
    if (request->call != NULL)
        return rtn_str_of(rtn_client_text(request));
    if (!rtn_ip_of(&request->connection->peer.any, &ip))
        return RTN_STR("unix:");
    rtn_ip_format(&ip, out);
    return rtn_str_of(out);
}

/* A request line that was not understood, or that never came whole, is no text to be repeated. */
static struct rtn_access_entry describe(struct rtn_request *request, bool aborted, char client[RTN_IP_TEXT_SIZE])
{
    const struct rtn_call *call = rtn_call_of(request);
    struct rtn_access_entry entry = { .client = client_of(request, client),
                                      .status = request->response.status,
                                      .bytes = request->response.length,
                                      .request_id = rtn_str_of(request->response.request_id),
                                      .server = rtn_str_of(request->terms->config->name),
                                      .connection = request->connection->id,
                                      .aborted = aborted,
                                      .headers = request->headers,
                                      .header_count = request->header_count };
    if (request->version != 0) {
        entry.method = request->method_name;
        entry.target = request->target;
        entry.version = version_of(request);
    }
    if (call == NULL)
        return entry;
    if (request->started_us != 0)
        entry.duration_us = call->ended_us - request->started_us;
    entry.host = known(rtn_dispatch_host(request));
    if (call->match.route != NULL)
        entry.route = rtn_str_of(call->match.route->path);
    return entry;
}

static void log_to_file(struct rtn_request *request, const struct rtn_access *access, bool aborted)
{
    char line[RTN_ACCESS_LINE_MAX];
    char client[RTN_IP_TEXT_SIZE];
    const struct rtn_access_entry entry = describe(request, aborted, client);
    enum rtn_config_access_format format = (enum rtn_config_access_format) access->config->access_log.format;
    size_t length = rtn_access_line(format, &access->pattern, &entry, line);
    if (!rtn_log_writer_append(access->writer, (struct rtn_str){ line, length }))
        rtn_stats_add(request->http->stats, RTN_STATS_ACCESS_LOG_DROPPED, 1);
}

static void log_to_log(struct rtn_request *request, enum rtn_log_level level, bool aborted)
{
    char client[RTN_IP_TEXT_SIZE];
    const struct rtn_access_entry entry = describe(request, aborted, client);
    bool whole = entry.method.data != NULL;
    const char *peer = request->connection->trusted ? entry.client.data : rtn_connection_peer_text(request->connection);
    const char *before = rtn_log_set_request(request->response.request_id);
    rtn_log(level, "%s \"%.*s%s%.*s%s%.*s\" %d %" PRIu64 " %" PRId64 ".%03dms%s", peer,
            RTN_STR_ARG(whole ? entry.method : RTN_STR("-")), whole ? " " : "", RTN_STR_ARG(entry.target),
            whole ? " " : "", RTN_STR_ARG(entry.version), rtn_access_status(&entry), entry.bytes,
            entry.duration_us / 1000, (int) (entry.duration_us % 1000), aborted ? " aborted" : "");
    (void) rtn_log_set_request(before);
}

void rtn_access_write(const struct rtn_access *access, struct rtn_request *request, bool aborted)
{
    if (access->writer != NULL)
        log_to_file(request, access, aborted);
    else
        log_to_log(request, access->level, aborted);
}
