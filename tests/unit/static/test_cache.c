#include "static_cache.h"

#include <pthread.h>

#include "folder.h"

static struct static_root root;

static void start(void)
{
    folder_make();
    cr_assert(static_root_open(&root, folder) == 0);
    folder_file("a", "a");
    folder_file("b", "b");
    folder_file("c", "c");
    folder_file("d", "d");
    folder_file("d.gz", "z");
}

static void stop(void)
{
    static_root_close(&root);
    folder_remove();
}

TestSuite(static_cache, .init = start, .fini = stop);

static rtn_str str(const char *text)
{
    return (rtn_str){ text, strlen(text) };
}

static struct static_entry *put(struct static_cache *cache, const char *path, int64_t now)
{
    struct static_entry *entry = NULL;
    cr_assert_eq(static_entry_load(&root, path, str(path), true, &entry), 0);
    return static_cache_put(cache, entry, now);
}

static void put_and_forget(struct static_cache *cache, const char *path, int64_t now)
{
    static_entry_unref(put(cache, path, now));
}

static bool has(struct static_cache *cache, const char *path, int64_t now)
{
    struct static_entry *entry = static_cache_get(cache, str(path), now);
    static_entry_unref(entry);
    return entry != NULL;
}

Test(static_cache, an_entry_is_trusted_for_a_while)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    cr_expect(!has(cache, "a", 0));
    put_and_forget(cache, "a", 5000);
    cr_expect(has(cache, "a", 5000));
    cr_expect(has(cache, "a", 5999));
    cr_expect(!has(cache, "a", 6000));
    cr_expect(!has(cache, "b", 5000));
    static_cache_free(cache);
}

Test(static_cache, looking_again_trusts_the_old_entry_again)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    struct static_entry *first = put(cache, "a", 0);
    struct static_entry *second = put(cache, "a", 2000);
    cr_expect(first == second);
    cr_expect(has(cache, "a", 2500));
    cr_expect_eq(static_cache_descriptors(cache), 1);
    static_entry_unref(first);
    static_entry_unref(second);
    static_cache_free(cache);
}

Test(static_cache, a_changed_file_takes_the_place_of_the_old)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    struct static_entry *old = put(cache, "a", 0);
    folder_file("a", "longer");
    struct static_entry *new = put(cache, "a", 2000);
    cr_expect(old != new);
    cr_expect_eq(new->variants[0].size, 6);
    cr_expect_eq(static_cache_descriptors(cache), 1);
    struct static_entry *got = static_cache_get(cache, str("a"), 2000);
    cr_expect(got == new);
    cr_expect(fcntl(old->variants[0].fd, F_GETFD) >= 0);
    static_entry_unref(got);
    static_entry_unref(old);
    static_entry_unref(new);
    static_cache_free(cache);
}

Test(static_cache, the_least_used_goes_first)
{
    struct static_cache *cache = static_cache_new(2, 1000, 1000);
    put_and_forget(cache, "a", 0);
    put_and_forget(cache, "b", 0);
    cr_expect(has(cache, "a", 0));
    put_and_forget(cache, "c", 0);
    cr_expect(has(cache, "a", 0));
    cr_expect(!has(cache, "b", 0));
    cr_expect(has(cache, "c", 0));
    cr_expect_eq(static_cache_descriptors(cache), 2);
    static_cache_free(cache);
}

Test(static_cache, siblings_count)
{
    struct static_cache *cache = static_cache_new(3, 1000, 1000);
    put_and_forget(cache, "a", 0);
    put_and_forget(cache, "b", 0);
    put_and_forget(cache, "d", 0);
    cr_expect_eq(static_cache_descriptors(cache), 3);
    cr_expect(!has(cache, "a", 0));
    cr_expect(has(cache, "b", 0));
    cr_expect(has(cache, "d", 0));
    static_cache_free(cache);
}

