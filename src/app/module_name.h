/* What files the dynamic linker's names of modules stand for. [any] */
#ifndef RTN_APP_MODULE_NAME_H
#define RTN_APP_MODULE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* `name` is one that the linker knows a copy by, `path` the file that was copied. */
void rtn_module_name_add(const char *name, const char *path);
void rtn_module_name_remove(const char *name);

/* Writes the path of the file. False: the linker's name is no module's. */
bool rtn_module_name_find(const char *name, char *out, size_t size);

/* The same without waiting, for signal handlers: false also when somebody is changing what is known. */
bool rtn_module_name_try_find(const char *name, char *out, size_t size);

#endif
