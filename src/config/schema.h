/*
 * Table-driven checking of a node tree into structs. Each key is one row; the same rows make the
 * checks, --schema, --explain, --dump-config and the key chapter of retinued.yaml(5). [main]
 */
#ifndef RTN_CONFIG_SCHEMA_H
#define RTN_CONFIG_SCHEMA_H

#include "base/arena.h"
#include "config/node.h"

enum rtn_schema_type {
    RTN_SCHEMA_BOOL, /* bool */
    RTN_SCHEMA_INT, /* int64_t */
    RTN_SCHEMA_SIZE, /* int64_t, bytes */
    RTN_SCHEMA_DURATION, /* int64_t, milliseconds */
    RTN_SCHEMA_STRING, /* const char *; NULL when unset */
    RTN_SCHEMA_PATH, /* const char *, made absolute against the folder of the file that holds it */
    RTN_SCHEMA_ENUM, /* int: value of the matching rtn_schema_choice */
    RTN_SCHEMA_FLAGS, /* unsigned: list of choices, or'ed */
    RTN_SCHEMA_STRINGS, /* struct rtn_schema_strings */
    RTN_SCHEMA_PATHS, /* struct rtn_schema_strings */
    RTN_SCHEMA_MAP, /* nested struct, described by `table` */
    RTN_SCHEMA_LIST, /* struct rtn_schema_array of structs described by `table` */
    RTN_SCHEMA_NAMED, /* struct rtn_schema_array: a map whose keys name the structs */
    RTN_SCHEMA_FREE /* const struct rtn_node *, a map kept for a later check (module options) */
};

struct rtn_schema_strings {
    const char **items;
    const struct rtn_node **nodes; /* for errors found later; NULL when the value is a default */
    size_t count;
};

struct rtn_schema_array {
    void *items;
    size_t count;
};

struct rtn_schema_choice {
    const char *name;
    int value;
};

struct rtn_schema_table;

/* What a check needs beside the value: where we are, and where memory and messages go. */
struct rtn_schema_context {
    const char *where; /* server "get"; may be empty */
    const struct rtn_schema_table *root; /* of the whole file: where unknown keys may belong */
    struct rtn_mark mark; /* of the name or first word of the map being read: the place of a missing key */
    bool sound; /* in a table's check: all keys were read without error */
    struct rtn_arena *arena;
    struct rtn_diags *diags;
};

/*
 * One key. `fallback` is the default as it would be written in YAML, and is parsed like input (a scalar,
 * or of lists a, b and c as [a, b, c] without quotes); NULL: zero, NULL or empty. `fallback_help` replaces it where
 * people read (a default that is computed). Lists of strings, paths and flags, and structs with a shorthand, also take
 * a single value. `check` sees the value after it was read without error (of lists also with broken elements, whose
 * members are then zero), may change it, and reports what it finds. A `fallback` goes through it too.
 */
struct rtn_schema_key {
    const char *name;
    enum rtn_schema_type type;
    bool required;
    bool consumed; /* has done its work while loading: the dump holds it as a comment */
    bool switches_on; /* a map that counts by being there, be it empty: a dump has it only where it was given */
    size_t offset;
    const char *fallback;
    const char *fallback_help;
    int64_t min, max; /* of numbers, sizes and durations; number of elements of lists; checked when max > 0 */
    const struct rtn_schema_choice *choices; /* ends with name NULL */
    const struct rtn_schema_table *table;
    bool (*check)(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);
    const char *pattern; /* of strings, names and values in free maps, for --schema: an ECMAScript regular expression */
    const char *help; /* one or more sentences */
    const char *example; /* a value as written in YAML; may be NULL */
};

/* A word that people look for although it is no key. */
struct rtn_schema_topic {
    const char *name; /* NULL ends a list of topics */
    const char *help; /* one or more sentences that say which keys it is about, or that there is none for it */
    const char *const *keys; /* paths as --explain takes them, ends with NULL */
};

/*
 * A struct. `shorthand`: a scalar may stand for a map that has just this key (listen).
 * `typical`: the key that is named when there is no map where one should be; NULL: the first required one, else the
 * first.
 * `topics`: of the table of a whole file; NULL: none.
 * `when_changed`: of the table of a whole file: when a change of the key at `path` takes hold, NULL for a key that only
 * holds others; NULL: nothing is said of that.
 * `label`: the key whose value tells elements of a list apart in messages (route "/x").
 * `node_offset`: member of type const struct rtn_node * that receives the node (SIZE_MAX: none).
 * `name_offset`: member of type const char * that receives the name in RTN_SCHEMA_NAMED (SIZE_MAX: none).
 * `check`: compares members with each other, after all keys were read. Where `context->sound` is false
 * some of them are missing or zero because of errors reported before; errors further down in maps and
 * lists do not count.
 */
struct rtn_schema_table {
    const char *name; /* "server": for messages and headings */
    size_t size;
    const struct rtn_schema_key *keys; /* ends with name NULL */
    const char *shorthand;
    const char *typical;
    const struct rtn_schema_topic *topics;
    const char *(*when_changed)(const char *path);
    const char *label;
    size_t node_offset;
    size_t name_offset;
    void (*check)(void *object, const struct rtn_node *node, const struct rtn_schema_context *context);
};

/*
 * Fills `object` (zeroed by the caller) from `node` (NULL: all defaults). Every problem becomes a
 * diagnostic that starts with `where` (as in: server "get": ...; may be empty). Memory comes from `arena`.
 */
void rtn_schema_read(const struct rtn_schema_table *table, const struct rtn_node *node, const char *where, void *object,
                     struct rtn_arena *arena, struct rtn_diags *diags);

/* An error that starts with the context's `where`. Always false, so that a check can return it. */
bool rtn_schema_error(const struct rtn_schema_context *context, struct rtn_mark mark, const char *format, ...)
    RTN_PRINTF(3, 4);

/* The place of `name` in map `node`: its value when that is a scalar, else the key; the node itself
 * when the key is absent. For later errors. */
struct rtn_mark rtn_schema_mark(const struct rtn_node *node, const char *name);

/* True when the map has an unknown key that is probably a misspelled `name`: that name is not missing then. */
bool rtn_schema_is_meant(const struct rtn_schema_table *table, const struct rtn_node *map, const char *name);

/* True for a map with a key that the table does not have. */
bool rtn_schema_has_unknown_key(const struct rtn_schema_table *table, const struct rtn_node *map);

/* The topic of that name, in any case; NULL: there is none. */
const struct rtn_schema_topic *rtn_schema_topic(const struct rtn_schema_table *root, struct rtn_str name);

/* `path` made absolute against the folder of the file of `mark`. NULL when the working folder cannot be read. */
const char *rtn_schema_absolute(const char *path, const struct rtn_mark *mark, struct rtn_arena *arena);

/* ; did you mean "x"? of the nearest of `names`, or "" when nothing is near. Memory comes from `arena`. */
const char *rtn_schema_suggest(struct rtn_str given, const char *const *names, size_t count, struct rtn_arena *arena);

#endif
