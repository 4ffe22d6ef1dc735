/* For tests of instances: from YAML text to an instance, with the modules of tests/modules. [main] */
#ifndef RTN_TESTS_APP_INSTANCE_SUPPORT_H
#define RTN_TESTS_APP_INSTANCE_SUPPORT_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "app/instance.h"
#include "public_stubs.h"

static char path[] = "/tmp/rtn-instance-XXXXXX";
static struct rtn_generation *generation;
static struct rtn_diags diags;
static struct rtn_buf text;
static struct rtn_instance *instance;

static inline void start(void)
{
    cr_assert(public_stubs_are_here());
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void) close(fd);
}

static inline void stop(void)
{
    rtn_instance_free(instance);
    rtn_diags_done(&diags);
    rtn_generation_unref(generation);
    rtn_buf_done(&text);
    (void) unlink(path);
}

static inline void render(void)
{
    rtn_diags_render(&diags, &text, false);
}

/* Reads the configuration that was written to `file`, and closes that; its one server, whose modules can be loaded. */
static inline const struct rtn_config_server *load_server(FILE *file)
{
    (void) fclose(file);
    struct rtn_config *config = NULL;
    int code = rtn_config_load(path, &config, &diags);
    cr_assert_eq(rtn_generation_new(config, NULL, &generation), 0);
    if (code != 0)
        render();
    cr_assert_eq(code, 0, "%s", rtn_buf_str(&text).data);
    return config->servers.items;
}

static inline FILE *open_config(void)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    return file;
}

/* The instance of the one route `route` (YAML flow map) on a server with `keys` more lines. */
static inline struct rtn_instance *make_on(const char *keys, const char *route)
{
    FILE *file = open_config();
    (void) fprintf(
        file, "daemon:\n  modules: [%s]\nservers:\n  get:\n    listen: 127.0.0.1:5050\n%s    routes:\n      - %s\n",
        TEST_MODULES, keys, route);
    const struct rtn_config_server *server = load_server(file);
    instance = rtn_instance_new(generation, server, server->routes.items, NULL, &diags);
    render();
    return instance;
}

/* The instance of the one client `client` (YAML flow map), line 5. */
static inline struct rtn_instance *make_client(const char *client)
{
    FILE *file = open_config();
    (void) fprintf(file, "daemon: {modules: [%s]}\nservers:\n  get:\n    clients:\n      - %s\n", TEST_MODULES, client);
    const struct rtn_config_server *server = load_server(file);
    instance = rtn_instance_new_client(generation, server, server->clients.items, NULL, &diags);
    render();
    return instance;
}

static inline struct rtn_instance *make(const char *route)
{
    return make_on("", route);
}

static inline void expect_error(const char *words)
{
    cr_expect_not_null(strstr(rtn_buf_str(&text).data, words), "[%s] is not in:\n%s", words, rtn_buf_str(&text).data);
}

static inline void expect_errors(size_t count)
{
    cr_expect_eq(diags.errors, count, "%s", rtn_buf_str(&text).data);
    cr_expect_null(instance);
}

#endif
