/* Replies with files: the exact bytes for conditions and ranges, and each descriptor released exactly once. */
#include <retinue/module.h>

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "app/dispatch.h"
#include "app/prefetch.h"
#include "app/reply_type.h"
#include "base/buf.h"
#include "base/clock.h"
#include "proto/response.h"

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define CONTENT "0123456789"
#define MODIFIED "Last-Modified: Thu, 01 Jan 1970 00:16:40 GMT\r\nETag: \"v1\"\r\n"
#define OCTETS "Content-Type: application/octet-stream\r\n"

static struct rtn_config_server config = {
    .limits = { .target = 100, .header = 20000, .header_count = 50, .body = 1000 },
};
static struct rtn_routing routing;
static struct rtn_terms terms = { .config = &config,
                                  .policy = { .request_body = RTN_BODY_BUFFERED },
                                  .routing = &routing };
static struct rtn_http1 http = { .terms = &terms };
static struct rtn_sink sink;
static struct rtn_connection connection;
static struct rtn_hold hold; /* the sink is a worker's */
static struct rtn_site site;
static struct rtn_call call;
static struct rtn_request *request;
static struct rtn_buf received;
static struct rtn_file file;
static char path[] = "/tmp/retinue-reply-file-XXXXXX";
static unsigned released;
static int peer;

static void count_release(void *data)
{
    ++*(unsigned *) data;
}

static void put_content(const void *data, size_t length)
{
    cr_assert_eq(ftruncate(file.fd, 0), 0);
    cr_assert_eq(pwrite(file.fd, data, length, 0), (ssize_t) length);
    file.size = (int64_t) length;
}

static void begin(void)
{
    int fds[2];
    (void) signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    connection = (struct rtn_connection){ .http = &http, .stream = { .fd = fds[0] }, .hold = &hold };
    peer = fds[1];
    call.site = &site;
    sink.length = 0;
    released = 0;
    file = (struct rtn_file){ .struct_size = sizeof(file),
                              .fd = mkstemp(path),
                              .modified = 1000,
                              .etag = "\"v1\"",
                              .release = count_release,
                              .data = &released };
    cr_assert_geq(file.fd, 0);
    put_content(CONTENT, strlen(CONTENT));
    request = rtn_request_new(&http, 50);
    cr_assert_not_null(request);
}

static void end(void)
{
    rtn_request_free(request);
    rtn_stream_close(&connection.stream);
    (void) close(peer);
    (void) close(file.fd);
    (void) unlink(path);
    rtn_buf_done(&received);
}

TestSuite(reply_file, .init = begin, .fini = end);

/* A request that is complete, and nothing received yet. */
static void ask(const char *method, const char *fields)
{
    char text[4000];
    int length = snprintf(text, sizeof(text), "%s /x HTTP/1.1\r\nHost: h\r\n%s\r\n", method, fields);
    rtn_request_clear(request);
    rtn_buf_clear(&received);
    cr_assert_eq(rtn_request_make_room(request, (size_t) length), 0);
    memcpy(request->buffer + request->end, text, (size_t) length);
    request->end += (size_t) length;
    request->connection = &connection;
    request->sink = &sink;
    request->call = &call;
    enum rtn_request_stage stage = rtn_request_parse(request);
    if (stage == RTN_REQUEST_HEADED)
        stage = rtn_request_parse(request);
    cr_assert_eq(stage, RTN_REQUEST_COMPLETE, "%s", text);
}

/* As rtn_reply_header(), which has no body in this program. */
static int set(const char *name, const char *value)
{
    return rtn_response_field(request, rtn_str_of(name), rtn_str_of(value));
}

static void receive(void)
{
    char block[50000];
    ssize_t n;
    while ((n = recv(peer, block, sizeof(block), 0)) > 0)
        rtn_buf_append(&received, block, (size_t) n);
}

/* All that leaves, with a fixed date. */
static const char *reply_text(void)
{
    const struct rtn_str fixed = RTN_STR(DATE);
    int r;
    cr_expect_eq(rtn_response_flush(request), 0);
    while ((r = rtn_stream_flush(&connection.stream)) == -EAGAIN)
        receive();
    cr_expect_eq(r, 0);
    receive();
    char *date = received.data != NULL ? strstr(received.data, "\r\nDate: ") : NULL;
    if (date != NULL)
        memcpy(date + 2, fixed.data, fixed.length);
    return rtn_buf_str(&received).data;
}

