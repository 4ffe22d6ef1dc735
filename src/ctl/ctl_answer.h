/* From a question to what is printed: what the commands that show something have in common. [main] */
#ifndef RTN_CTL_CTL_ANSWER_H
#define RTN_CTL_CTL_ANSWER_H

#include "ctl/ctl_request.h"
#include "ctl/ctl_table.h"

/* Asks. False: the command is over, with *status: it went wrong, or the answer is wanted as it is. */
bool rtn_ctl_answer_get(const struct rtn_ctl *ctl, const char *target, struct rtn_ctl_reply *reply, int *status);

/* PATH, with the first argument of the command as the parameter `server`. */
void rtn_ctl_answer_target(const struct rtn_ctl *ctl, const char *path, struct rtn_buf *out);

/* Prints text. Returns the exit status, as the next. */
int rtn_ctl_answer_print(struct rtn_buf *text);

/* Prints the table and what stands behind it; frees the table and the reply. */
int rtn_ctl_answer_finish(const struct rtn_ctl *ctl, struct rtn_ctl_table *table, struct rtn_ctl_reply *reply,
                          const char *behind);

/* The texts of an array. */
void rtn_ctl_append_joined(const json_t *array, const char *separator, struct rtn_buf *out);

/* A line that names the loops that have not answered, about `what` they would have said; nothing when all have. */
void rtn_ctl_append_silent(const json_t *answer, const char *what, struct rtn_buf *out);

/* SGR parameters of cells. */
const char *rtn_ctl_paint_state(const char *cell); /* of servers, and of log levels */
const char *rtn_ctl_paint_count(const char *cell); /* something that better were 0 */

#endif
