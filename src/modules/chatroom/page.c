/*
 * Style and script are found at the path of the page itself, behind a '?': so whatever the path of the route is, and
 * whatever a proxy makes of it, one route serves everything. They carry a tag of their content and are kept for ever;
 * the page, which names the tag, is asked for each time and mostly answered with 304.
 */
#include "page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assets.h"

#define ETAG_SIZE 48

struct page {
    char *text;
    size_t length;
    char etag[ETAG_SIZE];
};

struct part {
    const char *name; /* of the parameter in the query */
    const char *type;
    const char *data;
    size_t length;
};

static const struct part parts[] = {
    { "style.css", "text/css; charset=utf-8", assets_style, sizeof(assets_style) },
    { "script.js", "text/javascript; charset=utf-8", assets_script, sizeof(assets_script) },
};

/* Nothing is loaded from elsewhere, and nothing runs but the script: text that looks like markup stays text. */
static const char policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                             "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const char *escaped(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    default:
        return NULL;
    }
}

static void print_page(FILE *out, const char *title)
{
    (void) fwrite(assets_page_before, 1, sizeof(assets_page_before), out);
    for (; *title != '\0'; title++) {
        const char *entity = escaped(*title);
        if (entity != NULL)
            (void) fputs(entity, out);
        else
            (void) fputc(*title, out);
    }
    (void) fwrite(assets_page_after, 1, sizeof(assets_page_after), out);
}

/* FNV-1a over the page, which names the tag of its parts. */
static uint64_t hash(const char *text, size_t length)
{
    uint64_t value = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char) text[i]) * 0x100000001b3u;
    return value;
}

int page_new(const char *title, struct page **ret)
{
    struct page *page = calloc(1, sizeof(*page));
    FILE *out = page != NULL ? open_memstream(&page->text, &page->length) : NULL;
    if (out == NULL) {
        free(page);
        return -ENOMEM;
    }
    print_page(out, title);
    if (fclose(out) != 0) {
        page_free(page);
        return -ENOMEM;
    }
    (void) snprintf(page->etag, sizeof(page->etag), "\"%016llx\"", (unsigned long long) hash(page->text, page->length));
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

static int add_fields(rtn_request *request, const char *type, const char *etag, const char *cache)
{
    const char *const fields[][2] = {
        { "ETag", etag },         { "Cache-Control", cache },           { "Content-Security-Policy", policy },
        { "Content-Type", type }, { "Referrer-Policy", "no-referrer" }, { "X-Content-Type-Options", "nosniff" },
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(fields) / sizeof(fields[0]); i++)
        r = rtn_reply_header(request, fields[i][0], fields[i][1]);
    return r;
}

static int answer_part(rtn_request *request, const struct part *part)
{
    char etag[ETAG_SIZE];
    (void) snprintf(etag, sizeof(etag), "\"%s\"", assets_tag);
    int r = add_fields(request, part->type, etag, "public, max-age=31536000, immutable");
    if (r < 0)
        return r;
    return is_known(request, etag) ? rtn_reply_status(request, 304)
                                   : rtn_reply_static(request, 200, part->data, part->length);
}

int page_answer(rtn_request *request, const struct page *page)
{
    rtn_str name;
    rtn_str value;
    bool asked = rtn_query_at(request, 0, &name, &value);
    for (size_t i = 0; asked && i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (name.length == strlen(parts[i].name) && memcmp(name.data, parts[i].name, name.length) == 0)
            return answer_part(request, &parts[i]);
    }
    int r = add_fields(request, "text/html; charset=utf-8", page->etag, "no-cache");
    if (r < 0)
        return r;
    return is_known(request, page->etag) ? rtn_reply_status(request, 304)
                                         : rtn_reply(request, 200, page->text, page->length);
}
