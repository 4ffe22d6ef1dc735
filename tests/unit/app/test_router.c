#include <errno.h>
#include <stdio.h>

#include <criterion/criterion.h>

#include "app/router.h"
#include "base/buf.h"

#define ROUTES_MAX 16
#define ANY (RTN_METHOD_ALL & ~(unsigned) RTN_METHOD_OPTIONS)

static struct rtn_route routes[ROUTES_MAX];
static size_t route_count;
static struct rtn_router *router;
static struct rtn_match match;

static void add(const char *path, unsigned methods)
{
    routes[route_count++] = (struct rtn_route){ .path = path, .methods = methods };
}

static int build(void)
{
    const struct rtn_route *pointers[ROUTES_MAX];
    for (size_t i = 0; i < route_count; i++)
        pointers[i] = &routes[i];
    return rtn_router_new(pointers, route_count, &router);
}

/* The path of the route found, "" when there is none. */
static const char *find_nth(const char *path, enum rtn_method method, unsigned skip)
{
    if (router == NULL)
        cr_assert_eq(build(), 0);
    memset(&match, 0xee, sizeof(match));
    rtn_router_match(router, rtn_str_of(path), method, skip, &match);
    return match.route != NULL ? match.route->path : "";
}

static const char *find(const char *path)
{
    return find_nth(path, RTN_METHOD_GET, 0);
}

static void expect_param(unsigned index, const char *name, const char *value)
{
    cr_assert_lt(index, match.param_count);
    cr_expect(rtn_str_equal(match.params[index].name, rtn_str_of(name)));
    cr_expect(rtn_str_equal(match.params[index].value, rtn_str_of(value)), "%s is [%.*s], not [%s]", name,
              RTN_STR_ARG(match.params[index].value), value);
}

static void stop(void)
{
    rtn_router_free(router);
}

TestSuite(router, .fini = stop);

Test(router, empty_table_finds_nothing)
{
    cr_expect_str_eq(find("/"), "");
    cr_expect_eq(match.allowed, 0);
    cr_expect_eq(match.param_count, 0);
    cr_expect_eq(rtn_router_methods(router), 0);
}

Test(router, exact_paths_are_exact)
{
    add("/", ANY);
    add("/a", ANY);
    add("/a/b", ANY);
    cr_expect_str_eq(find("/"), "/");
    cr_expect_str_eq(find("/a"), "/a");
    cr_expect_str_eq(find("/a/b"), "/a/b");
    cr_expect_str_eq(find("/a/"), "");
    cr_expect_str_eq(find("/A"), "");
    cr_expect_str_eq(find("//"), "");
    cr_expect_str_eq(find("/a/b/c"), "");
    cr_expect_str_eq(find(""), "");
    cr_expect_str_eq(find("a"), "");
}

Test(router, exact_before_pattern_before_prefix)
{
    add("/*", ANY);
    add("/users/*", ANY);
    add("/users/{id}", ANY);
    add("/users/me", ANY);
    cr_expect_str_eq(find("/users/me"), "/users/me");
    cr_expect_str_eq(find("/users/7"), "/users/{id}");
    cr_expect_str_eq(find("/users/7/x"), "/users/*");
    cr_expect_str_eq(find("/users/"), "/users/*");
    cr_expect_str_eq(find("/users"), "/*");
    cr_expect_str_eq(find("/"), "/*");
}

Test(router, parameters_are_views_into_the_path)
{
    add("/users/{id}/files/{name}/*", ANY);
    const char *path = "/users/7/files/x y/a/b/";
    cr_assert_str_eq(find(path), "/users/{id}/files/{name}/*");
    cr_assert_eq(match.param_count, 3);
    expect_param(0, "id", "7");
    expect_param(1, "name", "x y");
    expect_param(2, "*", "a/b/");
    cr_expect_eq(match.params[0].value.data, path + 7);
}

