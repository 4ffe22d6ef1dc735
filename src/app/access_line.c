/*
 * The formats, and the table of values that patterns are made of. The values of a JSON object are shortened to what
 * fits however they are escaped, so that its buffer never has to grow.
 */
#include "app/access_line.h"

#include <inttypes.h>
#include <stdio.h>

#include "app/access_text.h"
#include "base/json.h"

/* Most bytes of a line that one value takes, escapes included; all those of a JSON line fit together. */
enum limit {
    LIMIT_TARGET = 3500,
    LIMIT_HEADER = 1000,
    LIMIT_NAME = 280, /* of hosts, servers, routes, ids */
};

int rtn_access_status(const struct rtn_access_entry *entry)
{
    return entry->status != 0 ? entry->status : RTN_ACCESS_NO_REPLY;
}

static struct rtn_str header(const struct rtn_access_entry *entry, struct rtn_str name)
{
    for (unsigned i = 0; i < entry->header_count; i++) {
        if (rtn_str_equal(entry->headers[i].name, name))
            return entry->headers[i].value;
    }
    return (struct rtn_str){ 0 };
}

static struct rtn_str referer(const struct rtn_access_entry *entry)
{
    return header(entry, RTN_STR("referer"));
}

static struct rtn_str user_agent(const struct rtn_access_entry *entry)
{
    return header(entry, RTN_STR("user-agent"));
}

static struct rtn_str path_of(struct rtn_str target)
{
    const char *mark = target.data != NULL ? memchr(target.data, '?', target.length) : NULL;
    return mark != NULL ? (struct rtn_str){ target.data, (size_t) (mark - target.data) } : target;
}

static struct rtn_str query_of(struct rtn_str target)
{
    const char *mark = target.data != NULL ? memchr(target.data, '?', target.length) : NULL;
    if (mark == NULL)
        return (struct rtn_str){ 0 };
    return (struct rtn_str){ mark + 1, target.length - (size_t) (mark + 1 - target.data) };
}

static void put_common(struct rtn_access_text *line, const struct rtn_access_entry *entry)
{
    rtn_access_text_value(line, entry->client, LIMIT_NAME);
    rtn_access_text_put(line, RTN_STR(" - - ["));
    rtn_access_text_time(line);
    rtn_access_text_put(line, RTN_STR("] \""));
    rtn_access_text_value(line, entry->method, LIMIT_NAME);
    if (entry->method.data != NULL) {
        rtn_access_text_char(line, ' ');
        rtn_access_text_value(line, entry->target, LIMIT_TARGET);
        rtn_access_text_char(line, ' ');
        rtn_access_text_value(line, entry->version, LIMIT_NAME);
    }
    rtn_access_text_put(line, RTN_STR("\" "));
    rtn_access_text_number(line, (uint64_t) rtn_access_status(entry));
    rtn_access_text_char(line, ' ');
    rtn_access_text_number(line, entry->bytes);
}

static void put_combined(struct rtn_access_text *line, const struct rtn_access_entry *entry)
{
    put_common(line, entry);
    rtn_access_text_put(line, RTN_STR(" \""));
    rtn_access_text_value(line, referer(entry), LIMIT_HEADER);
    rtn_access_text_put(line, RTN_STR("\" \""));
    rtn_access_text_value(line, user_agent(entry), LIMIT_HEADER);
    rtn_access_text_char(line, '"');
}

static struct rtn_str path(const struct rtn_access_entry *entry)
{
    return path_of(entry->target);
}

static struct rtn_str query(const struct rtn_access_entry *entry)
{
    return query_of(entry->target);
}

static uint64_t status(const struct rtn_access_entry *entry)
{
    return (uint64_t) rtn_access_status(entry);
}

static uint64_t bytes(const struct rtn_access_entry *entry)
{
    return entry->bytes;
}

static uint64_t duration_us(const struct rtn_access_entry *entry)
{
    return (uint64_t) entry->duration_us;
}

static uint64_t duration_ms(const struct rtn_access_entry *entry)
{
    return (uint64_t) entry->duration_us / 1000;
}

static uint64_t connection(const struct rtn_access_entry *entry)
{
    return entry->connection;
}

/* One of the four says where the value is: a view in the entry, or what a function gives. */
static const struct {
    size_t member;
    struct rtn_str (*text)(const struct rtn_access_entry *entry);
    uint64_t (*number)(const struct rtn_access_entry *entry);
    void (*put)(struct rtn_access_text *line);
    size_t limit; /* of texts */
} fields[] = {
    [RTN_ACCESS_CLIENT] = { .member = offsetof(struct rtn_access_entry, client), .limit = LIMIT_NAME },
    [RTN_ACCESS_HOST] = { .member = offsetof(struct rtn_access_entry, host), .limit = LIMIT_NAME },
    [RTN_ACCESS_METHOD] = { .member = offsetof(struct rtn_access_entry, method), .limit = LIMIT_NAME },
    [RTN_ACCESS_TARGET] = { .member = offsetof(struct rtn_access_entry, target), .limit = LIMIT_TARGET },
    [RTN_ACCESS_PATH] = { .text = path, .limit = LIMIT_TARGET },
    [RTN_ACCESS_QUERY] = { .text = query, .limit = LIMIT_TARGET },
    [RTN_ACCESS_VERSION] = { .member = offsetof(struct rtn_access_entry, version), .limit = LIMIT_NAME },
    [RTN_ACCESS_STATUS] = { .number = status },
    [RTN_ACCESS_BYTES] = { .number = bytes },
    [RTN_ACCESS_DURATION_US] = { .number = duration_us },
    [RTN_ACCESS_DURATION_MS] = { .number = duration_ms },
    [RTN_ACCESS_TIME] = { .put = rtn_access_text_time },
    [RTN_ACCESS_TIME_ISO] = { .put = rtn_access_text_time_iso },
    [RTN_ACCESS_REQUEST_ID] = { .member = offsetof(struct rtn_access_entry, request_id), .limit = LIMIT_NAME },
    [RTN_ACCESS_SERVER] = { .member = offsetof(struct rtn_access_entry, server), .limit = LIMIT_NAME },
    [RTN_ACCESS_ROUTE] = { .member = offsetof(struct rtn_access_entry, route), .limit = LIMIT_NAME },
    [RTN_ACCESS_REFERER] = { .text = referer, .limit = LIMIT_HEADER },
    [RTN_ACCESS_USER_AGENT] = { .text = user_agent, .limit = LIMIT_HEADER },
    [RTN_ACCESS_CONNECTION] = { .number = connection },
};