/* The reply to a GET with these fields. */
static const char *get(const char *fields)
{
    unsigned before = released;
    ask("GET", fields);
    cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
    const char *text = reply_text();
    cr_expect_eq(released, before + 1, "%u", released - before);
    return text;
}

Test(reply_file, sends_the_whole)
{
    const char *expected =
        "HTTP/1.1 200 OK\r\n" DATE OCTETS MODIFIED "Accept-Ranges: bytes\r\nContent-Length: 10\r\n\r\n" CONTENT;
    cr_expect_str_eq(get(""), expected, "%s", received.data);
}

Test(reply_file, sends_an_empty_one)
{
    put_content("", 0);
    file.modified = 0;
    file.etag = NULL;
    const char *expected = "HTTP/1.1 200 OK\r\n" DATE OCTETS "Accept-Ranges: bytes\r\nContent-Length: 0\r\n\r\n";
    cr_expect_str_eq(get(""), expected, "%s", received.data);
    cr_expect_str_eq(get("Range: bytes=0-\r\n"), expected, "%s", received.data);
}

Test(reply_file, head_has_the_fields_and_no_content)
{
    const char *expected =
        "HTTP/1.1 200 OK\r\n" DATE OCTETS MODIFIED "Accept-Ranges: bytes\r\nContent-Length: 10\r\n\r\n";
    ask("HEAD", "Range: bytes=0-4\r\n"); /* which only GET has: RFC 9110, 14.2 */
    cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
    cr_expect_eq(released, 1);
    cr_expect_str_eq(reply_text(), expected, "%s", received.data);
    ask("HEAD", "If-None-Match: \"v1\"\r\n");
    cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
    cr_expect_str_eq(reply_text(), "HTTP/1.1 304 Not Modified\r\n" DATE MODIFIED "\r\n", "%s", received.data);
    cr_expect_eq(released, 2);
}

Test(reply_file, other_methods_have_no_conditions)
{
    ask("DELETE", "Range: bytes=0-4\r\nIf-None-Match: *\r\nIf-Match: \"other\"\r\n");
    cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
    cr_expect_str_eq(reply_text(), "HTTP/1.1 200 OK\r\n" DATE OCTETS MODIFIED "Content-Length: 10\r\n\r\n" CONTENT,
                     "%s", received.data);
    cr_expect_eq(released, 1);
}

