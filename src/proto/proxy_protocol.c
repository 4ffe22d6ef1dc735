/*
 * Version 1 is one line of text, judged when its end is there; version 2 is binary, judged field by field as the
 * fields come. The first bytes tell which it is, and refuse everything else at once. As haproxy.org describes them
 * (proxy-protocol.txt, 2.1 and 2.2), with these choices where it leaves one: UNSPEC counts as LOCAL, datagrams are
 * refused since this is a stream, and of the extensions (TLVs) only the checksum is looked at.
 */
#include "proto/proxy_protocol.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/cidr.h"
#include "base/macros.h"
#include "base/str.h"

#define V1_START "PROXY "
#define V2_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V2_HEAD 16 /* signature, version and command, family, length */
#define TLV_HEAD 3
#define TLV_CRC32C 0x03
#define CRC_SIZE 4

static const char not_proxy[] = "the connection does not begin with a PROXY header";

static bool set_address(struct rtn_str text, bool v4, uint16_t port, struct sockaddr_storage *ret)
{
    struct rtn_ip ip;
    bool is_v6_text = memchr(text.data, ':', text.length) != NULL;
    if (is_v6_text == v4 || rtn_ip_parse(text, &ip) < 0)
        return false;
    *ret = (struct sockaddr_storage){ 0 };
    if (v4) {
        struct sockaddr_in *address = (void *) ret;
        address->sin_family = AF_INET;
        address->sin_port = htons(port);
        memcpy(&address->sin_addr, ip.bytes + 12, sizeof(address->sin_addr));
    } else {
        struct sockaddr_in6 *address = (void *) ret;
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(port);
        memcpy(&address->sin6_addr, ip.bytes, sizeof(address->sin6_addr));
    }
    return true;
}

/* 0 to 65535 without leading zeros. */
static bool read_port(struct rtn_str text, uint16_t *ret)
{
    int64_t number;
    if (text.length > 1 && text.data[0] == '0')
        return false;
    if (rtn_parse_int(text, &number) < 0 || text.data[0] == '-' || number > UINT16_MAX)
        return false;
    *ret = (uint16_t) number;
    return true;
}

/* The text up to the next space, which is taken too; at the end, the rest. */
static struct rtn_str take_word(struct rtn_str *rest)
{
    const char *space = memchr(rest->data, ' ', rest->length);
    struct rtn_str word = { rest->data, space != NULL ? (size_t) (space - rest->data) : rest->length };
    size_t used = word.length + (space != NULL ? 1 : 0);
    *rest = (struct rtn_str){ rest->data + used, rest->length - used };
    return word;
}

/* "SOURCE DESTINATION SOURCEPORT DESTINATIONPORT" and nothing behind it. */
static bool read_v1_addresses(struct rtn_str rest, bool v4, struct rtn_proxy_header *header)
{
    struct rtn_str source = take_word(&rest);
    struct rtn_str destination = take_word(&rest);
    struct rtn_str source_port = take_word(&rest);
    uint16_t from;
    uint16_t to;
    if (!read_port(source_port, &from) || !read_port(rest, &to))
        return false;
    header->address_length = v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    return set_address(source, v4, from, &header->source) && set_address(destination, v4, to, &header->destination);
}

/* The line without its end and without "PROXY ". */
static const char *read_v1_line(struct rtn_str rest, struct rtn_proxy_header *header)
{
    struct rtn_str family = take_word(&rest);
    if (rtn_str_equal(family, RTN_STR("UNKNOWN"))) {
        header->local = true;
        return NULL;
    }
    bool v4 = rtn_str_equal(family, RTN_STR("TCP4"));
    if (!v4 && !rtn_str_equal(family, RTN_STR("TCP6")))
        return "the PROXY header names a protocol that is neither TCP4, TCP6 nor UNKNOWN";
    return read_v1_addresses(rest, v4, header) ? NULL : "the addresses or ports in the PROXY header are malformed";
}

static enum rtn_proxy_result parse_v1(struct rtn_str s, struct rtn_proxy_header *header, const char **problem)
{
    const size_t start = strlen(V1_START);
    const char *end = memchr(s.data, '\n', RTN_MIN(s.length, (size_t) RTN_PROXY_V1_MAX));
    if (end == NULL) {
        if (s.length < RTN_PROXY_V1_MAX)
            return RTN_PROXY_MORE;
        *problem = "the PROXY header is longer than 107 bytes";
        return RTN_PROXY_BROKEN;
    }
    header->length = (size_t) (end - s.data) + 1;
    if (header->length < start + 2 || end[-1] != '\r')
        *problem = "the PROXY header does not end with CR LF";
    else
        *problem = read_v1_line((struct rtn_str){ s.data + start, header->length - start - 2 }, header);
    return *problem == NULL ? RTN_PROXY_COMPLETE : RTN_PROXY_BROKEN;
}

