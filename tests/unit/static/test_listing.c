#include "static_listing.h"

#include "folder.h"
#include "static_html.h"
#include "static_names.h"

static struct static_root root;

static void start(void)
{
    folder_make();
    folder_dir("root");
    cr_assert(static_root_open(&root, in_folder("root")) == 0);
}

static void stop(void)
{
    static_root_close(&root);
    folder_remove();
}

TestSuite(static_listing, .init = start, .fini = stop);

static char *make(const char *path, const char *title, bool dot_files)
{
    char *page = NULL;
    size_t length = 0;
    const struct static_listing listing = { .root = &root,
                                            .folder = path,
                                            .title = { title, strlen(title) },
                                            .parent = path[0] != '\0',
                                            .dot_files = dot_files };
    cr_assert_eq(static_listing_make(&listing, &page, &length), 0);
    cr_assert_eq(strlen(page), length);
    return page;
}

static void expect_order(const char *page, const char *const *texts, size_t count)
{
    const char *at = page;
    for (size_t i = 0; i < count; i++) {
        const char *found = strstr(at, texts[i]);
        cr_assert(found != NULL, "%s is missing or not in its place in:\n%s", texts[i], page);
        at = found + strlen(texts[i]);
    }
}

Test(static_listing, folders_first_then_by_name)
{
    static const char *const order[] = { "href=\"x/\">x/<", "href=\"z/\">z/<", "href=\"A\">A<", "href=\"a\">a<",
                                         "href=\"b\">b<" };
    folder_dir("root/z");
    folder_dir("root/x");
    folder_file("root/b", "");
    folder_file("root/A", "");
    folder_file("root/a", "");
    char *page = make("", "/files/", false);
    expect_order(page, order, sizeof(order) / sizeof(order[0]));
    cr_expect(strstr(page, "../") == NULL);
    free(page);
}

Test(static_listing, sizes_and_times)
{
    folder_file("root/five", "12345");
    folder_file("root/large", "");
    folder_file("root/larger", "");
    folder_file("root/nearly", "");
    cr_assert(truncate(in_folder("root/large"), 1536) == 0);
    cr_assert(truncate(in_folder("root/larger"), 10 * 1024 * 1024) == 0);
    cr_assert(truncate(in_folder("root/nearly"), 1024 * 1024 - 1) == 0);
    folder_time("root/five", 1000000000);
    char *page = make("", "/", false);
    static const char *const order[] = { "<td>5 B</td><td>2001-09-09 01:46</td>", "<td>1.5 KiB</td>",
                                         "<td>10.0 MiB</td>", "<td>1.0 MiB</td>" };
    expect_order(page, order, sizeof(order) / sizeof(order[0]));
    free(page);
}

Test(static_listing, names_are_escaped)
{
    folder_file("root/<b>&\"'", "");
    folder_file("root/javascript:alert(1)", "");
    folder_file("root/a b?c#d%41", "");
    folder_file("root/bad\xff\xc3.txt", "");
    folder_file("root/\xc3\xa4", "");
    folder_file("root/line\nbreak", "");
    char *page = make("", "/<i>&/", false);
    cr_expect(strstr(page, "href=\"%3Cb%3E%26%22%27\">&lt;b&gt;&amp;&quot;&#39;</a>") != NULL);
    cr_expect(strstr(page, "href=\"javascript%3Aalert%281%29\">") != NULL);
    cr_expect(strstr(page, "href=\"a%20b%3Fc%23d%2541\">a b?c#d%41</a>") != NULL);
    cr_expect(strstr(page, "href=\"bad%FF%C3.txt\">bad\xef\xbf\xbd\xef\xbf\xbd.txt</a>") != NULL);
    cr_expect(strstr(page, "href=\"%C3%A4\">\xc3\xa4</a>") != NULL);
    cr_expect(strstr(page, "<title>Index of /&lt;i&gt;&amp;/</title>") != NULL);
    cr_expect(strstr(page, "break") == NULL);
    free(page);
}

Test(static_listing, dot_files_are_hidden)
{
    folder_file("root/.hidden", "");
    char *page = make("", "/", false);
    cr_expect(strstr(page, ".hidden") == NULL);
    free(page);
    page = make("", "/", true);
    cr_expect(strstr(page, ">.hidden</a>") != NULL);
    cr_expect(strstr(page, "href=\"./\"") == NULL);
    free(page);
}

