#include "static_root.h"

#include "folder.h"

static struct static_root root;

static void start(void)
{
    folder_make();
    folder_dir("root");
    folder_dir("root/sub");
    folder_file("outside", "secret");
    folder_file("root/file", "content");
    folder_file("root/sub/file", "deeper");
    folder_link("root/inside", "sub/file");
    folder_link("root/up-and-back", "../root/file");
    folder_link("root/sub/up", "../file");
    folder_link("root/out", "../outside");
    folder_link("root/absolute", in_folder("root/file"));
    folder_link("root/linked", "sub");
    folder_link("root/loop", "loop");
    cr_assert(static_root_open(&root, in_folder("root")) == 0);
}

static void stop(void)
{
    static_root_close(&root);
    folder_remove();
}

TestSuite(static_root, .init = start, .fini = stop);

/* 0 when it opens. */
static int try_open(const char *path)
{
    int fd = static_root_file(&root, path, O_RDONLY);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static void use(int symlinks, bool walk)
{
    root.symlinks = symlinks;
    root.walk = walk;
}

/* The same for every policy, with and without openat2(). */
static void expect_plain_files(void)
{
    cr_expect_eq(try_open("file"), 0);
    cr_expect_eq(try_open("sub/file"), 0);
    cr_expect_eq(try_open("sub"), 0);
    cr_expect_eq(try_open("sub/"), 0);
    cr_expect_eq(try_open(""), 0);
    cr_expect_eq(try_open("nothing"), -ENOENT);
    cr_expect_eq(try_open("nothing/file"), -ENOENT);
    cr_expect_eq(try_open("file/"), -ENOTDIR);
    cr_expect_eq(try_open("file/x"), -ENOTDIR);
}

Test(static_root, plain_files)
{
    for (int symlinks = STATIC_SYMLINKS_INSIDE; symlinks <= STATIC_SYMLINKS_ALL; symlinks++) {
        for (int walk = 0; walk < 2; walk++) {
            use(symlinks, walk);
            expect_plain_files();
        }
    }
}

Test(static_root, links_that_stay_inside)
{
    use(STATIC_SYMLINKS_INSIDE, false);
    cr_expect_eq(try_open("inside"), 0);
    cr_expect_eq(try_open("sub/up"), 0);
    cr_expect_eq(try_open("linked/file"), 0);
    cr_expect_eq(try_open("up-and-back"), -EXDEV);
    cr_expect_eq(try_open("out"), -EXDEV);
    cr_expect_eq(try_open("absolute"), -EXDEV);
    cr_expect_eq(try_open("loop"), -ELOOP);
    cr_expect_eq(try_open("../outside"), -EXDEV);
    cr_expect_eq(try_open("/etc/passwd"), -EXDEV);
}

Test(static_root, no_links_at_all)
{
    static const char *const links[] = { "inside", "sub/up", "linked/file", "out", "absolute", "loop" };
    for (int walk = 0; walk < 2; walk++) {
        use(STATIC_SYMLINKS_NONE, walk);
        for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
            cr_expect(try_open(links[i]) < 0, "%s", links[i]);
    }
}

Test(static_root, without_openat2_inside_follows_none)
{
    use(STATIC_SYMLINKS_INSIDE, true);
    cr_expect_eq(try_open("inside"), -ELOOP);
    cr_expect_eq(try_open("out"), -ELOOP);
    cr_expect_eq(try_open("linked/file"), -ENOTDIR);
}

Test(static_root, all_links)
{
    use(STATIC_SYMLINKS_ALL, false);
    cr_expect_eq(try_open("inside"), 0);
    cr_expect_eq(try_open("out"), 0);
    cr_expect_eq(try_open("absolute"), 0);
    cr_expect_eq(try_open("linked/file"), 0);
    cr_expect_eq(try_open("loop"), -ELOOP);
}

Test(static_root, a_fifo_does_not_block)
{
    cr_assert(mkfifo(in_folder("root/fifo"), 0644) == 0);
    for (int walk = 0; walk < 2; walk++) {
        use(STATIC_SYMLINKS_INSIDE, walk);
        cr_expect_eq(try_open("fifo"), 0);
    }
}

Test(static_root, a_name_that_is_too_long)
{
    char name[300];
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (int walk = 0; walk < 2; walk++) {
        use(STATIC_SYMLINKS_INSIDE, walk);
        cr_expect_eq(try_open(name), -ENAMETOOLONG);
    }
}

Test(static_root, no_folder_no_root)
{
    struct static_root other = { .fd = -1 };
    cr_expect_eq(static_root_open(&other, in_folder("root/nothing")), -ENOENT);
    cr_expect_eq(static_root_open(&other, in_folder("root/file")), -ENOTDIR);
    static_root_close(&other);
}

/* No descriptor is left behind on any way. */
Test(static_root, nothing_stays_open)
{
    int before = open("/dev/null", O_RDONLY);
    close(before);
    for (int walk = 0; walk < 2; walk++) {
        use(STATIC_SYMLINKS_INSIDE, walk);
        (void) try_open("sub/file");
        (void) try_open("sub/nothing/file");
        (void) try_open("linked/file");
        (void) try_open("file/x/y");
    }
    int after = open("/dev/null", O_RDONLY);
    close(after);
    cr_expect_eq(before, after);
}
