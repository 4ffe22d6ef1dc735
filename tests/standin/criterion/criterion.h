/*
 * Stands in for criterion under sanitizers. Under the thread sanitizer criterion does not start, since it maps memory
 * for its children at addresses the sanitizer keeps for itself; under the address sanitizer its children may wait for
 * ever for a lock of the allocator, since it forks with threads around. Here each test runs in a plain forked child of
 * a process with one thread. Only what our tests use is here: a test that uses more does not compile, and is never
 * skipped.
 */
#ifndef RTN_TESTS_TSAN_CRITERION_H
#define RTN_TESTS_TSAN_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct standin_options {
    void (*init)(void);
    void (*fini)(void);
    double timeout;
    int signal;
    int exit_code;
    bool disabled;
    const char *description;
};

struct standin_test {
    const char *suite;
    const char *name; /* NULL: the options of a suite */
    void (*run)(void);
    struct standin_options options;
    struct standin_test *next;
};

/* Weak, so that a program of several files has each of these once. */
__attribute__((weak)) struct standin_test *standin_tests;
__attribute__((
    weak)) bool standin_failed; /* in a child: a cr_expect did not hold; set from any thread, read at the end */

#define STANDIN_REGISTER(id, ...)                                \
    static struct standin_test id = { __VA_ARGS__ };             \
    __attribute__((constructor)) static void id##_register(void) \
    {                                                            \
        id.next = standin_tests;                                 \
        standin_tests = &id;                                     \
    }

#define Test(suite_, name_, ...)                                                                               \
    static void suite_##_##name_##_run(void);                                                                  \
    STANDIN_REGISTER(suite_##_##name_##_test, .suite = #suite_, .name = #name_, .run = suite_##_##name_##_run, \
                     .options = { .description = NULL, __VA_ARGS__ })                                          \
    static void suite_##_##name_##_run(void)

#define TestSuite(suite_, ...) \
    STANDIN_REGISTER(suite_##_suite, .suite = #suite_, .options = { .description = NULL, __VA_ARGS__ })

/* The message is a format with its arguments, or nothing. */
#define STANDIN_CHECK(fatal, condition, text, ...)                     \
    do {                                                               \
        if (!(condition)) {                                            \
            fprintf(stderr, "%s:%d: %s", __FILE__, __LINE__, text);    \
            fprintf(stderr, " " __VA_ARGS__);                          \
            fputc('\n', stderr);                                       \
            __atomic_store_n(&standin_failed, true, __ATOMIC_RELAXED); \
            if (fatal)                                                 \
                _exit(1);                                              \
        }                                                              \
    } while (0)

#define cr_assert(condition, ...) STANDIN_CHECK(true, condition, #condition, __VA_ARGS__)
#define cr_expect(condition, ...) STANDIN_CHECK(false, condition, #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...) STANDIN_CHECK(true, !(condition), "not " #condition, __VA_ARGS__)
#define cr_expect_not(condition, ...) STANDIN_CHECK(false, !(condition), "not " #condition, __VA_ARGS__)
#define cr_assert_fail(...) STANDIN_CHECK(true, false, "fail", __VA_ARGS__)
#define cr_expect_fail(...) STANDIN_CHECK(false, false, "fail", __VA_ARGS__)
#define cr_fail(...) cr_expect_fail(__VA_ARGS__)
#define cr_fatal(...) cr_assert_fail(__VA_ARGS__)

#define STANDIN_OP(fatal, a, op, b, ...) STANDIN_CHECK(fatal, (a) op(b), #a " " #op " " #b, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) STANDIN_OP(true, a, ==, b, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) STANDIN_OP(false, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) STANDIN_OP(true, a, !=, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) STANDIN_OP(false, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) STANDIN_OP(true, a, <, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) STANDIN_OP(false, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) STANDIN_OP(true, a, <=, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) STANDIN_OP(false, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) STANDIN_OP(true, a, >, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) STANDIN_OP(false, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) STANDIN_OP(true, a, >=, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) STANDIN_OP(false, a, >=, b, __VA_ARGS__)
#define cr_assert_null(a, ...) STANDIN_OP(true, a, ==, NULL, __VA_ARGS__)
#define cr_expect_null(a, ...) STANDIN_OP(false, a, ==, NULL, __VA_ARGS__)
#define cr_assert_not_null(a, ...) STANDIN_OP(true, a, !=, NULL, __VA_ARGS__)
#define cr_expect_not_null(a, ...) STANDIN_OP(false, a, !=, NULL, __VA_ARGS__)

#define cr_assert_str_eq(a, b, ...) STANDIN_OP(true, strcmp(a, b), ==, 0, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) STANDIN_OP(false, strcmp(a, b), ==, 0, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) STANDIN_OP(true, strcmp(a, b), !=, 0, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) STANDIN_OP(false, strcmp(a, b), !=, 0, __VA_ARGS__)
#define cr_assert_str_empty(a, ...) STANDIN_OP(true, (a)[0], ==, '\0', __VA_ARGS__)
#define cr_expect_str_empty(a, ...) STANDIN_OP(false, (a)[0], ==, '\0', __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) STANDIN_OP(true, memcmp(a, b, size), ==, 0, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) STANDIN_OP(false, memcmp(a, b, size), ==, 0, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...) STANDIN_OP(true, memcmp(a, b, size), !=, 0, __VA_ARGS__)
#define cr_expect_arr_neq(a, b, size, ...) STANDIN_OP(false, memcmp(a, b, size), !=, 0, __VA_ARGS__)
#define cr_assert_float_eq(a, b, epsilon, ...) \
    STANDIN_CHECK(true, (a) - (b) <= (epsilon) && (b) - (a) <= (epsilon), #a " is about " #b, __VA_ARGS__)

static inline const struct standin_options *standin_suite_options(const char *suite)
{
    static const struct standin_options none;
    for (struct standin_test *test = standin_tests; test != NULL; test = test->next)
        if (test->name == NULL && strcmp(test->suite, suite) == 0)
            return &test->options;
    return &none;
}

static inline void standin_run_child(const struct standin_test *test, const struct standin_options *suite)
{
    double timeout = test->options.timeout > 0 ? test->options.timeout : suite->timeout;
    if (timeout > 0)
        alarm((unsigned) timeout * 8 + 8); /* the sanitizer is slow */
    if (suite->init != NULL)
        suite->init();
    if (test->options.init != NULL)
        test->options.init();
    test->run();
    if (test->options.fini != NULL)
        test->options.fini();
    if (suite->fini != NULL)
        suite->fini();
    exit(__atomic_load_n(&standin_failed, __ATOMIC_RELAXED) ? 1 : 0);
}

/* Whether one test did what it should. */
static inline bool standin_run(const struct standin_test *test)
{
    const struct standin_options *suite = standin_suite_options(test->suite);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        standin_run_child(test, suite);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    int signal = test->options.signal != 0 ? test->options.signal : suite->signal;
    int code = test->options.exit_code != 0 ? test->options.exit_code : suite->exit_code;
    if (WIFSIGNALED(status))
        return signal != 0 && WTERMSIG(status) == signal;
    return signal == 0 && WEXITSTATUS(status) == code;
}

__attribute__((weak)) int main(void)
{
    int passed = 0;
    int failed = 0;
    for (struct standin_test *test = standin_tests; test != NULL; test = test->next) {
        if (test->name == NULL || test->options.disabled)
            continue;
        if (standin_run(test)) {
            passed++;
            continue;
        }
        failed++;
        fprintf(stderr, "[FAIL] %s::%s\n", test->suite, test->name);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

#endif
