#include <criterion/criterion.h>

#include "app/media.h"

static void expect(const struct rtn_media *media, const char *name, const char *want)
{
    const char *got = rtn_media_lookup(media, rtn_str_of(name));
    bool same = (got == NULL) == (want == NULL) && (got == NULL || strcmp(got, want) == 0);
    cr_expect(same, "%s is %s, not %s", name, got != NULL ? got : "unknown", want != NULL ? want : "unknown");
}

Test(media, usual_names)
{
    expect(NULL, "index.html", "text/html; charset=utf-8");
    expect(NULL, "a/b/style.css", "text/css; charset=utf-8");
    expect(NULL, "app.js", "text/javascript; charset=utf-8");
    expect(NULL, "data.json", "application/json");
    expect(NULL, "logo.svg", "image/svg+xml");
    expect(NULL, "photo.jpeg", "image/jpeg");
    expect(NULL, "font.woff2", "font/woff2");
    expect(NULL, "film.mp4", "video/mp4");
    expect(NULL, "module.wasm", "application/wasm");
    expect(NULL, "archive.tar.gz", "application/gzip");
    expect(NULL, "archive.7z", "application/x-7z-compressed");
    expect(NULL, "map.zst", "application/zstd");
}

/* First and last rows, and neighbours that only a sorted table tells apart. */
Test(media, the_table_is_sorted)
{
    static const char *const names[] = { "x.3g2",  "x.3gp", "x.7z",   "x.htm", "x.html", "x.jpeg", "x.jpg",   "x.js",
                                         "x.json", "x.m3u", "x.m3u8", "x.mp3", "x.mp4",  "x.woff", "x.woff2", "x.xlsx",
                                         "x.xml",  "x.xz",  "x.yaml", "x.yml", "x.zip",  "x.zst" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++)
        cr_expect(rtn_media_lookup(NULL, rtn_str_of(names[i])) != NULL, "%s", names[i]);
}

Test(media, case_does_not_matter)
{
    expect(NULL, "PHOTO.JPG", "image/jpeg");
    expect(NULL, "Page.Html", "text/html; charset=utf-8");
}

Test(media, names_without_extension)
{
    expect(NULL, "", NULL);
    expect(NULL, "README", NULL);
    expect(NULL, "html", NULL);
    expect(NULL, ".html", NULL);
    expect(NULL, "folder/.html", NULL);
    expect(NULL, "folder.html/README", NULL);
    expect(NULL, "name.", NULL);
    expect(NULL, ".", NULL);
    expect(NULL, "..", NULL);
    expect(NULL, "/", NULL);
    expect(NULL, "a.unheard-of", NULL);
    expect(NULL, "a.this-extension-is-longer-than-any-that-there-is-or-will-be", NULL);
    expect(NULL, ".hidden.html", "text/html; charset=utf-8");
}

Test(media, a_name_is_a_view)
{
    const char *type = rtn_media_lookup(NULL, (struct rtn_str){ "a.htmlx", 6 });
    cr_expect_str_eq(type, "text/html; charset=utf-8");
}

static struct rtn_node value_of(const char *text)
{
    return (struct rtn_node){ .kind = RTN_NODE_SCALAR, .text = rtn_str_of(text) };
}

Test(media, the_operator_comes_first)
{
    struct rtn_node values[] = { value_of("text/html"), value_of("text/typescript"), value_of("x/odd"),
                                 value_of("x/y") };
    struct rtn_node_pair pairs[] = { { .name = RTN_STR("html"), .value = &values[0] },
                                     { .name = RTN_STR("TS"), .value = &values[1] },
                                     { .name = RTN_STR("Odd"), .value = &values[2] },
                                     { .name = RTN_STR("ts"), .value = &values[3] } };
    const struct rtn_node map = { .kind = RTN_NODE_MAP, .pairs = pairs, .count = RTN_ARRAY_LENGTH(pairs) };
    struct rtn_media *media = rtn_media_new(&map);
    cr_assert(media != NULL);
    expect(media, "a.html", "text/html");
    expect(media, "a.HTML", "text/html");
    expect(media, "a.ts", "text/typescript");
    expect(media, "a.oDD", "x/odd");
    expect(media, "a.css", "text/css; charset=utf-8");
    expect(media, "a.none", NULL);
    rtn_media_unref(media);
}

Test(media, without_an_operator)
{
    struct rtn_media *media = rtn_media_new(NULL);
    cr_assert(media != NULL);
    expect(media, "a.png", "image/png");
    rtn_media_unref(media);
    rtn_media_unref(NULL);
}
