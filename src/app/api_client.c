/* Bodies of the public functions that say who a request is from. retinue-module(3) documents them. */
#include <retinue/module.h>

#include "app/dispatch.h"

const char *rtn_request_client(rtn_request *request)
{
    return rtn_client_text(request);
}

const char *rtn_request_scheme(rtn_request *request)
{
    return rtn_call_of(request)->client.scheme;
}

rtn_str rtn_request_host(rtn_request *request)
{
    return rtn_dispatch_host(request);
}
