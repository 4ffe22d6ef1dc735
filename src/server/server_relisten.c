/*
 * A change of addresses has two sides: main keeps the listeners, and each loop has watchers on sockets of them. Main
 * makes both before the change, and sends each loop its watchers; when the last loop has them, main gives the listeners
 * back that are not there any more. Of a socket that another server has taken over nothing is closed: both have it for
 * a moment.
 *
 * libev takes a descriptor out of epoll only when it hears of it once more. So sockets that go are shut down, which is
 * heard of, and closed when each loop has waited for events since: none touches them any more then.
 */
#include "server/server_relisten.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_address.h"
#include "config/memory.h"
#include "server/server_loop.h"

/* What one loop is sent. */
struct share {
    struct rtn_mail mail;
    struct rtn_relisten *relisten;
    struct rtn_server_loop *loop;
    struct rtn_accept_watchers watchers;
    bool waited; /* the loop has begun to wait since the sockets were shut down */
};

struct rtn_relisten {
    struct rtn_server *server;
    const struct rtn_config_server *config;
    struct rtn_listener **listeners; /* that it will have, then those that it has no longer; a reference each */
    size_t count;
    struct share *shares; /* one for each loop */
    unsigned loops;
    int *given; /* sockets that others have now */
    size_t given_count;
    bool stdio; /* it is among the addresses */
    atomic_uint waited_for; /* loops that have not changed */
    struct rtn_mail mail; /* of main: none is left */
    rtn_server_relisten_done done;
    void *data;
};

static void relisten_free(struct rtn_relisten *relisten)
{
    for (size_t i = 0; i < relisten->count; i++)
        rtn_listener_close(relisten->listeners[i]);
    for (unsigned i = 0; i < relisten->loops; i++)
        free(relisten->shares[i].watchers.items);
    free(relisten->listeners);
    free(relisten->shares);
    free(relisten->given);
    free(relisten);
}

static struct rtn_relisten *relisten_new(struct rtn_server *server, const struct rtn_config_server *config)
{
    struct rtn_relisten *relisten = rtn_config_need(calloc(1, sizeof(*relisten)));
    relisten->server = server;
    relisten->config = config;
    relisten->loops = server->loop_count;
    relisten->listeners = rtn_config_need(calloc(config->listen.count + 1, sizeof(struct rtn_listener *)));
    relisten->shares = rtn_config_need(calloc(relisten->loops + 1U, sizeof(*relisten->shares)));
    return relisten;
}

static bool has(struct rtn_listener *const *listeners, size_t count, const struct rtn_listener *listener)
{
    for (size_t i = 0; i < count; i++) {
        if (listeners[i] == listener)
            return true;
    }
    return false;
}

/* One that stays, each of several on one address (port 0) once; NULL: none. */
static struct rtn_listener *find_own(const struct rtn_relisten *relisten, const char *address)
{
    const struct rtn_server *server = relisten->server;
    for (size_t i = 0; i < server->listener_count; i++) {
        struct rtn_listener *listener = server->listeners[i];
        if (!has(relisten->listeners, relisten->count, listener) &&
            rtn_config_is_same_address(listener->address, address))
            return listener;
    }
    return NULL;
}

static bool add_listeners(struct rtn_relisten *relisten, struct rtn_diags *diags)
{
    bool good = true;
    for (size_t i = 0; i < relisten->config->listen.count; i++) {
        const struct rtn_config_listen *listen =
            &((const struct rtn_config_listen *) relisten->config->listen.items)[i];
        struct rtn_listener *listener = find_own(relisten, listen->address);
        listener = listener != NULL ? rtn_listener_ref(listener)
                                    : rtn_server_open_listener(relisten->server, relisten->config, i, diags);
        if (listener != NULL)
            relisten->listeners[relisten->count++] = listener;
        good = good && listener != NULL;
        relisten->stdio = relisten->stdio || rtn_server_is_stdio(listen);
    }
    return good;
}

static bool add_shares(struct rtn_relisten *relisten)
{
    bool good = true;
    for (unsigned i = 0; i < relisten->loops; i++) {
        struct share *share = &relisten->shares[i];
        *share = (struct share){ .relisten = relisten, .loop = &relisten->server->loops[i] };
        good =
            rtn_accept_watchers_new(share->loop, relisten->listeners, relisten->config, &share->watchers) == 0 && good;
    }
    return good;
}

int rtn_server_relisten(struct rtn_server *server, const struct rtn_config_server *config, struct rtn_diags *diags)
{
    struct rtn_relisten *relisten = relisten_new(server, config);
    if (!add_listeners(relisten, diags)) {
        relisten_free(relisten);
        return -EINVAL;
    }
    rtn_config_need(add_shares(relisten) ? relisten : NULL);
    server->relisten = relisten;
    return 0;
}

void rtn_server_relisten_undo(struct rtn_server *server)
{
    if (server->relisten != NULL)
        relisten_free(server->relisten);
    server->relisten = NULL;
}

/* From here to there */

/* [loop] */
static void on_share(struct rtn_mail *mail)
{
    struct share *share = RTN_CONTAINER_OF(mail, struct share, mail);
    struct rtn_relisten *relisten = share->relisten;
    struct rtn_mailbox *main = relisten->server->host->mailbox;
    rtn_accept_change(share->loop, share->watchers, relisten->given, relisten->given_count);
    share->watchers.items = NULL;
    if (relisten->stdio && share->loop->accept.open)
        rtn_server_stdio_begin(share->loop);
    if (atomic_fetch_sub(&relisten->waited_for, 1) == 1)
        rtn_mailbox_post(main, &relisten->mail);
}

