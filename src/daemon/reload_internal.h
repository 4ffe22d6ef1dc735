/* What the reload*.c files share; nobody else includes this. [main] */
#ifndef RTN_DAEMON_RELOAD_INTERNAL_H
#define RTN_DAEMON_RELOAD_INTERNAL_H

#include "daemon/daemon_state.h"
#include "daemon/plan.h"
#include "daemon/reload.h"

#define RTN_RELOAD_PATIENCE_MS 5000 /* for threads of servers */

/* Who asked for a reload. */
struct rtn_reload_ask {
    struct rtn_list node;
    bool dry_run;
    char *who;
    rtn_reload_done done; /* NULL: nobody wants to know */
    void *data;
};

/* What becomes of one server. */
struct rtn_reload_change {
    struct rtn_reload *reload;
    struct rtn_plan_server *plan;
    struct rtn_program *program; /* of a server that goes on; NULL: none, or it is in force */
    bool awaited; /* what comes of its preparation */
    bool prepared; /* the program is, or as far as it came: it is to be discarded, or committed */
    struct rtn_run *run; /* new: of a server that is added, or takes the place of another; NULL: none, or it is there */
    int started; /* of that: what came of its start; 1: was not tried */
};

/* How what threads have to do after a decision is called, in the order in which that is said. */
struct rtn_reload_kind {
    const char *left; /* when it is not waited for any more */
    const char *still; /* to the next reload */
    const char *over;
};

/* What the threads of one server have to do after a decision, which cannot fail, but last. */
struct rtn_reload_step {
    struct rtn_list node; /* reload->steps, then daemon->reloads.left */
    const struct rtn_reload_kind *kind;
    struct rtn_reload *reload; /* NULL: it does not wait any more */
    struct rtn_server *server;
    unsigned parts; /* that are not done */
    struct rtn_program *program; /* that goes with it; NULL: none */
    struct rtn_generation *generation; /* a reference for that */
};

/* A reload that is under way. */
struct rtn_reload {
    struct rtn_daemon *daemon;
    struct rtn_reload_ask *ask;
    struct rtn_generation *generation; /* a reference; NULL: not made */
    struct rtn_plan plan;
    struct rtn_diags diags;
    struct rtn_reload_change *changes; /* one for each server of the plan */
    struct rtn_wiring *wiring; /* that is to be in force; NULL: none */
    bool committing; /* there is no way back */
    bool failed;
    bool unchanged; /* there is nothing to do */
    unsigned pending; /* steps of servers that have not answered */
    void (*next)(struct rtn_reload *reload); /* when none is left */
    struct rtn_mail mail;
    pthread_t starter; /* starts new servers, whose hooks may take their time */
    struct rtn_mail starter_mail; /* it has */
    struct ev_timer patience;
    void (*tired)(struct rtn_reload *reload); /* when it is over, each time */
    struct rtn_list steps; /* of reload_steps.c, that are waited for */
    struct rtn_buf text; /* the plan, or what is wrong */
};

/* reload.c: one step that others take is over; `next` is called when it was the last. */
void rtn_reload_expect(struct rtn_reload *reload, void (*next)(struct rtn_reload *reload));
void rtn_reload_arrived(struct rtn_reload *reload);

/* Its patience lasts for so long from now on. */
void rtn_reload_be_patient(struct rtn_reload *reload, int64_t ms);

/* reload_steps.c: one more, of so many parts, which the reload waits for until its patience ends: that is `tired`. */
struct rtn_reload_step *rtn_reload_begin_step(struct rtn_reload *reload, const struct rtn_reload_kind *kind,
                                              struct rtn_server *server, unsigned parts);
void rtn_reload_end_part(struct rtn_reload_step *step);
void rtn_reload_leave_behind(struct rtn_reload *reload);

/* The one that was left to the server, which takes no other program before that is over; NULL: none. */
const struct rtn_reload_step *rtn_reload_find_left(const struct rtn_daemon *daemon, const struct rtn_server *server);

/* It is over, and is freed. */
void rtn_reload_end(struct rtn_reload *reload);

/* reload_make.c: everything that can be made and checked without a thread. False after adding errors. */
bool rtn_reload_make(struct rtn_reload *reload, const char *path);

/* reload_wire.c: who sends messages to whom: staged, put in force, or forgotten. */
void rtn_reload_wire(struct rtn_reload *reload);
void rtn_reload_commit_wiring(struct rtn_reload *reload);
void rtn_reload_unwire(struct rtn_reload *reload);

/* Start hooks and threads; `then` is called when all have answered, `failed` may be set. */
void rtn_reload_start(struct rtn_reload *reload, void (*then)(struct rtn_reload *reload));

/* reload_undo.c: everything goes away again that the two have made; `then` is called when it is gone. */
void rtn_reload_undo(struct rtn_reload *reload, void (*then)(struct rtn_reload *reload));

/* reload_commit.c: it is in force. */
void rtn_reload_commit(struct rtn_reload *reload, void (*then)(struct rtn_reload *reload));

#endif
