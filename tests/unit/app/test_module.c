/* Loads the modules of tests/modules, sound and broken, from the folder given as TEST_MODULES. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "app/module.h"
#include "base/fd.h"
#include "public_stubs.h"

static struct rtn_modules *modules;
static struct rtn_diags diags;
static struct rtn_buf text;
static char folder[] = "/tmp/rtn-module-XXXXXX";

static void start_in(const char *first, const char *second)
{
    const char *items[] = { first, second };
    struct rtn_schema_strings folders = { .items = items, .count = second != NULL ? 2 : 1 };
    cr_assert_eq(rtn_modules_new(&folders, NULL, &modules), 0);
}

static void start(void)
{
    cr_assert(public_stubs_are_here());
    cr_assert_not_null(mkdtemp(folder));
    start_in(TEST_MODULES, folder);
}

static void stop(void)
{
    char command[64];
    rtn_modules_free(modules);
    rtn_diags_done(&diags);
    rtn_buf_done(&text);
    (void) snprintf(command, sizeof(command), "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(module, .init = start, .fini = stop);

static const struct rtn_loaded *get(const char *name)
{
    return rtn_modules_get(modules, name, (struct rtn_mark){ 0 }, &diags);
}

/* Fails to load `name` with an error that holds `words`. */
static void expect_refused(const char *name, const char *words)
{
    cr_expect_null(get(name), "%s was loaded", name);
    cr_assert_eq(diags.errors, 1, "%s gave %zu errors", name, diags.errors);
    cr_expect_not_null(strstr(diags.items[0].message, words), "%s gave: %s", name, diags.items[0].message);
    cr_expect_null(strstr(diags.items[0].message, "/proc/"), "%s gave: %s", name, diags.items[0].message);
}

static const char *path_in_folder(const char *file)
{
    static char path[128];
    (void) snprintf(path, sizeof(path), "%s/%s", folder, file);
    return path;
}

static void write_file(const char *file, const void *data, size_t length)
{
    RTN_CLEANUP(rtn_fd_close) int fd = open(path_in_folder(file), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, data, length), (ssize_t) length);
}

/* A copy of a test module in the folder, cut to `length` bytes (0: whole). */
static void copy_module(const char *name, const char *file, size_t length)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 };
    char path[512];
    (void) snprintf(path, sizeof(path), "%s/%s.so", TEST_MODULES, name);
    cr_assert_eq(rtn_buf_read_file(&content, path, 100 << 20), 0);
    write_file(file, content.data, length != 0 ? length : content.length);
}

Test(module, loads_and_describes)
{
    const struct rtn_loaded *loaded = get("options");
    cr_assert_not_null(loaded);
    cr_expect_str_eq(loaded->module.name, "options");
    cr_expect_str_eq(loaded->path, TEST_MODULES "/options.so");
    cr_expect_eq(loaded->api_level, RTN_API_LEVEL);
    cr_expect_eq(loaded->http_count, 1);
    cr_expect_eq(loaded->option_count, 11);
    cr_expect_eq(loaded->module.http, loaded->http);
    cr_expect_not_null(loaded->module.configure);
    cr_expect_null(loaded->module.unload);
    cr_expect_eq(diags.count, 0);
}

Test(module, same_file_is_opened_once)
{
    const struct rtn_loaded *loaded = get("slow");
    cr_assert_not_null(loaded);
    cr_expect_eq(get("slow"), loaded);
    cr_expect_eq(get(TEST_MODULES "/slow.so"), loaded);
    cr_expect_eq(get(TEST_MODULES "/../modules/slow.so"), loaded);
    cr_expect_neq(get("serial"), loaded);
}

Test(module, two_modules_never_share_code)
{
    const struct rtn_loaded *counter = get("counter");
    struct rtn_modules *first = modules;
    modules = NULL;
    start_in(TEST_MODULES, NULL);
    const struct rtn_loaded *again = get("counter");
    cr_assert_not_null(counter);
    cr_assert_not_null(again);
    cr_expect_neq(counter->http[0].handle, again->http[0].handle);
    rtn_modules_free(first);
    const struct rtn_loaded *errors = get("errors");
    cr_assert_not_null(errors);
    cr_expect_str_eq(errors->module.name, "errors");
    cr_expect_str_eq(again->module.name, "counter");
}

