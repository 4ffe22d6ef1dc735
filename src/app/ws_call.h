/* How the callbacks of WebSocket handlers are called, those that a handler has. [owner's thread] */
#ifndef RTN_APP_WS_CALL_H
#define RTN_APP_WS_CALL_H

#include "app/session_call.h"

extern const struct rtn_session_calls rtn_ws_calls;

#endif
