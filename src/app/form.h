/*
 * Percent-decoding and name=value pairs of queries and urlencoded forms (WHATWG URL, application/
 * x-www-form-urlencoded), and request paths (RFC 3986). Pure functions. [any]
 */
#ifndef RTN_APP_FORM_H
#define RTN_APP_FORM_H

#include "base/arena.h"

/*
 * Takes the next pair off *rest (separator '&', empty pieces skipped); views are still encoded. False at the end.
 */
bool rtn_form_next(struct rtn_str *rest, struct rtn_str *name, struct rtn_str *value);

/*
 * Decodes %XX and '+' into arena memory (a view of the input itself when there is nothing to decode). A '%' that
 * is not followed by two hex digits stays as it is. data is never NULL unless memory is out.
 */
struct rtn_str rtn_form_decode(struct rtn_str encoded, struct rtn_arena *arena);

/* The value of the `index`th pair called `name` (compared decoded). Absent view when there is none. */
struct rtn_str rtn_form_find(struct rtn_str pairs, struct rtn_str name, size_t index, struct rtn_arena *arena);

/*
 * The path of a request target (no query): percent-decoded, dot segments removed (RFC 3986, 5.2.4). Returns 0;
 * -EINVAL for a broken escape, a NUL or control character (encoded or not), a path that does not start with '/'
 * or climbs above the root; -ENOMEM. A view of the input itself when nothing changes.
 */
int rtn_path_decode(struct rtn_str raw, struct rtn_arena *arena, struct rtn_str *ret);

/*
 * A request target in origin form: its path as rtn_path_decode() gives it, with what that returns, and what is behind
 * the first '?', as it was sent; absent without one.
 */
int rtn_target_split(struct rtn_str target, struct rtn_arena *arena, struct rtn_str *ret_path,
                     struct rtn_str *ret_query);

#endif
