/* For tests of several configurations after each other: generations from YAML text. [main] */
#ifndef RTN_TESTS_APP_GENERATION_SUPPORT_H
#define RTN_TESTS_APP_GENERATION_SUPPORT_H

#include <stdarg.h>

#include <criterion/criterion.h>

#include "app/generation.h"
#include "base/buf.h"
#include "public_stubs.h"

static struct rtn_diags diags;

/* What is wrong, as people read it; valid until the next call. */
static inline const char *problems(void)
{
    static struct rtn_buf text;
    rtn_buf_done(&text);
    rtn_diags_render(&diags, &text, false);
    return rtn_buf_str(&text).data;
}

/* A generation after `old` (NULL: none) whose daemon has `folder` for modules, and whose servers are `servers` (YAML).
 */
static inline struct rtn_generation *generation_after(struct rtn_generation *old, const char *folder,
                                                      const char *servers)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_generation *generation = NULL;
    struct rtn_config *config = NULL;
    cr_assert(public_stubs_are_here());
    rtn_buf_printf(&text, "daemon: {modules: [%s]}\nservers:\n  %s\n", folder, servers);
    int r = rtn_config_load_text("/etc/x/retinued.yaml", rtn_buf_str(&text), &config, &diags);
    cr_assert_eq(r, 0, "%s", problems());
    cr_assert_eq(rtn_generation_new(config, old, &generation), 0);
    return generation;
}

static inline const struct rtn_config_server *server_of(const struct rtn_generation *generation, size_t index)
{
    return &((const struct rtn_config_server *) generation->config->servers.items)[index];
}

#endif
