#include <stdio.h>

#include <criterion/criterion.h>

#include "app/negotiate.h"

typedef int quality_of(struct rtn_str field, struct rtn_str offer);

struct sample {
    const char *field;
    const char *offer;
    int quality;
};

static void expect_all(quality_of *quality, const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int got = quality(rtn_str_of(samples[i].field), rtn_str_of(samples[i].offer));
        cr_expect(got == samples[i].quality, "[%s] %s: got %d, not %d",
                  samples[i].field != NULL ? samples[i].field : "absent", samples[i].offer, got, samples[i].quality);
    }
}

#define EXPECT(quality, ...)                                                \
    do {                                                                    \
        const struct sample samples[] = { __VA_ARGS__ };                    \
        expect_all(quality, samples, sizeof(samples) / sizeof(samples[0])); \
    } while (0)

Test(negotiate, weights_have_three_digits_at_most)
{
    EXPECT(rtn_negotiate_type, { "a/b", "a/b", 1000 }, { "a/b;q=1", "a/b", 1000 }, { "a/b;q=1.000", "a/b", 1000 },
           { "a/b;q=0", "a/b", 0 }, { "a/b;q=0.", "a/b", 0 }, { "a/b;q=0.5", "a/b", 500 }, { "a/b;Q=0.05", "a/b", 50 },
           { "a/b ; q=0.123", "a/b", 123 }, { "a/b;q=1.", "a/b", 1000 }, { "a/b;;q=0.5", "a/b", 500 });
}

Test(negotiate, elements_with_bad_weights_are_passed_over)
{
    const char *const bad[] = { "q=",   "q=2",   "q=1.001", "q=0.1234", "q=.5", "q=-1",
                                "q=00", "q=1e0", "q=\"1\"", "q",        "q =1", "q=0.5x" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char field[64];
        (void) snprintf(field, sizeof(field), "a/b;%s, a/*;q=0.3", bad[i]);
        EXPECT(rtn_negotiate_type, { field, "a/b", 300 });
    }
}

/* The example of RFC 9110, 12.5.1. */
Test(negotiate, the_most_specific_type_decides)
{
    const char *accept =
        "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5";
    EXPECT(rtn_negotiate_type, { accept, "text/plain;format=flowed", 1000 }, { accept, "text/plain", 700 },
           { accept, "text/html", 300 }, { accept, "image/jpeg", 500 }, { accept, "text/plain;format=fixed", 400 },
           { accept, "text/html;level=3", 300 }, { accept, "TEXT/Plain; charset=utf-8; FORMAT=\"Fixed\"", 400 });
}

Test(negotiate, types_that_are_not_listed_are_refused)
{
    EXPECT(rtn_negotiate_type, { "text/html", "text/plain", 0 }, { "text/html;level=1", "text/html", 0 },
           { "text/*", "image/png", 0 }, { "*/*;q=0", "image/png", 0 }, { "image/png;q=0, */*", "image/png", 0 },
           { "image/png;q=0, */*", "image/gif", 1000 }, { "text/html", "nonsense", 0 });
}

Test(negotiate, types_from_a_field_that_says_nothing)
{
    EXPECT(rtn_negotiate_type, { NULL, "a/b", 1000 }, { "", "a/b", 1000 }, { ", ,", "a/b", 1000 }, { "*", "a/b", 1000 },
           { "*/html", "a/b", 1000 }, { "a b/c", "a/b", 1000 }, { "a/b;x", "a/b", 1000 });
}

Test(negotiate, what_stands_behind_the_weight_is_of_no_use)
{
    EXPECT(rtn_negotiate_type, { "a/b;c=d;q=0.5;e=f;g", "a/b;c=d", 500 }, { "a/b;q=0.5;c=d", "a/b", 500 });
}

Test(negotiate, commas_in_quotes_part_nothing)
{
    EXPECT(rtn_negotiate_type, { "a/b;c=\"x,y;q=0\";q=0.2, d/e;q=0.9", "a/b;c=\"x,y;q=0\"", 200 },
           { "a/b;c=\"x,y;q=0\";q=0.2, d/e;q=0.9", "d/e", 900 });
}

Test(negotiate, language_ranges_are_prefixes)
{
    EXPECT(rtn_negotiate_language, { "de", "de", 1000 }, { "de", "de-CH", 1000 }, { "DE-ch", "de-CH-1996", 1000 },
           { "de-CH", "de", 0 }, { "de", "deu", 0 }, { "en, *;q=0.5", "fr", 500 }, { "en, *;q=0.5", "en-GB", 1000 },
           { "en;q=0.2, en-GB;q=0.8", "en-GB", 800 }, { "en;q=0.2, en-GB;q=0.8", "en-US", 200 },
           { "en;q=0, *", "en-US", 0 }, { NULL, "en", 1000 }, { "", "en", 1000 }, { "en_GB", "en", 1000 },
           { "abcdefghi", "en", 1000 }, { "en-, fr", "en", 0 });
}

Test(negotiate, codings)
{
    EXPECT(rtn_negotiate_encoding, { "gzip, br;q=0.5", "gzip", 1000 }, { "gzip, br;q=0.5", "br", 500 },
           { "gzip", "zstd", 0 }, { "*", "zstd", 1000 }, { "gzip;q=0, *;q=0.1", "gzip", 0 },
           { "gzip;q=0, *;q=0.1", "br", 100 }, { "x-gzip", "gzip", 1000 }, { "GZip", "gzip", 1000 },
           { "gzip;level=1", "gzip", 0 }, { "gz ip", "gzip", 0 }, { "x", "x", 1000 });
}

Test(negotiate, identity_is_accepted_unless_refused)
{
    EXPECT(rtn_negotiate_encoding, { "gzip", "identity", 1 }, { "gzip, identity;q=0.5", "identity", 500 },
           { "identity;q=0", "identity", 0 }, { "*;q=0", "identity", 0 }, { "*;q=0, identity;q=0.3", "identity", 300 },
           { "", "identity", 1 }, { "", "gzip", 0 }, { NULL, "identity", 1000 }, { NULL, "gzip", 0 });
}
