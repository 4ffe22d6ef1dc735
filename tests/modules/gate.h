/* A gate that handlers wait at: a test opens it by making a file, when it has done what was to happen meanwhile. */
#ifndef RTN_TESTS_GATE_H
#define RTN_TESTS_GATE_H

#include <time.h>
#include <unistd.h>

static inline void gate_pass(const char *path)
{
    while (access(path, F_OK) != 0)
        (void) nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

#endif
