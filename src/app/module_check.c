/*
 * Reads a module's descriptor and checks it, so that everything behind this file can trust it.
 *
 * The module may have been compiled against an older or newer header than ours: its head tells the sizes of its
 * structs. Each struct is copied as far as both sides know it into a zeroed one of our size.
 */
#include "app/module_check.h"

#include <dlfcn.h>
#include <errno.h>

#include "app/options.h"

#define HEAD_MIN RTN_SIZE_UP_TO(struct rtn_module_head, built_with)
#define MODULE_MIN RTN_SIZE_UP_TO(struct rtn_module, http)
#define STRUCT_MAX 65536

int rtn_module_refuse(struct rtn_buf *problem, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    rtn_buf_vprintf(problem, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

bool rtn_module_is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return name != NULL && name[0] != '\0' && name[strspn(name, letters)] == '\0';
}

bool rtn_module_is_thread_model(enum rtn_threads threads)
{
    return threads >= RTN_THREADS_SERIAL && threads <= RTN_THREADS_LOOP;
}

/* The head */

static const struct rtn_module_head *call_entry(void *handle)
{
    const struct rtn_module_head *(*entry)(void) = NULL;
    void *symbol = dlsym(handle, RTN_MODULE_ENTRY);
    memcpy(&entry, &symbol, sizeof(entry)); /* ISO C has no cast from object to function pointer */
    return entry != NULL ? entry() : NULL;
}

/* Structs of tables follow each other, so their size is a multiple of their alignment. */
bool rtn_module_is_size(size_t size, size_t minimum)
{
    return size >= minimum && size <= STRUCT_MAX && size % _Alignof(void *) == 0;
}

static int check_head(const struct rtn_module_head *head, struct rtn_buf *problem)
{
    if (head == NULL)
        return rtn_module_refuse(problem, "has no %s: not a Retinue module, or RTN_REGISTER_MODULE is missing",
                                 RTN_MODULE_ENTRY);
    if (head->magic != RTN_MODULE_MAGIC)
        return rtn_module_refuse(problem,
                                 "has a wrong magic number (0x%08x, not 0x%08x): not a Retinue module, or damaged",
                                 (unsigned) head->magic, RTN_MODULE_MAGIC);
    if (!rtn_module_is_size(head->head_size, HEAD_MIN) || !rtn_module_is_size(head->module_size, MODULE_MIN))
        return rtn_module_refuse(problem, RTN_MODULE_BAD_SIZES);
    if (head->module == NULL || head->api_level == 0)
        return rtn_module_refuse(problem, "has a head without %s", head->module == NULL ? "a module" : "an API level");
    return 0;
}

static int check_level(const struct rtn_loaded *loaded, struct rtn_buf *problem)
{
    if (loaded->module.required_level > RTN_API_LEVEL)
        return rtn_module_refuse(problem, "requires API level %u, but this daemon offers %u: update the daemon",
                                 loaded->module.required_level, RTN_API_LEVEL);
    if (loaded->module.required_level == 0 && loaded->api_level > RTN_API_LEVEL)
        return rtn_module_refuse(
            problem,
            "is compiled for API level %u, but this daemon offers %u: update the daemon or compile the module "
            "with the header of this one",
            (unsigned) loaded->api_level, RTN_API_LEVEL);
    return 0;
}

/* What the module says about itself */

static int check_module(const struct rtn_module *module, struct rtn_buf *problem)
{
    if (!rtn_module_is_name(module->name))
        return rtn_module_refuse(problem, "has no valid name: .name takes letters, digits, '-' and '_'");
    if (module->threads == 0)
        return rtn_module_refuse(problem, "does not state its thread model: .threads is mandatory");
    if (!rtn_module_is_thread_model(module->threads))
        return rtn_module_refuse(problem, "states thread model %d, which is none", (int) module->threads);
    if (module->instance_size > RTN_MODULE_MEMORY_MAX)
        return rtn_module_refuse(problem, "wants %zu bytes per instance, which cannot be right", module->instance_size);
    return 0;
}

static bool is_number(enum rtn_option_kind kind)
{
    return kind == RTN_OPTION_INT || kind == RTN_OPTION_SIZE || kind == RTN_OPTION_DURATION;
}

/* The fallback of anything but text. */
static int check_value(const struct rtn_option *option, struct rtn_buf *problem)
{
    int64_t number = 0;
    if (rtn_option_parse(option, option->fallback, &number) < 0)
        return rtn_module_refuse(problem, "has option \"%s\" with fallback \"%s\", which is no %s", option->name,
                                 option->fallback, rtn_option_type(option->kind)->name);
    if (is_number(option->kind) && rtn_option_bounded(option) && (number < option->min || number > option->max))
        return rtn_module_refuse(problem, "has option \"%s\" with fallback \"%s\", which is out of bounds",
                                 option->name, option->fallback);
    return 0;
}

static int check_fallback(const struct rtn_option *option, struct rtn_buf *problem)
{
    if (option->fallback == NULL)
        return 0;
    if (option->required)
        return rtn_module_refuse(problem, "has option \"%s\" with a fallback, though it is required", option->name);
    switch (option->kind) {
    case RTN_OPTION_STRING:
        return 0;
    case RTN_OPTION_PATH:
        if (option->fallback[0] != '/')
            return rtn_module_refuse(problem, "has option \"%s\" with fallback \"%s\", which is no absolute path",
                                     option->name, option->fallback);
        return 0;
    case RTN_OPTION_STRINGS:
        if (option->fallback[0] == '\0')
            return rtn_module_refuse(problem, "has option \"%s\" with an empty fallback: leave it out", option->name);
        return 0;
    default:
        return check_value(option, problem);
    }
}

static int check_option(const struct rtn_loaded *loaded, size_t at, struct rtn_buf *problem)
{
    const struct rtn_option *option = &loaded->options[at];
    const struct rtn_option_type *type = rtn_option_type(option->kind);
    if (option->name == NULL || option->name[0] == '\0')
        return rtn_module_refuse(problem, "has no name for option %zu", at + 1);
    if (type == NULL)
        return rtn_module_refuse(problem, "has option \"%s\" of kind %d, which this daemon does not know", option->name,
                                 (int) option->kind);
    size_t room = loaded->module.instance_size;
    if (option->offset > room || type->size > room - option->offset || option->offset % type->alignment != 0)
        return rtn_module_refuse(problem,
                                 "has option \"%s\" outside of the instance: is .instance_size the size of its struct?",
                                 option->name);
    if (option->kind == RTN_OPTION_CHOICE && (option->choices == NULL || option->choices[0] == NULL))
        return rtn_module_refuse(problem, "has option \"%s\" without .choices", option->name);
    for (size_t i = 0; i < at; i++) {
        if (strcmp(loaded->options[i].name, option->name) == 0)
            return rtn_module_refuse(problem, "has two options called \"%s\"", option->name);
    }
    return check_fallback(option, problem);
}

static int check_rows(const struct rtn_loaded *loaded, struct rtn_buf *problem)
{
    if (rtn_module_check_handlers(loaded, problem) < 0 || rtn_module_check_messages(loaded, problem) < 0)
        return -EINVAL;
    for (size_t i = 0; i < loaded->option_count; i++) {
        if (check_option(loaded, i, problem) < 0)
            return -EINVAL;
    }
    return 0;
}

int rtn_module_check(struct rtn_loaded *loaded, struct rtn_arena *arena, struct rtn_buf *problem)
{
    const struct rtn_module_head *head = call_entry(loaded->handle);
    if (check_head(head, problem) < 0)
        return -EINVAL;
    memcpy(&loaded->module, head->module, RTN_MIN((size_t) head->module_size, sizeof(loaded->module)));
    loaded->api_level = head->api_level;
    loaded->built_with = head->built_with != NULL ? head->built_with : "unknown compiler";
    if (check_level(loaded, problem) < 0 || check_module(&loaded->module, problem) < 0)
        return -EINVAL;
    if (rtn_module_check_tables(loaded, head, arena, problem) < 0)
        return -EINVAL;
    return check_rows(loaded, problem);
}
