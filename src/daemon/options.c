/* The command line: one table makes parsing and --help. */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>

#include "base/macros.h"

#define NO_SHORT 256 /* plus the command: getopt values of long-only options */

static const struct option_row {
    const char *name;
    const char *argument; /* its name; NULL: takes none */
    const char *help;
    enum rtn_command command;
    char letter; /* NUL: none */
} rows[] = {
    { "config", "FILE", "read FILE; default " RTN_CONFIG_FILE, RTN_COMMAND_RUN, 'c' },
    { "check", NULL, "check the configuration, load its modules, start nothing", RTN_COMMAND_CHECK, 'n' },
    { "dump-config", NULL, "print every value in effect and where it comes from", RTN_COMMAND_DUMP_CONFIG, '\0' },
    { "schema", NULL, "print a JSON Schema of the configuration, for editors", RTN_COMMAND_SCHEMA, '\0' },
    { "explain", "KEY", "say what a key means: threads, limits.body ...", RTN_COMMAND_EXPLAIN, '\0' },
    { "modinfo", "MODULE", "show a module's handlers and options; a name or a path", RTN_COMMAND_MODINFO, '\0' },
    { "version", NULL, "print the version", RTN_COMMAND_VERSION, '\0' },
    { "help", NULL, "print this", RTN_COMMAND_HELP, 'h' },
};

void rtn_options_help(FILE *out)
{
    fputs("Usage: retinued [-c FILE] [-n | --dump-config | --schema | --explain KEY | --modinfo MODULE]\n"
          "Runs the named servers of a YAML file, with handlers from loadable modules.\n\n",
          out);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        char left[64];
        snprintf(left, sizeof(left), "%c%c%c --%s %s", rows[i].letter != '\0' ? '-' : ' ',
                 rows[i].letter != '\0' ? rows[i].letter : ' ', rows[i].letter != '\0' ? ',' : ' ', rows[i].name,
                 rows[i].argument != NULL ? rows[i].argument : "");
        fprintf(out, "  %-24s %s\n", left, rows[i].help);
    }
    fputs("\nManuals: retinued(8), retinued.yaml(5), retinue-module(3)\n", out);
}

static int take(const struct option_row *row, struct rtn_options *options)
{
    if (row->letter == 'c') {
        options->config = optarg;
        return 0;
    }
    if (options->command != RTN_COMMAND_RUN && options->command != row->command) {
        fprintf(stderr, "retinued: --%s cannot be combined with another command\n", row->name);
        return -EINVAL;
    }
    options->command = row->command;
    if (row->argument != NULL)
        options->argument = optarg;
    return 0;
}

static const struct option_row *row_of(int value)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        if (value == rows[i].letter || value == NO_SHORT + (int) i)
            return &rows[i];
    }
    return NULL;
}

int rtn_options_parse(int argc, char **argv, struct rtn_options *ret)
{
    struct option long_options[RTN_ARRAY_LENGTH(rows) + 1] = { 0 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        long_options[i] = (struct option){ .name = rows[i].name,
                                           .has_arg = rows[i].argument != NULL ? required_argument : no_argument,
                                           .val = NO_SHORT + (int) i };
    }
    struct rtn_options options = { 0 };
    int value;
    while ((value = getopt_long(argc, argv, "c:nh", long_options, NULL)) != -1) {
        const struct option_row *row = row_of(value);
        if (row == NULL) {
            fputs("retinued: try retinued --help\n", stderr);
            return -EINVAL;
        }
        if (take(row, &options) < 0)
            return -EINVAL;
    }
    if (optind < argc) {
        fprintf(stderr, "retinued: unexpected argument \"%s\"; the configuration is named by -c\n", argv[optind]);
        return -EINVAL;
    }
    *ret = options;
    return 0;
}
