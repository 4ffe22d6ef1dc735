#include <criterion/criterion.h>

#include "app/forwarded.h"
#include "base/macros.h"

#define FIELDS 4

struct forwarded_case {
    const char *fields[FIELDS]; /* "name: value" */
    const char *client; /* NULL: the peer */
    const char *scheme;
    const char *host;
};

static struct rtn_header header_of(const char *line)
{
    const char *colon = strchr(line, ':');
    return (struct rtn_header){ .name = { line, (size_t) (colon - line) }, .value = rtn_str_of(colon + 2) };
}

/* Trusted are 10.0.0.0/8 and fd00::/8. */
static const char *read_fields(const char *const fields[FIELDS], enum rtn_config_proxy_header mode,
                               struct rtn_forwarded *ret)
{
    struct rtn_cidr trusted[2];
    struct rtn_header headers[FIELDS];
    size_t count = 0;
    cr_assert_null(rtn_cidr_parse(RTN_STR("10.0.0.0/8"), &trusted[0]));
    cr_assert_null(rtn_cidr_parse(RTN_STR("fd00::/8"), &trusted[1]));
    for (; count < FIELDS && fields[count] != NULL; count++)
        headers[count] = header_of(fields[count]);
    return rtn_forwarded_read(headers, count, mode, trusted, RTN_ARRAY_LENGTH(trusted), ret);
}

static void check(const struct forwarded_case *c, enum rtn_config_proxy_header mode)
{
    struct rtn_forwarded found = { .has_client = true, .scheme = "garbage" };
    const char *name = c->fields[0] != NULL ? c->fields[0] : "nothing";
    cr_expect_null(read_fields(c->fields, mode, &found), "%s: refused", name);
    char client[RTN_IP_TEXT_SIZE] = "";
    if (found.has_client)
        rtn_ip_format(&found.client, client);
    cr_expect_str_eq(client, c->client != NULL ? c->client : "", "%s: client \"%s\"", name, client);
    cr_expect_str_eq(found.scheme != NULL ? found.scheme : "", c->scheme != NULL ? c->scheme : "", "%s: scheme", name);
    cr_expect(rtn_str_equal(found.host, rtn_str_of(c->host)), "%s: host \"%.*s\"", name, RTN_STR_ARG(found.host));
}

