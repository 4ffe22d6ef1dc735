/* The command line. [main] */
#ifndef RTN_DAEMON_OPTIONS_H
#define RTN_DAEMON_OPTIONS_H

#include <stdio.h>

enum rtn_command {
    RTN_COMMAND_RUN,
    RTN_COMMAND_CHECK,
    RTN_COMMAND_DUMP_CONFIG,
    RTN_COMMAND_SCHEMA,
    RTN_COMMAND_EXPLAIN,
    RTN_COMMAND_MODINFO,
    RTN_COMMAND_VERSION,
    RTN_COMMAND_HELP
};

struct rtn_options {
    enum rtn_command command;
    const char *config; /* file; NULL: not given */
    const char *argument; /* of --explain and --modinfo */
};

/* 0, or -EINVAL after printing to stderr what is wrong. */
int rtn_options_parse(int argc, char **argv, struct rtn_options *ret);

void rtn_options_help(FILE *out);

#endif
