/* Widths are those of the widest cells; what is too much for the terminal is taken from the columns that may be cut. */
#include "ctl/ctl_table.h"

#include <stdlib.h>

#define GAP 2 /* blanks between columns, unless the table says otherwise */
#define LEAST 6 /* columns that a column keeps when it is cut */

void rtn_ctl_table_done(struct rtn_ctl_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->cell_count = 0;
}

void rtn_ctl_table_add(struct rtn_ctl_table *table, const char *format, ...)
{
    struct rtn_buf text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    rtn_buf_vprintf(&text, format, arguments);
    va_end(arguments);
    if (text.length == 0)
        rtn_buf_append_char(&text, '-');
    if (table->cell_count == table->capacity) {
        table->capacity = RTN_MAX(64, table->capacity * 2);
        table->cells = reallocarray(table->cells, table->capacity, sizeof(*table->cells));
        if (table->cells == NULL)
            abort();
    }
    table->cells[table->cell_count++] = rtn_buf_steal(&text);
}

static bool is_first_byte(char c)
{
    return ((unsigned char) c & 0xc0) != 0x80;
}

unsigned rtn_ctl_columns(const char *text)
{
    unsigned columns = 0;
    for (; *text != '\0'; text++)
        columns += is_first_byte(*text);
    return columns;
}

static void fill(struct rtn_buf *out, unsigned columns)
{
    rtn_buf_printf(out, "%*s", (int) columns, "");
}

void rtn_ctl_fit(struct rtn_buf *out, const char *text, unsigned columns, bool right)
{
    unsigned length = rtn_ctl_columns(text);
    if (length > columns) {
        for (unsigned seen = 0; *text != '\0'; text++) {
            seen += is_first_byte(*text);
            if (seen >= columns)
                break;
            rtn_buf_append_char(out, *text);
        }
        rtn_buf_append_text(out, columns > 0 ? "~" : "");
        return;
    }
    if (right)
        fill(out, columns - length);
    rtn_buf_append_text(out, text);
    if (!right)
        fill(out, columns - length);
}

static unsigned gap_of(const struct rtn_ctl_table *table)
{
    return table->gap > 0 ? table->gap : GAP;
}

/* How wide all are together. */
static unsigned measure(const struct rtn_ctl_table *table, unsigned *widths)
{
    unsigned total = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        widths[i] = rtn_ctl_columns(table->columns[i].title);
        for (size_t j = i; j < table->cell_count; j += table->column_count)
            widths[i] = RTN_MAX(widths[i], rtn_ctl_columns(table->cells[j]));
        total += widths[i] + (i > 0 ? gap_of(table) : 0);
    }
    return total;
}

/* One column less of the widest that may be cut. False: none may. */
static bool shrink(const struct rtn_ctl_table *table, unsigned *widths)
{
    size_t widest = table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].cut && widths[i] > LEAST &&
            (widest == table->column_count || widths[i] >= widths[widest]))
            widest = i;
    }
    if (widest == table->column_count)
        return false;
    widths[widest]--;
    return true;
}

/* The end of a text that is too long for so many columns, behind a "~". */
static void fit_end(struct rtn_buf *out, const char *text, unsigned columns)
{
    for (unsigned left = rtn_ctl_columns(text); left >= columns && *text != '\0'; left -= is_first_byte(*text))
        text++;
    while (*text != '\0' && !is_first_byte(*text))
        text++;
    rtn_buf_printf(out, "~%s", text);
}

struct layout {
    unsigned *widths;
    size_t shown; /* columns */
};

static void add_cell(const struct rtn_ctl_table *table, const struct layout *layout, size_t at, const char *text,
                     const char *paint, struct rtn_buf *out)
{
    const struct rtn_ctl_column *column = &table->columns[at];
    unsigned width = layout->widths[at];
    bool last = at + 1 == layout->shown;
    if (at >= layout->shown)
        return;
    if (paint != NULL)
        rtn_buf_printf(out, "\033[%sm", paint);
    unsigned length = rtn_ctl_columns(text);
    if (column->front && length > width)
        fit_end(out, text, width);
    else
        rtn_ctl_fit(out, text, last && !column->right ? RTN_MIN(width, length) : width, column->right);
    if (paint != NULL)
        rtn_buf_append_text(out, "\033[0m");
    if (last)
        rtn_buf_append_char(out, '\n');
    else
        fill(out, gap_of(table));
}

static void lay_out(const struct rtn_ctl_table *table, unsigned width, struct layout *ret)
{
    unsigned total = measure(table, ret->widths);
    ret->shown = table->column_count;
    while (width > 0 && total > width && shrink(table, ret->widths))
        total--;
    while (table->drop && width > 0 && total > width && ret->shown > 1)
        total -= ret->widths[--ret->shown] + gap_of(table);
    if (table->drop && width > 0)
        ret->widths[0] = RTN_MIN(ret->widths[0], width);
}

void rtn_ctl_table_render(const struct rtn_ctl_table *table, unsigned width, bool color, struct rtn_buf *out)
{
    struct layout layout = { .widths = calloc(table->column_count, sizeof(unsigned)) };
    if (layout.widths == NULL)
        abort();
    lay_out(table, width, &layout);
    for (size_t i = 0; i < table->column_count; i++)
        add_cell(table, &layout, i, table->columns[i].title, color ? "1" : NULL, out);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t at = i % table->column_count;
        const struct rtn_ctl_column *column = &table->columns[at];
        const char *paint = color && column->paint != NULL ? column->paint(table->cells[i]) : NULL;
        add_cell(table, &layout, at, table->cells[i], paint, out);
    }
    free(layout.widths);
}
