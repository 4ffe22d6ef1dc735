/* The command line: a table of commands, and the options that each takes. [main] */
#ifndef RTN_CTL_CTL_OPTIONS_H
#define RTN_CTL_CTL_OPTIONS_H

#include "ctl/ctl.h"

/*
 * Reads it. 0 with *ret and the command in *run; 1 when what was asked for has been printed (help, version);
 * -EINVAL after saying on stderr what is wrong.
 */
int rtn_ctl_options(int argc, char **argv, struct rtn_ctl *ret, int (**run)(const struct rtn_ctl *ctl));

#endif