Test(module, first_folder_wins)
{
    copy_module("slow", "serial.so", 0);
    copy_module("slow", "other.so", 0);
    cr_expect_str_eq(get("serial")->module.name, "serial");
    cr_expect_str_eq(get("other")->module.name, "slow");
}

Test(module, overwritten_or_deleted_file_does_no_harm)
{
    copy_module("slow", "mine.so", 0);
    const struct rtn_loaded *loaded = get("mine");
    cr_assert_not_null(loaded);
    char nonsense[65536];
    memset(nonsense, 'x', sizeof(nonsense));
    write_file("mine.so", nonsense, sizeof(nonsense));
    cr_expect_str_eq(loaded->module.summary, "Takes its time.");
    cr_expect_eq(unlink(path_in_folder("mine.so")), 0);
    cr_expect_str_eq(loaded->options[0].help, "How long a call takes.");
    cr_expect_eq(get("mine"), loaded);
}

Test(module, relative_path_starts_at_the_file_that_holds_it)
{
    char source_path[64];
    (void) snprintf(source_path, sizeof(source_path), "%s/retinued.yaml", folder);
    struct rtn_source source = { .path = source_path };
    copy_module("slow", "near.so", 0);
    const struct rtn_loaded *loaded =
        rtn_modules_get(modules, "./near.so", (struct rtn_mark){ &source, 1, 1, 1 }, &diags);
    cr_assert_not_null(loaded);
    cr_expect_str_eq(loaded->module.name, "slow");
}

Test(module, older_and_newer_structs_load)
{
    static const char *const names[] = { "small_head", "large_head" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        const struct rtn_loaded *loaded = get(names[i]);
        cr_assert_not_null(loaded, "%s: %s", names[i], diags.count > 0 ? diags.items[0].message : "");
        cr_expect_eq(loaded->option_count, 2);
        cr_expect_str_eq(loaded->options[1].name, "second");
        cr_expect_str_eq(loaded->options[1].fallback, "2");
        cr_expect_eq(loaded->options[1].max, 0);
        cr_expect_eq(loaded->http_count, 2);
        cr_expect_str_eq(loaded->http[1].name, "two");
        cr_expect_eq(loaded->http[1].methods, 0);
        cr_expect_null(loaded->module.configure);
        cr_expect_null(loaded->module.unload);
    }
    cr_expect_eq(get("small_head")->http[1].threads, 0);
    cr_expect_eq(get("small_head")->ws_count, 0);
    cr_expect_null(get("large_head")->ws[1].message);
    cr_assert_eq(get("large_head")->ws_count, 2);
    cr_expect_str_eq(get("large_head")->ws[1].name, "four");
    cr_expect_eq(get("large_head")->ws[0].threads, RTN_THREADS_SERIAL);
    cr_expect_eq(get("large_head")->http[1].threads, RTN_THREADS_PARALLEL);
    cr_expect_eq(get("large_head")->api_level, RTN_API_LEVEL + 1);
}

/* Its tables of lines and messages have larger rows than ours. */
Test(module, newer_tables_of_messages_load)
{
    const struct rtn_loaded *loaded = get("large_head");
    cr_assert_not_null(loaded);
    cr_assert_eq(loaded->line_count, 2);
    cr_expect_str_eq(loaded->line[1].name, "six");
    cr_expect_eq(loaded->line[1].threads, RTN_THREADS_SERIAL);
    cr_expect_null(loaded->line[1].close);
    cr_assert_eq(loaded->message_count, 2);
    const struct rtn_loaded_messages *eight = &loaded->messages[1];
    cr_expect_str_eq(eight->handler.name, "eight");
    cr_assert_eq(eight->row_count, 2);
    cr_expect_eq(eight->handler.on, eight->rows);
    cr_expect_str_eq(eight->rows[1].type->name, "large_second");
    cr_expect_null(eight->rows[2].type);
    cr_expect_gt(eight->rows[1].type->struct_size, sizeof(struct rtn_message_type));
    cr_expect_eq(eight->send_count, 2);
    cr_expect_eq(loaded->messages[0].row_count, 1);
    cr_expect_eq(loaded->messages[0].send_count, 0);
    cr_expect_eq(loaded->send_count, 0);
}

