/* A reason for the linker to keep the stubs, which nothing but modules needs. */
#ifndef RTN_TESTS_APP_PUBLIC_STUBS_H
#define RTN_TESTS_APP_PUBLIC_STUBS_H

#include <stdbool.h>

/* Always true. */
__attribute__((visibility("default"))) bool public_stubs_are_here(void);

#endif
