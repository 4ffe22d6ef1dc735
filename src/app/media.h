/*
 * Media types of files by the extension of their names: a table of the usual ones, and what the operator adds or
 * replaces in daemon.media_types. [main, then frozen; looking up from any thread]
 */
#ifndef RTN_APP_MEDIA_H
#define RTN_APP_MEDIA_H

#include "config/node.h"

struct rtn_media;

/*
 * `types` is the map of the configuration (extension without dot, in any case -> media type), or NULL; it must outlive
 * the result. NULL only when memory is out.
 */
struct rtn_media *rtn_media_new(const struct rtn_node *types);

/* Accepts NULL. */
void rtn_media_free(struct rtn_media *media);

/*
 * The media type of a file name, which may have folders before it. The extension is what is behind the last dot, and
 * a dot at the start of the name begins none. NULL: not known. `media` may be NULL: the table alone. Types live as long
 * as the map given to rtn_media_new(), those of the table for ever.
 */
const char *rtn_media_lookup(const struct rtn_media *media, struct rtn_str file_name);

#endif
