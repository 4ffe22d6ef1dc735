/*
 * Listeners that are open: who has them, which loop accepts from which socket, and how they end. What others have too,
 * or the service manager keeps for whoever is started next, does not end here.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "net/listener_internal.h"
#include "net/listener_keep.h"

struct rtn_listener *rtn_listener_ref(struct rtn_listener *listener)
{
    listener->references++;
    return listener;
}

/* Of sockets of one address: a name may stand for several, each of which has as many as there were loops. */
static bool shares(unsigned socket, unsigned sockets, unsigned loop, unsigned loops)
{
    return sockets >= loops ? socket % loops == loop : loop % sockets == socket;
}

static unsigned sockets_per_address(const struct rtn_listener *listener)
{
    int last = 0;
    for (size_t i = 0; i < listener->count; i++)
        last = RTN_MAX(last, listener->sockets[i].loop);
    return (unsigned) last + 1;
}

bool rtn_listener_is_for(const struct rtn_listener *listener, size_t index, unsigned loop, unsigned loops)
{
    int made_for = listener->sockets[index].loop;
    return made_for == RTN_LISTENER_ALL_LOOPS ||
           shares((unsigned) made_for, sockets_per_address(listener), loop, loops);
}

int rtn_listener_set_mode(const struct rtn_listener *listener, mode_t mode)
{
    if (listener->socket_file == NULL)
        return 0;
    if (mode == RTN_LISTENER_DEFAULT_MODE)
        mode = listener->default_mode;
    return chmod(listener->socket_file, mode) < 0 ? -errno : 0;
}

void rtn_listener_stop(struct rtn_listener *listener)
{
    if (listener == NULL || listener->references > 1 || rtn_listener_leave(listener))
        return;
    listener->stopped = true;
    for (size_t i = 0; i < listener->count; i++)
        (void) shutdown(listener->sockets[i].fd, SHUT_RDWR);
    rtn_listener_remove_file(listener);
}

/* Shut down before: to close a socket that somebody else has a copy of refuses nobody. */
void rtn_listener_close(struct rtn_listener *listener)
{
    rtn_listener_stop(listener);
    if (listener == NULL || --listener->references > 0)
        return;
    for (size_t i = 0; i < listener->count; i++) {
        if (listener->activation != NULL)
            rtn_activation_give(listener->activation, listener->address + strlen("systemd:"), listener->sockets[i].fd);
        else
            rtn_fd_close(&listener->sockets[i].fd);
    }
    free(listener->sockets);
    free(listener->socket_file);
    free(listener->address);
    free(listener->text);
    free(listener);
}
