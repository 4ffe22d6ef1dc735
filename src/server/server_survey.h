/*
 * What the loops of servers know about their connections, asked by mail: nobody waits, and a loop that is stuck in a
 * handler is named instead of heard. [main]; the questions are answered on the loops
 */
#ifndef RTN_SERVER_SERVER_SURVEY_H
#define RTN_SERVER_SERVER_SURVEY_H

#include "net/addr.h"
#include "server/server.h"

#define RTN_SURVEY_ROUTE_SIZE 96

/* One connection. Texts are static but for those that are copied. */
struct rtn_survey_row {
    uint64_t id;
    char peer[RTN_ADDR_TEXT_SIZE];
    char route[RTN_SURVEY_ROUTE_SIZE]; /* the place of its handler: route "/x"; "": of none; cut when it is long */
    const char *protocol; /* http, websocket, line */
    const char *state;
    bool outgoing;
    int64_t age_ms;
    int64_t requests; /* that have come; -1: not known now, as the next two */
    int64_t backlog; /* bytes that wait to be sent */
    int64_t generation;
};

/* What one loop has said. */
struct rtn_survey_answer {
    char server[33];
    const struct rtn_server *of; /* the same, to compare with: it may be gone */
    unsigned loop;
    bool heard; /* else it has said nothing in time */
    unsigned accepted; /* connections, as the next two */
    unsigned outgoing;
    struct rtn_survey_row *rows;
    size_t row_count; /* as many as were asked for, or as there are */
};

/* Valid during the call. In the order of the servers that were asked, and of their loops. */
typedef void (*rtn_survey_done)(const struct rtn_survey_answer *answers, size_t count, void *data);

/*
 * Asks every loop of the servers, for up to `most` of its connections. `done` comes once, never before this returns:
 * when all have answered, or after `ms`. A loop that owes the answer to an earlier question is not asked. 0 or -ENOMEM.
 */
int rtn_server_survey(struct rtn_server *const *servers, size_t count, unsigned most, struct ev_loop *ev, int64_t ms,
                      rtn_survey_done done, void *data);

#endif
