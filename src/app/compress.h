/*
 * Which replies are compressed, and how (`compression` of a server). Said when a reply begins, of those that are made
 * by handlers; files go out as they are. [owner's thread]
 */
#ifndef RTN_APP_COMPRESS_H
#define RTN_APP_COMPRESS_H

#include "proto/http1.h"

/*
 * `encode` of struct rtn_http1_handler. Sets Vary where another client would get something else. NULL: nothing fits,
 * the client likes the reply better as it is, or memory is out.
 */
struct rtn_encoder *rtn_compress_choose(struct rtn_request *request, int status, int64_t length);

#endif