Test(reply_file, one_range)
{
    static const struct {
        const char *field;
        const char *range;
        const char *content;
    } table[] = {
        { "Range: bytes=0-4\r\n", "0-4", "01234" },
        { "Range: bytes=3-\r\n", "3-9", "3456789" },
        { "Range: bytes=-2\r\n", "8-9", "89" },
        { "Range: bytes=20-30,5-5\r\n", "5-5", "5" },
        { "Range: bytes=0-4\r\nIf-Range: \"v1\"\r\n", "0-4", "01234" },
        { "Range: bytes=0-4\r\nIf-Range: Thu, 01 Jan 1970 00:16:40 GMT\r\n", "0-4", "01234" },
        { "Range: bytes=0-4\r\nIf-None-Match: \"v2\"\r\n", "0-4", "01234" },
        { "Range: bytes=0-4\r\nIf-Match: \"v1\"\r\n", "0-4", "01234" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        char expected[500];
        (void) snprintf(expected, sizeof(expected),
                        "HTTP/1.1 206 Partial Content\r\n" DATE OCTETS MODIFIED
                        "Accept-Ranges: bytes\r\nContent-Range: bytes %s/10\r\nContent-Length: %zu\r\n\r\n%s",
                        table[i].range, strlen(table[i].content), table[i].content);
        cr_expect_str_eq(get(table[i].field), expected, "%s", received.data);
    }
}

Test(reply_file, ranges_that_are_ignored)
{
    static const char *const fields[] = {
        "Range: bytes=4-2\r\n",
        "Range: lines=0-4\r\n",
        "Range: bytes=0-4\r\nRange: bytes=5-6\r\n",
        "Range: bytes=0-4\r\nIf-Range: \"v2\"\r\n",
        "Range: bytes=0-4\r\nIf-Range: W/\"v1\"\r\n",
        "Range: bytes=0-4\r\nIf-Range: Thu, 01 Jan 1970 00:16:41 GMT\r\n",
        "Range: bytes=90-\r\nIf-Range: \"v2\"\r\n",
        "Range: bytes=0-,1-,2-\r\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(fields); i++) {
        const char *text = get(fields[i]);
        cr_expect(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s: %s", fields[i], text);
        cr_expect_null(strstr(text, "Content-Range"));
        cr_expect_not_null(strstr(text, "\r\n\r\n" CONTENT));
    }
}

/* The boundary that a reply names. */
static const char *boundary_of(const char *text)
{
    static char boundary[80];
    const char *start = strstr(text, "Content-Type: multipart/byteranges; boundary=");
    cr_assert_not_null(start, "%s", text);
    cr_assert_eq(sscanf(start, "Content-Type: multipart/byteranges; boundary=%70[0-9a-f]\r\n", boundary), 1);
    return boundary;
}

Test(reply_file, several_ranges)
{
    char first[80];
    char parts[1000];
    char expected[2000];
    file.type = "text/plain";
    const char *text = get("Range: bytes=0-1, -3, 4-4\r\n");
    const char *boundary = boundary_of(text);
    (void) snprintf(parts, sizeof(parts),
                    "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n"
                    "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 7-9/10\r\n\r\n789\r\n"
                    "--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-4/10\r\n\r\n4\r\n--%s--\r\n",
                    boundary, boundary, boundary, boundary);
    (void) snprintf(expected, sizeof(expected),
                    "HTTP/1.1 206 Partial Content\r\n" DATE MODIFIED
                    "Accept-Ranges: bytes\r\nContent-Type: multipart/byteranges; boundary=%s\r\n"
                    "Content-Length: %zu\r\n\r\n%s",
                    boundary, strlen(parts), parts);
    cr_expect_str_eq(text, expected, "%s", text);
    cr_expect_eq(strlen(boundary), 32);

    /* Each reply has its own boundary. */
    (void) snprintf(first, sizeof(first), "%s", boundary);
    cr_expect_str_neq(boundary_of(get("Range: bytes=0-1, -3, 4-4\r\n")), first);
}

Test(reply_file, several_ranges_wait_for_a_worker)
{
    connection.stream.defer_files = true;
    ask("GET", "Range: bytes=0-1,3-4\r\n");
    cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
    cr_expect_eq(rtn_response_flush(request), 0);
    cr_expect_eq(rtn_stream_flush(&connection.stream), -EINPROGRESS);
    cr_expect_eq(released, 0);
    connection.stream.defer_files = false;
    cr_expect_not_null(strstr(reply_text(), "\r\n\r\n34\r\n--"));
    cr_expect_eq(released, 1);
}

Test(reply_file, several_ranges_of_a_lost_connection_are_released_once)
{
    ask("GET", "Range: bytes=0-1,3-4\r\n");
    (void) close(peer);
    peer = -1;
    (void) rtn_reply_fd(request, &file);
    (void) rtn_response_flush(request);
    cr_expect_neq(connection.broken, 0);
    rtn_stream_close(&connection.stream);
    cr_expect_eq(released, 1);
}

Test(reply_file, unsatisfiable)
{
    ask("GET", "Range: bytes=10-\r\n");
    cr_expect_eq(set("Cache-Control", "max-age=60"), 0);
    cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
    cr_expect_str_eq(
        reply_text(),
        "HTTP/1.1 416 Range Not Satisfiable\r\n" DATE
        "Content-Range: bytes */10\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 46\r\n\r\n"
        "416 Range Not Satisfiable: there are 10 bytes\n",
        "%s", received.data);
    cr_expect_eq(released, 1);
}

Test(reply_file, not_modified_keeps_what_the_handler_set)
{
    static const char *const fields[] = {
        "If-None-Match: \"v1\"\r\n",
        "If-None-Match: *\r\n",
        "If-None-Match: \"v0\"\r\nIf-None-Match: W/\"v1\"\r\n",
        "If-Modified-Since: Thu, 01 Jan 1970 00:16:40 GMT\r\n",
        "If-None-Match: \"v1\"\r\nRange: bytes=90-\r\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(fields); i++) {
        ask("GET", fields[i]);
        cr_expect_eq(set("Cache-Control", "max-age=60"), 0);
        cr_expect_eq(set("Vary", "Accept-Encoding"), 0);
        cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
        cr_expect_str_eq(reply_text(),
                         "HTTP/1.1 304 Not Modified\r\n" DATE
                         "Cache-Control: max-age=60\r\nVary: Accept-Encoding\r\n" MODIFIED "\r\n",
                         "%s", received.data);
        cr_expect_eq(released, i + 1);
    }
}

Test(reply_file, a_date_to_come_is_told_as_now)
{
    const struct rtn_str name = RTN_STR("Last-Modified: ");
    const time_t before = time(NULL);
    time_t told = 0;
    file.modified = (int64_t) before + 1000000;
    const char *field = strstr(get(""), name.data);
    cr_assert_not_null(field);
    const struct rtn_str date = { field + name.length, RTN_HTTP_DATE_SIZE - 1 };
    cr_assert_eq(rtn_clock_parse_http_date(date, &told), 0);
    cr_expect(before <= told && told <= time(NULL), "%.*s", RTN_STR_ARG(date));
}

Test(reply_file, failed_preconditions)
{
    static const char *const fields[] = {
        "If-Match: \"v2\"\r\n",
        "If-Match: W/\"v1\"\r\n",
        "If-Unmodified-Since: Thu, 01 Jan 1970 00:16:39 GMT\r\n",
        "If-Match: \"v2\"\r\nRange: bytes=0-4\r\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(fields); i++) {
        ask("GET", fields[i]);
        cr_expect_eq(set("Content-Type", "image/png"), 0);
        cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
        cr_expect_str_eq(reply_text(),
                         "HTTP/1.1 412 Precondition Failed\r\n" DATE
                         "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 66\r\n\r\n"
                         "412 Precondition Failed: a condition of the request does not hold\n",
                         "%s", received.data);
        cr_expect_eq(released, i + 1);
    }
}

Test(reply_file, type_is_the_files_then_the_handlers)
{
    static const struct {
        const char *handler;
        const char *file;
        const char *expected;
    } table[] = {
        { NULL, NULL, "\r\nContent-Type: application/octet-stream\r\n" },
        { "image/png", NULL, "\r\ncontent-TYPE: image/png\r\n" },
        { NULL, "text/css", "\r\nContent-Type: text/css\r\n" },
        { "image/png", "text/css", "\r\nContent-Type: text/css\r\n" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        ask("GET", "");
        cr_expect_eq(set("X-Before", "1"), 0);
        if (table[i].handler != NULL)
            cr_expect_eq(set("content-TYPE", table[i].handler), 0);
        cr_expect_eq(set("X-Behind", "2"), 0);
        file.type = table[i].file;
        cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
        const char *text = reply_text();
        const char *found = strstr(text, table[i].expected);
        cr_assert_not_null(found, "row %zu: %s", i, text);
        cr_expect_null(strcasestr(found + strlen(table[i].expected), "content-type:"), "row %zu: %s", i, text);
        cr_expect_not_null(strstr(text, "\r\nX-Before: 1\r\n"));
        cr_expect_not_null(strstr(text, "\r\nX-Behind: 2\r\n"));
    }
}

Test(reply_file, types_of_parts_come_from_the_handler_too)
{
    ask("GET", "Range: bytes=0-0,2-2\r\n");
    cr_expect_eq(set("Content-Type", "image/png"), 0);
    cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
    const char *text = reply_text();
    (void) boundary_of(text);
    cr_expect_not_null(strstr(text, "\r\nContent-Type: image/png\r\nContent-Range: bytes 2-2/10\r\n\r\n2\r\n"));
}

Test(reply_file, refuses_what_it_cannot_send)
{
    const struct rtn_file good = file;
    static const char *const etags[] = { "v1", "\"v 1\"", "\"v1\"\r\nX: y", "" };
    unsigned count = 0;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(etags); i++) {
        file.etag = etags[i];
        ask("GET", "");
        cr_expect_eq(rtn_reply_fd(request, &file), -EINVAL, "%s", etags[i]);
        cr_expect_eq(released, ++count);
    }
    file = good;
    file.size = -1;
    ask("GET", "");
    cr_expect_eq(rtn_reply_fd(request, &file), -EINVAL);
    cr_expect_eq(released, ++count);
    file = good;
    file.type = "text/plain\r\nX: y";
    ask("GET", "Range: bytes=0-0,2-2\r\n");
    cr_expect_eq(rtn_reply_fd(request, &file), -EINVAL);
    cr_expect_eq(released, ++count);
    file = good;
    file.fd = -1;
    ask("GET", "");
    cr_expect_eq(rtn_reply_fd(request, &file), -EINVAL);
    cr_expect_eq(released, ++count);
    cr_expect(request->response.state == RTN_RESPONSE_NONE);
    file = good;
}

Test(reply_file, is_given_once)
{
    (void) get("");
    cr_expect_eq(rtn_reply_fd(request, &file), -EALREADY);
    cr_expect_eq(released, 2);
    cr_expect_eq(rtn_reply_file(request, path), -EALREADY);
}

/* A module that was compiled when the struct was shorter: what lies behind is not looked at. */
Test(reply_file, members_beyond_struct_size_are_zero)
{
    struct rtn_file shorter = file;
    shorter.struct_size = offsetof(struct rtn_file, etag);
    shorter.fd = dup(file.fd);
    ask("GET", "");
    cr_expect_eq(rtn_reply_fd(request, &shorter), RTN_DONE);
    cr_expect_str_eq(reply_text(),
                     "HTTP/1.1 200 OK\r\n" DATE OCTETS "Last-Modified: Thu, 01 Jan 1970 00:16:40 GMT\r\n"
                     "Accept-Ranges: bytes\r\nContent-Length: 10\r\n\r\n" CONTENT,
                     "%s", received.data);
    cr_expect_eq(released, 0);
    cr_expect_eq(fcntl(shorter.fd, F_GETFD), -1); /* closed: release is one of the members beyond */
}

Test(reply_file, without_release_the_descriptor_is_closed)
{
    static const char *const fields[] = { "",
                                          "If-None-Match: *\r\n",
                                          "If-Match: \"x\"\r\n",
                                          "Range: bytes=90-\r\n",
                                          "Range: bytes=1-2\r\n",
                                          "Range: bytes=1-2,4-5\r\n" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(fields); i++) {
        struct rtn_file own = file;
        own.release = NULL;
        own.fd = dup(file.fd);
        ask("GET", fields[i]);
        cr_expect_eq(rtn_reply_fd(request, &own), RTN_DONE);
        (void) reply_text();
        cr_expect_eq(fcntl(own.fd, F_GETFD), -1, "%s", fields[i]);
    }
}

/* Where the file system can say that bytes are in memory, a loop sends them without a worker. */
Test(reply_file, a_small_file_in_memory_needs_no_worker)
{
    static char bytes[RTN_PREFETCH_MOST + 1];
    memset(bytes, 'x', sizeof(bytes));
    connection.stream.defer_files = true;
    for (size_t extra = 0; extra < 2; extra++) {
        put_content(bytes, RTN_PREFETCH_MOST - 100000 + extra * 100001);
        const void *ahead = rtn_prefetch(file.fd, 0, (size_t) file.size);
        cr_expect(ahead == NULL || memcmp(ahead, bytes, (size_t) file.size) == 0);
        cr_expect(extra == 0 || ahead == NULL);
        ask("GET", "");
        cr_expect_eq(rtn_reply_fd(request, &file), RTN_DONE);
        cr_expect_eq(rtn_stream_pending(&connection.stream), ahead == NULL);
        cr_expect_eq(rtn_stream_flush(&connection.stream), ahead == NULL ? -EINPROGRESS : 0);
    }
}

Test(reply_file, bytes_that_the_module_has_are_sent)
{
    file.bytes = "abcdefghij";
    cr_expect(strstr(get(""), "\r\n\r\nabcdefghij") != NULL, "%s", received.data);
    cr_expect(strstr(get("Range: bytes=2-4\r\n"), "\r\n\r\ncde") != NULL, "%s", received.data);
    cr_expect(strstr(received.data, "Content-Range: bytes 2-4/10\r\n") != NULL, "%s", received.data);
}

Test(reply_file, in_memory_needs_no_worker)
{
    static char bytes[2 * RTN_PREFETCH_MOST];
    memset(bytes, 'x', sizeof(bytes));
    put_content(bytes, sizeof(bytes));
    connection.stream.defer_files = true;
    file.in_memory = true;
    cr_expect(strstr(get(""), "\r\n\r\nxxxx") != NULL);
    cr_expect_geq(received.length, sizeof(bytes));
}

Test(reply_file, prefetch_gives_all_or_nothing)
{
    put_content(CONTENT, 10);
    cr_expect_null(rtn_prefetch(file.fd, 5, 6));
    cr_expect_null(rtn_prefetch(file.fd, 10, 1));
    cr_expect_null(rtn_prefetch(file.fd, 0, 0));
    cr_expect_null(rtn_prefetch(-1, 0, 1));
    const char *some = rtn_prefetch(file.fd, 5, 5);
    cr_expect(some == NULL || memcmp(some, "56789", 5) == 0);
}

struct job {
    struct rtn_task task;
    const char *path;
    int result;
    sem_t done;
};

static void run_job(struct rtn_task *task)
{
    struct job *job = RTN_CONTAINER_OF(task, struct job, task);
    job->result = rtn_reply_file(request, job->path);
    sem_post(&job->done);
}

/* rtn_reply_file() in a task, as on a worker. */
static int reply_on_worker(const char *name)
{
    static _Atomic int silent = RTN_LOG_NONE;
    const struct rtn_pool_options options = {
        .server = "get", .threads = 1, .active = 1, .queue = 1, .retire_ms = 60000, .log_level = &silent
    };
    struct job job = { .task = { .run = run_job, .what = "job" }, .path = name };
    struct rtn_pool *pool = NULL;
    cr_assert_eq(rtn_pool_new(&options, &pool), 0);
    cr_assert_eq(rtn_pool_start(pool), 0);
    cr_assert_eq(sem_init(&job.done, 0, 0), 0);
    cr_assert(rtn_pool_submit_always(pool, &job.task));
    while (sem_wait(&job.done) < 0)
        ;
    cr_assert_eq(rtn_pool_stop(pool, 60000), 0);
    rtn_pool_free(pool);
    sem_destroy(&job.done);
    return job.result;
}

Test(reply_file, by_path_is_for_workers)
{
    ask("GET", "");
    cr_expect_eq(rtn_reply_file(request, path), RTN_WORKER);
    cr_expect(request->response.state == RTN_RESPONSE_NONE);
    cr_expect_eq(rtn_reply_file(request, NULL), -EINVAL);
}

Test(reply_file, by_path)
{
    static const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000, .tv_nsec = 255 } };
    char name[sizeof(path) + 4];
    (void) snprintf(name, sizeof(name), "%s.txt", path);
    cr_assert_eq(rename(path, name), 0);
    cr_assert_eq(futimens(file.fd, times), 0);
    ask("GET", "Range: bytes=2-3\r\n");
    cr_expect_eq(reply_on_worker(name), RTN_DONE);
    cr_expect_str_eq(reply_text(),
                     "HTTP/1.1 206 Partial Content\r\n" DATE "Content-Type: text/plain; charset=utf-8\r\n"
                     "Last-Modified: Thu, 01 Jan 1970 00:16:40 GMT\r\nETag: \"e8d4a510ff-a\"\r\n"
                     "Accept-Ranges: bytes\r\nContent-Range: bytes 2-3/10\r\nContent-Length: 2\r\n\r\n23",
                     "%s", received.data);
    (void) unlink(name);
}

