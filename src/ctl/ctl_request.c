/*
 * The request asks for the end of the connection, so that the answer is all that comes. What the daemon sends is
 * trusted as far as one trusts a program that one may give orders to; a broken answer is still only an error.
 */
#include "ctl/ctl_request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macros.h"

#define MOST_BYTES ((size_t) 256 * 1024 * 1024)

static int dial(const char *path, int64_t patience_ms, int *ret)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const struct timeval patience = { .tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000 };
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ? -errno : 0;
    if (r == 0 && connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
        r = -errno;
    if (r < 0)
        rtn_fd_close(&fd);
    else
        *ret = fd;
    return r;
}

static int send_all(int fd, struct rtn_str text)
{
    while (text.length > 0) {
        ssize_t n = send(fd, text.data, text.length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        text.data += n;
        text.length -= (size_t) n;
    }
    return 0;
}

static int receive_all(int fd, struct rtn_buf *out)
{
    for (;;) {
        ssize_t n = recv(fd, rtn_buf_reserve(out, 65536), 65536, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (n == 0)
            return 0;
        out->length += (size_t) n;
        out->data[out->length] = '\0';
        if (out->length > MOST_BYTES)
            return -EPROTO;
    }
}

/* HTTP/1.1 200 OK, fields, an empty line, JSON. */
static int take_apart(const struct rtn_buf *answer, struct rtn_ctl_reply *ret)
{
    static const char version[] = "HTTP/1.1 ";
    const char *content = answer->data != NULL ? strstr(answer->data, "\r\n\r\n") : NULL;
    int64_t status = 0;
    if (answer->length == 0)
        return -ECONNRESET;
    if (content == NULL || !rtn_str_starts_with(rtn_buf_str(answer), RTN_STR(version)) ||
        rtn_parse_int((struct rtn_str){ answer->data + strlen(version), 3 }, &status) < 0)
        return -EPROTO;
    content += 4;
    json_t *json = json_loads(content, 0, NULL);
    if (json == NULL)
        return -EPROTO;
    *ret = (struct rtn_ctl_reply){ .status = (int) status, .json = json };
    rtn_buf_append_text(&ret->text, content);
    return 0;
}

int rtn_ctl_request(const char *socket, bool order, const char *target, int64_t patience_ms, struct rtn_ctl_reply *ret)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf request = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf answer = { 0 };
    int fd = -1;
    int r = dial(socket, patience_ms, &fd);
    if (r < 0)
        return r;
    rtn_buf_printf(&request, "%s %s HTTP/1.1\r\nHost: retinue\r\nConnection: close\r\n%s\r\n", order ? "POST" : "GET",
                   target, order ? "Content-Length: 0\r\n" : "");
    r = send_all(fd, rtn_buf_str(&request));
    if (r == 0)
        r = receive_all(fd, &answer);
    rtn_fd_close(&fd);
    return r < 0 ? r : take_apart(&answer, ret);
}

void rtn_ctl_reply_done(struct rtn_ctl_reply *reply)
{
    rtn_buf_done(&reply->text);
    json_decref(reply->json);
    reply->json = NULL;
}

static const char *nobody_listens(const char *path)
{
    struct stat file;
    bool is_other = stat(path, &file) == 0 && !S_ISSOCK(file.st_mode);
    return is_other ? "that is no socket" : "the socket is there, but nobody listens";
}

int rtn_ctl_explain(const struct rtn_ctl *ctl, int error)
{
    static const char hint[] = "retinuectl: the key daemon.control says where its socket is; --socket PATH, or "
                               "RETINUE_CONTROL, chooses another\n";
    bool nobody = error == -ENOENT || error == -ECONNREFUSED || error == -ENOTSOCK || error == -ENAMETOOLONG;
    const char *why = error == -EACCES         ? "permission denied; root and the user of the daemon may"
                      : error == -EPROTO       ? "that is not the answer of a daemon"
                      : error == -ETIMEDOUT    ? "the daemon does not answer; its main thread is busy"
                      : error == -ENOENT       ? "there is no such file"
                      : error == -ECONNREFUSED ? nobody_listens(ctl->socket)
                                               : strerror(-error);
    fprintf(stderr, "retinuectl: %s %s: %s\n", nobody ? "no daemon at" : "cannot talk to the daemon at", ctl->socket,
            why);
    if (!nobody)
        return RTN_CTL_FAILED;
    fputs(hint, stderr);
    return RTN_CTL_NOBODY;
}

int rtn_ctl_ask(const struct rtn_ctl *ctl, bool order, const char *target, struct rtn_ctl_reply *ret)
{
    struct rtn_ctl_reply reply;
    int r = rtn_ctl_request(ctl->socket, order, target, order ? 0 : RTN_CTL_PATIENCE_MS, &reply);
    if (r < 0)
        return rtn_ctl_explain(ctl, r);
    if (reply.status < 400) {
        *ret = reply;
        return RTN_CTL_OK;
    }
    const char *text = rtn_ctl_text(reply.json, "text"); /* longer, with places in files */
    if (ctl->json)
        (void) rtn_ctl_print_json(&reply);
    else if (text[0] != '\0')
        fprintf(stderr, "%s", text);
    fprintf(stderr, "retinuectl: %s\n", rtn_ctl_text(reply.json, "error"));
    rtn_ctl_reply_done(&reply);
    return RTN_CTL_FAILED;
}

void rtn_ctl_escape(struct rtn_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (rtn_is_alnum(*text) || *text == '-')
            rtn_buf_append_char(out, *text);
        else
            rtn_buf_printf(out, "%%%02X", (unsigned) (unsigned char) *text);
    }
}

int rtn_ctl_print(struct rtn_str text)
{
    if (fwrite(text.data, 1, text.length, stdout) == text.length && fflush(stdout) == 0)
        return RTN_CTL_OK;
    fprintf(stderr, "retinuectl: cannot write: %s\n", strerror(errno));
    return RTN_CTL_FAILED;
}

int rtn_ctl_print_json(const struct rtn_ctl_reply *reply)
{
    return rtn_ctl_print(rtn_buf_str(&reply->text));
}

int64_t rtn_ctl_int(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

const char *rtn_ctl_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

const json_t *rtn_ctl_array(const json_t *object, const char *key)
{
    const json_t *array = json_object_get(object, key);
    return json_is_array(array) ? array : NULL; /* which has no elements */
}
