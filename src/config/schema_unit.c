/*
 * Explains sizes and durations that were written the wrong way: no unit, a unit of another kind, a
 * fraction, spaces. The number the user wrote comes back in the suggestion.
 */
#include <errno.h>

#include "config/schema_internal.h"

static const struct unit_words {
    const char *noun;
    const char *units;
    struct {
        const char *wrong;
        const char *right;
    } mistakes[16];
} sizes = {
    .noun = "size",
    .units = "B, KiB, MiB, GiB",
    .mistakes = { { "", "KiB" },
                  { "k", "KiB" },
                  { "kb", "KiB" },
                  { "kib", "KiB" },
                  { "m", "MiB" },
                  { "mb", "MiB" },
                  { "mib", "MiB" },
                  { "g", "GiB" },
                  { "gb", "GiB" },
                  { "gib", "GiB" },
                  { "b", "B" },
                  { "bytes", "B" } },
}, durations = {
    .noun = "duration",
    .units = "ms, s, m, h, d",
    .mistakes = { { "", "s" },
                  { "sec", "s" },
                  { "secs", "s" },
                  { "seconds", "s" },
                  { "s", "s" },
                  { "min", "m" },
                  { "mins", "m" },
                  { "minutes", "m" },
                  { "m", "m" },
                  { "hours", "h" },
                  { "h", "h" },
                  { "days", "d" },
                  { "d", "d" },
                  { "msec", "ms" },
                  { "ms", "ms" } },
};

/* The digits in front, or an empty view. */
static struct rtn_str leading_digits(struct rtn_str text)
{
    size_t length = 0;

    while (length < text.length && rtn_is_digit(text.data[length]))
        length++;
    return (struct rtn_str){ text.data, length };
}

static const char *right_unit(const struct unit_words *words, struct rtn_str given)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(words->mistakes) && words->mistakes[i].wrong != NULL; i++) {
        if (rtn_str_equal_nocase(given, rtn_str_of(words->mistakes[i].wrong)))
            return words->mistakes[i].right;
    }
    return NULL;
}

/* 16384 -> 16KiB or 16384B; 30 -> 30s or 30ms. Never a value the parser refuses. */
static const char *missing_unit(const struct unit_words *words, struct rtn_str digits, struct rtn_arena *arena)
{
    int64_t number;

    if (words == &durations)
        return rtn_config_printf(arena, "%.*ss or %.*sms", RTN_STR_ARG(digits), RTN_STR_ARG(digits));
    if (rtn_parse_int(digits, &number) == 0 && number >= 1024 && number % 1024 == 0)
        return rtn_config_printf(arena, "%s or %.*sB", rtn_schema_number(RTN_SCHEMA_SIZE, number, arena),
                                 RTN_STR_ARG(digits));
    return rtn_config_printf(arena, "%.*sB or %.*sKiB", RTN_STR_ARG(digits), RTN_STR_ARG(digits));
}

bool rtn_schema_unit_error(const struct rtn_schema_key *key, int code, const struct rtn_node *node,
                           const struct rtn_schema_context *context)
{
    const struct unit_words *words = key->type == RTN_SCHEMA_SIZE ? &sizes : &durations;
    struct rtn_str digits = leading_digits(node->text);
    struct rtn_str rest = { node->text.data + digits.length, node->text.length - digits.length };
    const char *right = right_unit(words, rtn_str_trim(rest));

    if (code == -ERANGE)
        return rtn_schema_error(context, node->mark, "\"%s\" is far too large", key->name);
    if (digits.length > 0 && rest.length == 0)
        return rtn_schema_error(context, node->mark, "\"%s\" needs a unit; write %s", key->name,
                                missing_unit(words, digits, context->arena));
    if (digits.length > 0 && right != NULL)
        return rtn_schema_error(context, node->mark, "\"%s\" is written %.*s%s, not %s", key->name, RTN_STR_ARG(digits),
                                right, rtn_node_quote(node->text, context->arena));
    return rtn_schema_error(context, node->mark, "\"%s\" must be a %s, a whole number with a unit (%s), not %s",
                            key->name, words->noun, words->units, rtn_node_quote(node->text, context->arena));
}
