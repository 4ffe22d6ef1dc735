/* Paths below the root: which ones are taken, and how they are written in links. Pure functions. [any] */
#ifndef STATIC_PATH_H
#define STATIC_PATH_H

#include <retinue/types.h>

/*
 * True for a path that may be looked for below a folder: relative, without a NUL and without segments that are empty,
 * "." or "..". Segments that begin with a dot are refused unless dot_files; with well_known the first one may be
 * ".well-known" (RFC 8615). The path may be empty, and may end in a slash.
 */
bool static_path_allowed(rtn_str path, bool dot_files, bool well_known);

/* True for one name: a path without slashes, not empty. */
bool static_path_is_name(const char *name);

/* Bytes that static_path_encode() and static_path_redirect() need at most, NUL included. */
#define STATIC_ENCODED_MAX(length_) (3 * (length_) + 1)

/* Percent-encodes everything but slashes and what is never special in a URL (RFC 3986, 2.3). Returns the length. */
size_t static_path_encode(rtn_str path, char *out);

/*
 * The Location of a folder that was asked for without its slash: `path` encoded with a slash behind it, and the query.
 * Begins with exactly one slash, so that no path makes it lead to another host.
 */
#define STATIC_REDIRECT_MAX(path_length_, query_length_) (STATIC_ENCODED_MAX(path_length_) + (query_length_) + 3)
void static_path_redirect(rtn_str path, rtn_str query, char *out);

#endif
