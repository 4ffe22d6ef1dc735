/* What only line servers have: the greeting, the ends of lines, lines that are too long, and silence without end. */
#include "config/config_tables.h"
#include "config/memory.h"

#define IDLE_LEAST 10

const struct rtn_schema_choice rtn_config_line_ends[] = {
    { "crlf", RTN_LINE_END_CRLF },
    { "lf", RTN_LINE_END_LF },
    { NULL, 0 },
};

const struct rtn_schema_choice rtn_config_long_lines[] = {
    { "close", RTN_LONG_LINES_CLOSE },
    { "drop", RTN_LONG_LINES_DROP },
    { NULL, 0 },
};

/* C0, DEL, and C1, which terminals obey too: U+0080 to U+009F, C2 80 to C2 9F in UTF-8. */
static bool is_control(const char *text)
{
    unsigned char c = (unsigned char) text[0], next = (unsigned char) text[1];

    return (c < 0x20 && c != '\t') || c == 0x7f || (c == 0xc2 && next < 0xa0);
}

bool rtn_config_check_greeting(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char *text = *(const char **) value;

    if (*text == '\0')
        return rtn_schema_error(context, node->mark, "\"greeting\" is empty; leave it out when there is to be none");
    for (; *text != '\0'; text++) {
        if (is_control(text))
            return rtn_schema_error(context, node->mark,
                                    "\"greeting\" must be one line, without control characters other than TAB");
    }
    return true;
}

/* The bounds of the row leave room for the 0 of line servers. What is no duration was reported before. */
void rtn_config_check_idle(struct rtn_config_server *server, const struct rtn_node *node,
                           const struct rtn_schema_context *context)
{
    const struct rtn_node *idle = rtn_node_get(rtn_node_get(node, "timeouts"), "idle");
    bool line = server->protocol == RTN_PROTOCOL_LINE;
    struct rtn_schema_context inner = *context;
    int64_t given;

    if (!rtn_config_key_is_for(&rtn_config_server_table, RTN_STR("timeouts"), server->protocol))
        return;
    if (idle == NULL && line)
        server->timeouts.idle = 0;
    if (idle == NULL || idle->kind != RTN_NODE_SCALAR || rtn_parse_duration(idle->text, &given) != 0)
        return;
    if (given >= IDLE_LEAST || (given == 0 && line))
        return;
    inner.where = rtn_config_printf(context->arena, "%s: timeouts", context->where);
    rtn_schema_error(&inner, idle->mark, "\"idle\" must be %s10ms to 1d, not %.*s", line ? "0 or " : "",
                     RTN_STR_ARG(idle->text));
}
