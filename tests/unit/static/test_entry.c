#include "static_entry.h"

#include "folder.h"

static struct static_root root;

static void start(void)
{
    folder_make();
    cr_assert(static_root_open(&root, folder) == 0);
}

static void stop(void)
{
    static_root_close(&root);
    folder_remove();
}

TestSuite(static_entry, .init = start, .fini = stop);

static struct static_entry *load(const char *name, bool precompressed)
{
    struct static_entry *entry = NULL;
    cr_assert_eq(static_entry_load(&root, name, (rtn_str){ name, strlen(name) }, precompressed, &entry), 0);
    return entry;
}

Test(static_entry, one_file)
{
    folder_file("a.txt", "hello");
    folder_time("a.txt", 1000000000);
    struct static_entry *entry = load("a.txt", true);
    cr_expect_eq(entry->count, 1);
    cr_expect_eq(entry->variants[0].size, 5);
    cr_expect_eq(entry->variants[0].modified.tv_sec, 1000000000);
    cr_expect_str_eq(entry->variants[0].etag, "\"de0b6b3a7640000-5\"");
    cr_expect(entry->variants[0].coding == NULL);
    cr_expect_str_eq(entry->path, "a.txt");
    static_entry_unref(entry);
}

Test(static_entry, siblings_that_are_not_older)
{
    folder_file("a.js", "original");
    folder_file("a.js.gz", "gz");
    folder_file("a.js.br", "b");
    folder_file("a.js.zst", "old");
    folder_time("a.js", 1000);
    folder_time("a.js.gz", 1000);
    folder_time("a.js.br", 2000);
    folder_time("a.js.zst", 999);
    struct static_entry *entry = load("a.js", true);
    cr_assert_eq(entry->count, 3);
    cr_expect_str_eq(entry->variants[1].coding, "br");
    cr_expect_str_eq(entry->variants[2].coding, "gzip");
    cr_expect_eq(entry->variants[1].size, 1);
    static_entry_unref(entry);
    entry = load("a.js", false);
    cr_expect_eq(entry->count, 1);
    static_entry_unref(entry);
}

Test(static_entry, siblings_have_etags_of_their_own)
{
    folder_file("a", "1234");
    folder_file("a.gz", "abcd");
    folder_time("a", 1000);
    folder_time("a.gz", 1000);
    struct static_entry *entry = load("a", true);
    cr_assert_eq(entry->count, 2);
    cr_expect(strcmp(entry->variants[0].etag, entry->variants[1].etag) != 0);
    static_entry_unref(entry);
}

Test(static_entry, a_sibling_that_is_no_file_is_none)
{
    folder_file("a", "1");
    folder_dir("a.gz");
    cr_assert(mkfifo(in_folder("a.br"), 0644) == 0);
    struct static_entry *entry = load("a", true);
    cr_expect_eq(entry->count, 1);
    static_entry_unref(entry);
}

Test(static_entry, what_cannot_be_served)
{
    struct static_entry *entry = NULL;
    rtn_str path = { "x", 1 };
    folder_dir("folder");
    cr_assert(mkfifo(in_folder("fifo"), 0644) == 0);
    cr_expect_eq(static_entry_load(&root, "nothing", path, true, &entry), -ENOENT);
    cr_expect_eq(static_entry_load(&root, "folder", path, true, &entry), -EISDIR);
    cr_expect_eq(static_entry_load(&root, "fifo", path, true, &entry), -ENOENT);
    cr_expect(entry == NULL);
}

Test(static_entry, changes_are_seen)
{
    folder_file("a", "1");
    folder_time("a", 1000);
    struct static_entry *before = load("a", true);
    struct static_entry *same = load("a", true);
    cr_expect(static_entry_same(before, same));
    folder_time("a", 1001);
    struct static_entry *touched = load("a", true);
    cr_expect(!static_entry_same(before, touched));
    folder_file("b", "1");
    folder_time("b", 1001);
    char target[128];
    (void) snprintf(target, sizeof(target), "%s/a", folder);
    cr_assert(rename(in_folder("b"), target) == 0);
    struct static_entry *replaced = load("a", true);
    cr_expect(!static_entry_same(touched, replaced));
    folder_file("a.gz", "1");
    struct static_entry *with_sibling = load("a", true);
    cr_expect(!static_entry_same(replaced, with_sibling));
    static_entry_unref(before);
    static_entry_unref(same);
    static_entry_unref(touched);
    static_entry_unref(replaced);
    static_entry_unref(with_sibling);
}

Test(static_entry, the_last_reference_closes)
{
    folder_file("a", "1");
    struct static_entry *entry = load("a", true);
    int fd = entry->variants[0].fd;
    static_entry_unref(static_entry_ref(entry));
    cr_expect(fcntl(fd, F_GETFD) >= 0);
    static_entry_unref(entry);
    cr_expect(fcntl(fd, F_GETFD) < 0);
    static_entry_unref(NULL);
}

/* Times that no calendar has must not overflow. */
Test(static_entry, far_times)
{
    folder_file("a", "1");
    folder_time("a", 253402300799); /* the year 9999; the file system may cut it */
    struct static_entry *entry = load("a", true);
    cr_expect(entry->variants[0].etag[0] == '"');
    static_entry_unref(entry);
}

/* A file of so many letters. */
static void fill(const char *name, size_t size)
{
    char *text = malloc(size + 1);
    cr_assert_not_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    folder_file(name, text);
    free(text);
}

static void expect_kept(const struct static_entry *entry, bool bytes, bool in_memory)
{
    char first = 0;
    const struct static_variant *variant = &entry->variants[0];
    cr_expect_eq(variant->bytes != NULL, bytes);
    cr_expect_eq(variant->in_memory, in_memory);
    cr_expect_eq(entry->kept, bytes || in_memory ? (size_t) variant->size : 0);
    cr_expect_eq(pread(variant->fd, &first, 1, variant->size - 1), 1);
    cr_expect_eq(first, 'x');
    cr_expect(variant->bytes == NULL || variant->bytes[variant->size - 1] == 'x');
}

Test(static_entry, what_is_kept_in_memory)
{
    static const struct {
        size_t size;
        size_t room;
        bool bytes, in_memory;
    } cases[] = {
        { 1, 1, true, false },
        { 1, 0, false, false },
        { STATIC_BYTES_MOST, SIZE_MAX, true, false },
        { STATIC_BYTES_MOST + 1, SIZE_MAX, false, true },
        { STATIC_KEPT_MOST, STATIC_KEPT_MOST, false, true },
        { STATIC_KEPT_MOST, STATIC_KEPT_MOST - 1, false, false },
        { STATIC_KEPT_MOST + 1, SIZE_MAX, false, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fill("a", cases[i].size);
        struct static_entry *entry = load("a", true);
        static_entry_keep(entry, cases[i].room);
        expect_kept(entry, cases[i].bytes, cases[i].in_memory);
        static_entry_unref(entry);
    }
}

/* Two changes in a row may leave the same times. */
Test(static_entry, what_is_kept_of_a_young_file_is_read_again)
{
    folder_file("a", "1");
    folder_time("a", 1000); /* which is not when it was changed */
    struct static_entry *kept = load("a", true);
    static_entry_keep(kept, SIZE_MAX);
    struct static_entry *again = load("a", true);
    cr_expect(kept->young);
    cr_expect(!static_entry_same(kept, again));
    kept->young = false;
    cr_expect(static_entry_same(kept, again));
    static_entry_unref(kept);
    static_entry_unref(again);
}