Test(reply_file, by_path_of_what_is_no_file)
{
    char fifo[sizeof(path) + 5];
    char below[sizeof(path) + 5];
    (void) snprintf(fifo, sizeof(fifo), "%s.fifo", path);
    (void) snprintf(below, sizeof(below), "%s/x", path);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    const char *const names[] = { "/tmp", "/nowhere/at/all", "", "/dev/null", fifo, below };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        ask("GET", "");
        cr_expect_eq(set("Content-Type", "image/png"), 0);
        cr_expect_eq(reply_on_worker(names[i]), RTN_DONE, "%s", names[i]);
        cr_expect_str_eq(reply_text(),
                         "HTTP/1.1 404 Not Found\r\n" DATE
                         "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n404 Not Found\n",
                         "%s: %s", names[i], received.data);
    }
    (void) unlink(fifo);
}

Test(reply_file, by_path_that_may_not_be_read)
{
    uid_t before = geteuid();
    cr_assert_eq(fchmod(file.fd, 0), 0);
    if (before == 0)
        cr_assert_eq(seteuid(65534), 0); /* root may read anything */
    ask("GET", "");
    cr_expect_eq(reply_on_worker(path), RTN_DONE);
    cr_assert_eq(seteuid(before), 0);
    cr_expect_str_eq(reply_text(),
                     "HTTP/1.1 403 Forbidden\r\n" DATE
                     "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 40\r\n\r\n"
                     "403 Forbidden: the file may not be read\n",
                     "%s", received.data);
}
