/*
 * One page, complete in itself: nothing is loaded from elsewhere, and nothing on it runs. It is made in memory, which a
 * slow client holds until it has read it all: so a long one is cut.
 */
#include "static_listing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "static_html.h"
#include "static_names.h"
#include "static_path.h"

static const char style[] = ":root{color-scheme:light dark}"
                            "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
                            "h1{font-size:1.25rem;overflow-wrap:anywhere}"
                            "table{border-collapse:collapse;width:100%}"
                            "td,th{padding:.25rem .75rem .25rem 0;text-align:left}"
                            "tr{border-bottom:1px solid #8884}"
                            "td:first-child{overflow-wrap:anywhere}"
                            "td+td,th+th{white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}"
                            "a{text-decoration:none}a:hover{text-decoration:underline}";

static void write_size(FILE *out, int64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double size = (double) bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        (void) fprintf(out, "%d B", (int) bytes);
        return;
    }
    /* 1023.95 would be written as 1024.0 */
    for (; size >= 1023.95; unit++)
        size /= 1024;
    (void) fprintf(out, "%.1f %s", size, units[unit]);
}

static void write_time(FILE *out, time_t when)
{
    struct tm parts;
    char text[64];
    if (gmtime_r(&when, &parts) != NULL && strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &parts) > 0)
        (void) fputs(text, out);
}

/* Colons are encoded too, so that no name is taken for a scheme. */
static int write_link(FILE *out, const struct static_name *item)
{
    rtn_str name = { item->name, strlen(item->name) };
    const char *slash = item->folder ? "/" : "";
    char *encoded = malloc(STATIC_ENCODED_MAX(name.length));
    if (encoded == NULL)
        return -ENOMEM;
    (void) static_path_encode(name, encoded);
    (void) fprintf(out, "<a href=\"%s%s\">", encoded, slash);
    free(encoded);
    static_html_text(out, name);
    (void) fprintf(out, "%s</a>", slash);
    return 0;
}

static int write_row(FILE *out, const struct static_name *item)
{
    (void) fputs("<tr><td>", out);
    int error = write_link(out, item);
    if (error < 0)
        return error;
    (void) fputs("</td><td>", out);
    if (!item->folder)
        write_size(out, item->size);
    (void) fputs("</td><td>", out);
    write_time(out, item->modified);
    (void) fputs("</td></tr>\n", out);
    return 0;
}

static void write_head(FILE *out, const struct static_listing *listing)
{
    (void) fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Index of ",
                 out);
    static_html_text(out, listing->title);
    (void) fprintf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>Index of ", style);
    static_html_text(out, listing->title);
    (void) fputs("</h1>\n<table>\n<tr><th>Name</th><th>Size</th><th>Changed (UTC)</th></tr>\n", out);
    if (listing->parent)
        (void) fputs("<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n", out);
}

/* How many names are left out; of those that were not even read, one is known. */
static void write_tail(FILE *out, const struct static_names *names, size_t shown)
{
    size_t left = names->count - shown + (names->cut ? 1 : 0);
    (void) fputs("</table>\n", out);
    if (left > 0)
        (void) fprintf(out, "<p>... and %s%zu more</p>\n", names->cut ? "at least " : "", left);
    (void) fputs("</body>\n</html>\n", out);
}

static int write_page(FILE *out, const struct static_listing *listing, const struct static_names *names)
{
    size_t shown = 0;
    write_head(out, listing);
    for (; shown < names->count && ftello(out) < STATIC_LISTING_BYTES; shown++) {
        int error = write_row(out, &names->items[shown]);
        if (error < 0)
            return error;
    }
    write_tail(out, names, shown);
    return 0;
}

static int make_page(const struct static_listing *listing, const struct static_names *names, char **ret,
                     size_t *ret_length)
{
    char *page = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&page, &length);
    if (out == NULL)
        return -ENOMEM;
    int error = write_page(out, listing, names);
    if (fclose(out) != 0 && error == 0)
        error = -ENOMEM;
    if (error < 0) {
        free(page);
        return error;
    }
    *ret = page;
    *ret_length = length;
    return 0;
}

int static_listing_make(const struct static_listing *listing, char **ret, size_t *ret_length)
{
    struct static_names names = { 0 };
    int error = static_names_read(&names, listing->root, listing->folder, listing->dot_files, STATIC_LISTING_MAX);
    if (error == 0)
        error = make_page(listing, &names, ret, ret_length);
    static_names_done(&names);
    return error;
}
