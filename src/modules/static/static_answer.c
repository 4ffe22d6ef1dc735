/* Errors say no more than their status: what is refused is not told from what is not there. */
#include "static_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "static_path.h"

/* The variant that the client likes best; without Accept-Encoding that is the file itself. */
static const struct static_variant *choose(rtn_request *request, const struct static_entry *entry)
{
    const char *offers[STATIC_VARIANTS + 1];
    unsigned count = 0;
    if (entry->count == 1)
        return &entry->variants[0];
    for (unsigned i = 1; i < entry->count; i++)
        offers[count++] = entry->variants[i].coding;
    offers[count++] = "identity"; /* at equal weight whatever is smaller comes first */
    offers[count] = NULL;
    /* None is acceptable: as the file itself, which is the last offer. */
    unsigned chosen = (unsigned) (rtn_negotiate(request, "accept-encoding", offers) + 1);
    return &entry->variants[chosen < entry->count ? chosen : 0];
}

static int add_fields(rtn_request *request, const struct static_site *site, const struct static_entry *entry,
                      const struct static_variant *variant)
{
    int error = 0;
    if (site->cache_control != NULL)
        error = rtn_reply_header(request, "Cache-Control", site->cache_control);
    if (error == 0 && entry->count > 1)
        error = rtn_reply_header(request, "Vary", "Accept-Encoding");
    if (error == 0 && variant->coding != NULL)
        error = rtn_reply_header(request, "Content-Encoding", variant->coding);
    return error;
}

int static_answer_entry(rtn_request *request, const struct static_site *site, struct static_entry *entry)
{
    const struct static_variant *variant = choose(request, entry);
    int error = add_fields(request, site, entry, variant);
    if (error < 0) {
        static_entry_unref(entry);
        return error;
    }
    const struct rtn_file file = { .struct_size = sizeof(file),
                                   .fd = variant->fd,
                                   .size = variant->size,
                                   .modified = variant->modified.tv_sec,
                                   .etag = variant->etag,
                                   .type = entry->type,
                                   .release = static_entry_unref,
                                   .data = entry,
                                   .bytes = variant->bytes,
                                   .in_memory = variant->in_memory };
    return rtn_reply_fd(request, &file);
}

int static_answer_redirect(rtn_request *request)
{
    rtn_str path = rtn_request_path(request);
    rtn_str query = rtn_request_query(request);
    char *location = rtn_request_alloc(request, STATIC_REDIRECT_MAX(path.length, query.length));
    if (location == NULL)
        return -ENOMEM;
    static_path_redirect(path, query, location);
    return rtn_reply_redirect(request, 301, location);
}

static int add_page_fields(rtn_request *request)
{
    static const char *const fields[][2] = {
        { "Content-Type", "text/html; charset=utf-8" },
        { "Cache-Control", "no-cache" },
        { "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'" },
    };
    int error = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && error == 0; i++)
        error = rtn_reply_header(request, fields[i][0], fields[i][1]);
    return error;
}

int static_answer_page(rtn_request *request, char *page, size_t length)
{
    int error = add_page_fields(request);
    if (error == 0)
        return rtn_reply_release(request, 200, page, length, free, page);
    free(page);
    return error;
}

/* ENXIO: a socket, or a device without its hardware. ELOOP, EXDEV: links that are not followed. */
static const struct {
    int error;
    int status;
} statuses[] = {
    { ENOENT, 404 }, { ENOTDIR, 404 }, { EISDIR, 404 }, { ENAMETOOLONG, 404 }, { ENXIO, 404 },
    { ENODEV, 404 }, { ELOOP, 404 },   { EXDEV, 404 },  { EACCES, 403 },       { EPERM, 403 },
    { EMFILE, 503 }, { ENFILE, 503 },  { ENOMEM, 503 },
};

/* 0: it is not about the file. */
static int status_of(int error)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].error == -error)
            return statuses[i].status;
    }
    return 0;
}

bool static_answer_is_absence(int error)
{
    return status_of(error) == 404;
}

static int answer_unavailable(rtn_request *request, int error)
{
    rtn_str path = rtn_request_path(request);
    rtn_log(RTN_LOG_ERROR, "static: cannot open %.*s: %s", RTN_STR_ARG(path), strerror(-error));
    int r = rtn_reply_header(request, "Retry-After", "1");
    return r < 0 ? r : rtn_reply_text(request, 503, "503 Service Unavailable\n");
}

int static_answer_error(rtn_request *request, int error)
{
    rtn_str path = rtn_request_path(request);
    if (error == -EXDEV || error == -ELOOP)
        rtn_log(RTN_LOG_DEBUG, "static: %.*s goes through a link that is not followed", RTN_STR_ARG(path));
    switch (status_of(error)) {
    case 404:
        return rtn_reply_text(request, 404, "404 Not Found\n");
    case 403:
        return rtn_reply_text(request, 403, "403 Forbidden\n");
    case 503:
        return answer_unavailable(request, error);
    default:
        return error;
    }
}
