/* Replies with several parts of a file: 206 and multipart/byteranges (RFC 9110, 14.6). [owner's thread] */
#ifndef RTN_APP_BYTERANGES_H
#define RTN_APP_BYTERANGES_H

#include <retinue/module.h>

#include "proto/range.h"
#include "proto/request.h"

/*
 * The type of the parts is the Content-Type that is set. file->release is set, and called once in every case. 0 or
 * -errno as of rtn_response_begin() and rtn_response_write().
 */
int rtn_byteranges_reply(struct rtn_request *request, const struct rtn_file *file, const struct rtn_ranges *ranges);

#endif