Test(static_listing, only_what_can_be_asked_for)
{
    folder_file("outside", "");
    folder_file("root/file", "");
    folder_dir("root/sub");
    folder_link("root/good", "file");
    folder_link("root/way", "sub");
    folder_link("root/bad", "../outside");
    folder_link("root/dangling", "nothing");
    cr_assert(mkfifo(in_folder("root/fifo"), 0644) == 0);
    char *page = make("", "/", false);
    cr_expect(strstr(page, ">good<") != NULL);
    cr_expect(strstr(page, ">way/<") != NULL);
    cr_expect(strstr(page, ">bad<") == NULL);
    cr_expect(strstr(page, ">dangling<") == NULL);
    cr_expect(strstr(page, ">fifo<") == NULL);
    free(page);
    root.symlinks = STATIC_SYMLINKS_NONE;
    page = make("", "/", false);
    cr_expect(strstr(page, ">good<") == NULL);
    free(page);
    root.symlinks = STATIC_SYMLINKS_ALL;
    page = make("", "/", false);
    cr_expect(strstr(page, ">bad<") != NULL);
    free(page);
}

Test(static_listing, below_there_is_a_way_up)
{
    folder_dir("root/sub");
    folder_file("root/sub/file", "");
    folder_link("root/sub/link", "file");
    char *page = make("sub/", "/sub/", false);
    cr_expect(strstr(page, "href=\"../\"") != NULL);
    cr_expect(strstr(page, ">link<") != NULL);
    free(page);
}

Test(static_listing, a_large_folder_is_cut)
{
    struct static_names names = { 0 };
    folder_file("root/a", "");
    folder_file("root/b", "");
    folder_file("root/c", "");
    cr_assert_eq(static_names_read(&names, &root, "", false, 2), 0);
    cr_expect_eq(names.count, 2);
    cr_expect(names.cut);
    static_names_done(&names);
    cr_assert_eq(static_names_read(&names, &root, "", false, 3), 0);
    cr_expect_eq(names.count, 3);
    cr_expect(!names.cut);
    static_names_done(&names);
}

/* Rows of more than 1 KiB, so that not many files are needed. */
Test(static_listing, a_long_page_is_cut)
{
    enum { FILES = 300 };
    char name[300];
    char want[64];
    for (int i = 0; i < FILES; i++) {
        (void) snprintf(name, sizeof(name), "root/%03d%0*d", i, 240, 0);
        for (char *c = name + 8; *c != '\0'; c++)
            *c = '&';
        folder_file(name, "");
    }
    char *page = make("", "/", false);
    size_t shown = 0;
    for (const char *at = page; (at = strstr(at, "<tr><td>")) != NULL; at++)
        shown++;
    cr_expect(shown > 0 && shown < FILES, "%zu", shown);
    cr_expect(strlen(page) >= STATIC_LISTING_BYTES && strlen(page) < STATIC_LISTING_BYTES + 4096, "%zu", strlen(page));
    (void) snprintf(want, sizeof(want), "</table>\n<p>... and %zu more</p>\n</body>", FILES - shown);
    cr_expect(strstr(page, want) != NULL, "%s", page + strlen(page) - 100);
    free(page);
}

Test(static_listing, a_whole_page_says_nothing_of_more)
{
    folder_file("root/a", "");
    char *page = make("", "/", false);
    cr_expect(strstr(page, "more") == NULL);
    free(page);
}

Test(static_listing, no_folder)
{
    struct static_names names = { 0 };
    folder_file("root/file", "");
    cr_expect_eq(static_names_read(&names, &root, "nothing/", false, 10), -ENOENT);
    cr_expect_eq(static_names_read(&names, &root, "file/", false, 10), -ENOTDIR);
    static_names_done(&names);
}

static void expect_html(const char *text, const char *want)
{
    char *got = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&got, &length);
    cr_assert(out != NULL);
    static_html_text(out, (rtn_str){ text, strlen(text) });
    cr_assert(fclose(out) == 0);
    cr_expect_str_eq(got, want);
    free(got);
}

#define NO "\xef\xbf\xbd"

Test(static_html, only_utf8_goes_out)
{
    expect_html("", "");
    expect_html("plain", "plain");
    expect_html("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    expect_html("\xc0\xaf", NO NO); /* overlong */
    expect_html("\xe0\x80\xaf", NO NO NO);
    expect_html("\xed\xa0\x80", NO NO NO); /* a surrogate */
    expect_html("\xf4\x90\x80\x80", NO NO NO NO); /* past the last code point */
    expect_html("\xf5<", NO "&lt;");
    expect_html("\xe2\x82", NO NO); /* cut */
    expect_html("\xe2\x82<", NO NO "&lt;");
    expect_html("\x80", NO);
}
