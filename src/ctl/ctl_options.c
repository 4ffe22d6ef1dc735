/* Options may stand anywhere behind the command, or before it. An option that the command does not take is an error. */
#include "ctl/ctl_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"

#define DEFAULT_SOCKET "/run/retinue/control.sock"
/* The bounds of the daemon, which knows what they are for by other names. */
#define LONGEST_FOR_MS (INT64_C(7) * 24 * 3600 * 1000)
#define MOST_LISTED 100000

#define NEAR 2 /* letters that a misspelled command may be wrong in */

enum { FOR = 256, DRY_RUN, NAMES, LIMIT, INTERVAL, ONCE };

/* Which options a command takes beside those that all do. */
enum {
    TAKES_FOR = 1,
    TAKES_DRY_RUN = 2,
    TAKES_NAMES = 4,
    TAKES_LIMIT = 8,
    TAKES_ROUNDS = 16,
};

static const struct command {
    const char *name;
    const char *arguments;
    const char *summary;
    int least;
    int most;
    unsigned takes;
    int (*run)(const struct rtn_ctl *ctl);
    const char *help;
} commands[] = {
    { "status", "", "how the daemon is", 0, 0, 0, rtn_ctl_status,
      "Shows version, time it runs, generation, servers, memory, and handlers that are\nstuck.\n" },
    { "servers", "[--names]", "servers, and how busy they are", 0, 0, TAKES_NAMES, rtn_ctl_servers,
      "CONN: connections; BUSY: workers in a handler, of so many, and those that are stuck\n"
      "and replaced; QUEUE: tasks that wait for one; HUB: messages that wait; GEN: the\n"
      "generation of its configuration.\n\n"
      "  --names     only the names, one a line\n" },
    { "routes", "[SERVER]", "what answers which requests", 0, 1, 0, rtn_ctl_routes,
      "Of all servers, or of one, in the order of the configuration.\n" },
    { "modules", "", "loaded modules, and where they are used", 0, 0, 0, rtn_ctl_modules,
      "A line for each instance. API: the level that it was compiled at; GEN: the generation\nthat made it.\n" },
    { "connections", "[SERVER] [--limit N]", "who is connected", 0, 1, TAKES_LIMIT, rtn_ctl_connections,
      "Of all servers, or of one. REQ: requests so far; WAITS: bytes that wait to be sent;\n\"-\": a worker has the "
      "connection, and nothing is known now.\n\n  --limit N   at most so many of each loop; 1000\n" },
    { "messages", "", "types of messages between servers", 0, 0, 0, rtn_ctl_messages,
      "Who sends them to whom, how many were sent and refused, and how many wait in the\nqueue of the server that "
      "handles them.\n" },
    { "log-level", "[SERVER] LEVEL [--for 10m]", "change a log level", 1, 2, TAKES_FOR, rtn_ctl_log_level,
      "Of a server, or of the daemon itself: trace, debug, info, notice, warn, error, fatal\nor none. It stays until "
      "it "
      "is changed, or the configuration is loaded again.\n\n  --for TIME  until so much time has passed: 30s, 10m, "
      "1h\n" },
    { "reload", "[--dry-run]", "load the configuration again", 0, 0, TAKES_DRY_RUN, rtn_ctl_reload,
      "Prints what has changed. When something is wrong, everything stays as it is, and\nthe status is 1.\n\n"
      "  --dry-run   check it, and print what would change\n" },
    { "stop", "SERVER", "stop one server", 1, 1, 0, rtn_ctl_stop,
      "It accepts no more, finishes what runs, and ends. The daemon ends with the last one.\n" },
    { "drain", "", "stop the daemon", 0, 0, 0, rtn_ctl_drain, "As SIGTERM does: what runs is finished first.\n" },
    { "top", "[--once | -n ROUNDS] [--interval 2s]", "watch it live", 0, 0, TAKES_ROUNDS, rtn_ctl_top,
      "Rates and times are those since the last round. Keys: q ends, p pauses, s sorts by\nthe next column, up and "
      "down "
      "move through the routes.\n\n  --once      one round, as plain text\n  -n ROUNDS   so many rounds, as plain "
      "text\n  --interval  between two rounds; 2s\n" },
};

static const struct {
    int option;
    unsigned takes;
    const char *name;
} own_options[] = {
    { FOR, TAKES_FOR, "--for" },       { DRY_RUN, TAKES_DRY_RUN, "--dry-run" },  { NAMES, TAKES_NAMES, "--names" },
    { LIMIT, TAKES_LIMIT, "--limit" }, { INTERVAL, TAKES_ROUNDS, "--interval" }, { ONCE, TAKES_ROUNDS, "--once" },
    { 'n', TAKES_ROUNDS, "-n" },
};

/* Help */

static void print_help(void)
{
    printf("usage: retinuectl COMMAND [ARGUMENTS] [OPTIONS]\n\nTalks to a running retinued.\n\n");
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(commands); i++)
        printf("  %-13s%s\n", commands[i].name, commands[i].summary);
    printf("\n  -s, --socket PATH  the control socket; $RETINUE_CONTROL, else\n"
           "                     %s\n"
           "  -j, --json         the answer as it is\n"
           "  -h, --help         this; behind a command, about that\n"
           "  -V, --version      which version this is\n",
           DEFAULT_SOCKET);
}

static void print_command(const struct command *command)
{
    printf(
        "usage: retinuectl %s%s%s [OPTIONS]\n\n%s\nSee retinuectl(8), and retinuectl --help for the other options.\n",
        command->name, command->arguments[0] != '\0' ? " " : "", command->arguments, command->help);
}

/* Errors */

static int fail(const char *format, ...) RTN_PRINTF(1, 2);

