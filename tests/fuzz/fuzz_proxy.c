/* Bytes as a PROXY header: each beginning of them says what the whole says, or asks for more. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "proto/proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtn_proxy_header whole = { 0 };
    const char *problem = NULL;
    enum rtn_proxy_result result = rtn_proxy_parse(data, size, &whole, &problem);
    if (result == RTN_PROXY_COMPLETE && (whole.length > size || whole.length > RTN_PROXY_V2_MAX))
        abort();
    if ((result == RTN_PROXY_BROKEN) != (problem != NULL))
        abort();
    for (size_t length = 0; length < RTN_MIN(size, (size_t) 300); length++) {
        /* A copy of the exact size, so that reading over the end is seen. */
        uint8_t *part = malloc(length);
        struct rtn_proxy_header header = { 0 };
        const char *ignored;
        memcpy(part, data, length);
        enum rtn_proxy_result early = rtn_proxy_parse(part, length, &header, &ignored);
        if (early != RTN_PROXY_MORE && early != result)
            abort();
        if (early == RTN_PROXY_COMPLETE && memcmp(&header, &whole, sizeof(header)) != 0)
            abort();
        if (result == RTN_PROXY_COMPLETE && (early == RTN_PROXY_COMPLETE) != (length >= whole.length))
            abort();
        free(part);
    }
    return 0;
}