Test(module, handlers_of_lines_and_messages)
{
    const struct rtn_loaded *loaded = get("hub_kinds");
    cr_assert_not_null(loaded, "%s", diags.count > 0 ? diags.items[0].message : "");
    cr_assert_eq(loaded->line_count, 2);
    cr_expect_eq(loaded->module.line, loaded->line);
    cr_expect_null(loaded->module.messages);
    cr_expect_not_null(loaded->line[1].close);
    cr_assert_eq(loaded->message_count, 2);
    cr_expect_eq(loaded->send_count, 2);
    const struct rtn_loaded_messages *jobs = &loaded->messages[1];
    cr_assert_eq(jobs->row_count, 2);
    cr_assert_eq(jobs->send_count, 1);
    cr_expect_eq(jobs->rows[0].type->answer_size, 16);
    cr_expect_eq(jobs->rows[1].type->size, RTN_PAYLOAD_BYTES);
    cr_expect_eq(jobs->rows[1].type, loaded->messages[0].rows[0].type);
    cr_expect_eq(jobs->handler.sends[0]->version, 3);
}

Test(module, hooks_are_enough)
{
    const struct rtn_loaded *loaded = get("hook_only");
    cr_assert_not_null(loaded, "%s", diags.count > 0 ? diags.items[0].message : "");
    cr_expect_eq(loaded->http_count + loaded->ws_count + loaded->line_count + loaded->message_count, 0);
}

static const struct {
    const char *name;
    const char *words;
} broken[] = {
    { "no_entry", "has no rtn_module_entry_v1: not a Retinue module, or RTN_REGISTER_MODULE is missing" },
    { "missing_symbol", "needs rtn_reply_hologram(), which this daemon does not have" },
    { "wrong_magic", "wrong magic number (0x12345678, not 0x52544e31)" },
    { "newer_level", "is compiled for API level 6, but this daemon offers 5" },
    { "newer_required", "requires API level 6, but this daemon offers 5" },
    { "bad_sizes", "states impossible struct sizes" },
    { "no_name", "has no valid name" },
    { "bad_name", "has no valid name" },
    { "no_threads", "does not state its thread model: .threads is mandatory" },
    { "odd_threads", "states thread model 9" },
    { "no_handlers",
      "has no handlers: .http, .websocket, .line and .messages are missing or empty, and there is no .start" },
    { "no_function", "has handler \"one\" without a function" },
    { "loud_handler", "promises more about threads" },
    { "twin_handlers", "has two handlers called \"one\"" },
    { "bad_option", "has option \"number\" outside of the instance" },
    { "odd_option", "has option \"number\" of kind 99" },
    { "bad_fallback", "fallback \"seven\", which is no integer" },
    { "far_fallback", "fallback \"7\", which is out of bounds" },
    { "no_choices", "has option \"number\" without .choices" },
    { "ws_no_size", "states impossible struct sizes" },
    { "ws_no_name", "has no valid name for WebSocket handler 1" },
    { "ws_odd_threads", "has WebSocket handler \"one\" with thread model 9, which is none" },
    { "ws_loud", "has WebSocket handler \"one\", which promises more about threads than the module" },
    { "ws_twins", "has two WebSocket handlers called \"one\"" },
    { "ws_both", "has WebSocket handler \"one\" with both .message and .fragment" },
    { "ws_protocol", "has WebSocket handler \"one\" with subprotocol \"not good\", which is no token" },
    { "line_no_size", "states impossible struct sizes" },
    { "line_no_name", "has no valid name for line handler 1: .name takes letters, digits, '-' and '_'" },
    { "line_odd_threads", "has line handler \"one\" with thread model 9, which is none" },
    { "line_loud", "has line handler \"one\", which promises more about threads than the module" },
    { "line_twins", "has two line handlers called \"one\"" },
    { "line_no_line", "has line handler \"one\" without a function: .line is mandatory" },
    { "message_no_size", "states impossible struct sizes" },
    { "message_no_row_size", "states impossible struct sizes" },
    { "message_no_name", "has no valid name for message handler 1" },
    { "message_odd_threads", "has message handler \"one\" with thread model 9, which is none" },
    { "message_loud", "has message handler \"one\", which promises more about threads than the module" },
    { "message_twins", "has two message handlers called \"one\"" },
    { "message_no_on", "has message handler \"one\" that takes nothing: .on is missing or empty" },
    { "message_no_rows", "has message handler \"one\" that takes nothing: .on is missing or empty" },
    { "message_no_type", "has message handler \"one\" with no type in row 1: rows are made by RTN_ON" },
    { "message_no_function", "has message handler \"one\" with no function in row 2: rows are made by RTN_ON" },
    { "message_twin_rows", "has message handler \"one\" with two rows for \"job\"" },
    { "message_endless", "has a table of messages that does not end with {0}" },
    { "sends_endless", "has a list .sends that does not end with NULL" },
    { "type_no_size", "has a message type of an impossible struct size in .sends: it was not made by RTN_MESSAGE" },
    { "type_no_name", "has a message type with no valid name in .sends: a name is one of C, of 1 to 63 characters" },
    { "type_bad_name", "has a message type with no valid name in row 1 of message handler \"one\"" },
    { "type_digit_name", "has a message type with no valid name in .sends" },
    { "type_long_name", "has a message type with no valid name in .sends" },
    { "type_huge", "has message type \"other\" with a payload of 1073741825 bytes, which cannot be right" },
    { "type_huge_answer", "has message type \"other\" with an answer of 1073741825 bytes, which cannot be right" },
    { "type_two_sizes", "has two message types called \"job\" that differ in version or size" },
    { "type_two_versions", "has two message types called \"job\" that differ in version or size" },
    { "relative_fallback", "fallback \"here\", which is no absolute path" },
};

