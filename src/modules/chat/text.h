/* Text of others, made fit to be shown on a terminal. Pure. [any] */
#ifndef CHAT_TEXT_H
#define CHAT_TEXT_H

#include <stddef.h>
#include <stdint.h>

/*
 * The character at *text, which is left behind it; *left bytes are there, at least one. What is no UTF-8 counts as
 * U+FFFD, byte by byte.
 */
uint32_t text_next(const char **text, size_t *left);

/*
 * A copy in one line of valid UTF-8: ends of lines are spaces, and what terminals would obey or readers would be misled
 * by is U+FFFD. To be freed; NULL when memory is out.
 */
char *text_clean(const char *text, size_t length);

#endif
