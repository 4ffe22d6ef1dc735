/* `modules` of a server: modules that belong to it as a whole, not to a route or a client. */
#include "config/config_tables.h"

#define USE(member) .name = #member, .offset = offsetof(struct rtn_config_use, member)

static const struct rtn_schema_key keys[] = {
    { USE(module), .type = RTN_SCHEMA_STRING, .required = true, .check = rtn_config_check_module,
      .pattern = RTN_CONFIG_MODULE_PATTERN,
      .help = "A name, looked up in the folders of daemon.modules, or a file that ends in .so.", .example = "chat" },
    { USE(handler), .type = RTN_SCHEMA_STRING, .fallback_help = "the only one the module has",
      .help = "Which of the module's handlers that is: of messages, and of lines with protocol: line.",
      .example = "room" },
    { USE(options), .type = RTN_SCHEMA_FREE, .fallback_help = "those of the module",
      .help = "What the module is told. Its own manual or --modinfo lists the keys.", .example = "{history: 20}" },
    { .name = NULL },
};

const struct rtn_schema_table rtn_config_use_table = {
    .name = "module",
    .size = sizeof(struct rtn_config_use),
    .keys = keys,
    .label = "module",
    .node_offset = offsetof(struct rtn_config_use, node),
    .name_offset = SIZE_MAX,
};
