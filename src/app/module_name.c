/* A short list: modules are few, and it is only asked when a backtrace is written: by main, and by whoever crashes. */
#include "app/module_name.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

struct known {
    struct known *next;
    char name[32];
    char path[]; /* NUL-terminated */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct known *all; /* guarded by the mutex */

void rtn_module_name_add(const char *name, const char *path)
{
    struct known *known = malloc(sizeof(*known) + strlen(path) + 1);
    if (known == NULL)
        return;
    (void) snprintf(known->name, sizeof(known->name), "%s", name);
    memcpy(known->path, path, strlen(path) + 1);
    pthread_mutex_lock(&mutex);
    known->next = all;
    all = known;
    pthread_mutex_unlock(&mutex);
}

/* With the mutex held: where it hangs. */
static struct known **find(const char *name)
{
    struct known **at = &all;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

void rtn_module_name_remove(const char *name)
{
    pthread_mutex_lock(&mutex);
    struct known **at = find(name);
    struct known *known = *at;
    if (known != NULL)
        *at = known->next;
    pthread_mutex_unlock(&mutex);
    free(known);
}

/* With the mutex held, which is given back. No printf(): a signal handler may be here. */
static bool copy_path(const char *name, char *out, size_t size)
{
    const struct known *known = *find(name);
    if (known != NULL) {
        size_t length = RTN_MIN(strlen(known->path), size - 1);
        memcpy(out, known->path, length);
        out[length] = '\0';
    }
    pthread_mutex_unlock(&mutex);
    return known != NULL;
}

bool rtn_module_name_find(const char *name, char *out, size_t size)
{
    pthread_mutex_lock(&mutex);
    return copy_path(name, out, size);
}

bool rtn_module_name_try_find(const char *name, char *out, size_t size)
{
    return pthread_mutex_trylock(&mutex) == 0 && copy_path(name, out, size);
}