static struct rtn_str text_of(enum rtn_access_field field, const struct rtn_access_entry *entry)
{
    if (fields[field].text != NULL)
        return fields[field].text(entry);
    return *(const struct rtn_str *) (const void *) ((const char *) entry + fields[field].member);
}

static void put_part(struct rtn_access_text *line, const struct rtn_access_part *part,
                     const struct rtn_access_entry *entry)
{
    if (part->field == RTN_ACCESS_TEXT)
        rtn_access_text_put(line, part->text);
    else if (part->field == RTN_ACCESS_HEADER)
        rtn_access_text_value(line, header(entry, part->text), LIMIT_HEADER);
    else if (fields[part->field].put != NULL)
        fields[part->field].put(line);
    else if (fields[part->field].number != NULL)
        rtn_access_text_number(line, fields[part->field].number(entry));
    else
        rtn_access_text_value(line, text_of(part->field, entry), fields[part->field].limit);
}

static void json_value(struct rtn_json *json, const char *key, struct rtn_str value, size_t limit)
{
    char text[LIMIT_TARGET];
    rtn_json_key(json, key);
    if (value.data == NULL) {
        rtn_json_null(json);
        return;
    }
    rtn_json_str(json, rtn_access_text_shorten_json(value, limit, text));
}

static void json_number(struct rtn_json *json, const char *key, uint64_t number)
{
    rtn_json_key(json, key);
    rtn_json_int(json, (int64_t) number);
}

/* As text: most readers of JSON keep no more than 53 bits of a number (RFC 8259, 6). */
static void json_id(struct rtn_json *json, const char *key, uint64_t id)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%" PRIu64, id);
    rtn_json_key(json, key);
    rtn_json_str(json, (struct rtn_str){ text, (size_t) length });
}

static void put_json(struct rtn_access_text *line, const struct rtn_access_entry *entry)
{
    char time_text[32];
    struct rtn_access_text time = { time_text, time_text, time_text + sizeof(time_text) };
    struct rtn_buf buf = { .data = line->start, .capacity = (size_t) (line->end - line->start) }; /* never grows */
    struct rtn_json json = { .out = &buf };
    rtn_json_object(&json);
    rtn_json_key(&json, "time");
    rtn_access_text_time_iso(&time);
    rtn_json_str(&json, (struct rtn_str){ time_text, (size_t) (time.at - time_text) });
    json_value(&json, "server", entry->server, LIMIT_NAME);
    json_value(&json, "client", entry->client, LIMIT_NAME);
    json_value(&json, "host", entry->host, LIMIT_NAME);
    json_value(&json, "method", entry->method, LIMIT_NAME);
    json_value(&json, "target", entry->target, LIMIT_TARGET);
    json_value(&json, "version", entry->version, LIMIT_NAME);
    json_number(&json, "status", (uint64_t) rtn_access_status(entry));
    json_number(&json, "bytes", entry->bytes);
    json_number(&json, "duration_us", (uint64_t) entry->duration_us);
    json_value(&json, "referer", referer(entry), LIMIT_HEADER);
    json_value(&json, "user_agent", user_agent(entry), LIMIT_HEADER);
    json_value(&json, "route", entry->route, LIMIT_NAME);
    json_value(&json, "request_id", entry->request_id, LIMIT_NAME);
    json_id(&json, "connection", entry->connection);
    rtn_json_key(&json, "aborted");
    rtn_json_bool(&json, entry->aborted);
    rtn_json_end(&json);
    line->at += buf.length;
}

size_t rtn_access_line(enum rtn_config_access_format format, const struct rtn_access_pattern *pattern,
                       const struct rtn_access_entry *entry, char *out)
{
    struct rtn_access_text line = { out, out, out + RTN_ACCESS_LINE_MAX - 1 };
    switch (format) {
    case RTN_ACCESS_COMMON:
        put_common(&line, entry);
        break;
    case RTN_ACCESS_COMBINED:
        put_combined(&line, entry);
        break;
    case RTN_ACCESS_JSON:
        put_json(&line, entry);
        break;
    case RTN_ACCESS_CUSTOM:
        for (size_t i = 0; i < pattern->count; i++)
            put_part(&line, &pattern->parts[i], entry);
        break;
    }
    *line.at = '\n';
    return (size_t) (line.at - out) + 1;
}
