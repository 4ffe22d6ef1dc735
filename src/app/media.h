/*
 * Media types of files by the extension of their names: a table of the usual ones, and what the operator adds or
 * replaces in daemon.media_types. [main, then frozen; looking up from any thread]
 */
#ifndef RTN_APP_MEDIA_H
#define RTN_APP_MEDIA_H

#include "config/node.h"

struct rtn_media;

/*
 * `types` is the map of the configuration (extension without dot, in any case -> media type), or NULL; it is copied.
 * NULL only when memory is out.
 */
struct rtn_media *rtn_media_new(const struct rtn_node *types);

/* Whether both know the same of their own. */
bool rtn_media_is_same(const struct rtn_media *a, const struct rtn_media *b);

/* One that was made has one reference; the last one frees it. [any] */
void rtn_media_ref(struct rtn_media *media);
void rtn_media_unref(struct rtn_media *media); /* accepts NULL */

/*
 * The media type of a file name, which may have folders before it. The extension is what is behind the last dot, and
 * a dot at the start of the name begins none. NULL: not known. `media` may be NULL: the table alone. Types live as long
 * as `media`, those of the table for ever.
 */
const char *rtn_media_lookup(const struct rtn_media *media, struct rtn_str file_name);

#endif