Test(module, broken_modules)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(broken); i++) {
        expect_refused(broken[i].name, broken[i].words);
        cr_expect_not_null(strstr(diags.items[0].message, TEST_MODULES), "%s", diags.items[0].message);
        rtn_diags_done(&diags);
    }
}

Test(module, failure_is_reported_once)
{
    expect_refused("no_entry", "no_entry.so has no");
    cr_expect_null(get("no_entry"));
    cr_expect_null(get(TEST_MODULES "/no_entry.so"));
    cr_expect_null(get("absent"));
    cr_expect_null(get("absent"));
    cr_expect_eq(diags.errors, 2);
}

Test(module, missing_module_names_folders_and_a_near_one)
{
    expect_refused("slwo", "module \"slwo\": no slwo.so in " TEST_MODULES ", /tmp/rtn-module-");
    cr_expect_not_null(strstr(diags.items[0].message, "; did you mean \"slow\"?"));
}

Test(module, missing_path)
{
    expect_refused("/nowhere/x.so", "module /nowhere/x.so cannot be read: No such file or directory");
}

Test(module, file_writable_by_others)
{
    copy_module("slow", "open.so", 0);
    cr_assert_eq(chmod(path_in_folder("open.so"), 0646), 0);
    expect_refused("open", "open.so can be written by others; run: chmod go-w /tmp/rtn-module-");
}

Test(module, file_writable_by_group)
{
    copy_module("slow", "group.so", 0);
    cr_assert_eq(chmod(path_in_folder("group.so"), 0664), 0);
    expect_refused("group", "group.so can be written by its group; run: chmod go-w");
}

Test(module, fifo_does_not_hang)
{
    cr_assert_eq(mkfifo(path_in_folder("fifo.so"), 0644), 0);
    expect_refused("fifo", "is not a regular file");
}

Test(module, folder_is_no_module)
{
    cr_assert_eq(mkdir(path_in_folder("dir.so"), 0755), 0);
    expect_refused("dir", "is not a regular file");
}

Test(module, empty_file)
{
    write_file("empty.so", "", 0);
    expect_refused("empty", "is empty");
}

Test(module, text_file)
{
    write_file("text.so", "#!/bin/sh\n", 10);
    expect_refused("text", "is not a shared object (no ELF header)");
}

Test(module, half_a_file_is_refused_and_not_mapped)
{
    copy_module("slow", "head.so", 20);
    expect_refused("head", "is cut short");
    rtn_diags_done(&diags);
    copy_module("slow", "half.so", 5000);
    expect_refused("half", "is cut short");
}

