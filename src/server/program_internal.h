/* What the files of programs share. [main] */
#ifndef RTN_SERVER_PROGRAM_INTERNAL_H
#define RTN_SERVER_PROGRAM_INTERNAL_H

#include "server/program.h"

/*
 * program_routes.c: routes, clients and modules with their instances and policies, and the router. 0; -ENOMEM; -EINVAL
 * after adding errors, of all.
 */
int rtn_program_routes_make(struct rtn_program *program, const struct rtn_program *old, struct rtn_diags *diags);

/* Also of a program whose routes were made in part, or not at all. */
void rtn_program_routes_free(struct rtn_program *program);

/* Adds an error: lines are taken already. The nodes are their rows. */
void rtn_program_report_second_line(const struct rtn_instance *first, const struct rtn_node *first_node,
                                    const struct rtn_instance *second, const struct rtn_node *second_node,
                                    struct rtn_diags *diags);

#endif
