/*
 * One buffer per thread that has asked, freed with the thread. Not a thread-local array: that would cost every thread
 * of every module its size in stack.
 */
#include "app/prefetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int key_result;

static void make_key(void)
{
    key_result = pthread_key_create(&key, free);
}

static void *buffer(void)
{
    if (pthread_once(&once, make_key) != 0 || key_result != 0)
        return NULL;
    void *memory = pthread_getspecific(key);
    if (memory != NULL)
        return memory;
    memory = malloc(RTN_PREFETCH_MOST);
    if (memory != NULL && pthread_setspecific(key, memory) != 0) {
        free(memory);
        return NULL;
    }
    return memory;
}

const void *rtn_prefetch(int fd, int64_t offset, size_t length)
{
    if (length == 0 || length > RTN_PREFETCH_MOST)
        return NULL;
    struct iovec vector = { .iov_base = buffer(), .iov_len = length };
    if (vector.iov_base == NULL)
        return NULL;
    ssize_t n = preadv2(fd, &vector, 1, offset, RWF_NOWAIT);
    return n >= 0 && (size_t) n == length ? vector.iov_base : NULL;
}
