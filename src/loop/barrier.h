/*
 * A fence of two threads that is cheap on one side and dear on the other: each stores, then passes its side, then loads
 * what the other stores. At least one of them sees the other's store. [any]
 *
 * The kernel makes the running threads of the process pass a fence for the dear side. Where it does not do that, the
 * cheap side is a fence of its own.
 */
#ifndef RTN_LOOP_BARRIER_H
#define RTN_LOOP_BARRIER_H

#include <stdatomic.h>
#include <stdbool.h>

/* Decided once, before there are threads. */
void rtn_barrier_init(void);

extern bool rtn_barrier_is_kernels;

void rtn_barrier_fence(void);

static inline void rtn_barrier_cheap(void)
{
    if (__builtin_expect(rtn_barrier_is_kernels, 1))
        atomic_signal_fence(memory_order_seq_cst);
    else
        rtn_barrier_fence();
}

void rtn_barrier_dear(void);

#endif
