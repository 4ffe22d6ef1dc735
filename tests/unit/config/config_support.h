/* For tests of whole configurations: from YAML text to the structs, and servers and routes in them. [main] */
#ifndef RTN_TESTS_CONFIG_SUPPORT_H
#define RTN_TESTS_CONFIG_SUPPORT_H

#include <criterion/criterion.h>

#include "config/config.h"

static struct rtn_config *config;
static struct rtn_diags diags;
static struct rtn_buf out;

static inline int load(const char *text)
{
    return rtn_config_load_text("/etc/t.yaml", rtn_str_of(text), &config, &diags);
}

static inline void teardown(void)
{
    rtn_diags_done(&diags);
    rtn_config_free(config);
    rtn_buf_done(&out);
}

static inline const struct rtn_config_server *server(size_t i)
{
    return (const struct rtn_config_server *) config->servers.items + i;
}

/* Of the first server. */
static inline const struct rtn_config_route *route(size_t i)
{
    return (const struct rtn_config_route *) server(0)->routes.items + i;
}

#endif
