/*
 * What the files of server_swap.h share: server_round.c (has every loop do something), server_retire.c (the end of
 * instances), server_swap.c (from one program to the next). [main] unless a function says otherwise
 */
#ifndef RTN_SERVER_SERVER_SWAP_INTERNAL_H
#define RTN_SERVER_SERVER_SWAP_INTERNAL_H

#include "server/cast.h"
#include "server/server_loop.h"
#include "server/server_swap.h"

/* Where prepare, discard or commit is. */
enum rtn_swap_step {
    RTN_SWAP_NOTHING, /* no program is on its way */
    RTN_SWAP_START, /* the start hooks of new instances are to run */
    RTN_SWAP_REFUSED, /* memory was out before */
    RTN_SWAP_ENTER, /* threads are to start them */
    RTN_SWAP_PREPARED, /* or as far as it came: it is the caller's turn */
    RTN_SWAP_UNDO, /* waits for the end of the new instances */
    RTN_SWAP_COMMIT, /* loops are to put the program in force */
    RTN_SWAP_QUIESCE, /* those that are not in it are told */
};

struct rtn_swap {
    struct rtn_server *server; /* NULL: it has ended */
    struct rtn_cast cast;

    /* One round at a time. */
    bool in_round;
    int64_t round_since_ms;
    atomic_uint loops_left; /* that have not done their part */
    atomic_uint loops_away; /* of them, those that have not come to it */
    atomic_int failure; /* what one of them said; 0: none */
    int (*part)(struct rtn_server_loop *loop); /* [loop] */
    void (*then)(struct rtn_swap *swap);
    atomic_bool told; /* `look` is on its way */
    struct rtn_mail look;

    enum rtn_swap_step step;
    bool ending; /* the server is: nothing goes on */
    bool ended; /* and its threads have */
    bool enter_failed; /* a thread has refused to start new instances: they leave before others do */
    bool loops_left_them; /* every loop has stopped those that are leaving */
    struct rtn_program *program; /* that is on its way */
    int result; /* of RTN_SWAP_REFUSED */
    rtn_server_swap_done done;
    void *data;
};

/* server_round.c */

/*
 * Every loop, or loop 0 alone, does its part between two iterations' callbacks; `then` follows when all have. Not while
 * another round is under way.
 */
void rtn_swap_begin_round(struct rtn_swap *swap, bool all, int (*part)(struct rtn_server_loop *loop),
                          void (*then)(struct rtn_swap *swap));

/* Main is to look what can go on. [any] */
void rtn_swap_tell(struct rtn_swap *swap);

/* The mail that does it. */
void rtn_swap_on_look(struct rtn_mail *mail);

/* server_swap.c: what can go on does, if no round is under way. */
void rtn_swap_go_on(struct rtn_swap *swap);

/* All threads have ended: whoever waits is told, and instances and programs are let go. */
void rtn_swap_give_up(struct rtn_swap *swap);

/* server_retire.c */

/* Nothing refers to the instance any more; the callbacks of the keeper. */
void rtn_swap_on_unused(struct rtn_instance *instance);
void rtn_swap_on_idle(struct rtn_instance *instance);

/* The instances that only this program has come to their end, though it refers to them. */
void rtn_swap_doom(struct rtn_swap *swap, const struct rtn_program *program);

/* One of them is still there. */
bool rtn_swap_has_any(const struct rtn_swap *swap, const struct rtn_program *program);

/* Goes on with those whose end has begun, if no round is under way. */
void rtn_swap_retire(struct rtn_swap *swap);

/* All threads have ended: lets go of all instances, and frees those that nothing refers to. */
void rtn_swap_let_go(struct rtn_swap *swap);

#endif
