/*
 * The media types of a server, which any thread may look up at any time, also one of a module that holds on to nothing.
 * What was looked up stays valid: all that were ever in force are kept as long as the server. Those of two
 * configurations are one when they are equal, so that only a change of media types takes memory.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/media.h"
#include "server/server_loop.h"

struct rtn_server_media {
    struct rtn_media *media;
    struct rtn_server_media *before;
};

int rtn_server_media_set(struct rtn_server *server, struct rtn_media *media)
{
    struct rtn_server_media *before = atomic_load(&server->media);
    if (before != NULL && before->media == media)
        return 0;
    struct rtn_server_media *now = malloc(sizeof(*now));
    if (now == NULL)
        return -ENOMEM;
    *now = (struct rtn_server_media){ media, before };
    rtn_media_ref(media);
    atomic_store(&server->media, now);
    return 0;
}

void rtn_server_media_done(struct rtn_server *server)
{
    struct rtn_server_media *at = atomic_load(&server->media);
    while (at != NULL) {
        struct rtn_server_media *before = at->before;
        rtn_media_unref(at->media);
        free(at);
        at = before;
    }
}

const char *rtn_media_type(const rtn_server *server, rtn_str file_name)
{
    return rtn_media_lookup(atomic_load(&server->media)->media, file_name);
}
