/* The usual head, all of it in one read. For http1_parse.c only. [owner's thread] */
#ifndef RTN_PROTO_HTTP1_HEAD_H
#define RTN_PROTO_HTTP1_HEAD_H

#include "proto/http1.h"

/*
 * At HEAD, with nothing seen yet: to HEADED, when the whole head was read and is beyond doubt. False: it is to be read
 * in the other way, which finds it as if nobody had looked (but for the case of names).
 */
bool rtn_http1_head_read(struct rtn_request *request);

#endif
