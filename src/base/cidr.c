/*
 * Addresses are 16 bytes, IPv4 among them as ::ffff:a.b.c.d, and a range is an address with a number of leading
 * bits. The text is read by inet_pton(), which takes no leading zeros, no missing parts and no zones.
 */
#include "base/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define V4_BITS 96 /* in front of an IPv4 address */
#define ALL_BITS 128

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

static struct rtn_ip mapped(const void *v4)
{
    struct rtn_ip ip;
    memcpy(ip.bytes, v4_prefix, sizeof(v4_prefix));
    memcpy(ip.bytes + sizeof(v4_prefix), v4, sizeof(ip.bytes) - sizeof(v4_prefix));
    return ip;
}

bool rtn_ip_is_v4(const struct rtn_ip *address)
{
    return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

int rtn_ip_parse(struct rtn_str text, struct rtn_ip *ret)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.length == 0 || text.length >= sizeof(copy) || memchr(text.data, '\0', text.length) != NULL)
        return -EINVAL;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';

    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, copy, &v4) == 1)
        *ret = mapped(&v4);
    else if (inet_pton(AF_INET6, copy, &v6) == 1)
        memcpy(ret->bytes, &v6, sizeof(ret->bytes));
    else
        return -EINVAL;
    return 0;
}

bool rtn_ip_of(const struct sockaddr *address, struct rtn_ip *ret)
{
    switch (address->sa_family) {
    case AF_INET:
        *ret = mapped(&((const struct sockaddr_in *) (const void *) address)->sin_addr);
        return true;
    case AF_INET6:
        memcpy(ret->bytes, &((const struct sockaddr_in6 *) (const void *) address)->sin6_addr, sizeof(ret->bytes));
        return true;
    default:
        return false;
    }
}

void rtn_ip_format(const struct rtn_ip *address, char out[RTN_IP_TEXT_SIZE])
{
    if (rtn_ip_is_v4(address))
        inet_ntop(AF_INET, address->bytes + sizeof(v4_prefix), out, RTN_IP_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, address->bytes, out, RTN_IP_TEXT_SIZE);
}

/* The bits of byte `index` that lie in front of the prefix's end. */
static uint8_t mask(unsigned prefix, unsigned index)
{
    unsigned first = index * 8;
    if (prefix >= first + 8)
        return 0xff;
    return prefix <= first ? 0 : (uint8_t) (0xff00U >> (prefix - first));
}

static bool same_prefix(const struct rtn_ip *a, const struct rtn_ip *b, unsigned prefix)
{
    unsigned whole = prefix / 8;
    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return whole == sizeof(a->bytes) || ((a->bytes[whole] ^ b->bytes[whole]) & mask(prefix, whole)) == 0;
}

static bool is_clean(const struct rtn_cidr *range)
{
    for (unsigned i = 0; i < sizeof(range->address.bytes); i++) {
        if ((range->address.bytes[i] & ~mask(range->prefix, i)) != 0)
            return false;
    }
    return true;
}

/* A decimal number without sign and leading zeros, at most `most`; NULL or what is wrong. */
static const char *parse_prefix(struct rtn_str text, unsigned most, unsigned *ret)
{
    static const char bad[] = "the prefix behind \"/\" must be a number of bits";
    int64_t bits;
    if (text.length == 0 || text.data[0] == '-' || (text.length > 1 && text.data[0] == '0'))
        return bad;
    int r = rtn_parse_int(text, &bits);
    if (r == -EINVAL)
        return bad;
    if (r < 0 || bits > most)
        return most == ALL_BITS ? "an IPv6 prefix has at most 128 bits" : "an IPv4 prefix has at most 32 bits";
    *ret = (unsigned) bits;
    return NULL;
}

const char *rtn_cidr_parse(struct rtn_str text, struct rtn_cidr *ret)
{
    const char *slash = text.length > 0 ? memchr(text.data, '/', text.length) : NULL;
    struct rtn_str host = { text.data, slash != NULL ? (size_t) (slash - text.data) : text.length };
    struct rtn_cidr range = { .prefix = ALL_BITS };
    if (rtn_ip_parse(host, &range.address) < 0)
        return "not an IPv4 or IPv6 address";
    if (slash != NULL) {
        unsigned before = memchr(host.data, ':', host.length) == NULL ? V4_BITS : 0;
        struct rtn_str rest = { slash + 1, text.length - host.length - 1 };
        const char *wrong = parse_prefix(rest, ALL_BITS - before, &range.prefix);
        if (wrong != NULL)
            return wrong;
        range.prefix += before;
    }
    if (!is_clean(&range))
        return "bits behind the prefix are set";
    *ret = range;
    return NULL;
}

bool rtn_cidr_contains(const struct rtn_cidr *range, const struct rtn_ip *address)
{
    /* "::/0" is every IPv6 address: that IPv4 is kept inside of IPv6 is nothing the writer of a range has to know. */
    if (range->prefix < V4_BITS && rtn_ip_is_v4(address))
        return false;
    return same_prefix(&range->address, address, range->prefix);
}

bool rtn_cidr_any_contains(const struct rtn_cidr *ranges, size_t count, const struct rtn_ip *address)
{
    for (size_t i = 0; i < count; i++) {
        if (rtn_cidr_contains(&ranges[i], address))
            return true;
    }
    return false;
}
