/*
 * The usual extensions stand in one sorted table, found by bisection; what the operator says comes first, from a hash
 * map whose keys are lower case. Text is said to be UTF-8: without a charset browsers guess, and guess wrong.
 */
#include "app/media.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"

#define EXTENSION_MAX 32 /* bytes; longer ones are of no type */

struct rtn_media {
    atomic_uint references;
    struct rtn_map types; /* extension, lower case -> const char * */
    struct rtn_arena arena; /* of extensions and types */
};

/* Sorted by strcmp(); the unit test looks at it. */
static const struct row {
    const char *extension;
    const char *type;
} rows[] = {
    { "3g2", "video/3gpp2" },
    { "3gp", "video/3gpp" },
    { "7z", "application/x-7z-compressed" },
    { "aac", "audio/aac" },
    { "ai", "application/postscript" },
    { "aif", "audio/aiff" },
    { "aiff", "audio/aiff" },
    { "amr", "audio/amr" },
    { "apk", "application/vnd.android.package-archive" },
    { "apng", "image/apng" },
    { "appcache", "text/cache-manifest; charset=utf-8" },
    { "asc", "application/pgp-keys" },
    { "atom", "application/atom+xml" },
    { "avi", "video/x-msvideo" },
    { "avif", "image/avif" },
    { "bin", "application/octet-stream" },
    { "bmp", "image/bmp" },
    { "br", "application/x-brotli" },
    { "bz2", "application/x-bzip2" },
    { "c", "text/plain; charset=utf-8" },
    { "cc", "text/plain; charset=utf-8" },
    { "cjs", "text/javascript; charset=utf-8" },
    { "conf", "text/plain; charset=utf-8" },
    { "cpio", "application/x-cpio" },
    { "cpp", "text/plain; charset=utf-8" },
    { "crl", "application/pkix-crl" },
    { "crt", "application/x-x509-ca-cert" },
    { "csr", "application/pkcs10" },
    { "css", "text/css; charset=utf-8" },
    { "csv", "text/csv; charset=utf-8" },
    { "cur", "image/vnd.microsoft.icon" },
    { "db", "application/x-sqlite3" },
    { "deb", "application/vnd.debian.binary-package" },
    { "der", "application/x-x509-ca-cert" },
    { "diff", "text/plain; charset=utf-8" },
    { "djv", "image/vnd.djvu" },
    { "djvu", "image/vnd.djvu" },
    { "dll", "application/vnd.microsoft.portable-executable" },
    { "dmg", "application/x-apple-diskimage" },
    { "doc", "application/msword" },
    { "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
    { "eml", "message/rfc822" },
    { "eot", "application/vnd.ms-fontobject" },
    { "eps", "application/postscript" },
    { "epub", "application/epub+zip" },
    { "exe", "application/vnd.microsoft.portable-executable" },
    { "flac", "audio/flac" },
    { "flv", "video/x-flv" },
    { "geojson", "application/geo+json" },
    { "gif", "image/gif" },
    { "glb", "model/gltf-binary" },
    { "gltf", "model/gltf+json" },
    { "go", "text/plain; charset=utf-8" },
    { "gpx", "application/gpx+xml" },
    { "gz", "application/gzip" },
    { "h", "text/plain; charset=utf-8" },
    { "heic", "image/heic" },
    { "heif", "image/heif" },
    { "hpp", "text/plain; charset=utf-8" },
    { "htm", "text/html; charset=utf-8" },
    { "html", "text/html; charset=utf-8" },
    { "ico", "image/vnd.microsoft.icon" },
    { "ics", "text/calendar; charset=utf-8" },
    { "img", "application/octet-stream" },
    { "ini", "text/plain; charset=utf-8" },
    { "iso", "application/x-iso9660-image" },
    { "jar", "application/java-archive" },
    { "java", "text/plain; charset=utf-8" },
    { "jfif", "image/jpeg" },
    { "jp2", "image/jp2" },
    { "jpeg", "image/jpeg" },
    { "jpg", "image/jpeg" },
    { "js", "text/javascript; charset=utf-8" },
    { "json", "application/json" },
    { "json5", "application/json5" },
    { "jsonl", "application/jsonl" },
    { "jsonld", "application/ld+json" },
    { "jxl", "image/jxl" },
    { "kml", "application/vnd.google-earth.kml+xml" },
    { "kmz", "application/vnd.google-earth.kmz" },
    { "log", "text/plain; charset=utf-8" },
    { "lua", "text/plain; charset=utf-8" },
    { "lz", "application/x-lzip" },
    { "lz4", "application/x-lz4" },
    { "m2ts", "video/mp2t" },
    { "m3u", "audio/mpegurl" },
    { "m3u8", "application/vnd.apple.mpegurl" },
    { "m4a", "audio/mp4" },
    { "m4v", "video/mp4" },
    { "map", "application/json" },
    { "markdown", "text/markdown; charset=utf-8" },
    { "mathml", "application/mathml+xml" },
    { "mbox", "application/mbox" },
    { "md", "text/markdown; charset=utf-8" },
    { "mid", "audio/midi" },
    { "midi", "audio/midi" },
    { "mjs", "text/javascript; charset=utf-8" },
    { "mka", "audio/x-matroska" },
    { "mkv", "video/x-matroska" },
    { "mobi", "application/x-mobipocket-ebook" },
    { "mov", "video/quicktime" },
    { "mp3", "audio/mpeg" },
    { "mp4", "video/mp4" },
    { "mpd", "application/dash+xml" },
    { "mpeg", "video/mpeg" },
    { "mpg", "video/mpeg" },
    { "msi", "application/x-msi" },
    { "obj", "model/obj" },
    { "odg", "application/vnd.oasis.opendocument.graphics" },
    { "odp", "application/vnd.oasis.opendocument.presentation" },
    { "ods", "application/vnd.oasis.opendocument.spreadsheet" },
    { "odt", "application/vnd.oasis.opendocument.text" },
    { "oga", "audio/ogg" },
    { "ogg", "audio/ogg" },
    { "ogv", "video/ogg" },
    { "opus", "audio/ogg" },
    { "otf", "font/otf" },
    { "p12", "application/x-pkcs12" },
    { "p8", "application/pkcs8" },
    { "patch", "text/plain; charset=utf-8" },
    { "pdf", "application/pdf" },
    { "pem", "application/x-x509-ca-cert" },
    { "pfx", "application/x-pkcs12" },
    { "pgm", "image/x-portable-graymap" },
    { "pl", "text/plain; charset=utf-8" },
    { "png", "image/png" },
    { "ppm", "image/x-portable-pixmap" },
    { "ppt", "application/vnd.ms-powerpoint" },
    { "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
    { "ps", "application/postscript" },
    { "psd", "image/vnd.adobe.photoshop" },
    { "py", "text/plain; charset=utf-8" },
    { "qt", "video/quicktime" },
    { "rar", "application/vnd.rar" },
    { "rb", "text/plain; charset=utf-8" },
    { "rpm", "application/x-rpm" },
    { "rs", "text/plain; charset=utf-8" },
    { "rss", "application/rss+xml" },
    { "rtf", "application/rtf" },
    { "sh", "text/plain; charset=utf-8" },
    { "sig", "application/pgp-signature" },
    { "spx", "audio/ogg" },
    { "sql", "application/sql" },
    { "sqlite", "application/x-sqlite3" },
    { "srt", "application/x-subrip" },
    { "stl", "model/stl" },
    { "svg", "image/svg+xml" },
    { "tar", "application/x-tar" },
    { "tbz2", "application/x-bzip2" },
    { "tex", "text/x-tex; charset=utf-8" },
    { "tgz", "application/gzip" },
    { "tif", "image/tiff" },
    { "tiff", "image/tiff" },
    { "toml", "application/toml" },
    { "torrent", "application/x-bittorrent" },
    { "ts", "video/mp2t" },
    { "tsv", "text/tab-separated-values; charset=utf-8" },
    { "ttc", "font/collection" },
    { "ttf", "font/ttf" },
    { "txt", "text/plain; charset=utf-8" },
    { "txz", "application/x-xz" },
    { "vcf", "text/vcard; charset=utf-8" },
    { "vtt", "text/vtt; charset=utf-8" },
    { "war", "application/java-archive" },
    { "wasm", "application/wasm" },
    { "wav", "audio/wav" },
    { "weba", "audio/webm" },
    { "webm", "video/webm" },
    { "webmanifest", "application/manifest+json" },
    { "webp", "image/webp" },
    { "wmv", "video/x-ms-wmv" },
    { "woff", "font/woff" },
    { "woff2", "font/woff2" },
    { "wsdl", "application/wsdl+xml" },
    { "xhtml", "application/xhtml+xml" },
    { "xls", "application/vnd.ms-excel" },
    { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
    { "xml", "application/xml" },
    { "xsd", "application/xml" },
    { "xsl", "application/xslt+xml" },
    { "xslt", "application/xslt+xml" },
    { "xz", "application/x-xz" },
    { "yaml", "application/yaml" },
    { "yml", "application/yaml" },
    { "zip", "application/zip" },
    { "zst", "application/zstd" },
};

static void copy_lower(char *out, struct rtn_str s)
{
    for (size_t i = 0; i < s.length; i++)
        out[i] = rtn_lower(s.data[i]);
    out[s.length] = '\0';
}

static int add_type(struct rtn_media *media, const struct rtn_node_pair *pair)
{
    char *key = rtn_arena_alloc(&media->arena, pair->name.length + 1);
    if (key == NULL)
        return -ENOMEM;
    copy_lower(key, pair->name);
    char *type = rtn_arena_strdup(&media->arena, pair->value->text);
    return type != NULL ? rtn_map_add(&media->types, rtn_str_of(key), type) : -ENOMEM;
}

struct rtn_media *rtn_media_new(const struct rtn_node *types)
{
    struct rtn_media *media = calloc(1, sizeof(*media));
    if (media == NULL)
        return NULL;
    atomic_init(&media->references, 1);
    rtn_arena_init(&media->arena, NULL, 0);
    for (size_t i = 0; types != NULL && types->kind == RTN_NODE_MAP && i < types->count; i++) {
        if (types->pairs[i].value->kind != RTN_NODE_SCALAR)
            continue; /* the configuration is wrong, and serves for a check of modules only */
        if (add_type(media, &types->pairs[i]) != -ENOMEM)
            continue; /* two spellings of one: the configuration has none */
        rtn_media_unref(media);
        return NULL;
    }
    return media;
}

bool rtn_media_is_same(const struct rtn_media *a, const struct rtn_media *b)
{
    for (size_t i = 0; i < a->types.count && a->types.count == b->types.count; i++) {
        const char *other = rtn_map_get(&b->types, a->types.entries[i].key);
        if (other == NULL || strcmp(other, a->types.entries[i].value) != 0)
            return false;
    }
    return a->types.count == b->types.count;
}

void rtn_media_ref(struct rtn_media *media)
{
    atomic_fetch_add_explicit(&media->references, 1, memory_order_relaxed);
}

void rtn_media_unref(struct rtn_media *media)
{
    if (media == NULL || atomic_fetch_sub_explicit(&media->references, 1, memory_order_acq_rel) != 1)
        return;
    rtn_map_done(&media->types);
    rtn_arena_done(&media->arena);
    free(media);
}

/* Behind the last dot, unless that is the first character of the name; empty when there is none. */
static struct rtn_str extension_of(struct rtn_str name)
{
    for (size_t i = name.length; i-- > 1 && name.data[i] != '/';) {
        if (name.data[i] == '.' && name.data[i - 1] != '/')
            return (struct rtn_str){ name.data + i + 1, name.length - i - 1 };
    }
    return (struct rtn_str){ 0 };
}

static int compare_row(const void *key, const void *row)
{
    return strcmp(key, ((const struct row *) row)->extension);
}

const char *rtn_media_lookup(const struct rtn_media *media, struct rtn_str file_name)
{
    char extension[EXTENSION_MAX + 1];
    struct rtn_str found = extension_of(file_name);
    if (found.length == 0 || found.length > EXTENSION_MAX)
        return NULL;
    copy_lower(extension, found);
    const char *type = media != NULL ? rtn_map_get(&media->types, rtn_str_of(extension)) : NULL;
    if (type != NULL)
        return type;
    const struct row *row = bsearch(extension, rows, RTN_ARRAY_LENGTH(rows), sizeof(rows[0]), compare_row);
    return row != NULL ? row->type : NULL;
}
