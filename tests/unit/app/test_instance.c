/* What is asked of a module at one place of the configuration: handlers, methods, options, hooks. */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>

#include "instance_support.h"

TestSuite(instance, .init = start, .fini = stop);

/* As in tests/modules/options.c. */
struct options {
    bool flag;
    int64_t number;
    int64_t below;
    int64_t size;
    int64_t duration;
    const char *string;
    const char *empty;
    const char *path;
    int choice;
    struct rtn_strings strings;
    struct rtn_strings one;
};

Test(instance, defaults_are_in_place)
{
    cr_assert_not_null(make("{path: /, module: options, options: {string: x}}"), "%s", text.data);
    const struct options *options = instance->data;
    cr_expect_eq(options->flag, false);
    cr_expect_eq(options->number, 7);
    cr_expect_eq(options->below, 0);
    cr_expect_eq(options->size, 4096);
    cr_expect_eq(options->duration, 1500);
    cr_expect_str_eq(options->empty, "");
    cr_expect_null(options->path);
    cr_expect_eq(options->choice, 1);
    cr_expect_eq(options->strings.count, 0);
    cr_assert_eq(options->one.count, 1);
    cr_expect_str_eq(options->one.items[0], "single");
}

Test(instance, given_values_arrive)
{
    cr_assert_not_null(make("{path: /, module: options, options: {flag: true, number: -5, below: -10, size: 1MiB, "
                            "duration: 2h, string: \"a b\", empty: \"\", path: sub/file, colour: blue, "
                            "strings: [x, y, z], one: scalar}}"),
                       "%s", rtn_buf_str(&text).data);
    const struct options *options = instance->data;
    cr_expect_eq(options->flag, true);
    cr_expect_eq(options->number, -5);
    cr_expect_eq(options->below, -10);
    cr_expect_eq(options->size, 1 << 20);
    cr_expect_eq(options->duration, 7200000);
    cr_expect_str_eq(options->string, "a b");
    cr_expect_str_eq(options->empty, "");
    cr_expect_str_eq(options->path, "/tmp/sub/file");
    cr_expect_eq(options->choice, 2);
    cr_assert_eq(options->strings.count, 3);
    cr_expect_str_eq(options->strings.items[2], "z");
    cr_expect_str_eq(options->one.items[0], "scalar");
}

Test(instance, every_wrong_option_is_reported_at_its_place)
{
    make("{path: /, module: options, options: {flag: 1, number: 101, below: 1, size: 4, duration: x, colour: pink, "
         "strings: [1, 2, 3, 4], strnig: y}}");
    expect_errors(8);
    expect_error(":7:52: error: server \"get\": route \"/\": options: ");
    expect_error("unknown key \"strnig\"; did you mean \"string\"?");
    expect_error("\"number\" must be -5 to 100, not 101");
    expect_error("\"below\" must be -10 to 0, not 1");
    /* That "string" is missing goes without saying: it is the one that was misspelled. */
    cr_expect_null(strstr(rtn_buf_str(&text).data, "is missing"));
    expect_error("\"colour\" must be one of red, green, blue");
    expect_error("\"strings\" must have 1 to 3 entries, not 4");
}

Test(instance, missing_required_option_without_options)
{
    make("{path: /, module: options}");
    expect_errors(1);
    expect_error(":7:27: error: server \"get\": route \"/\": options: \"string\" is missing");
}

Test(instance, options_for_a_module_without_any)
{
    make("{path: /, module: inspect, handler: loop, options: {x: 1}}");
    expect_errors(1);
    expect_error("module \"inspect\" has no options");
}

Test(instance, configure_reports_at_the_option)
{
    make("{path: /, module: options, options: {string: x, number: 13, colour: red}}");
    expect_errors(1);
    expect_error(":7:65: error: server \"get\": route \"/\": option \"number\": 13 is not allowed together with red");
}

Test(instance, configure_sees_what_was_given)
{
    make("{path: /, module: options, options: {string: x, number: 14}}");
    expect_errors(1);
    expect_error(":7:27: error: server \"get\": route \"/\": option \"colour\": 14 needs one");
}

Test(instance, handler_may_be_left_out_when_there_is_one)
{
    cr_assert_not_null(make("{path: /, module: serial}"));
    cr_expect_str_eq(instance->http->name, "serial");
    cr_expect_eq(instance->threads, RTN_THREADS_SERIAL);
    cr_expect_eq(instance->methods, RTN_METHOD_ALL & ~(unsigned) RTN_METHOD_OPTIONS);
    cr_expect_not(instance->takes_options);
}

