/* A value is brought below the next unit, and gets one decimal as long as it has few digits. */
#include "ctl/ctl_format.h"

#include <stdio.h>

#include "base/macros.h"

/* 9.96 would be shown as 10.0: it has no decimal either. */
static char *with_unit(char out[RTN_CTL_FORMAT_MAX], double value, const char *unit)
{
    (void) snprintf(out, RTN_CTL_FORMAT_MAX, value < 9.95 ? "%.1f%s" : "%.0f%s", value, unit);
    return out;
}

char *rtn_ctl_bytes(char out[RTN_CTL_FORMAT_MAX], int64_t bytes)
{
    static const char *const units[] = { " KiB", " MiB", " GiB", " TiB", " PiB" };
    double value = (double) bytes / 1024.;
    size_t unit = 0;
    if (bytes < 1024) {
        (void) snprintf(out, RTN_CTL_FORMAT_MAX, "%lld B", (long long) bytes);
        return out;
    }
    for (; value >= 999.5 && unit + 1 < RTN_ARRAY_LENGTH(units); unit++)
        value /= 1024.;
    return with_unit(out, value, units[unit]);
}

char *rtn_ctl_count(char out[RTN_CTL_FORMAT_MAX], double count)
{
    static const char *const units[] = { "", "k", "M", "G", "T" };
    size_t unit = 0;
    for (; count >= 999.5 && unit + 1 < RTN_ARRAY_LENGTH(units); unit++)
        count /= 1000.;
    if (unit == 0 && count == (double) (int64_t) count) {
        (void) snprintf(out, RTN_CTL_FORMAT_MAX, "%.0f", count);
        return out;
    }
    if (unit > 0 && count < 99.95) {
        (void) snprintf(out, RTN_CTL_FORMAT_MAX, "%.1f%s", count, units[unit]);
        return out;
    }
    return with_unit(out, count, units[unit]);
}

char *rtn_ctl_age(char out[RTN_CTL_FORMAT_MAX], int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(units); i++) {
        long long count = (long long) (ms / units[i].ms);
        if (count == 0)
            continue;
        if (i + 1 == RTN_ARRAY_LENGTH(units))
            (void) snprintf(out, RTN_CTL_FORMAT_MAX, "%llds", count);
        else
            (void) snprintf(out, RTN_CTL_FORMAT_MAX, "%lld%s %lld%s", count, units[i].name,
                            (long long) (ms % units[i].ms / units[i + 1].ms), units[i + 1].name);
        return out;
    }
    (void) snprintf(out, RTN_CTL_FORMAT_MAX, "%lldms", (long long) ms);
    return out;
}

char *rtn_ctl_time(char out[RTN_CTL_FORMAT_MAX], int64_t us)
{
    if (us < 1000) {
        (void) snprintf(out, RTN_CTL_FORMAT_MAX, "%lldus", (long long) us);
        return out;
    }
    return us < 999500 ? with_unit(out, (double) us / 1e3, "ms") : with_unit(out, (double) us / 1e6, "s");
}
