/* What modules may send and publish as WebSocket messages. [any] */
#ifndef RTN_APP_WS_CONTENT_H
#define RTN_APP_WS_CONTENT_H

#include <retinue/module.h>

#include <errno.h>

#include "base/utf8.h"

/* 0, -EINVAL (type, no data) or -EILSEQ (text that is not UTF-8). */
static inline int rtn_ws_content_check(enum rtn_ws_type type, const void *data, size_t length)
{
    if ((type != RTN_WS_TEXT && type != RTN_WS_BINARY) || (data == NULL && length > 0))
        return -EINVAL;
    return type == RTN_WS_TEXT && !rtn_utf8_valid((struct rtn_str){ data, length }) ? -EILSEQ : 0;
}

#endif