Test(module, prints_what_people_need)
{
    const struct rtn_loaded *loaded = get("options");
    cr_assert_not_null(loaded);
    rtn_module_print(loaded, &text);
    static const char *const words[] = {
        "options 1.0\n",
        "\n  file       " TEST_MODULES "/options.so\n",
        "\n  API level  5 (compiler ",
        "\n  threads    loop: never blocks",
        "\nhandlers\n  options  threads: loop, methods: all but OPTIONS\n",
        "\n  flag      bool\n            A flag.\n",
        "\n  number    integer, -5 to 100, default 7\n",
        "\n  size      size, 1B to 1MiB, default 4KiB\n",
        "\n  duration  duration, default 1500ms\n",
        "\n  string    string, required\n",
        "\n  empty     string, default \"\"\n",
        "\n  colour    choice: red | green | blue, default green\n",
        "\n  strings   list of strings, 1 to 3 items\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(words); i++)
        cr_expect_not_null(strstr(text.data, words[i]), "[%s] is not in:\n%s", words[i], text.data);
}

Test(module, prints_handlers)
{
    const struct rtn_loaded *loaded = get("inspect");
    cr_assert_not_null(loaded);
    rtn_module_print(loaded, &text);
    static const char *const words[] = {
        "\n  worker  threads: parallel, methods: all but OPTIONS\n",
        "\n  all     threads: loop, methods: all\n",
        "\nno options\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(words); i++)
        cr_expect_not_null(strstr(text.data, words[i]), "[%s] is not in:\n%s", words[i], text.data);
}

Test(module, handlers_of_both_kinds)
{
    const struct rtn_loaded *loaded = get("ws_kinds");
    cr_assert_not_null(loaded);
    cr_expect_eq(loaded->http_count, 3);
    cr_assert_eq(loaded->ws_count, 5);
    cr_expect_eq(loaded->module.websocket, loaded->ws);
    cr_expect_str_eq(loaded->ws[0].name, "both");
    cr_expect_not_null(loaded->ws[0].message);
    cr_expect_str_eq(loaded->ws[0].protocols[1], "chat");
    cr_expect_not_null(loaded->ws[2].fragment);
    cr_expect_str_eq(loaded->ws[4].name, "silent");
}

Test(module, a_websocket_handler_is_enough)
{
    const struct rtn_loaded *loaded = get("ws_only");
    cr_assert_not_null(loaded);
    cr_expect_eq(loaded->http_count, 0);
    cr_expect_eq(loaded->ws_count, 1);
    rtn_module_print(loaded, &text);
    cr_expect_not_null(strstr(text.data, "\nWebSocket handlers\n  only  Takes what comes.\n"
                                         "        threads: loop, callbacks: message\n"),
                       "%s", text.data);
    cr_expect_null(strstr(text.data, "\nhandlers"));
}

Test(module, prints_websocket_handlers)
{
    const struct rtn_loaded *loaded = get("ws_kinds");
    cr_assert_not_null(loaded);
    rtn_module_print(loaded, &text);
    static const char *const words[] = {
        "\nhandlers\n  both   threads: loop, methods: POST\n",
        "\nWebSocket handlers\n  both    Takes whole messages.\n"
        "          threads: loop, callbacks: open, message, subprotocols: chat.v2, chat\n",
        "\n  stream  threads: loop, callbacks: fragment\n",
        "\n  worker  threads: parallel, callbacks: message\n",
        "\n  silent  threads: loop\n",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(words); i++)
        cr_expect_not_null(strstr(text.data, words[i]), "[%s] is not in:\n%s", words[i], text.data);
}

Test(module, prints_lines_and_messages)
{
    const struct rtn_loaded *loaded = get("hub_kinds");
    cr_assert_not_null(loaded);
    rtn_module_print(loaded, &text);
    cr_expect_not_null(strstr(text.data, "\nline handlers\n"
                                         "  all    Takes lines.\n"
                                         "         threads: parallel, callbacks: line\n"
                                         "  lines  threads: loop, callbacks: line, close\n"
                                         "\nmessage handlers\n"
                                         "  all   threads: serial\n"
                                         "        takes kinds_text: any number of bytes, version 1\n"
                                         "  jobs  Takes jobs.\n"
                                         "        threads: loop\n"
                                         "        takes kinds_job: 40 bytes, version 1, answer 16 bytes\n"
                                         "        takes kinds_text: any number of bytes, version 1\n"
                                         "        sends kinds_done: 16 bytes, version 3\n"
                                         "\nmessages sent\n"
                                         "  kinds_text: any number of bytes, version 1\n"
                                         "  kinds_job: 40 bytes, version 1, answer 16 bytes\n"
                                         "\noptions\n"),
                       "%s", text.data);
}
