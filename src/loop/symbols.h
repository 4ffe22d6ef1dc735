/* Names of functions that a file does not export, from its symbol table: absent when the file was stripped. [main] */
#ifndef RTN_LOOP_SYMBOLS_H
#define RTN_LOOP_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

struct rtn_symbol {
    char name[128];
    uintptr_t offset; /* of the address, in the function */
};

/* The function at `address`, counted from where the file begins in memory. */
bool rtn_symbol_find(const char *file, uintptr_t address, struct rtn_symbol *ret);

#endif
