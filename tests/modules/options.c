/* An option of every kind; answers with their values. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <retinue/module.h>

static const char *const colours[] = { "red", "green", "blue", NULL };

struct options {
    bool flag;
    int64_t number;
    int64_t below;
    int64_t size;
    int64_t duration;
    const char *string;
    const char *empty;
    const char *path;
    int choice;
    struct rtn_strings strings;
    struct rtn_strings one;
};

static int configure(void *instance, rtn_setup *setup)
{
    const struct options *self = instance;
    if (self->number == 13 && self->choice == 0)
        return rtn_setup_error(setup, "number", "13 is not allowed together with %s", colours[0]);
    if (self->number == 14 && !rtn_setup_given(setup, "colour"))
        return rtn_setup_error(setup, "colour", "14 needs one");
    return 0;
}

static const char *text(const char *value)
{
    return value != NULL ? value : "(none)";
}

static int handle(rtn_request *request, void *instance)
{
    const struct options *self = instance;
    char strings[1024] = "";
    for (size_t i = 0; i < self->strings.count; i++) {
        size_t used = strlen(strings);
        (void) snprintf(strings + used, sizeof(strings) - used, "[%s]", self->strings.items[i]);
    }
    return rtn_reply_format(request, 200,
                            "flag=%s\nnumber=%" PRId64 "\nbelow=%" PRId64 "\nsize=%" PRId64 "\nduration=%" PRId64 "\n"
                            "string=%s\nempty=%s\npath=%s\ncolour=%s\nstrings=%s\none=%s\n",
                            self->flag ? "true" : "false", self->number, self->below, self->size, self->duration,
                            text(self->string), text(self->empty), text(self->path), colours[self->choice], strings,
                            self->one.count > 0 ? self->one.items[0] : "(none)");
}

static const struct rtn_option rows[] = {
    RTN_OPTION(BOOL, struct options, flag, .name = "flag", .help = "A flag."),
    RTN_OPTION(INT, struct options, number, .name = "number", .fallback = "7", .min = -5, .max = 100,
               .help = "A number."),
    RTN_OPTION(INT, struct options, below, .name = "below", .min = -10, .max = 0, .help = "Not above zero."),
    RTN_OPTION(SIZE, struct options, size, .name = "size", .fallback = "4KiB", .min = 1, .max = 1 << 20,
               .help = "A size."),
    RTN_OPTION(DURATION, struct options, duration, .name = "duration", .fallback = "1500ms", .help = "A duration."),
    RTN_OPTION(STRING, struct options, string, .name = "string", .required = true, .help = "A text that is needed."),
    RTN_OPTION(STRING, struct options, empty, .name = "empty", .fallback = "", .help = "A text, empty unless given."),
    RTN_OPTION(PATH, struct options, path, .name = "path", .help = "A path."),
    RTN_OPTION(CHOICE, struct options, choice, .name = "colour", .fallback = "green", .choices = colours,
               .help = "A choice."),
    RTN_OPTION(STRINGS, struct options, strings, .name = "strings", .min = 1, .max = 3, .help = "One to three texts."),
    RTN_OPTION(STRINGS, struct options, one, .name = "one", .fallback = "single", .help = "Texts, one by default."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "options", .handle = handle },
    { 0 },
};

static const struct rtn_module module = {
    .name = "options",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct options),
    .options = rows,
    .http = http_handlers,
    .configure = configure,
};
RTN_REGISTER_MODULE(module)
