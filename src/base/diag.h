/*
 * Diagnostics with positions: parsers and checks add them, whoever started the work prints them.
 * [owner's thread]
 *
 *     retinued.yaml:12:5: error: server "get": unknown key "thread"; did you mean "threads"?
 *        12 |     thread: 4
 *           |     ^~~~~~
 */
#ifndef RTN_BASE_DIAG_H
#define RTN_BASE_DIAG_H

#include <stdarg.h>

#include "base/buf.h"

/* A text that positions point into. Not owned by diagnostics; must outlive them. */
struct rtn_source {
    const char *path; /* as shown to people */
    struct rtn_str text;
};

/* A place: line and column count from 1, columns in characters. length 0: no underline. source NULL: no place. */
struct rtn_mark {
    const struct rtn_source *source;
    unsigned line;
    unsigned column;
    unsigned length; /* in characters, for the underline; cut at the end of the line */
};

enum rtn_severity { RTN_SEVERITY_ERROR, RTN_SEVERITY_WARNING, RTN_SEVERITY_NOTE };

struct rtn_diag {
    enum rtn_severity severity;
    struct rtn_mark mark;
    char *message;
    bool repeated; /* added before with the same place and message: neither counted nor shown */
};

/* All-zero is an empty list. */
struct rtn_diags {
    struct rtn_diag *items;
    size_t count;
    size_t capacity;
    size_t errors;
};

void rtn_diags_done(struct rtn_diags *diags);

void rtn_diags_add(struct rtn_diags *diags, enum rtn_severity severity, struct rtn_mark mark, const char *format, ...)
    RTN_PRINTF(4, 5);
void rtn_diags_vadd(struct rtn_diags *diags, enum rtn_severity severity, struct rtn_mark mark, const char *format,
                    va_list arguments) RTN_PRINTF(4, 0);
#define rtn_diags_error(diags, mark, ...) rtn_diags_add(diags, RTN_SEVERITY_ERROR, mark, __VA_ARGS__)
#define rtn_diags_warning(diags, mark, ...) rtn_diags_add(diags, RTN_SEVERITY_WARNING, mark, __VA_ARGS__)
#define rtn_diags_note(diags, mark, ...) rtn_diags_add(diags, RTN_SEVERITY_NOTE, mark, __VA_ARGS__)

/*
 * All of them in the form above, ordered by file (first mentioned first), line and column; notes stay
 * behind the diagnostic they follow. One without a place is "retinued: error: message", one whose
 * line is 0 is "path: error: message". Something added twice is shown once, without its second notes.
 * Of very many the first 200 are shown, then "retinued: and 17 more".
 * With `color`, severity and underline carry SGR codes.
 */
void rtn_diags_render(struct rtn_diags *diags, struct rtn_buf *out, bool color);

#endif
