/*
 * A loaded module file: found, checked, copied aside, opened. [main, then frozen]
 *
 * The file is copied into anonymous memory and opened from there, so that overwriting or deleting it
 * never harms the running daemon. A module stays mapped as long as anybody refers to it.
 */
#ifndef RTN_APP_MODULE_H
#define RTN_APP_MODULE_H

#include <retinue/module.h>

#include "base/diag.h"
#include "config/schema.h"

/* A handler of messages; its types stay where the module has them, since `wired` is written into those. */
struct rtn_loaded_messages {
    struct rtn_message_handler handler; /* on: the rows below */
    struct rtn_message_row *rows;
    size_t row_count; /* at least 1 */
    size_t send_count; /* of handler.sends */
};

/* What the file declares, widened to our sizes: members it does not know are zero. */
struct rtn_loaded {
    const char *path; /* where it was found */
    struct rtn_module module; /* strings and tables below point into the mapped file or into this object */
    struct rtn_option *options;
    size_t option_count;
    struct rtn_http_handler *http;
    size_t http_count;
    struct rtn_ws_handler *ws;
    size_t ws_count;
    struct rtn_line_handler *line;
    size_t line_count;
    struct rtn_loaded_messages *messages; /* in place of module.messages, which is NULL */
    size_t message_count;
    size_t send_count; /* of module.sends */
    uint32_t api_level; /* it was compiled at */
    const char *built_with;
    void *handle; /* dlopen */
    struct rtn_loaded_home *home; /* of loaded.c */
};

/* Of loaded.c: the last one closes the module. [any], but not from code of the module */
void rtn_loaded_ref(const struct rtn_loaded *loaded);
void rtn_loaded_unref(const struct rtn_loaded *loaded); /* accepts NULL */

/* The modules of one configuration, each with a reference; the same file is opened once. */
struct rtn_modules;

/*
 * `old` is a set whose modules are taken over where the files have the same content, which is looked at when a module
 * is asked for; NULL: none. It must last until rtn_modules_forget_old(). 0 or -ENOMEM.
 */
int rtn_modules_new(const struct rtn_schema_strings *folders, const struct rtn_modules *old, struct rtn_modules **ret);

/* All modules were asked for. */
void rtn_modules_forget_old(struct rtn_modules *modules);

/* Accepts NULL. */
void rtn_modules_free(struct rtn_modules *modules);

/*
 * The module called `name` (searched as NAME.so in the folders, first match wins) or at the path `name` (when it
 * holds a '/'; a relative one starts at the folder of mark's file). NULL after adding an error at `mark`: not found
 * (with the folders searched and a near name), no module at all, wrong magic, newer level, missing symbol, writable
 * by others, bad descriptor. A name that failed once gives NULL again without a second error.
 */
const struct rtn_loaded *rtn_modules_get(struct rtn_modules *modules, const char *name, struct rtn_mark mark,
                                         struct rtn_diags *diags);

/* What --modinfo prints. */
void rtn_module_print(const struct rtn_loaded *loaded, struct rtn_buf *out);

#endif
