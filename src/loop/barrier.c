/* membarrier(2), by number: the C library has no function for it. */
#include "loop/barrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

bool rtn_barrier_is_kernels;

void rtn_barrier_init(void)
{
    rtn_barrier_is_kernels = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0U, 0) == 0;
}

/* Not atomic_thread_fence(), which the thread sanitizer does not know. */
void rtn_barrier_fence(void)
{
    __sync_synchronize();
}

void rtn_barrier_dear(void)
{
    if (rtn_barrier_is_kernels)
        (void) syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0U, 0);
    else
        rtn_barrier_fence();
}
