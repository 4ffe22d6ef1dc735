/* What the commands that show something have in common: one question, and a table of the answer. */
#include "ctl/ctl_answer.h"

#include <stdio.h>

#include "base/macros.h"

static const char green[] = "32";
static const char yellow[] = "33";
static const char red[] = "31";

const char *rtn_ctl_paint_state(const char *cell)
{
    static const struct {
        const char *state;
        const char *paint;
    } rows[] = { { "serving", green },  { "draining", yellow },  { "closing", yellow },
                 { "drained", yellow }, { "finishing", yellow }, { "stuck", red },
                 { "stopped", red },    { "debug", yellow },     { "trace", yellow } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        if (strcmp(rows[i].state, cell) == 0)
            return rows[i].paint;
    }
    return NULL;
}

const char *rtn_ctl_paint_count(const char *cell)
{
    return strcmp(cell, "0") != 0 && strcmp(cell, "-") != 0 ? yellow : NULL;
}

int rtn_ctl_answer_print(struct rtn_buf *text)
{
    return rtn_ctl_print(rtn_buf_str(text));
}

int rtn_ctl_answer_finish(const struct rtn_ctl *ctl, struct rtn_ctl_table *table, struct rtn_ctl_reply *reply,
                          const char *behind)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_ctl_table_render(table, ctl->width, ctl->color, &text);
    rtn_buf_append_text(&text, behind);
    int status = rtn_ctl_answer_print(&text);
    rtn_ctl_table_done(table);
    rtn_ctl_reply_done(reply);
    return status;
}

bool rtn_ctl_answer_get(const struct rtn_ctl *ctl, const char *target, struct rtn_ctl_reply *reply, int *status)
{
    *status = rtn_ctl_ask(ctl, false, target, reply);
    if (*status != RTN_CTL_OK)
        return false;
    if (!ctl->json)
        return true;
    *status = rtn_ctl_print_json(reply);
    rtn_ctl_reply_done(reply);
    return false;
}

void rtn_ctl_answer_target(const struct rtn_ctl *ctl, const char *path, struct rtn_buf *out)
{
    rtn_buf_append_text(out, path);
    if (ctl->arguments[0] != NULL) {
        rtn_buf_append_text(out, "?server=");
        rtn_ctl_escape(out, ctl->arguments[0]);
    }
}

void rtn_ctl_append_joined(const json_t *array, const char *separator, struct rtn_buf *out)
{
    const json_t *item;
    for (size_t i = 0; (item = json_array_get(array, i)) != NULL; i++)
        rtn_buf_printf(out, "%s%s", i > 0 ? separator : "", json_string_value(item));
}

void rtn_ctl_append_silent(const json_t *answer, const char *what, struct rtn_buf *out)
{
    const json_t *silent = rtn_ctl_array(answer, "silent");
    if (json_array_size(silent) == 0)
        return;
    rtn_buf_printf(out, "%s: no answer from ", what);
    rtn_ctl_append_joined(silent, ", ", out);
    rtn_buf_append_text(out, ", which cannot come away from a handler\n");
}
