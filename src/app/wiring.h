/*
 * Who sends which messages to whom: made from what the modules of all instances declare, and checked before anything
 * runs. [main]
 *
 * A wiring is made beside the one in force. What was added and checked changes nothing for who sends and receives: only
 * rtn_wiring_commit() does, all at once. Life: new, add (every instance of every server), check, then for a change of
 * what runs: prepare (before start hooks), commit (with the programs); then the wiring before is freed, and after that
 * what it was made of. One that does not come into force is freed before its instances are.
 */
#ifndef RTN_APP_WIRING_H
#define RTN_APP_WIRING_H

#include "app/instance.h"
#include "base/json.h"
#include "hub/hub.h"

struct rtn_wiring;

/* An instance that takes part, and where the configuration says so. */
struct rtn_wiring_party {
    struct rtn_instance *instance;
    const struct rtn_config_server *server;
    const struct rtn_node *node; /* its row; not always the one that it was made of */
};

int rtn_wiring_new(struct rtn_hub *hub, struct rtn_wiring **ret);

/* What rtn_wiring_prepare() did is undone, unless it was committed. Accepts NULL. */
void rtn_wiring_free(struct rtn_wiring *wiring);

/*
 * Adds what an instance of the server of `port` handles and sends, and writes into the types of its module what they
 * are wired to, when the module is new. Adds errors, with both places: a type that has an owner already, or other sizes
 * elsewhere.
 */
void rtn_wiring_add(struct rtn_wiring *wiring, const struct rtn_wiring_party *party, struct rtn_hub_port *port,
                    struct rtn_diags *diags);

/* When all were added: adds an error for each type that is sent and that nobody handles. */
void rtn_wiring_check(const struct rtn_wiring *wiring, struct rtn_diags *diags);

/* Types that nobody owns so far can be sent, so that start hooks may do it: nobody who runs already has them. */
void rtn_wiring_prepare(struct rtn_wiring *wiring);

/* From now on each type goes where this wiring says; of those that it does not have nothing is taken any more. */
void rtn_wiring_commit(struct rtn_wiring *wiring);

/* How many types there are. */
size_t rtn_wiring_count(const struct rtn_wiring *wiring);

/* A line for each type, each behind `prefix`: 'message job (40 bytes, answer 16 bytes): web, shop -> jobs'. */
void rtn_wiring_print(const struct rtn_wiring *wiring, const char *prefix, struct rtn_buf *out);

/* An array with an object for each type: its name, sizes, senders, the server that handles it, how many wait there. */
void rtn_wiring_json(const struct rtn_wiring *wiring, struct rtn_json *json);

#endif
