#include <string.h>

#include <criterion/criterion.h>

#include "static_path.h"

#define STR(literal) ((rtn_str){ (literal), sizeof(literal) - 1 })

Test(static_path, plain_paths_are_taken)
{
    cr_expect(static_path_allowed(STR(""), false, false));
    cr_expect(static_path_allowed((rtn_str){ NULL, 0 }, false, false));
    cr_expect(static_path_allowed(STR("a"), false, false));
    cr_expect(static_path_allowed(STR("a/"), false, false));
    cr_expect(static_path_allowed(STR("a/b c/\xc3\xa4.html"), false, false));
    cr_expect(static_path_allowed(STR("a\\..\\b"), false, false));
    cr_expect(static_path_allowed(STR("a..b/c."), false, false));
}

Test(static_path, what_could_lead_elsewhere_is_not)
{
    for (int dots = 0; dots < 2; dots++) {
        cr_expect(!static_path_allowed(STR("/"), dots, true));
        cr_expect(!static_path_allowed(STR("/etc/passwd"), dots, true));
        cr_expect(!static_path_allowed(STR("a//b"), dots, true));
        cr_expect(!static_path_allowed(STR("a//"), dots, true));
        cr_expect(!static_path_allowed(STR("."), dots, true));
        cr_expect(!static_path_allowed(STR(".."), dots, true));
        cr_expect(!static_path_allowed(STR("../a"), dots, true));
        cr_expect(!static_path_allowed(STR("a/../b"), dots, true));
        cr_expect(!static_path_allowed(STR("a/./b"), dots, true));
        cr_expect(!static_path_allowed(STR("a/.."), dots, true));
        cr_expect(!static_path_allowed(STR("a/../"), dots, true));
        cr_expect(!static_path_allowed(STR("a\0b"), dots, true));
        cr_expect(!static_path_allowed(STR("a.html\0.png"), dots, true));
    }
}

Test(static_path, dot_files_only_when_they_are_asked_for)
{
    cr_expect(!static_path_allowed(STR(".git/config"), false, true));
    cr_expect(!static_path_allowed(STR("a/.htaccess"), false, true));
    cr_expect(!static_path_allowed(STR("..."), false, true));
    cr_expect(static_path_allowed(STR(".git/config"), true, true));
    cr_expect(static_path_allowed(STR("a/.htaccess"), true, false));
    cr_expect(static_path_allowed(STR("..."), true, false));
}

Test(static_path, well_known_is_the_first_segment_alone)
{
    cr_expect(static_path_allowed(STR(".well-known"), false, true));
    cr_expect(static_path_allowed(STR(".well-known/acme/a"), false, true));
    cr_expect(!static_path_allowed(STR(".well-known/acme"), false, false));
    cr_expect(!static_path_allowed(STR(".well-known/.a"), false, true));
    cr_expect(!static_path_allowed(STR("a/.well-known/b"), false, true));
    cr_expect(!static_path_allowed(STR(".well-knownx"), false, true));
    cr_expect(!static_path_allowed(STR(".well-know"), false, true));
}

Test(static_path, a_name_has_no_slash)
{
    cr_expect(static_path_is_name("index.html"));
    cr_expect(static_path_is_name(".index"));
    cr_expect(!static_path_is_name(""));
    cr_expect(!static_path_is_name("a/b"));
    cr_expect(!static_path_is_name("a/"));
    cr_expect(!static_path_is_name("."));
    cr_expect(!static_path_is_name(".."));
}

Test(static_path, encoding)
{
    char out[STATIC_ENCODED_MAX(64)];
    size_t length = static_path_encode(STR("a/b c?#%&:\"<>\\\xc3\xa4\x01-._~09AZaz"), out);
    cr_expect_str_eq(out, "a/b%20c%3F%23%25%26%3A%22%3C%3E%5C%C3%A4%01-._~09AZaz");
    cr_expect_eq(length, strlen(out));
    cr_expect_eq(static_path_encode(STR(""), out), 0);
    cr_expect_str_eq(out, "");
}

static void expect_redirect(rtn_str path, rtn_str query, const char *want)
{
    char out[STATIC_REDIRECT_MAX(64, 64)];
    static_path_redirect(path, query, out);
    cr_expect_str_eq(out, want);
}

Test(static_path, redirects_stay_here)
{
    rtn_str none = { NULL, 0 };
    expect_redirect(STR("/a"), none, "/a/");
    expect_redirect(STR("/a/b c"), none, "/a/b%20c/");
    expect_redirect(STR("/a"), STR("x=1&y=//z"), "/a/?x=1&y=//z");
    expect_redirect(STR("/a"), STR(""), "/a/?");
    expect_redirect(STR("//evil.org"), none, "/evil.org/");
    expect_redirect(STR("////evil.org/x"), STR("q"), "/evil.org/x/?q");
    expect_redirect(STR("/\\evil.org"), none, "/%5Cevil.org/");
    expect_redirect(STR("/"), none, "/");
    expect_redirect(STR("//"), STR("q"), "/?q");
}
