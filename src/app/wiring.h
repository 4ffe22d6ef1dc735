/*
 * Who sends which messages to whom: made from what the modules of all instances declare, and checked before anything
 * runs. [main]
 */
#ifndef RTN_APP_WIRING_H
#define RTN_APP_WIRING_H

#include "app/instance.h"
#include "hub/hub.h"

struct rtn_wiring;

int rtn_wiring_new(struct rtn_hub *hub, struct rtn_wiring **ret);

/* The types of its hub lose their receivers. Accepts NULL. */
void rtn_wiring_free(struct rtn_wiring *wiring);

/*
 * Adds what an instance of the server of `port` handles and sends, and writes into the types of its module what they
 * are wired to. Adds errors, with both places: a type that has an owner already, or other sizes elsewhere.
 */
void rtn_wiring_add(struct rtn_wiring *wiring, struct rtn_instance *instance, struct rtn_hub_port *port,
                    struct rtn_diags *diags);

/* When all were added: adds an error for each type that is sent and that nobody handles. */
void rtn_wiring_check(const struct rtn_wiring *wiring, struct rtn_diags *diags);

/* How many types there are. */
size_t rtn_wiring_count(const struct rtn_wiring *wiring);

/* A line for each type, each behind `prefix`: 'message job (40 bytes, answer 16 bytes): web, shop -> jobs'. */
void rtn_wiring_print(const struct rtn_wiring *wiring, const char *prefix, struct rtn_buf *out);

#endif
