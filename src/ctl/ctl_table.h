/*
 * Rows of cells in aligned columns. On a terminal, columns that may be cut make room for the others. [main]
 */
#ifndef RTN_CTL_CTL_TABLE_H
#define RTN_CTL_CTL_TABLE_H

#include "ctl/ctl.h"

struct rtn_ctl_column {
    const char *title;
    const char *(*paint)(const char *cell); /* SGR parameters for a cell, NULL: plain; may be NULL */
    bool right; /* its cells end in one line */
    bool cut; /* when the lines are too long */
    bool front; /* it is cut at its beginning, as paths of files are */
};

struct rtn_ctl_table {
    const struct rtn_ctl_column *columns;
    size_t column_count;
    unsigned gap; /* blanks between columns; 0: two */
    bool drop; /* the last columns, where there is no room for them; else lines become too long */
    char **cells; /* row by row */
    size_t cell_count;
    size_t capacity;
};

/* An array of columns as they stand in the initialiser of a table. */
#define RTN_CTL_TABLE(columns_)                                           \
    {                                                                     \
        .columns = (columns_), .column_count = RTN_ARRAY_LENGTH(columns_) \
    }

void rtn_ctl_table_done(struct rtn_ctl_table *table);

/* The next cell, row by row. An empty one is shown as "-". */
void rtn_ctl_table_add(struct rtn_ctl_table *table, const char *format, ...) RTN_PRINTF(2, 3);

/* Titles and rows, each line with its end. `width` 0: as long as they are. */
void rtn_ctl_table_render(const struct rtn_ctl_table *table, unsigned width, bool color, struct rtn_buf *out);

/* What a terminal takes for it, of UTF-8 without wide characters. */
unsigned rtn_ctl_columns(const char *text);

/* The text in so many columns: filled up with blanks (in front of it with `right`), or cut, with "~" at the end. */
void rtn_ctl_fit(struct rtn_buf *out, const char *text, unsigned columns, bool right);

#endif