static void finish(struct rtn_relisten *relisten)
{
    struct rtn_server *server = relisten->server;
    rtn_server_relisten_done done = relisten->done;
    void *data = relisten->data;
    relisten_free(relisten);
    if (done != NULL)
        done(server, data);
}

static void on_swept(struct rtn_mail *mail)
{
    finish(RTN_CONTAINER_OF(mail, struct rtn_relisten, mail));
}

/* [loop]: by mail to itself, which comes after the next wait. One that has ended waits no more. */
static void on_sweep(struct rtn_mail *mail)
{
    struct share *share = RTN_CONTAINER_OF(mail, struct share, mail);
    struct rtn_relisten *relisten = share->relisten;
    struct rtn_mailbox *main = relisten->server->host->mailbox;
    if (!share->waited && !share->loop->ended) {
        share->waited = true;
        rtn_loop_post(&share->loop->loop, &share->mail);
    } else if (atomic_fetch_sub(&relisten->waited_for, 1) == 1)
        rtn_mailbox_post(main, &relisten->mail);
}

static void begin_round(struct rtn_relisten *relisten, void (*part)(struct rtn_mail *mail),
                        void (*then)(struct rtn_mail *mail))
{
    struct rtn_server *server = relisten->server;
    relisten->mail.deliver = then;
    atomic_store(&relisten->waited_for, relisten->loops);
    for (unsigned i = 0; i < relisten->loops; i++) {
        relisten->shares[i].mail.deliver = part;
        rtn_loop_post(&server->loops[i].loop, &relisten->shares[i].mail);
    }
}

/* Those that somebody has stay as they are. The server may have ended meanwhile: then no loop touches them. */
static void on_changed(struct rtn_mail *mail)
{
    struct rtn_relisten *relisten = RTN_CONTAINER_OF(mail, struct rtn_relisten, mail);
    bool closes = false;
    for (size_t i = 0; i < relisten->count; i++) {
        closes = closes || (relisten->listeners[i]->references == 1 && relisten->listeners[i]->count > 0);
        rtn_listener_stop(relisten->listeners[i]);
    }
    if (closes && relisten->server->loop_count > 0)
        begin_round(relisten, on_sweep, on_swept);
    else
        finish(relisten);
}

/* Of listeners that the server has no longer. */
static void add_given(struct rtn_relisten *relisten, const struct rtn_listener *listener)
{
    relisten->given =
        rtn_config_need(reallocarray(relisten->given, relisten->given_count + listener->count + 1, sizeof(int)));
    for (size_t i = 0; i < listener->count; i++)
        relisten->given[relisten->given_count++] = listener->sockets[i].fd;
}

/* Whoever counts references then finds those that stay to be of the server alone, as they were. */
static void exchange(struct rtn_relisten *relisten)
{
    struct rtn_server *server = relisten->server;
    struct rtn_listener **before = server->listeners;
    size_t count = server->listener_count;
    server->listeners = relisten->listeners;
    server->listener_count = relisten->count;
    relisten->listeners = before;
    relisten->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (has(server->listeners, server->listener_count, before[i])) {
            rtn_listener_close(before[i]);
            continue;
        }
        relisten->listeners[relisten->count++] = before[i];
        if (before[i]->references > 1)
            add_given(relisten, before[i]);
    }
}

static void set_modes(const struct rtn_server *server, const struct rtn_config_server *config)
{
    const struct rtn_config_listen *listen = config->listen.items;
    for (size_t i = 0; i < server->listener_count; i++) {
        int r = rtn_listener_set_mode(server->listeners[i], rtn_server_listen_mode(&listen[i]));
        if (r < 0)
            rtn_log(RTN_LOG_ERROR, "server \"%s\": cannot change the mode of %s: %s", config->name, listen[i].address,
                    strerror(-r));
    }
}

static void commit(struct rtn_server *server, rtn_server_relisten_done done, void *data)
{
    struct rtn_relisten *relisten = server->relisten;
    server->relisten = NULL;
    relisten->done = done;
    relisten->data = data;
    exchange(relisten);
    begin_round(relisten, on_share, on_changed);
}

void rtn_server_relisten_commit(struct rtn_server *server, rtn_server_relisten_done done, void *data)
{
    const struct rtn_config_server *config = server->relisten->config;
    commit(server, done, data);
    set_modes(server, config);
}

/* Only what nobody else has; in the rows of the configuration that it was made by, as long as there are watchers to
 * make. */
static void keep_own(struct rtn_relisten *relisten)
{
    const struct rtn_server *server = relisten->server;
    for (size_t i = 0; i < server->listener_count; i++)
        relisten->listeners[i] = server->listeners[i]->references == 1 ? rtn_listener_ref(server->listeners[i]) : NULL;
    rtn_config_need(add_shares(relisten) ? relisten : NULL);
    for (size_t i = 0; i < server->listener_count; i++) {
        if (relisten->listeners[i] != NULL)
            relisten->listeners[relisten->count++] = relisten->listeners[i];
    }
}

void rtn_server_hand_over(struct rtn_server *server)
{
    bool shared = false;
    atomic_store(&server->replaced, true);
    for (size_t i = 0; i < server->listener_count; i++)
        shared = shared || server->listeners[i]->references > 1;
    if (!shared)
        return;
    server->relisten = relisten_new(server, server->config);
    keep_own(server->relisten);
    commit(server, NULL, NULL);
}