Test(instance, handler_is_needed_when_there_are_several)
{
    make("{path: /, module: inspect}");
    expect_errors(1);
    expect_error("module \"inspect\" has several handlers; add handler: with one of loop, worker, all");
}

Test(instance, unknown_handler_with_suggestion)
{
    make("{path: /, module: inspect, handler: worke}");
    expect_errors(1);
    expect_error("module \"inspect\" has no handler \"worke\"; did you mean \"worker\"?");
}

Test(instance, unknown_handler_with_list)
{
    make("{path: /, module: inspect, handler: nothing-near}");
    expect_errors(1);
    expect_error("module \"inspect\" has no handler \"nothing-near\"; it has loop, worker, all");
}

Test(instance, handler_lowers_the_thread_model)
{
    cr_assert_not_null(make("{path: /, module: inspect, handler: worker}"));
    cr_expect_eq(instance->threads, RTN_THREADS_PARALLEL);
}

Test(instance, handler_that_names_options_takes_it)
{
    cr_assert_not_null(make("{path: /, module: inspect, handler: all}"));
    cr_expect(instance->takes_options);
    cr_expect_eq(instance->methods, RTN_METHOD_ALL);
}

Test(instance, worker_handler_on_a_server_without_workers)
{
    make_on("    threads: 0\n", "{path: /, module: inspect, handler: worker}");
    expect_errors(1);
    expect_error(":8:45: error: server \"get\": route \"/\": handler \"worker\" of module \"inspect\" runs on workers "
                 "(parallel), but this server has none (threads: 0)");
}

Test(instance, loop_handler_on_a_server_without_workers)
{
    cr_expect_not_null(make_on("    threads: 0\n", "{path: /, module: inspect, handler: loop}"));
}

Test(instance, methods_beyond_the_handler)
{
    make("{path: /, module: inspect, handler: loop, methods: [GET, OPTIONS]}");
    expect_errors(1);
    expect_error("handler \"loop\" of module \"inspect\" does not take OPTIONS; it takes GET, HEAD, POST");
}

Test(instance, all_mistakes_of_a_route_in_one_run)
{
    make_on("    threads: 0\n",
            "{path: /, module: lifecycle, handler: worker, methods: [OPTIONS], options: {nmae: x}}");
    expect_errors(3);
}

Test(instance, module_that_is_missing)
{
    make("{path: /, module: nonesuch}");
    expect_errors(1);
    expect_error(":7:27: error: module \"nonesuch\": no nonesuch.so in " TEST_MODULES);
}

static int lifecycle_count(const char *name)
{
    struct rtn_diags ignored = { 0 };
    const struct rtn_loaded *loaded =
        rtn_modules_get(generation->modules, "lifecycle", (struct rtn_mark){ 0 }, &ignored);
    const atomic_int *count = dlsym(loaded->handle, name);
    cr_assert_not_null(count);
    return *count;
}

static void release(void)
{
    rtn_instance_free(instance);
    instance = NULL;
}

Test(instance, ready_and_unload_are_called)
{
    cr_assert_not_null(make("{path: /x, module: lifecycle, handler: loop}"), "%s", rtn_buf_str(&text).data);
    cr_expect_eq(lifecycle_count("lifecycle_configured"), 1);
    cr_expect_eq(rtn_instance_ready(instance, &diags), 0);
    cr_expect_eq(lifecycle_count("lifecycle_ready"), 1);
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 0);
    release();
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 1);
}

Test(instance, configure_that_failed_is_not_unloaded)
{
    make("{path: /x, module: lifecycle, handler: loop, options: {fail: configure}}");
    expect_errors(1);
    expect_error("option \"fail\": told to fail in configure of get");
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 0);
}

Test(instance, configure_that_gives_no_reason)
{
    make("{path: /x, module: lifecycle, handler: loop, options: {fail: quietly}}");
    expect_errors(1);
    expect_error("module \"lifecycle\": configure failed: Input/output error");
}

Test(instance, configure_is_not_called_with_wrong_options)
{
    make("{path: /x, module: lifecycle, handler: loop, options: {fail: sometimes}}");
    expect_errors(1);
    cr_expect_eq(lifecycle_count("lifecycle_configured"), 0);
}

Test(instance, failed_ready_is_reported_and_unloaded)
{
    cr_assert_not_null(make("{path: /x, module: lifecycle, handler: loop, options: {fail: ready}}"));
    cr_expect_eq(rtn_instance_ready(instance, &diags), -EINVAL);
    rtn_buf_clear(&text);
    rtn_diags_render(&diags, &text, false);
    expect_error("route \"/x\": module \"lifecycle\": told to fail at /x");
    release();
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 1);
}

Test(instance, free_accepts_nothing)
{
    rtn_instance_free(NULL);
}