Test(router, parameter_takes_no_empty_segment_but_tail_may_be_empty)
{
    add("/p/{x}", ANY);
    add("/t/*", ANY);
    cr_expect_str_eq(find("/p/"), "");
    cr_expect_str_eq(find("/t/"), "/t/*");
    expect_param(0, "*", "");
    cr_expect_not_null(match.params[0].value.data);
    cr_expect_str_eq(find("/t"), "");
    cr_expect_str_eq(find("/t//"), "/t/*");
    expect_param(0, "*", "/");
}

Test(router, literal_before_parameter_with_backtracking)
{
    add("/{a}/x/end", ANY);
    add("/lit/{b}/other", ANY);
    add("/lit/x/{c}", ANY);
    cr_expect_str_eq(find("/lit/x/end"), "/lit/x/{c}");
    cr_expect_str_eq(find("/lit/y/other"), "/lit/{b}/other");
    cr_expect_str_eq(find_nth("/lit/x/end", RTN_METHOD_GET, 1), "/{a}/x/end");
    expect_param(0, "a", "lit");
    cr_expect_eq(match.param_count, 1);
    cr_expect_str_eq(find("/lit/y/end"), "");
}

Test(router, longest_prefix_wins)
{
    add("/*", ANY);
    add("/a/*", ANY);
    add("/{x}/b/*", ANY);
    add("/a/b/c/*", ANY);
    cr_expect_str_eq(find("/a/b/c/d"), "/a/b/c/*");
    cr_expect_str_eq(find("/a/b/x"), "/{x}/b/*");
    cr_expect_str_eq(find("/a/x"), "/a/*");
    cr_expect_str_eq(find("/x"), "/*");
    cr_expect_str_eq(find_nth("/a/b/c/d", RTN_METHOD_GET, 1), "/{x}/b/*");
    cr_expect_str_eq(find_nth("/a/b/c/d", RTN_METHOD_GET, 2), "/a/*");
    cr_expect_str_eq(find_nth("/a/b/c/d", RTN_METHOD_GET, 3), "/*");
    cr_expect_str_eq(find_nth("/a/b/c/d", RTN_METHOD_GET, 4), "");
    cr_expect_neq(match.allowed, 0);
}

Test(router, methods_select_within_a_path_and_beyond)
{
    add("/a", RTN_METHOD_POST);
    add("/a", RTN_METHOD_PUT);
    add("/*", RTN_METHOD_DELETE);
    cr_assert_str_eq(find_nth("/a", RTN_METHOD_PUT, 0), "/a");
    cr_expect_eq(match.route, &routes[1]);
    cr_expect_str_eq(find_nth("/a", RTN_METHOD_DELETE, 0), "/*");
    cr_expect_str_eq(find_nth("/a", RTN_METHOD_PATCH, 0), "");
    cr_expect_eq(match.allowed, RTN_METHOD_POST | RTN_METHOD_PUT | RTN_METHOD_DELETE);
    cr_expect_str_eq(find_nth("/b", RTN_METHOD_POST, 0), "");
    cr_expect_eq(match.allowed, RTN_METHOD_DELETE);
    cr_expect_eq(rtn_router_methods(router), RTN_METHOD_POST | RTN_METHOD_PUT | RTN_METHOD_DELETE);
}

Test(router, skip_counts_only_routes_that_take_the_method)
{
    add("/a", RTN_METHOD_POST);
    add("/a", RTN_METHOD_GET);
    add("/{x}", RTN_METHOD_POST);
    add("/*", RTN_METHOD_GET);
    cr_expect_str_eq(find_nth("/a", RTN_METHOD_GET, 0), "/a");
    cr_expect_str_eq(find_nth("/a", RTN_METHOD_GET, 1), "/*");
    cr_expect_str_eq(find_nth("/a", RTN_METHOD_GET, 2), "");
}

Test(router, head_goes_where_get_goes)
{
    add("/get", RTN_METHOD_GET);
    add("/post", RTN_METHOD_POST);
    cr_expect_str_eq(find_nth("/get", RTN_METHOD_HEAD, 0), "/get");
    cr_expect_str_eq(find_nth("/post", RTN_METHOD_HEAD, 0), "");
    cr_expect_str_eq(find_nth("/get", RTN_METHOD_POST, 0), "");
    cr_expect_eq(match.allowed, RTN_METHOD_GET | RTN_METHOD_HEAD);
}

