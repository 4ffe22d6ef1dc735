/* retinued: reads the command line and does what it asks for. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/module.h"
#include "config/config.h"
#include "daemon/crash.h"
#include "daemon/daemon.h"
#include "daemon/options.h"
#include "loop/activity.h"

static int print(struct rtn_buf *text)
{
    bool good = fwrite(text->data, 1, text->length, stdout) == text->length && fflush(stdout) == 0;
    rtn_buf_done(text);
    return good ? RTN_EXIT_OK : RTN_EXIT_FAILURE;
}

static int fail(struct rtn_diags *diags)
{
    struct rtn_buf text = { 0 };
    rtn_diags_render(diags, &text, isatty(STDERR_FILENO) != 0);
    fputs(text.data != NULL ? text.data : "", stderr);
    rtn_buf_done(&text);
    return RTN_EXIT_FAILURE;
}

static int explain(const char *key)
{
    struct rtn_buf text = { 0 };
    if (rtn_config_explain(key, &text) == 0)
        return print(&text);
    fprintf(stderr, "retinued: %s", text.data);
    rtn_buf_done(&text);
    return RTN_EXIT_FAILURE;
}

/* Folders come from the configuration when -c names one, else the built-in folder is searched. */
static int modinfo(const char *name, const char *config_path)
{
    static const char *folders[] = { RTN_MODULE_DIR };
    struct rtn_schema_strings search = { .items = folders, .count = 1 };
    struct rtn_config *config = NULL;
    struct rtn_diags diags = { 0 };
    if (config_path != NULL) {
        if (rtn_config_load(config_path, &config, &diags) < 0) {
            int status = fail(&diags);
            rtn_diags_done(&diags);
            rtn_config_free(config);
            return status;
        }
        search = config->daemon.modules;
    }

    struct rtn_modules *modules = NULL;
    int status = RTN_EXIT_FAILURE;
    if (rtn_modules_new(&search, NULL, &modules) == 0) {
        /* "hello.so" is a file here, wherever the folders are. */
        char path[PATH_MAX];
        if (strchr(name, '/') == NULL && rtn_str_ends_with(rtn_str_of(name), RTN_STR(".so"))) {
            snprintf(path, sizeof(path), "./%s", name);
            name = path;
        }
        const struct rtn_loaded *loaded = rtn_modules_get(modules, name, (struct rtn_mark){ 0 }, &diags);
        if (loaded != NULL) {
            struct rtn_buf text = { 0 };
            rtn_module_print(loaded, &text);
            status = print(&text);
        } else {
            status = fail(&diags);
        }
    }
    rtn_modules_free(modules);
    rtn_diags_done(&diags);
    rtn_config_free(config);
    return status;
}

int main(int argc, char **argv)
{
    struct rtn_options options;
    (void) rtn_activity_begin(RTN_ACTIVITY_MAIN, NULL, "main", NULL);
    rtn_crash_watch();
    if (rtn_options_parse(argc, argv, &options) < 0)
        return RTN_EXIT_USAGE;
    const char *config = options.config != NULL ? options.config : RTN_CONFIG_FILE;
    struct rtn_buf text = { 0 };
    switch (options.command) {
    case RTN_COMMAND_RUN:
        return rtn_daemon_run(config);
    case RTN_COMMAND_CHECK:
        return rtn_daemon_check(config);
    case RTN_COMMAND_DUMP_CONFIG:
        return rtn_daemon_dump(config);
    case RTN_COMMAND_SCHEMA:
        rtn_config_schema(&text);
        return print(&text);
    case RTN_COMMAND_EXPLAIN:
        return explain(options.argument);
    case RTN_COMMAND_MODINFO:
        return modinfo(options.argument, options.config);
    case RTN_COMMAND_VERSION:
        puts("retinued " RTN_VERSION);
        return RTN_EXIT_OK;
    case RTN_COMMAND_HELP:
        rtn_options_help(stdout);
        return RTN_EXIT_OK;
    }
    return RTN_EXIT_USAGE;
}