static int fail(const char *format, ...)
{
    va_list arguments;
    fputs("retinuectl: ", stderr);
    va_start(arguments, format);
    (void) vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputs("; retinuectl --help shows what there is\n", stderr);
    return -EINVAL;
}

static int fail_unknown(const char *name)
{
    const char *near = NULL;
    unsigned nearest = NEAR + 1;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(commands); i++) {
        unsigned distance = rtn_str_distance(rtn_str_of(name), rtn_str_of(commands[i].name), NEAR);
        if (distance < nearest) {
            nearest = distance;
            near = commands[i].name;
        }
    }
    if (near != NULL)
        return fail("unknown command \"%s\"; did you mean \"%s\"?", name, near);
    return fail("unknown command \"%s\"", name);
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

/* Reading */

struct reading {
    struct rtn_ctl *ctl;
    bool help;
    bool version;
    unsigned taken; /* options of commands */
    const char *last; /* the name of one of them */
};

static int read_for(struct rtn_ctl *ctl, const char *text)
{
    int64_t ms;
    if (rtn_parse_duration(rtn_str_of(text), &ms) < 0 || ms < 1 || ms > LONGEST_FOR_MS)
        return fail("--for must be a time from 1ms to 7d, such as 10m, not \"%s\"", text);
    ctl->duration = text;
    return 0;
}

static int read_limit(struct rtn_ctl *ctl, const char *text)
{
    int64_t number;
    if (rtn_parse_int(rtn_str_of(text), &number) < 0 || number < 0 || number > MOST_LISTED)
        return fail("--limit must be a number from 0 to %d, not \"%s\"", MOST_LISTED, text);
    ctl->limit = text;
    return 0;
}

static int read_interval(struct rtn_ctl *ctl, const char *text)
{
    if (rtn_parse_duration(rtn_str_of(text), &ctl->interval_ms) < 0 || ctl->interval_ms < 100 ||
        ctl->interval_ms > 3600000)
        return fail("--interval must be a time from 100ms to 1h, not \"%s\"", text);
    return 0;
}

static int read_rounds(struct rtn_ctl *ctl, const char *text)
{
    if (rtn_parse_int(rtn_str_of(text), &ctl->rounds) < 0 || ctl->rounds < 1)
        return fail("-n must be a number from 1 on, not \"%s\"", text);
    return 0;
}

static void note_own(struct reading *reading, int option)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(own_options); i++) {
        if (own_options[i].option != option)
            continue;
        reading->taken |= own_options[i].takes;
        reading->last = own_options[i].name;
    }
}

static int read_option(struct reading *reading, int option)
{
    struct rtn_ctl *ctl = reading->ctl;
    note_own(reading, option);
    switch (option) {
    case 's':
        ctl->socket = optarg;
        return 0;
    case 'j':
        ctl->json = true;
        return 0;
    case 'h':
        reading->help = true;
        return 0;
    case 'V':
        reading->version = true;
        return 0;
    case FOR:
        return read_for(ctl, optarg);
    case DRY_RUN:
        ctl->dry_run = true;
        return 0;
    case NAMES:
        ctl->names = true;
        return 0;
    case LIMIT:
        return read_limit(ctl, optarg);
    case INTERVAL:
        return read_interval(ctl, optarg);
    case ONCE:
        ctl->rounds = 1;
        return 0;
    case 'n':
        return read_rounds(ctl, optarg);
    default:
        fputs("retinuectl --help shows what there is\n", stderr); /* getopt has said what is wrong */
        return -EINVAL;
    }
}

static int read_options(int argc, char **argv, struct reading *reading)
{
    static const struct option options[] = {
        { "socket", required_argument, NULL, 's' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { "for", required_argument, NULL, FOR },
        { "dry-run", no_argument, NULL, DRY_RUN },
        { "names", no_argument, NULL, NAMES },
        { "limit", required_argument, NULL, LIMIT },
        { "once", no_argument, NULL, ONCE },
        { "interval", required_argument, NULL, INTERVAL },
        { NULL, 0, NULL, 0 },
    };
    for (int option; (option = getopt_long(argc, argv, "s:jhVn:", options, NULL)) != -1;) {
        int r = read_option(reading, option);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check(const struct command *command, const struct reading *reading, int count)
{
    if ((reading->taken & ~command->takes) != 0)
        return fail("%s takes no %s", command->name, reading->last);
    if (count < command->least)
        return fail("%s needs %s", command->name, command->arguments);
    if (count > command->most)
        return fail("%s takes %s", command->name, command->most == 0 ? "no arguments" : command->arguments);
    return 0;
}

int rtn_ctl_options(int argc, char **argv, struct rtn_ctl *ret, int (**run)(const struct rtn_ctl *ctl))
{
    const char *socket = getenv("RETINUE_CONTROL");
    struct rtn_ctl ctl = { .socket = socket != NULL && socket[0] != '\0' ? socket : DEFAULT_SOCKET,
                           .interval_ms = 2000 };
    struct reading reading = { .ctl = &ctl };
    int r = read_options(argc, argv, &reading);
    if (r < 0)
        return r;
    if (reading.version) {
        puts("retinuectl " RTN_VERSION);
        return 1;
    }
    int count = argc - optind;
    const struct command *command = count > 0 ? find(argv[optind]) : NULL;
    if (count > 0 && command == NULL)
        return fail_unknown(argv[optind]);
    if (reading.help) {
        command != NULL ? print_command(command) : print_help();
        return 1;
    }
    if (command == NULL)
        return fail("say what is to be done");
    r = check(command, &reading, count - 1);
    if (r < 0)
        return r;
    for (int i = 0; i < count - 1; i++)
        ctl.arguments[i] = argv[optind + 1 + i];
    *ret = ctl;
    *run = command->run;
    return 0;
}
