/*
 * Lookups as tasks of a small worker pool. A lookup belongs to its worker until it is posted to the loop as mail, then
 * to the loop. Cancelling one leaves it to whoever has it: a worker frees it without a look at the loop, which may be
 * gone by then; mail frees itself when it is delivered. One mutex decides which of the two it is; mail is posted with
 * it held, so that a loop that has cancelled everything finds all its mail in its mailbox.
 */
#include "net/resolver.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/macros.h"
#include "loop/pool.h"

#define THREADS 4
#define RETIRE_MS 10000

struct rtn_resolver {
    struct rtn_pool *pool;
    pthread_mutex_t mutex; /* held to cancel a lookup, and to look at that on another thread */
};

struct rtn_lookup {
    struct rtn_task task;
    struct rtn_mail mail;
    struct rtn_resolver *resolver;
    struct rtn_loop *loop;
    void (*done)(void *data, struct addrinfo *addresses, const char *reason);
    void *data;
    bool cancelled;
    int result; /* of getaddrinfo() */
    int error; /* errno then */
    struct addrinfo *addresses;
    char *port; /* behind the host */
    char host[];
};

const char *rtn_resolver_reason(int result, int error)
{
    static const struct {
        int result;
        const char *text;
    } reasons[] = {
        { EAI_NONAME, "no such host" },
        { EAI_NODATA, "the host has no address" },
        { EAI_AGAIN, "the name servers do not answer" },
        { EAI_FAIL, "the name servers refuse to answer" },
    };
    if (result == EAI_SYSTEM)
        return strerror(error);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(reasons); i++) {
        if (reasons[i].result == result)
            return reasons[i].text;
    }
    return gai_strerror(result);
}

int rtn_resolver_new(struct rtn_log *log, const _Atomic int *log_level, struct rtn_resolver **ret)
{
    struct rtn_resolver *resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL)
        return -ENOMEM;
    /* Nothing but rtn_pool_submit_always() is used, which knows no bound: lookups are as many as their dials. */
    const struct rtn_pool_options options = {
        .server = "lookup",
        .uncounted = true,
        .threads = THREADS,
        .active = THREADS,
        .retire_ms = RETIRE_MS,
        .log = log,
        .log_level = log_level,
    };
    int r = rtn_pool_new(&options, &resolver->pool);
    if (r < 0) {
        free(resolver);
        return r;
    }
    pthread_mutex_init(&resolver->mutex, NULL);
    *ret = resolver;
    return 0;
}

void rtn_resolver_free(struct rtn_resolver *resolver, int64_t ms)
{
    if (resolver == NULL || rtn_pool_stop(resolver->pool, ms) > 0)
        return;
    rtn_pool_free(resolver->pool);
    pthread_mutex_destroy(&resolver->mutex);
    free(resolver);
}

static void free_lookup(struct rtn_lookup *lookup)
{
    if (lookup->addresses != NULL)
        freeaddrinfo(lookup->addresses);
    free(lookup);
}

/* By the mutex, also for the worker that has posted it to be done with the mailbox. */
static bool is_cancelled(struct rtn_lookup *lookup)
{
    pthread_mutex_lock(&lookup->resolver->mutex);
    bool cancelled = lookup->cancelled;
    pthread_mutex_unlock(&lookup->resolver->mutex);
    return cancelled;
}

static void deliver(struct rtn_mail *mail)
{
    struct rtn_lookup *lookup = RTN_CONTAINER_OF(mail, struct rtn_lookup, mail);
    if (!is_cancelled(lookup)) {
        struct addrinfo *addresses = lookup->addresses;
        lookup->addresses = NULL;
        lookup->done(lookup->data, addresses,
                     addresses != NULL ? NULL : rtn_resolver_reason(lookup->result, lookup->error));
    }
    free_lookup(lookup);
}

/* True when the lookup is the loop's from now on. */
static bool post(struct rtn_lookup *lookup)
{
    pthread_mutex_t *mutex = &lookup->resolver->mutex;
    pthread_mutex_lock(mutex);
    bool wanted = !lookup->cancelled;
    if (wanted)
        rtn_loop_post(lookup->loop, &lookup->mail);
    pthread_mutex_unlock(mutex);
    return wanted;
}

static void look_up(struct rtn_task *task)
{
    struct rtn_lookup *lookup = RTN_CONTAINER_OF(task, struct rtn_lookup, task);
    const struct addrinfo hints = { .ai_flags = AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    if (!is_cancelled(lookup)) {
        lookup->result = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
        lookup->error = errno;
    }
    if (!post(lookup))
        free_lookup(lookup);
}

static struct rtn_lookup *new_lookup(const char *host, const char *port)
{
    size_t host_size = strlen(host) + 1;
    struct rtn_lookup *lookup = calloc(1, sizeof(*lookup) + host_size + strlen(port) + 1);
    if (lookup == NULL)
        return NULL;
    lookup->port = lookup->host + host_size;
    memcpy(lookup->host, host, host_size);
    memcpy(lookup->port, port, strlen(port) + 1);
    return lookup;
}

int rtn_lookup_begin(struct rtn_resolver *resolver, struct rtn_loop *loop, const char *host, const char *port,
                     void (*done)(void *data, struct addrinfo *addresses, const char *reason), void *data,
                     struct rtn_lookup **ret)
{
    struct rtn_lookup *lookup = new_lookup(host, port);
    if (lookup == NULL)
        return -ENOMEM;
    lookup->task = (struct rtn_task){ .run = look_up, .what = "looking up a host" };
    lookup->mail.deliver = deliver;
    lookup->resolver = resolver;
    lookup->loop = loop;
    lookup->done = done;
    lookup->data = data;
    if (!rtn_pool_submit_always(resolver->pool, &lookup->task)) {
        free(lookup);
        return -ECANCELED;
    }
    *ret = lookup;
    return 0;
}

void rtn_lookup_cancel(struct rtn_lookup *lookup)
{
    pthread_mutex_t *mutex = &lookup->resolver->mutex;
    pthread_mutex_lock(mutex);
    lookup->cancelled = true;
    pthread_mutex_unlock(mutex);
}
