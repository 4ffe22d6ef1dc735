/*
 * The page is made once for each instance and is then only sent. Everything is in it, so that the policy can name what
 * may run by its hash; only the numbers are asked for, at the path of the page itself.
 */
#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assets.h"

#define ETAG_SIZE 24

struct page {
    char *text;
    size_t length;
    char etag[ETAG_SIZE];
};

static void print_title(FILE *out, const char *title)
{
    for (; *title != '\0'; title++) {
        if (*title == '&')
            (void) fputs("&amp;", out);
        else if (*title == '<')
            (void) fputs("&lt;", out);
        else
            (void) fputc(*title, out);
    }
}

static void print_page(FILE *out, const char *title, int64_t refresh)
{
    (void) fwrite(assets_head, 1, sizeof(assets_head), out);
    print_title(out, title);
    (void) fwrite(assets_middle, 1, sizeof(assets_middle), out);
    (void) fprintf(out, "%" PRId64, refresh);
    (void) fwrite(assets_tail, 1, sizeof(assets_tail), out);
}

/* FNV-1a. */
static uint64_t hash(const char *text, size_t length)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char) text[i]) * 0x100000001b3u;
    return value;
}

int page_new(const char *title, int64_t refresh, struct page **ret)
{
    struct page *page = calloc(1, sizeof(*page));
    FILE *out = page != NULL ? open_memstream(&page->text, &page->length) : NULL;
    if (out == NULL) {
        free(page);
        return -ENOMEM;
    }
    print_page(out, title, refresh);
    if (fclose(out) != 0) {
        page_free(page);
        return -ENOMEM;
    }
    (void) snprintf(page->etag, sizeof(page->etag), "\"%016" PRIx64 "\"", hash(page->text, page->length));
    *ret = page;
    return 0;
}

void page_free(struct page *page)
{
    if (page != NULL)
        free(page->text);
    free(page);
}

/* Weak tags, as compression on the way makes them, are the same here (RFC 9110, 13.1.2). */
static bool is_known(const rtn_request *request, const char *etag)
{
    rtn_str tags = rtn_request_header(request, "If-None-Match");
    return tags.length > 0 && memmem(tags.data, tags.length, etag, strlen(etag)) != NULL;
}

int page_answer(rtn_request *request, const struct page *page)
{
    const char *const fields[][2] = {
        { "ETag", page->etag },
        { "Cache-Control", "no-cache" },
        { "Content-Security-Policy", assets_policy },
        { "Content-Type", "text/html; charset=utf-8" },
        { "Referrer-Policy", "no-referrer" },
        { "X-Content-Type-Options", "nosniff" },
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        r = rtn_reply_header(request, fields[i][0], fields[i][1]);
    if (r < 0)
        return r;
    return is_known(request, page->etag) ? rtn_reply_status(request, 304)
                                         : rtn_reply(request, 200, page->text, page->length);
}
