/*
 * A streaming JSON writer (RFC 8259) into a buffer. It places commas and, when asked, newlines and
 * two-space indents; the caller opens and closes objects and arrays in order. [owner's thread]
 *
 *     struct rtn_json json = { .out = &buf };
 *     rtn_json_object(&json);
 *     rtn_json_key(&json, "port"); rtn_json_int(&json, 80);
 *     rtn_json_end(&json);
 */
#ifndef RTN_BASE_JSON_H
#define RTN_BASE_JSON_H

#include "base/buf.h"

#define RTN_JSON_DEPTH 32

struct rtn_json {
    struct rtn_buf *out;
    bool pretty;
    unsigned depth;
    bool after_key;
    struct {
        bool array;
        bool used;
    } level[RTN_JSON_DEPTH]; /* going deeper is a bug and asserts */
};

void rtn_json_object(struct rtn_json *json);
void rtn_json_array(struct rtn_json *json);
void rtn_json_end(struct rtn_json *json); /* of the innermost object or array */
void rtn_json_key(struct rtn_json *json, const char *key);

/* Invalid UTF-8 becomes U+FFFD; control characters are escaped. */
void rtn_json_str(struct rtn_json *json, struct rtn_str value);
void rtn_json_text(struct rtn_json *json, const char *value); /* NULL writes null */
void rtn_json_int(struct rtn_json *json, int64_t value);
void rtn_json_bool(struct rtn_json *json, bool value);
void rtn_json_null(struct rtn_json *json);

/* A member of an object: key and value. */
void rtn_json_put_text(struct rtn_json *json, const char *key, const char *value); /* NULL writes null */
void rtn_json_put_int(struct rtn_json *json, const char *key, int64_t value);
void rtn_json_put_bool(struct rtn_json *json, const char *key, bool value);

#endif