static const struct forwarded_case forwarded[] = {
    { { NULL }, NULL, NULL, NULL },
    { { "forwarded: for=192.0.2.1" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: For=192.0.2.1;PROTO=HTTPS;Host=example.org:8080" }, "192.0.2.1", "https", "example.org:8080" },
    { { "forwarded: for=\"192.0.2.1:4711\";by=203.0.113.43;proto=http" }, "192.0.2.1", "http", NULL },
    { { "forwarded: for=\"[2001:db8::17]\"" }, "2001:db8::17", NULL, NULL },
    { { "forwarded: for=\"[2001:db8::17]:_port\"" }, "2001:db8::17", NULL, NULL },
    { { "forwarded: for=[2001:db8::17]:47011" }, "2001:db8::17", NULL, NULL }, /* quotes forgotten */
    { { "forwarded: for=192.0.2.1:4711 ; proto=https" }, "192.0.2.1", "https", NULL },
    { { "forwarded: for=192.0.2.1;;proto=https;" }, "192.0.2.1", "https", NULL },
    { { "forwarded: for=192.0.2.1;secret=\"a, b;for=6.6.6.6\";proto=https" }, "192.0.2.1", "https", NULL },
    { { "forwarded: for=192.0.2.1;x=\"\\\"\";proto=https" }, "192.0.2.1", "https", NULL },
    { { "forwarded: , for=192.0.2.1 ,, " }, "192.0.2.1", NULL, NULL },
    /* The walk: over trusted hops, to the first who is not, and no further. */
    { { "forwarded: for=192.0.2.1, for=10.0.0.1" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=6.6.6.6;proto=https;host=evil, for=192.0.2.1, for=10.0.0.1" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=6.6.6.6, for=192.0.2.1" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=10.0.0.9, for=192.0.2.1" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=192.0.2.1", "forwarded: for=10.0.0.1", "forwarded: for=10.0.0.2" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=6.6.6.6", "forwarded: for=192.0.2.1" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=10.0.0.3, for=10.0.0.2" }, "10.0.0.3", NULL, NULL },
    { { "forwarded: for=192.0.2.1, for=\"[fd00::1]\"" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=\"[::ffff:192.0.2.1]\", for=\"[::ffff:10.0.0.1]\"" }, "192.0.2.1", NULL, NULL },
    /* Scheme and host come from where the walk ended. */
    { { "forwarded: for=192.0.2.1;proto=https;host=a.example, for=10.0.0.1;proto=http;host=b" },
      "192.0.2.1",
      "https",
      "a.example" },
    { { "forwarded: for=192.0.2.1, for=10.0.0.1;proto=https;host=b" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=10.0.0.3;proto=https, for=10.0.0.2;proto=http" }, "10.0.0.3", "https", NULL },
    /* No address: the trusted hop that said so is the client. */
    { { "forwarded: for=unknown" }, NULL, NULL, NULL },
    { { "forwarded: for=_hidden;proto=https;host=a" }, NULL, "https", "a" },
    { { "forwarded: proto=https" }, NULL, "https", NULL },
    { { "forwarded: for=6.6.6.6, for=unknown, for=10.0.0.1" }, "10.0.0.1", NULL, NULL },
    { { "forwarded: for=6.6.6.6;proto=http, for=_x;proto=https, for=10.0.0.1, for=10.0.0.2" },
      "10.0.0.1",
      "https",
      NULL },
    { { "forwarded: for=6.6.6.6, for=unknown" }, NULL, NULL, NULL },
    { { "forwarded: for=\"2001:db8::17\"" }, NULL, NULL, NULL }, /* brackets belong there */
    { { "forwarded: for=\"[192.0.2.1]\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"[::1\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"[::1]x\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"192.0.2.1:\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"192.0.2.1:123456\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"192.0.2.1:8a\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"192.0.2.1:_\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"192.0.2.\\1\"" }, NULL, NULL, NULL },
    { { "forwarded: for=\"\"" }, NULL, NULL, NULL },
    /* Values that are no scheme or host. */
    { { "forwarded: for=192.0.2.1;proto=gopher;host=a" }, "192.0.2.1", NULL, "a" },
    { { "forwarded: for=192.0.2.1;proto=https;host=\"a b\"" }, "192.0.2.1", "https", NULL },
    { { "forwarded: for=192.0.2.1;host=\"user@a\"" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=192.0.2.1;host=\":80\"" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=192.0.2.1;host=\"\"" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: for=192.0.2.1;host=\"[::1]:80\"" }, "192.0.2.1", NULL, "[::1]:80" },
    /* The other kind is not read. */
    { { "x-forwarded-for: 6.6.6.6", "x-forwarded-proto: https", "x-forwarded-host: evil" }, NULL, NULL, NULL },
    { { "forwarded: for=192.0.2.1", "x-forwarded-for: 6.6.6.6", "x-forwarded-proto: https" }, "192.0.2.1", NULL, NULL },
};

Test(forwarded, standard)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(forwarded); i++)
        check(&forwarded[i], RTN_PROXY_HEADER_FORWARDED);
}

static const struct forwarded_case x_forwarded[] = {
    { { "x-forwarded-for: 192.0.2.1" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: 192.0.2.1:4711" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: 2001:db8::17" }, "2001:db8::17", NULL, NULL },
    { { "x-forwarded-for: [2001:db8::17]" }, "2001:db8::17", NULL, NULL },
    { { "x-forwarded-for: [2001:db8::17]:80" }, "2001:db8::17", NULL, NULL },
    { { "x-forwarded-for: 6.6.6.6, 192.0.2.1, 10.0.0.1" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: 6.6.6.6", "x-forwarded-for: 192.0.2.1,10.0.0.1" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: 6.6.6.6, unknown, 10.0.0.1" }, "10.0.0.1", NULL, NULL },
    { { "x-forwarded-for: 6.6.6.6, \"192.0.2.1\"" }, NULL, NULL, NULL },
    { { "x-forwarded-for: 6.6.6.6 192.0.2.1" }, NULL, NULL, NULL },
    { { "x-forwarded-for: 192.0.2.1, " }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: " }, NULL, NULL, NULL },
    { { "x-forwarded-for: 192.0.2.1", "x-forwarded-proto: https", "x-forwarded-host: example.org" },
      "192.0.2.1",
      "https",
      "example.org" },
    { { "x-forwarded-proto: https" }, NULL, "https", NULL },
    { { "x-forwarded-proto: https, HTTP" }, NULL, "http", NULL },
    { { "x-forwarded-proto: https", "x-forwarded-proto: http" }, NULL, "http", NULL },
    { { "x-forwarded-proto: https, ws" }, NULL, NULL, NULL },
    { { "x-forwarded-proto: https,, " }, NULL, "https", NULL },
    { { "x-forwarded-host: evil, example.org" }, NULL, NULL, "example.org" },
    { { "x-forwarded-host: evil, a/b" }, NULL, NULL, NULL },
    { { "forwarded: for=6.6.6.6;proto=https;host=evil" }, NULL, NULL, NULL },
};

Test(forwarded, x_forwarded)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(x_forwarded); i++)
        check(&x_forwarded[i], RTN_PROXY_HEADER_X_FORWARDED);
}

static const struct forwarded_case automatic[] = {
    { { NULL }, NULL, NULL, NULL },
    { { "forwarded: for=192.0.2.1;proto=https" }, "192.0.2.1", "https", NULL },
    { { "x-forwarded-for: 192.0.2.1", "x-forwarded-proto: https" }, "192.0.2.1", "https", NULL },
    { { "x-forwarded-for: 192.0.2.1", "forwarded: for=192.0.2.1" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: unknown", "forwarded: for=unknown;proto=https" }, NULL, NULL, NULL },
    /* A kind without elements says nothing of the client. */
    { { "x-forwarded-host: evil", "forwarded: for=192.0.2.1;host=example.org" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: , ", "forwarded: for=192.0.2.1" }, "192.0.2.1", NULL, NULL },
    { { "forwarded: ,", "x-forwarded-for: 192.0.2.1", "x-forwarded-proto: https" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: 192.0.2.1", "forwarded: for=192.0.2.1;proto=https;host=evil" }, "192.0.2.1", NULL, NULL },
    { { "x-forwarded-for: 192.0.2.1", "x-forwarded-host: evil", "forwarded: for=192.0.2.1;host=a" },
      "192.0.2.1",
      NULL,
      NULL },
    { { "x-forwarded-for: 192.0.2.1", "x-forwarded-proto: https", "x-forwarded-host: A",
        "forwarded: for=192.0.2.1;host=a;proto=https" },
      "192.0.2.1",
      "https",
      "a" },
};

Test(forwarded, automatic)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(automatic); i++)
        check(&automatic[i], RTN_PROXY_HEADER_AUTO);
}

static void check_refused(const char *const fields[FIELDS], enum rtn_config_proxy_header mode, const char *problem)
{
    struct rtn_forwarded found = { .scheme = "garbage" };
    const char *said = read_fields(fields, mode, &found);
    cr_assert(said != NULL, "%s: not refused", fields[0]);
    cr_expect_str_eq(said, problem, "%s: %s", fields[0], said);
    cr_expect_str_eq(found.scheme, "garbage");
}

static const char *const malformed[][FIELDS] = {
    { "forwarded: for=\"x, for=9.9.9.9" },
    { "forwarded: for=1.1.1.1 bad, for=9.9.9.9" },
    { "forwarded: for=6.6.6.6, for=\"unclosed, for=192.0.2.1" },
    { "forwarded: for=6.6.6.6, garbage, for=192.0.2.1" },
    { "forwarded: for=6.6.6.6 for=192.0.2.1" },
    { "forwarded: for=6.6.6.6;for=192.0.2.1" },
    { "forwarded: for=6.6.6.6;proto=https;proto=http" },
    { "forwarded: for= 6.6.6.6" },
    { "forwarded: for=" },
    { "forwarded: =1" },
    { "forwarded: for=\"6.6.6.6\\" },
    { "forwarded: for=\"x", "forwarded: for=192.0.2.1;proto=https" },
    { "forwarded: for=192.0.2.1", "forwarded: a=\"" },
};

Test(forwarded, what_is_malformed_is_refused)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(malformed); i++) {
        check_refused(malformed[i], RTN_PROXY_HEADER_FORWARDED, "the Forwarded field is malformed");
        check_refused(malformed[i], RTN_PROXY_HEADER_AUTO, "the Forwarded field is malformed");
        check(&(struct forwarded_case){ { malformed[i][0] }, NULL, NULL, NULL }, RTN_PROXY_HEADER_X_FORWARDED);
    }
}

static const char *const disagreeing[][FIELDS] = {
    { "x-forwarded-for: 192.0.2.1", "forwarded: for=6.6.6.6;proto=https;host=evil" },
    { "x-forwarded-for: 6.6.6.6", "x-forwarded-proto: https", "forwarded: for=192.0.2.1" },
    { "x-forwarded-for: unknown", "forwarded: for=192.0.2.1" },
    { "x-forwarded-for: 192.0.2.1", "forwarded: proto=https" },
};

Test(forwarded, kinds_that_disagree_are_refused)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(disagreeing); i++)
        check_refused(disagreeing[i], RTN_PROXY_HEADER_AUTO,
                      "Forwarded and X-Forwarded-For name different clients; set proxy_header");
}

Test(forwarded, none_reads_nothing)
{
    const struct forwarded_case c = {
        { "forwarded: for=6.6.6.6;proto=https;", "x-forwarded-for: 1.1.1.1", "forwarded: \"" }, NULL, NULL, NULL
    };
    check(&c, RTN_PROXY_HEADER_NONE);
}

Test(forwarded, names)
{
    cr_assert(rtn_forwarded_is_field(RTN_STR("forwarded")));
    cr_assert(rtn_forwarded_is_field(RTN_STR("x-forwarded-for")));
    cr_assert(rtn_forwarded_is_field(RTN_STR("x-forwarded-proto")));
    cr_assert(rtn_forwarded_is_field(RTN_STR("x-forwarded-host")));
    cr_assert_not(rtn_forwarded_is_field(RTN_STR("x-forwarded-port")));
    cr_assert_not(rtn_forwarded_is_field(RTN_STR("host")));
}
