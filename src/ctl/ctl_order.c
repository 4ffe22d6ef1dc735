/* The commands that change something. What has become of them is said in a line; why they were refused, by the daemon.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/macros.h"
#include "ctl/ctl.h"
#include "ctl/ctl_format.h"
#include "ctl/ctl_request.h"

/* True: the command is over, with *status: it was refused, or the answer is wanted as it is. */
static bool order(const struct rtn_ctl *ctl, const char *target, struct rtn_ctl_reply *reply, int *status)
{
    *status = rtn_ctl_ask(ctl, true, target, reply);
    if (*status != RTN_CTL_OK)
        return true;
    if (!ctl->json)
        return false;
    *status = rtn_ctl_print_json(reply);
    rtn_ctl_reply_done(reply);
    return true;
}

/* One argument is the level of the daemon itself; two are a server and its level. */
int rtn_ctl_log_level(const struct rtn_ctl *ctl)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf target = { 0 };
    char duration[RTN_FORMAT_MAX];
    const char *server = ctl->arguments[1] != NULL ? ctl->arguments[0] : NULL;
    struct rtn_ctl_reply reply;
    int status;
    rtn_buf_append_text(&target, "/log-level?level=");
    rtn_ctl_escape(&target, server != NULL ? ctl->arguments[1] : ctl->arguments[0]);
    if (server != NULL) {
        rtn_buf_append_text(&target, "&server=");
        rtn_ctl_escape(&target, server);
    }
    if (ctl->duration != NULL) {
        rtn_buf_append_text(&target, "&for=");
        rtn_ctl_escape(&target, ctl->duration);
    }
    if (order(ctl, target.data, &reply, &status))
        return status;
    int64_t ms = rtn_ctl_int(reply.json, "for_ms");
    printf("%s: %s, was %s", server != NULL ? server : "daemon", rtn_ctl_text(reply.json, "level"),
           rtn_ctl_text(reply.json, "before"));
    if (ms > 0)
        printf("; for %s, then as before", rtn_format_duration(duration, ms));
    putchar('\n');
    rtn_ctl_reply_done(&reply);
    return RTN_CTL_OK;
}

/* The text is the daemon's: the plan, or what was done of it. */
int rtn_ctl_reload(const struct rtn_ctl *ctl)
{
    struct rtn_ctl_reply reply;
    int status;
    if (order(ctl, ctl->dry_run ? "/reload?dry_run=1" : "/reload", &reply, &status))
        return status;
    const char *text = rtn_ctl_text(reply.json, "text");
    size_t length = strlen(text);
    printf("%s%s", text, length > 0 && text[length - 1] == '\n' ? "" : "\n");
    if (!ctl->dry_run)
        printf("generation %" PRId64 " is in force\n", rtn_ctl_int(reply.json, "generation"));
    rtn_ctl_reply_done(&reply);
    return RTN_CTL_OK;
}

static int print_begun(struct rtn_ctl_reply *reply, const char *who)
{
    char duration[RTN_FORMAT_MAX];
    printf("%s: stops; waits up to %s for what runs\n", who,
           rtn_format_duration(duration, rtn_ctl_int(reply->json, "shutdown_timeout_ms")));
    rtn_ctl_reply_done(reply);
    return RTN_CTL_OK;
}

int rtn_ctl_stop(const struct rtn_ctl *ctl)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf target = { 0 };
    struct rtn_ctl_reply reply;
    int status;
    rtn_buf_append_text(&target, "/stop?server=");
    rtn_ctl_escape(&target, ctl->arguments[0]);
    if (order(ctl, target.data, &reply, &status))
        return status;
    return print_begun(&reply, ctl->arguments[0]);
}

int rtn_ctl_drain(const struct rtn_ctl *ctl)
{
    struct rtn_ctl_reply reply;
    int status;
    if (order(ctl, "/drain", &reply, &status))
        return status;
    return print_begun(&reply, "daemon");
}
