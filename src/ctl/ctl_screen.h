/*
 * The terminal while `top` has it: the other screen, keys one by one, its size. [main] There is one.
 */
#ifndef RTN_CTL_CTL_SCREEN_H
#define RTN_CTL_CTL_SCREEN_H

#include "base/buf.h"

enum rtn_ctl_key {
    RTN_CTL_KEY_NONE, /* the time has passed */
    RTN_CTL_KEY_RESIZED,
    RTN_CTL_KEY_END, /* a signal, or the terminal has gone */
    RTN_CTL_KEY_UP,
    RTN_CTL_KEY_DOWN,
    RTN_CTL_KEY_LEFT,
    RTN_CTL_KEY_RIGHT,
    RTN_CTL_KEY_OTHER = 256 /* plus the character */
};

/* 0 or -errno: standard input or output is no terminal. */
int rtn_ctl_screen_open(void);

/* As it was before. */
void rtn_ctl_screen_close(void);

/* Columns and lines. */
void rtn_ctl_screen_size(unsigned *width, unsigned *height);

/* Shows lines, all at once. */
void rtn_ctl_screen_show(const struct rtn_buf *lines);

/* Waits up to `ms` for a key. */
int rtn_ctl_screen_key(int64_t ms);

#endif
