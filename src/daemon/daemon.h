/*
 * The life of the process once the command line is read. [main]
 */
#ifndef RTN_DAEMON_DAEMON_H
#define RTN_DAEMON_DAEMON_H

/* Exit statuses. */
#define RTN_EXIT_OK 0
#define RTN_EXIT_FAILURE 1 /* the configuration is wrong, or something could not be started */
#define RTN_EXIT_USAGE 2

/* Loads, checks, starts, runs until told to stop, stops. Returns the exit status. */
int rtn_daemon_run(const char *config_path);

/* Everything that run does before the first thread and without binding for good: -n. */
int rtn_daemon_check(const char *config_path);

/* Prints the values in effect, and who sends messages to whom: --dump-config. */
int rtn_daemon_dump(const char *config_path);

#endif