Test(static_cache, what_does_not_fit_is_not_kept)
{
    struct static_cache *none = static_cache_new(0, 1000, 1000);
    struct static_entry *entry = put(none, "a", 0);
    cr_assert(entry != NULL);
    static_entry_unref(entry);
    cr_expect(!has(none, "a", 0));
    static_cache_free(none);
    struct static_cache *one = static_cache_new(1, 1000, 1000);
    put_and_forget(one, "a", 0);
    put_and_forget(one, "d", 0);
    cr_expect(has(one, "a", 0));
    cr_expect(!has(one, "d", 0));
    static_cache_free(one);
}

static struct static_entry *put_kept(struct static_cache *cache, const char *path, size_t room)
{
    struct static_entry *entry = NULL;
    cr_assert_eq(static_entry_load(&root, path, str(path), true, &entry), 0);
    static_entry_keep(entry, room);
    return static_cache_put(cache, entry, 0);
}

Test(static_cache, memory_is_bounded)
{
    struct static_cache *cache = static_cache_new(8, 3, 1000);
    static_entry_unref(put_kept(cache, "d", static_cache_room(cache))); /* with its sibling */
    cr_expect_eq(static_cache_room(cache), 1);
    struct static_entry *more = put_kept(cache, "d.gz", 2);
    cr_expect_eq(static_cache_room(cache), 0);
    struct static_entry *too_much = put_kept(cache, "a", 1); /* the room was another's meanwhile */
    cr_expect_eq(too_much->kept, 1);
    cr_expect(!has(cache, "a", 0));
    static_entry_unref(put_kept(cache, "b", static_cache_room(cache)));
    cr_expect(has(cache, "b", 0));
    static_cache_remove(cache, str("d"));
    cr_expect_eq(static_cache_room(cache), 2);
    static_entry_unref(more);
    static_entry_unref(too_much);
    static_cache_free(cache);
}

static struct static_entry *load(const char *path)
{
    struct static_entry *entry = NULL;
    cr_assert_eq(static_entry_load(&root, path, str(path), true, &entry), 0);
    return entry;
}

Test(static_cache, what_is_kept_is_not_read_again)
{
    size_t room = 0;
    struct static_cache *cache = static_cache_new(8, 10, 1000);
    struct static_entry *first = load("a");
    cr_expect_null(static_cache_renew(cache, first, 0, &room));
    cr_expect_eq(room, 10);
    static_entry_keep(first, room);
    first->young = false;
    first = static_cache_put(cache, first, 0);
    struct static_entry *again = static_cache_renew(cache, load("a"), 2000, &room);
    cr_expect_eq(again, first);
    cr_expect(has(cache, "a", 2500));
    cr_expect_eq(static_cache_descriptors(cache), 1);
    static_entry_unref(again);
    first->young = true;
    struct static_entry *read = load("a");
    cr_expect_null(static_cache_renew(cache, read, 4000, &room), "its times do not tell");
    static_entry_unref(read);
    static_entry_unref(first);
    static_cache_free(cache);
}

Test(static_cache, a_changed_file_has_the_room_of_the_old)
{
    size_t room = 0;
    struct static_cache *cache = static_cache_new(8, 2, 1000);
    static_entry_unref(put_kept(cache, "a", 2));
    static_entry_unref(put_kept(cache, "b", 1));
    cr_expect_eq(static_cache_room(cache), 0);
    folder_file("a", "A");
    struct static_entry *changed = load("a");
    cr_expect_null(static_cache_renew(cache, changed, 0, &room));
    cr_expect_eq(room, 1);
    static_entry_keep(changed, room);
    changed = static_cache_put(cache, changed, 0);
    cr_expect_eq(changed->kept, 1);
    cr_expect(has(cache, "a", 0));
    static_entry_unref(changed);
    static_cache_free(cache);
}

