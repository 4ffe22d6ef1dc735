/*
 * A program as one loop sees it: what struct rtn_http1 has in force, and the way back to the program. Made by [main],
 * then the loop's until nobody uses it any more; freed by [main]
 */
#ifndef RTN_SERVER_SERVER_TERMS_H
#define RTN_SERVER_SERVER_TERMS_H

#include "server/server_loop.h"

struct rtn_server_terms {
    struct rtn_terms terms;
    struct rtn_routing routing; /* of the terms */
    struct rtn_program *program;
    struct rtn_server *server; /* NULL: it has ended, and the mail is all that is left; [main] */
    struct rtn_list node; /* of all of the server; [main] */
    bool unused; /* the mail is on its way */
    struct rtn_mail mail; /* to main */
};

/* Of loops of the server; the program must outlive it. NULL: memory is out. [main] */
struct rtn_server_terms *rtn_server_terms_new(struct rtn_server *server, struct rtn_program *program);

/* They are to be put in force: the program is in use. [main] */
void rtn_server_terms_enlist(struct rtn_server_terms *terms);

/* No loop uses them any more. A program that nobody uses, and that is not in force, goes as well. [main] */
void rtn_server_terms_free(struct rtn_server_terms *terms);

/* The loops have ended: all that are enlisted go. [main] */
void rtn_server_terms_end(struct rtn_server *server);

/* terms_unused of struct rtn_http1_handler. [loop] */
void rtn_server_terms_unused(struct rtn_http1 *http, struct rtn_terms *terms);

/* move and move_client of it: instances that live on take what they have with them. [loop] */
const void *rtn_server_terms_move(struct rtn_connection *connection, const struct rtn_terms *terms);
const struct rtn_ws_policy *rtn_server_terms_move_client(struct rtn_ws_client *client, const struct rtn_terms *terms);

/* is_outdated of it: something on the connection is of an instance that the program in force has not. [loop] */
bool rtn_server_terms_is_outdated(const struct rtn_connection *connection);

/* The program that the loop has in force. [loop] */
const struct rtn_program *rtn_server_terms_program(const struct rtn_server_loop *loop);

#endif
