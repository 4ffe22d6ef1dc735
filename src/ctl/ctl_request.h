/*
 * One request to the daemon, and its answer. Each has a connection of its own. [main]
 */
#ifndef RTN_CTL_CTL_REQUEST_H
#define RTN_CTL_CTL_REQUEST_H

#include <jansson.h>

#include "ctl/ctl.h"

#define RTN_CTL_PATIENCE_MS 30000 /* with an answer that needs no work */

struct rtn_ctl_reply {
    int status; /* of HTTP */
    struct rtn_buf text; /* what was sent, to its last byte */
    json_t *json; /* the same, read; never NULL after 0 */
};

/*
 * Asks for `target`, by POST with `order`, else by GET. Waits `patience_ms` for something to come, 0: for ever. 0, or
 * -errno when nobody is there, -EPROTO when what came is no answer.
 */
int rtn_ctl_request(const char *socket, bool order, const char *target, int64_t patience_ms, struct rtn_ctl_reply *ret);
void rtn_ctl_reply_done(struct rtn_ctl_reply *reply);

/*
 * The same for a command: everything that is not an answer with a status below 400 is said on stderr. Returns the exit
 * status; only with RTN_CTL_OK there is a reply.
 */
int rtn_ctl_ask(const struct rtn_ctl *ctl, bool order, const char *target, struct rtn_ctl_reply *ret);

/* Says on stderr that nobody answers, and why. Returns the exit status. */
int rtn_ctl_explain(const struct rtn_ctl *ctl, int error);

/* Appends text for a query: everything but letters, digits and - is escaped. */
void rtn_ctl_escape(struct rtn_buf *out, const char *text);

/* Writes to stdout; says so on stderr when that fails. Returns the exit status. */
int rtn_ctl_print(struct rtn_str text);

/* The reply as it came, on stdout. Returns the exit status. */
int rtn_ctl_print_json(const struct rtn_ctl_reply *reply);

/* Members of objects. Missing ones and those of another type are 0, "" and an empty array. */
int64_t rtn_ctl_int(const json_t *object, const char *key);
const char *rtn_ctl_text(const json_t *object, const char *key);
const json_t *rtn_ctl_array(const json_t *object, const char *key);

#endif
