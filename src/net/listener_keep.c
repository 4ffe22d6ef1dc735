/*
 * Names of kept sockets are made of the address that each is bound to, not of what the configuration calls it: the same
 * socket has the same name in every daemon that has it. A name has no colon and no control character, and no more than
 * 255 bytes; a path that would take more is not kept.
 */
#include "net/listener_keep.h"

#include <ctype.h>
#include <errno.h>

#define NAME_MAX_LENGTH 255

/* "listen-127.0.0.1,80": colons become commas; what is not plain, a comma included, becomes %XX. */
static int name_of(int fd, struct rtn_buf *out)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    char text[RTN_ADDR_TEXT_SIZE];
    if (getsockname(fd, (struct sockaddr *) &address, &length) < 0)
        return -errno;
    rtn_addr_format(text, (struct sockaddr *) &address, length);
    rtn_buf_append_text(out, RTN_ACTIVATION_KEPT);
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char) *p;
        if (c == ':')
            rtn_buf_append_char(out, ',');
        else if (isalnum(c) || strchr("./_-@[]", c) != NULL)
            rtn_buf_append_char(out, (char) c);
        else
            rtn_buf_printf(out, "%%%02X", c);
    }
    return rtn_buf_str(out).length <= NAME_MAX_LENGTH ? 0 : -ENAMETOOLONG;
}

static int keep_one(struct rtn_listener_socket *socket, const struct rtn_fdstore *store)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf name = { 0 };
    if (socket->kept)
        return 0;
    int r = name_of(socket->fd, &name);
    if (r == 0)
        r = store->keep(socket->fd, name.data);
    socket->kept = r == 0;
    return r;
}

static void forget(struct rtn_listener *listener)
{
    for (size_t i = 0; i < listener->count; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf name = { 0 };
        if (listener->sockets[i].kept && name_of(listener->sockets[i].fd, &name) == 0)
            listener->store->forget(name.data);
        listener->sockets[i].kept = false;
    }
}

int rtn_listener_keep(struct rtn_listener *listener, const struct rtn_fdstore *store)
{
    if (listener->activated)
        return 0;
    listener->store = store;
    int r = 0;
    for (size_t i = 0; i < listener->count && r == 0; i++)
        r = keep_one(&listener->sockets[i], store);
    if (r < 0)
        forget(listener);
    return r;
}

static bool is_kept(const struct rtn_listener *listener)
{
    for (size_t i = 0; i < listener->count; i++) {
        if (listener->sockets[i].kept)
            return true;
    }
    return false;
}

bool rtn_listener_leave(struct rtn_listener *listener)
{
    if (listener->activated)
        return true;
    if (!is_kept(listener))
        return false;
    if (listener->store == NULL || !listener->store->serving)
        return true;
    forget(listener);
    return false;
}
