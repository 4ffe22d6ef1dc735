/*
 * Bytes as field values that a client sent: what they claim never outweighs what the trusted proxy adds behind them,
 * and never hides it: the request is refused then.
 */
#include <stdlib.h>

#include "app/forwarded.h"
#include "base/macros.h"
#include "proto/authority.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rtn_ip ip(const char *text)
{
    struct rtn_ip address;
    if (rtn_ip_parse(rtn_str_of(text), &address) < 0)
        abort();
    return address;
}

static void check(const struct rtn_header *fields, size_t count, enum rtn_config_proxy_header mode, const char *client)
{
    struct rtn_cidr trusted;
    struct rtn_forwarded found;
    if (rtn_cidr_parse(RTN_STR("10.0.0.0/8"), &trusted) != NULL)
        abort();
    if (rtn_forwarded_read(fields, count, mode, &trusted, 1, &found) != NULL) {
        if (mode == RTN_PROXY_HEADER_X_FORWARDED)
            abort();
        return;
    }
    if (found.scheme != NULL && strcmp(found.scheme, "http") != 0 && strcmp(found.scheme, "https") != 0)
        abort();
    if (found.host.data != NULL && (found.host.length == 0 || !rtn_authority_valid(found.host)))
        abort();
    if (client == NULL)
        return;
    struct rtn_ip wanted = ip(client);
    if (!found.has_client || memcmp(&found.client, &wanted, sizeof(wanted)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Two values, divided by the first line end, in memory of their exact size. */
    char *copy = malloc(size);
    if (size > 0)
        memcpy(copy, data, size);
    const char *end = size > 0 ? memchr(copy, '\n', size) : NULL;
    size_t length = end != NULL ? (size_t) (end - copy) : size;
    const struct rtn_str first = { copy, length };
    const struct rtn_str second = { copy + length, size - length };

    const struct rtn_header standard[] = { { RTN_STR("forwarded"), first },
                                           { RTN_STR("forwarded"), second },
                                           { RTN_STR("forwarded"), RTN_STR("for=192.0.2.1;proto=https") },
                                           { RTN_STR("forwarded"), RTN_STR("for=10.0.0.1") } };
    const struct rtn_header other[] = { { RTN_STR("x-forwarded-for"), first },
                                        { RTN_STR("x-forwarded-host"), second },
                                        { RTN_STR("x-forwarded-for"), RTN_STR("192.0.2.1, 10.0.0.1") } };
    /* The proxy adds to one kind, and passes the other on. */
    const struct rtn_header hidden[] = { standard[0], other[1], other[2] };
    const struct rtn_header both[] = { standard[0], other[0], other[1] };
    check(standard, 2, RTN_PROXY_HEADER_FORWARDED, NULL);
    check(standard, RTN_ARRAY_LENGTH(standard), RTN_PROXY_HEADER_FORWARDED, "192.0.2.1");
    check(other, 2, RTN_PROXY_HEADER_X_FORWARDED, NULL);
    check(other, RTN_ARRAY_LENGTH(other), RTN_PROXY_HEADER_X_FORWARDED, "192.0.2.1");
    check(both, RTN_ARRAY_LENGTH(both), RTN_PROXY_HEADER_AUTO, NULL);
    check(hidden, RTN_ARRAY_LENGTH(hidden), RTN_PROXY_HEADER_AUTO, "192.0.2.1");
    free(copy);
    return 0;
}
