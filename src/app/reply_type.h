/* The Content-Type among the fields that a handler has gathered for its reply. [owner's thread] */
#ifndef RTN_APP_REPLY_TYPE_H
#define RTN_APP_REPLY_TYPE_H

#include "proto/request.h"

/* Takes it out of the fields. 0 with *ret in the request's arena, absent when there is none; -ENOMEM. */
int rtn_reply_type_take(struct rtn_request *request, struct rtn_str *ret);

/* Sets or replaces it. As rtn_response_field(). */
int rtn_reply_type_set(struct rtn_request *request, struct rtn_str type);

#endif
