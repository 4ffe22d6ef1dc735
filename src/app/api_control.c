/*
 * Bodies of the public functions that stop servers. The mutex guards the wishes and keeps the mailbox of main from
 * going away while somebody posts to it.
 */
#include <retinue/module.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "app/control.h"
#include "base/macros.h"
#include "log/log.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rtn_control *control;

void rtn_control_set(struct rtn_control *new_control)
{
    pthread_mutex_lock(&mutex);
    control = new_control;
    pthread_mutex_unlock(&mutex);
}

void rtn_control_add(struct rtn_control *to, struct rtn_wish *wish)
{
    pthread_mutex_lock(&mutex);
    rtn_list_append(&to->wishes, &wish->node);
    pthread_mutex_unlock(&mutex);
}

void rtn_control_remove(struct rtn_wish *wish)
{
    pthread_mutex_lock(&mutex);
    rtn_list_remove(&wish->node);
    pthread_mutex_unlock(&mutex);
}

/* With the mutex held. */
static struct rtn_wish *find(const char *server)
{
    if (control == NULL)
        return NULL;
    RTN_LIST_FOREACH (node, &control->wishes) {
        struct rtn_wish *wish = RTN_CONTAINER_OF(node, struct rtn_wish, node);
        if (wish->server == NULL ? server == NULL : server != NULL && strcmp(wish->server, server) == 0)
            return wish;
    }
    return NULL;
}

/* With the mutex held. */
static void post(struct rtn_wish *wish)
{
    const struct rtn_log_context *context = rtn_log_get_context();
    if (wish->asked || control->mailbox == NULL)
        return;
    wish->asked = true;
    wish->by = context != NULL ? context->server : NULL;
    rtn_mailbox_post(control->mailbox, &wish->mail);
}

static int ask(const char *server)
{
    pthread_mutex_lock(&mutex);
    struct rtn_wish *wish = find(server);
    if (wish != NULL)
        post(wish);
    pthread_mutex_unlock(&mutex);
    return wish != NULL ? 0 : -ENOENT;
}

int rtn_server_stop(const char *name)
{
    return name != NULL ? ask(name) : -ENOENT;
}

void rtn_shutdown(void)
{
    (void) ask(NULL);
}
