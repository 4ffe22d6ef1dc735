/* Ids of requests: unique over threads, restarts and machines. [any] */
#ifndef RTN_APP_REQUEST_ID_H
#define RTN_APP_REQUEST_ID_H

#include <stdbool.h>

#include "proto/request.h"

#define RTN_REQUEST_ID_SIZE 33 /* of those made here, with the NUL */
#define RTN_REQUEST_ID_MAX 128 /* of those taken from clients */

/* 32 hexadecimal digits, NUL-terminated. Unique, not secret: the next one can be guessed. */
void rtn_request_id_make(char out[RTN_REQUEST_ID_SIZE]);

/*
 * Gives the request, whose head is there, its id as `request_id` of the server says, which is not `none`:
 * request->response.request_id, which goes out with the reply. [owner's thread]
 */
void rtn_request_id_give(struct rtn_request *request);

/* Whether an id from outside is taken: 1 to RTN_REQUEST_ID_MAX letters, digits and -_.:+/=@ */
bool rtn_request_id_valid(struct rtn_str id);

#endif
