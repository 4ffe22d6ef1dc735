/*
 * Prints a module for people: what it is, what its handlers do, which messages it takes and sends, and which options a
 * route may give it. Columns are as wide as the longest name in them.
 */
#include "app/module.h"
#include "app/module_text.h"
#include "app/options.h"
#include "base/method.h"

static int widest(int width, const char *text)
{
    return RTN_MAX(width, (int) strlen(text));
}

/* In double quotes, control characters as in C. */
static void print_quoted(const char *text, struct rtn_buf *out)
{
    static const char letters[] = { ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\' };
    rtn_buf_append_char(out, '"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char) *text;
        if (c < sizeof(letters) && letters[c] != '\0')
            rtn_buf_printf(out, "\\%c", letters[c]);
        else if (c < 0x20 || c == 0x7f)
            rtn_buf_printf(out, "\\x%02x", c);
        else
            rtn_buf_append_char(out, *text);
    }
    rtn_buf_append_char(out, '"');
}

static void print_head(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    const struct rtn_module *module = &loaded->module;
    rtn_buf_append_text(out, module->name);
    if (module->version != NULL)
        rtn_buf_printf(out, " %s", module->version);
    if (module->summary != NULL)
        rtn_buf_printf(out, " - %s", module->summary);
    rtn_buf_printf(out, "\n\n  file       %s\n", loaded->path);
    rtn_buf_printf(out, "  API level  %u (compiler %s)\n", (unsigned) loaded->api_level, loaded->built_with);
    rtn_buf_printf(out, "  threads    %s: %s\n", rtn_threads_name(module->threads),
                   rtn_threads_meaning(module->threads));
}

/* The name, the summary when there is one, and the thread model on the line of what follows. */
static void print_row(const struct rtn_loaded *loaded, const char *name, const char *summary, enum rtn_threads threads,
                      int width, struct rtn_buf *out)
{
    bool has_summary = summary != NULL && summary[0] != '\0';
    rtn_buf_printf(out, "  %-*s  %s%s", width, name, has_summary ? summary : "", has_summary ? "\n" : "");
    if (has_summary)
        rtn_buf_printf(out, "  %*s  ", width, "");
    rtn_buf_printf(out, "threads: %s", rtn_threads_name(threads != 0 ? threads : loaded->module.threads));
}

static void print_http(const struct rtn_loaded *loaded, const struct rtn_http_handler *handler, int width,
                       struct rtn_buf *out)
{
    print_row(loaded, handler->name, handler->summary, handler->threads, width, out);
    rtn_buf_append_text(out, ", methods: ");
    if (handler->methods == 0)
        rtn_buf_append_text(out, "all but OPTIONS");
    else if ((handler->methods & RTN_METHOD_ALL) == RTN_METHOD_ALL)
        rtn_buf_append_text(out, "all");
    else
        rtn_method_list(handler->methods, out);
    rtn_buf_append_char(out, '\n');
}

static void print_http_handlers(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    int width = 0;
    for (size_t i = 0; i < loaded->http_count; i++)
        width = widest(width, loaded->http[i].name);
    if (loaded->http_count > 0)
        rtn_buf_append_text(out, "\nhandlers\n");
    for (size_t i = 0; i < loaded->http_count; i++)
        print_http(loaded, &loaded->http[i], width, out);
}

struct callback {
    const char *name;
    bool there;
};

static void print_callbacks(const struct callback *callbacks, size_t count, struct rtn_buf *out)
{
    const char *before = ", callbacks: ";
    for (size_t i = 0; i < count; i++) {
        if (!callbacks[i].there)
            continue;
        rtn_buf_printf(out, "%s%s", before, callbacks[i].name);
        before = ", ";
    }
}

static void print_ws(const struct rtn_loaded *loaded, const struct rtn_ws_handler *handler, int width,
                     struct rtn_buf *out)
{
    const struct callback callbacks[] = {
        { "upgrade", handler->upgrade != NULL }, { "open", handler->open != NULL },
        { "message", handler->message != NULL }, { "fragment", handler->fragment != NULL },
        { "drain", handler->drain != NULL },     { "close", handler->close != NULL },
    };
    print_row(loaded, handler->name, handler->summary, handler->threads, width, out);
    print_callbacks(callbacks, RTN_ARRAY_LENGTH(callbacks), out);
    for (size_t i = 0; handler->protocols != NULL && handler->protocols[i] != NULL; i++)
        rtn_buf_printf(out, "%s%s", i == 0 ? ", subprotocols: " : ", ", handler->protocols[i]);
    rtn_buf_append_char(out, '\n');
}

static void print_ws_handlers(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    int width = 0;
    for (size_t i = 0; i < loaded->ws_count; i++)
        width = widest(width, loaded->ws[i].name);
    if (loaded->ws_count > 0)
        rtn_buf_append_text(out, "\nWebSocket handlers\n");
    for (size_t i = 0; i < loaded->ws_count; i++)
        print_ws(loaded, &loaded->ws[i], width, out);
}

static void print_line(const struct rtn_loaded *loaded, const struct rtn_line_handler *handler, int width,
                       struct rtn_buf *out)
{
    const struct callback callbacks[] = {
        { "open", handler->open != NULL },
        { "line", handler->line != NULL },
        { "drain", handler->drain != NULL },
        { "close", handler->close != NULL },
    };
    print_row(loaded, handler->name, handler->summary, handler->threads, width, out);
    print_callbacks(callbacks, RTN_ARRAY_LENGTH(callbacks), out);
    rtn_buf_append_char(out, '\n');
}

static void print_line_handlers(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    int width = 0;
    for (size_t i = 0; i < loaded->line_count; i++)
        width = widest(width, loaded->line[i].name);
    if (loaded->line_count > 0)
        rtn_buf_append_text(out, "\nline handlers\n");
    for (size_t i = 0; i < loaded->line_count; i++)
        print_line(loaded, &loaded->line[i], width, out);
}

/* Messages */

static void print_payload(size_t size, struct rtn_buf *out)
{
    if (size == RTN_PAYLOAD_BYTES)
        rtn_buf_append_text(out, "any number of bytes");
    else
        rtn_buf_printf(out, "%zu %s", size, size == 1 ? "byte" : "bytes");
}

/* job: 40 bytes, version 1, answer 16 bytes */
static void print_type(const struct rtn_message_type *type, struct rtn_buf *out)
{
    rtn_buf_printf(out, "%s: ", type->name);
    print_payload(type->size, out);
    rtn_buf_printf(out, ", version %u", type->version);
    if (type->answer_size != 0) {
        rtn_buf_append_text(out, ", answer ");
        print_payload(type->answer_size, out);
    }
    rtn_buf_append_char(out, '\n');
}

static void print_messages(const struct rtn_loaded *loaded, const struct rtn_loaded_messages *messages, int width,
                           struct rtn_buf *out)
{
    const struct rtn_message_handler *handler = &messages->handler;
    print_row(loaded, handler->name, handler->summary, handler->threads, width, out);
    rtn_buf_append_char(out, '\n');
    for (size_t i = 0; i < messages->row_count; i++) {
        rtn_buf_printf(out, "  %*s  takes ", width, "");
        print_type(messages->rows[i].type, out);
    }
    for (size_t i = 0; i < messages->send_count; i++) {
        rtn_buf_printf(out, "  %*s  sends ", width, "");
        print_type(handler->sends[i], out);
    }
}

static void print_message_handlers(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    int width = 0;
    for (size_t i = 0; i < loaded->message_count; i++)
        width = widest(width, loaded->messages[i].handler.name);
    if (loaded->message_count > 0)
        rtn_buf_append_text(out, "\nmessage handlers\n");
    for (size_t i = 0; i < loaded->message_count; i++)
        print_messages(loaded, &loaded->messages[i], width, out);
}

static void print_sends(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    if (loaded->send_count > 0)
        rtn_buf_append_text(out, "\nmessages sent\n");
    for (size_t i = 0; i < loaded->send_count; i++) {
        rtn_buf_append_text(out, "  ");
        print_type(loaded->module.sends[i], out);
    }
}

/* Options */

static void print_choices(const struct rtn_option *option, struct rtn_buf *out)
{
    for (size_t i = 0; option->choices[i] != NULL; i++)
        rtn_buf_printf(out, "%s%s", i == 0 ? ": " : " | ", option->choices[i]);
}

static void print_number(enum rtn_option_kind kind, int64_t number, struct rtn_buf *out)
{
    char text[RTN_FORMAT_MAX];
    if (kind == RTN_OPTION_SIZE)
        rtn_buf_append_text(out, rtn_format_size(text, number));
    else if (kind == RTN_OPTION_DURATION)
        rtn_buf_append_text(out, rtn_format_duration(text, number));
    else
        rtn_buf_printf(out, "%lld", (long long) number);
}

static void print_bounds(const struct rtn_option *option, struct rtn_buf *out)
{
    rtn_buf_append_text(out, ", ");
    print_number(option->kind, option->min, out);
    rtn_buf_append_text(out, " to ");
    print_number(option->kind, option->max, out);
    if (option->kind == RTN_OPTION_STRINGS)
        rtn_buf_append_text(out, " items");
}

static bool has_bounds(const struct rtn_option *option)
{
    bool counts = option->kind == RTN_OPTION_INT || option->kind == RTN_OPTION_SIZE ||
                  option->kind == RTN_OPTION_DURATION || option->kind == RTN_OPTION_STRINGS;
    return counts && rtn_option_bounded(option);
}

static void print_default(const struct rtn_option *option, struct rtn_buf *out)
{
    bool text =
        option->kind == RTN_OPTION_STRING || option->kind == RTN_OPTION_PATH || option->kind == RTN_OPTION_STRINGS;
    if (option->required) {
        rtn_buf_append_text(out, ", required");
    } else if (option->fallback != NULL) {
        rtn_buf_append_text(out, ", default ");
        if (text)
            print_quoted(option->fallback, out);
        else
            rtn_buf_append_text(out, option->fallback);
    }
}

static void print_option(const struct rtn_option *option, int width, struct rtn_buf *out)
{
    rtn_buf_printf(out, "  %-*s  %s", width, option->name, rtn_option_type(option->kind)->name);
    if (option->kind == RTN_OPTION_CHOICE)
        print_choices(option, out);
    if (has_bounds(option))
        print_bounds(option, out);
    print_default(option, out);
    rtn_buf_append_char(out, '\n');
    if (option->help != NULL)
        rtn_buf_printf(out, "  %*s  %s\n", width, "", option->help);
}

static void print_options(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    int width = 0;
    for (size_t i = 0; i < loaded->option_count; i++)
        width = widest(width, loaded->options[i].name);
    rtn_buf_append_text(out, loaded->option_count > 0 ? "\noptions\n" : "\nno options\n");
    for (size_t i = 0; i < loaded->option_count; i++)
        print_option(&loaded->options[i], width, out);
}

void rtn_module_print(const struct rtn_loaded *loaded, struct rtn_buf *out)
{
    print_head(loaded, out);
    print_http_handlers(loaded, out);
    print_ws_handlers(loaded, out);
    print_line_handlers(loaded, out);
    print_message_handlers(loaded, out);
    print_sends(loaded, out);
    print_options(loaded, out);
}
