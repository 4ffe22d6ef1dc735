/*
 * Keeping is offered by FDSTORE, which is above 0 then: systemd sets it since version 254, retinued.service for those
 * before. The manager lets go of everything when the unit stops for good, so that clients are refused then.
 */
#include "daemon/fdstore.h"

#include <stdlib.h>

#include "daemon/daemon_state.h"
#include "daemon/notify.h"

static int keep(int fd, const char *name)
{
    return rtn_notify_fd(fd, "FDSTORE=1\nFDNAME=%s", name);
}

static void forget(const char *name)
{
    rtn_notify("FDSTOREREMOVE=1\nFDNAME=%s", name);
}

static bool is_offered(void)
{
    const char *most = getenv("FDSTORE");
    int64_t number;
    return most != NULL && rtn_parse_int(rtn_str_of(most), &number) == 0 && number > 0;
}

static void keep_listeners(const struct rtn_server *server, const struct rtn_fdstore *store)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        struct rtn_listener *listener = server->listeners[i];
        int r = rtn_listener_keep(listener, store);
        if (r < 0)
            rtn_log(RTN_LOG_WARN, "the service manager does not keep the socket of %s: %s", listener->text,
                    strerror(-r));
    }
}

/* Those that nobody wants go first: one that has come since may have the name of one of them. */
void rtn_fdstore_update(struct rtn_daemon *daemon)
{
    daemon->store.keep = keep;
    daemon->store.forget = forget;
    daemon->store.serving = true;
    rtn_activation_drop(&daemon->activation, forget);
    for (size_t i = 0; i < daemon->run_count && is_offered(); i++) {
        if (daemon->runs[i]->server != NULL)
            keep_listeners(daemon->runs[i]->server, &daemon->store);
    }
}

void rtn_fdstore_leave(struct rtn_daemon *daemon)
{
    daemon->store.serving = false;
}