/* CRC-32C (RFC 3720, B.4), half a byte at a time: it is rare, and the header is short. */
static uint32_t crc32c(uint32_t crc, const uint8_t *bytes, size_t length)
{
    static const uint32_t table[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return crc;
}

/* The checksum covers the whole header, with zeros where it stands itself. */
static bool is_crc_right(const uint8_t *bytes, size_t length, size_t at)
{
    static const uint8_t zeros[CRC_SIZE];
    uint32_t said;
    memcpy(&said, bytes + at, sizeof(said));
    uint32_t crc = crc32c(UINT32_MAX, bytes, at);
    crc = crc32c(crc, zeros, sizeof(zeros));
    crc = crc32c(crc, bytes + at + CRC_SIZE, length - at - CRC_SIZE);
    return ~crc == ntohl(said);
}

/* The extensions from `at` to the end of the header. */
static const char *check_tlvs(const uint8_t *bytes, size_t length, size_t at)
{
    while (at < length) {
        size_t left = length - at;
        size_t size = left >= TLV_HEAD ? (size_t) bytes[at + 1] << 8 | bytes[at + 2] : 0;
        if (left < TLV_HEAD + size)
            return "an extension reaches over the end of the PROXY header";
        if (bytes[at] == TLV_CRC32C && (size != CRC_SIZE || !is_crc_right(bytes, length, at + TLV_HEAD)))
            return "the checksum of the PROXY header is wrong";
        at += TLV_HEAD + size;
    }
    return NULL;
}

static void read_v4(const uint8_t *block, struct rtn_proxy_header *header)
{
    struct sockaddr_in source = { .sin_family = AF_INET };
    struct sockaddr_in destination = source;
    memcpy(&source.sin_addr, block, 4);
    memcpy(&destination.sin_addr, block + 4, 4);
    memcpy(&source.sin_port, block + 8, 2);
    memcpy(&destination.sin_port, block + 10, 2);
    memcpy(&header->source, &source, sizeof(source));
    memcpy(&header->destination, &destination, sizeof(destination));
}

static void read_v6(const uint8_t *block, struct rtn_proxy_header *header)
{
    struct sockaddr_in6 source = { .sin6_family = AF_INET6 };
    struct sockaddr_in6 destination = source;
    memcpy(&source.sin6_addr, block, 16);
    memcpy(&destination.sin6_addr, block + 16, 16);
    memcpy(&source.sin6_port, block + 32, 2);
    memcpy(&destination.sin6_port, block + 34, 2);
    memcpy(&header->source, &source, sizeof(source));
    memcpy(&header->destination, &destination, sizeof(destination));
}

/* Paths on another machine, or another's view of this one: of no use here. */
static void read_unix(const uint8_t *block, struct rtn_proxy_header *header)
{
    (void) block;
    header->source.ss_family = AF_UNIX;
    header->destination.ss_family = AF_UNIX;
}

static const struct {
    uint8_t code; /* family and transport: streams only */
    uint8_t size; /* of the addresses */
    socklen_t address_length;
    void (*read)(const uint8_t *block, struct rtn_proxy_header *header);
} families[] = {
    { 0x11, 12, sizeof(struct sockaddr_in), read_v4 },
    { 0x21, 36, sizeof(struct sockaddr_in6), read_v6 },
    { 0x31, 216, sizeof(sa_family_t), read_unix },
};

/* Of the command PROXY; the header is there as a whole. */
static const char *read_v2_addresses(const uint8_t *bytes, struct rtn_proxy_header *header)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(families); i++) {
        if (families[i].code != bytes[13])
            continue;
        if (header->length - V2_HEAD < families[i].size)
            return "the PROXY header is too short for its addresses";
        families[i].read(bytes + V2_HEAD, header);
        header->address_length = families[i].address_length;
        return check_tlvs(bytes, header->length, V2_HEAD + families[i].size);
    }
    return "the PROXY header has an unknown address family";
}

/* What the first 16 bytes say, as far as they have come. */
static const char *check_v2_head(const uint8_t *bytes, size_t length)
{
    if (length > 12 && bytes[12] >> 4 != 2)
        return "the PROXY header has an unknown version";
    if (length > 12 && (bytes[12] & 15) > 1)
        return "the PROXY header has an unknown command";
    if (length >= V2_HEAD && ((size_t) bytes[14] << 8 | bytes[15]) > RTN_PROXY_V2_MAX - V2_HEAD)
        return "the PROXY header is longer than 4096 bytes";
    return NULL;
}

static enum rtn_proxy_result parse_v2(const uint8_t *bytes, size_t length, struct rtn_proxy_header *header,
                                      const char **problem)
{
    *problem = check_v2_head(bytes, length);
    if (*problem != NULL)
        return RTN_PROXY_BROKEN;
    if (length < V2_HEAD)
        return RTN_PROXY_MORE;
    header->length = V2_HEAD + ((size_t) bytes[14] << 8 | bytes[15]);
    if (length < header->length)
        return RTN_PROXY_MORE;
    header->local = (bytes[12] & 15) == 0 || bytes[13] == 0;
    if (!header->local)
        *problem = read_v2_addresses(bytes, header);
    return *problem == NULL ? RTN_PROXY_COMPLETE : RTN_PROXY_BROKEN;
}

static bool begins_like(struct rtn_str s, struct rtn_str start)
{
    return memcmp(s.data, start.data, RTN_MIN(s.length, start.length)) == 0;
}

enum rtn_proxy_result rtn_proxy_parse(const void *bytes, size_t length, struct rtn_proxy_header *ret,
                                      const char **problem)
{
    struct rtn_str s = { bytes, length };
    struct rtn_proxy_header header = { 0 };
    const char *wrong = not_proxy;
    enum rtn_proxy_result result = RTN_PROXY_BROKEN;
    if (length == 0)
        return RTN_PROXY_MORE;
    if (begins_like(s, RTN_STR(V2_SIGNATURE)))
        result = parse_v2(bytes, length, &header, &wrong);
    else if (begins_like(s, RTN_STR(V1_START)))
        result = parse_v1(s, &header, &wrong);
    if (result == RTN_PROXY_COMPLETE)
        *ret = header;
    else if (result == RTN_PROXY_BROKEN)
        *problem = wrong;
    return result;
}
