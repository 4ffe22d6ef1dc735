/* The conversation of the terminal client. [any] */
#ifndef CHAT_TALK_H
#define CHAT_TALK_H

/*
 * Sends the lines of standard input under that name, and prints what comes, until one of both ends. The exit status;
 * what went wrong was said on standard error.
 */
int talk(int fd, const char *name);

#endif
