/*
 * Paths come decoded and without dot segments from the daemon. They are looked at here all the same: this is the
 * one place that says what is asked of the file system, and the kernel's own guard (static_root.c) comes behind it.
 */
#include "static_path.h"

#include <string.h>

#define WELL_KNOWN ".well-known"

static bool is_dots(rtn_str segment)
{
    return (segment.length == 1 && segment.data[0] == '.') ||
           (segment.length == 2 && segment.data[0] == '.' && segment.data[1] == '.');
}

static bool is_well_known(rtn_str segment)
{
    return segment.length == sizeof(WELL_KNOWN) - 1 && memcmp(segment.data, WELL_KNOWN, segment.length) == 0;
}

static bool segment_allowed(rtn_str segment, bool first, bool dot_files, bool well_known)
{
    if (segment.length == 0 || is_dots(segment))
        return false;
    return segment.data[0] != '.' || dot_files || (first && well_known && is_well_known(segment));
}

bool static_path_allowed(rtn_str path, bool dot_files, bool well_known)
{
    if (path.length == 0)
        return true;
    if (memchr(path.data, '\0', path.length) != NULL)
        return false;
    for (size_t at = 0; at < path.length;) {
        const char *slash = memchr(path.data + at, '/', path.length - at);
        size_t end = slash != NULL ? (size_t) (slash - path.data) : path.length;
        if (!segment_allowed((rtn_str){ path.data + at, end - at }, at == 0, dot_files, well_known))
            return false;
        at = end + 1;
    }
    return true;
}

bool static_path_is_name(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && !is_dots((rtn_str){ name, strlen(name) });
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

size_t static_path_encode(rtn_str path, char *out)
{
    static const char digits[] = "0123456789ABCDEF";
    char *end = out;
    for (size_t i = 0; i < path.length; i++) {
        unsigned char c = (unsigned char) path.data[i];
        if (c == '/' || is_unreserved((char) c)) {
            *end++ = (char) c;
            continue;
        }
        *end++ = '%';
        *end++ = digits[c >> 4];
        *end++ = digits[c & 15];
    }
    *end = '\0';
    return (size_t) (end - out);
}

void static_path_redirect(rtn_str path, rtn_str query, char *out)
{
    while (path.length > 0 && path.data[0] == '/') {
        path.data++;
        path.length--;
    }
    *out++ = '/';
    out += static_path_encode(path, out);
    if (path.length > 0)
        *out++ = '/';
    if (query.data != NULL) {
        *out++ = '?';
        memcpy(out, query.data, query.length);
        out += query.length;
    }
    *out = '\0';
}