Test(static_cache, what_had_no_room_is_kept_once_there_is_some)
{
    size_t room = 0;
    struct static_cache *cache = static_cache_new(8, 1, 1000);
    static_entry_unref(put_kept(cache, "b", 1));
    struct static_entry *without = put(cache, "a", 0);
    struct static_entry *again = static_cache_renew(cache, load("a"), 0, &room);
    cr_expect_eq(again, without, "there is no room yet");
    static_entry_unref(again);
    static_cache_remove(cache, str("b"));
    again = load("a");
    cr_expect_null(static_cache_renew(cache, again, 0, &room));
    cr_expect_eq(room, 1);
    static_entry_keep(again, room);
    again->young = false;
    again = static_cache_put(cache, again, 0);
    cr_expect_neq(again, without, "the one that has more in memory is of more use");
    cr_expect_eq(static_cache_room(cache), 0);
    static_entry_unref(put(cache, "a", 0));
    cr_expect_eq(static_cache_room(cache), 0, "and the other does not come back");
    static_entry_unref(again);
    static_entry_unref(without);
    static_cache_free(cache);
}

Test(static_cache, what_nobody_asks_for_is_closed)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    put_and_forget(cache, "a", 0);
    put_and_forget(cache, "b", 100000);
    cr_expect_eq(static_cache_descriptors(cache), 1);
    static_cache_free(cache);
}

Test(static_cache, removing)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    put_and_forget(cache, "a", 0);
    static_cache_remove(cache, str("b"));
    static_cache_remove(cache, str("a"));
    static_cache_remove(cache, str("a"));
    cr_expect(!has(cache, "a", 0));
    cr_expect_eq(static_cache_descriptors(cache), 0);
    static_cache_free(cache);
}

Test(static_cache, clearing)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    struct static_entry *used = put(cache, "a", 0);
    put_and_forget(cache, "d", 0);
    static_cache_clear(cache);
    cr_expect_eq(static_cache_descriptors(cache), 0);
    cr_expect(!has(cache, "a", 0));
    cr_expect(fcntl(used->variants[0].fd, F_GETFD) >= 0);
    static_entry_unref(used);
    put_and_forget(cache, "a", 0);
    cr_expect(has(cache, "a", 0));
    static_cache_free(cache);
}

Test(static_cache, an_entry_outlives_its_cache)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    struct static_entry *entry = put(cache, "a", 0);
    static_cache_free(cache);
    cr_expect(fcntl(entry->variants[0].fd, F_GETFD) >= 0);
    static_entry_unref(entry);
    static_cache_free(NULL);
}

Test(static_cache, the_path_may_be_empty)
{
    struct static_cache *cache = static_cache_new(8, 1000, 1000);
    struct static_entry *entry = NULL;
    cr_assert_eq(static_entry_load(&root, "a", (rtn_str){ NULL, 0 }, false, &entry), 0);
    static_entry_unref(static_cache_put(cache, entry, 0));
    entry = static_cache_get(cache, (rtn_str){ NULL, 0 }, 0);
    cr_expect(entry != NULL);
    static_entry_unref(entry);
    static_cache_free(cache);
}

Test(static_cache, many_paths_share_buckets)
{
    char path[32];
    struct static_cache *cache = static_cache_new(100, 1000, 1000);
    for (int i = 0; i < 300; i++) {
        struct static_entry *entry = NULL;
        (void) snprintf(path, sizeof(path), "path-%d", i);
        cr_assert_eq(static_entry_load(&root, "a", str(path), false, &entry), 0);
        static_entry_unref(static_cache_put(cache, entry, 0));
    }
    cr_expect_eq(static_cache_descriptors(cache), 100);
    for (int i = 0; i < 300; i++) {
        (void) snprintf(path, sizeof(path), "path-%d", i);
        cr_expect_eq(has(cache, path, 0), i >= 200, "%s", path);
    }
    static_cache_free(cache);
}

static void *work(void *data)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    struct static_cache *cache = data;
    for (int i = 0; i < 2000; i++) {
        const char *name = names[i % 4];
        struct static_entry *entry = static_cache_get(cache, str(name), i);
        if (entry == NULL)
            entry = put(cache, name, i);
        if (i % 7 == 0)
            static_cache_remove(cache, str(name));
        static_entry_unref(entry);
    }
    return NULL;
}

Test(static_cache, several_threads)
{
    pthread_t threads[4];
    struct static_cache *cache = static_cache_new(3, 1000, 10);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, work, cache), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_expect(static_cache_descriptors(cache) <= 3);
    static_cache_free(cache);
}
