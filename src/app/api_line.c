/* Bodies of the public functions about sending lines. Sending itself is in sessions.c. */
#include <retinue/module.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sessions.h"

#define SHORT 512 /* bytes that need no memory of their own */

int rtn_line_send(uint64_t connection, const char *line, size_t length)
{
    if (line == NULL && length > 0)
        return -EINVAL;
    return rtn_sessions_send(RTN_SESSION_LINE, connection, RTN_WS_OP_TEXT, (struct rtn_str){ line, length });
}

int rtn_line_send_text(uint64_t connection, const char *line)
{
    return line != NULL ? rtn_line_send(connection, line, strlen(line)) : -EINVAL;
}

int rtn_line_send_format(uint64_t connection, const char *format, ...)
{
    char text[SHORT];
    char *large = NULL;
    va_list arguments;
    if (format == NULL)
        return -EINVAL;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length >= SHORT) {
        va_start(arguments, format);
        length = vasprintf(&large, format, arguments);
        va_end(arguments);
        if (length < 0)
            return -ENOMEM;
    }
    int r = length >= 0 ? rtn_line_send(connection, large != NULL ? large : text, (size_t) length) : -EINVAL;
    free(large);
    return r;
}

int64_t rtn_line_send_many(const uint64_t *connections, size_t count, const char *line, size_t length, uint64_t *failed)
{
    if ((connections == NULL && count > 0) || (line == NULL && length > 0))
        return -EINVAL;
    return rtn_sessions_send_many(RTN_SESSION_LINE, connections, count, RTN_WS_OP_TEXT,
                                  (struct rtn_str){ line, length }, failed);
}

int rtn_line_close(uint64_t connection)
{
    return rtn_sessions_close(RTN_SESSION_LINE, connection, 0, (struct rtn_str){ 0 });
}

bool rtn_line_is_open(uint64_t connection)
{
    return rtn_sessions_is_open(RTN_SESSION_LINE, connection);
}
