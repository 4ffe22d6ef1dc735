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

static void add_at(const char *host, const char *path, unsigned methods)
{
    add(path, methods);
    routes[route_count - 1].host = host;
}

static int build(void)
{
    const struct rtn_route *pointers[ROUTES_MAX];
    for (size_t i = 0; i < route_count; i++)
        pointers[i] = &routes[i];
    return rtn_router_new(pointers, route_count, &router);
}

static const struct rtn_route *look_up(const char *host, const char *path, enum rtn_method method, unsigned skip)
{
    if (router == NULL)
        cr_assert_eq(build(), 0);
    memset(&match, 0xee, sizeof(match));
    rtn_router_match(router, rtn_str_of(host), rtn_str_of(path), method, skip, &match);
    return match.route;
}

/* The path of the route found, "" when there is none. */
static const char *find_nth(const char *path, enum rtn_method method, unsigned skip)
{
    const struct rtn_route *route = look_up("", path, method, skip);
    return route != NULL ? route->path : "";
}

/* The host of the route found, "any" of one without, "" when there is none. */
static const char *host_nth(const char *host, const char *path, unsigned skip)
{
    const struct rtn_route *route = look_up(host, path, RTN_METHOD_GET, skip);
    if (route == NULL)
        return "";
    return route->host != NULL ? route->host : "any";
}

static const char *host_of(const char *host)
{
    return host_nth(host, "/x", 0);
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

Test(router, exact_host_before_wildcards_before_none)
{
    add("/x", ANY);
    add_at("*.org", "/x", ANY);
    add_at("*.a.example.org", "/x", ANY);
    add_at("*.example.org", "/x", ANY);
    add_at("a.example.org", "/x", ANY);
    cr_expect_str_eq(host_of("a.example.org"), "a.example.org");
    cr_expect_str_eq(host_of("b.example.org"), "*.example.org");
    cr_expect_str_eq(host_of("b.a.example.org"), "*.a.example.org");
    cr_expect_str_eq(host_of("c.b.a.example.org"), "*.a.example.org");
    cr_expect_str_eq(host_of("c.b.example.org"), "*.example.org");
    cr_expect_str_eq(host_of("example.org"), "*.org");
    cr_expect_str_eq(host_of("org"), "any");
    cr_expect_str_eq(host_of("example.com"), "any");
    cr_expect_str_eq(host_of(""), "any");
}

Test(router, wildcard_takes_names_below_only)
{
    add_at("*.example.org", "/x", ANY);
    cr_expect_str_eq(host_of("a.example.org"), "*.example.org");
    cr_expect_str_eq(host_of("a.b.example.org"), "*.example.org");
    cr_expect_str_eq(host_of("example.org"), "");
    cr_expect_str_eq(host_of(".example.org"), "");
    cr_expect_str_eq(host_of("anexample.org"), "");
    cr_expect_str_eq(host_of("a.example.orgs"), "");
    cr_expect_str_eq(host_of("*"), "");
    cr_expect_str_eq(host_of(""), "");
    cr_expect_str_eq(host_of("."), "");
}

Test(router, final_dot_of_a_host_does_not_count)
{
    add_at("example.org", "/x", ANY);
    add_at("*.example.com.", "/x", ANY);
    cr_expect_str_eq(host_of("example.org."), "example.org");
    cr_expect_str_eq(host_of("example.org.."), "");
    cr_expect_str_eq(host_of("a.example.com."), "*.example.com.");
    cr_expect_str_eq(host_of("a.example.com"), "*.example.com.");
    cr_expect_str_eq(host_of("example.com."), "");
}

Test(router, host_may_be_an_address)
{
    add_at("[::1]", "/x", ANY);
    add_at("127.0.0.1", "/x", ANY);
    cr_expect_str_eq(host_of("[::1]"), "[::1]");
    cr_expect_str_eq(host_of("127.0.0.1"), "127.0.0.1");
    cr_expect_str_eq(host_of("[::2]"), "");
}

Test(router, skip_counts_on_over_the_hosts)
{
    add("/x", ANY);
    add("/*", ANY);
    add_at("*.example.org", "/{name}", ANY);
    add_at("a.example.org", "/x", ANY);
    add_at("a.example.org", "/*", ANY);
    static const char *const hosts[] = { "a.example.org", "a.example.org", "*.example.org", "any", "any", "" };
    static const char *const paths[] = { "/x", "/*", "/{name}", "/x", "/*", NULL };
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(hosts); i++) {
        cr_expect_str_eq(host_nth("a.example.org", "/x", i), hosts[i], "%u", i);
        cr_expect_str_eq(match.route != NULL ? match.route->path : "", paths[i] != NULL ? paths[i] : "", "%u", i);
    }
    look_up("a.example.org", "/x", RTN_METHOD_GET, 2);
    expect_param(0, "name", "x");
}

Test(router, methods_that_one_host_lacks_are_looked_for_in_the_next)
{
    add_at("example.org", "/x", RTN_METHOD_POST);
    add("/x", RTN_METHOD_GET);
    add_at("example.com", "/x", RTN_METHOD_DELETE);
    cr_expect_str_eq(host_of("example.org"), "any");
    cr_expect_null(look_up("example.org", "/x", RTN_METHOD_PUT, 0));
    cr_expect_eq(match.allowed, RTN_METHOD_GET | RTN_METHOD_HEAD | RTN_METHOD_POST);
    cr_expect_null(look_up("example.net", "/x", RTN_METHOD_POST, 0));
    cr_expect_eq(match.allowed, RTN_METHOD_GET | RTN_METHOD_HEAD);
    cr_expect_eq(rtn_router_methods(router), RTN_METHOD_GET | RTN_METHOD_HEAD | RTN_METHOD_POST | RTN_METHOD_DELETE);
}

Test(router, route_of_another_host_is_not_there)
{
    add_at("example.org", "/x", ANY);
    cr_expect_null(look_up("example.com", "/x", RTN_METHOD_GET, 0));
    cr_expect_eq(match.allowed, 0);
    cr_expect_null(look_up("", "/x", RTN_METHOD_GET, 0));
    cr_expect_eq(match.allowed, 0);
}

Test(router, hostile_hosts_end_where_the_table_ends)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf host = { 0 };
    add_at("*.example.org", "/x", ANY);
    for (int i = 0; i < 1000000; i++)
        rtn_buf_append_text(&host, "a.");
    cr_expect_str_eq(host_of(host.data), "");
    rtn_buf_append_text(&host, "example.org");
    cr_expect_str_eq(host_of(host.data), "*.example.org");
}