Test(router, options_only_where_the_handler_takes_it)
{
    add("/mine", RTN_METHOD_ALL);
    add("/yours", RTN_METHOD_ALL);
    routes[0].takes_options = true;
    cr_expect_str_eq(find_nth("/mine", RTN_METHOD_OPTIONS, 0), "/mine");
    cr_expect_str_eq(find_nth("/yours", RTN_METHOD_OPTIONS, 0), "");
    cr_expect_eq(match.allowed, RTN_METHOD_ALL);
}

Test(router, same_shape_with_other_names)
{
    add("/{a}", RTN_METHOD_GET);
    add("/{b}", RTN_METHOD_POST);
    cr_expect_str_eq(find_nth("/x", RTN_METHOD_POST, 0), "/{b}");
    expect_param(0, "b", "x");
    cr_expect_str_eq(find_nth("/x", RTN_METHOD_GET, 0), "/{a}");
    expect_param(0, "a", "x");
}

Test(router, literals_are_written_encoded)
{
    add("/a%20b", ANY);
    add("/%7Bid%7D/{id}", ANY);
    add("/%2A", ANY);
    add("/x%20y/*", ANY);
    cr_expect_str_eq(find("/a b"), "/a%20b");
    cr_expect_str_eq(find("/a%20b"), "");
    cr_expect_str_eq(find("/{id}/7"), "/%7Bid%7D/{id}");
    cr_expect_str_eq(find("/8/7"), "");
    cr_expect_str_eq(find("/*"), "/%2A");
    cr_expect_str_eq(find("/z"), "");
    cr_expect_str_eq(find("/x y/z"), "/x%20y/*");
}

Test(router, sixteen_parameters_and_no_more)
{
    add("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/*", ANY);
    cr_expect_str_eq(find("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), routes[0].path);
    cr_expect_eq(match.param_count, 16);
    expect_param(15, "*", "16/17");
    stop();
    router = NULL;
    routes[0].path = "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/*";
    cr_expect_eq(build(), -E2BIG);
    cr_expect_null(router);
    cr_expect_not_null(rtn_router_problem(routes[0].path));
    cr_expect_not_null(rtn_router_problem("/%00"));
    cr_expect_null(rtn_router_problem("/{a}/b/*"));
}

Test(router, path_that_cannot_be_decoded_is_refused)
{
    add("/a/%00/{x}", ANY);
    cr_expect_eq(build(), -EINVAL);
    cr_expect_null(router);
}

Test(router, hostile_paths_end_where_the_table_ends)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf path = { 0 };
    add("/{a}/{b}/x", ANY);
    add("/a/a/*", ANY);
    for (int i = 0; i < 1000000; i++)
        rtn_buf_append_text(&path, "/a");
    cr_expect_str_eq(find(path.data), "/a/a/*");
    expect_param(0, "*", path.data + 5);
    path.data[1] = 'b';
    cr_expect_str_eq(find(path.data), "");
}

Test(router, many_routes)
{
    enum { MANY = 5000 };
    static char paths[MANY][32];
    static struct rtn_route many[MANY];
    static const struct rtn_route *pointers[MANY];
    for (int i = 0; i < MANY; i++) {
        (void) snprintf(paths[i], sizeof(paths[i]), i % 2 ? "/e/%d" : "/p/%d/{id}", i);
        many[i] = (struct rtn_route){ .path = paths[i], .methods = ANY };
        pointers[i] = &many[i];
    }
    cr_assert_eq(rtn_router_new(pointers, MANY, &router), 0);
    cr_expect_str_eq(find("/e/4999"), "/e/4999");
    cr_expect_str_eq(find("/p/4998/x"), "/p/4998/{id}");
    cr_expect_str_eq(find("/e/4998"), "");
}
