/*
 * Loading opens before it looks, so that what is looked at is what will be sent. A sibling counts when it is not
 * older than its original; whole seconds are compared, since compressors copy times without their fractions.
 */
#include "static_entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX_MAX 4
#define YOUNG_SECONDS 60

/* In the order in which they are preferred when the client does not care. */
static const struct {
    const char *suffix;
    const char *coding;
} siblings[STATIC_VARIANTS - 1] = {
    { ".br", "br" },
    { ".zst", "zstd" },
    { ".gz", "gzip" },
};

/* Strong: time and size say what the content is; the coding tells siblings of one size and time apart. */
static void make_etag(struct static_variant *variant)
{
    unsigned long long ns =
        (unsigned long long) variant->modified.tv_sec * 1000000000ULL + (unsigned long long) variant->modified.tv_nsec;
    (void) snprintf(variant->etag, sizeof(variant->etag), "\"%llx-%llx%s%s\"", ns, (unsigned long long) variant->size,
                    variant->coding != NULL ? "-" : "", variant->coding != NULL ? variant->coding : "");
}

static int check_kind(const struct stat *found)
{
    if (S_ISDIR(found->st_mode))
        return -EISDIR;
    return S_ISREG(found->st_mode) ? 0 : -ENOENT;
}

static int open_variant(const struct static_root *root, const char *name, const char *coding,
                        struct static_variant *variant)
{
    struct stat found;
    int fd = static_root_file(root, name, O_RDONLY);
    if (fd < 0)
        return fd;
    int error = fstat(fd, &found) < 0 ? -errno : check_kind(&found);
    if (error < 0) {
        (void) close(fd);
        return error;
    }
    *variant = (struct static_variant){ .fd = fd,
                                        .dev = found.st_dev,
                                        .ino = found.st_ino,
                                        .size = found.st_size,
                                        .modified = found.st_mtim,
                                        .changed = found.st_ctim,
                                        .coding = coding };
    make_etag(variant);
    return 0;
}

/* A sibling that cannot be had is none: the original will do. */
static void add_sibling(struct static_entry *entry, const struct static_root *root, const char *name,
                        const char *coding)
{
    struct static_variant *variant = &entry->variants[entry->count];
    if (open_variant(root, name, coding, variant) < 0)
        return;
    if (variant->modified.tv_sec >= entry->variants[0].modified.tv_sec)
        entry->count++;
    else
        (void) close(variant->fd);
}

static int add_siblings(struct static_entry *entry, const struct static_root *root, const char *name)
{
    size_t size = strlen(name) + SUFFIX_MAX + 1;
    char *sibling = malloc(size);
    if (sibling == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < STATIC_VARIANTS - 1; i++) {
        (void) snprintf(sibling, size, "%s%s", name, siblings[i].suffix);
        add_sibling(entry, root, sibling, siblings[i].coding);
    }
    free(sibling);
    return 0;
}

static struct static_entry *entry_alloc(rtn_str path)
{
    struct static_entry *entry = calloc(1, sizeof(*entry) + path.length + 1);
    if (entry == NULL)
        return NULL;
    atomic_init(&entry->refs, 1);
    entry->path_length = path.length;
    if (path.length > 0)
        memcpy(entry->path, path.data, path.length);
    return entry;
}

int static_entry_load(const struct static_root *root, const char *name, rtn_str path, bool precompressed,
                      struct static_entry **ret)
{
    struct static_entry *entry = entry_alloc(path);
    if (entry == NULL)
        return -ENOMEM;
    int error = open_variant(root, name, NULL, &entry->variants[0]);
    if (error == 0)
        entry->count = 1;
    if (error == 0 && precompressed)
        error = add_siblings(entry, root, name);
    if (error < 0) {
        static_entry_unref(entry);
        return error;
    }
    *ret = entry;
    return 0;
}

/*
 * Two changes within a tick of the clock have one time, and pages that are written through a mapping have that of the
 * first write until the kernel has cleaned them, which it does within half a minute.
 */
static bool is_young(const struct static_variant *variant)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec - variant->changed.tv_sec < YOUNG_SECONDS;
}

/* All or nothing: a file that becomes shorter meanwhile is left to the file system. */
static char *read_bytes(int fd, size_t size)
{
    char *bytes = malloc(size);
    if (bytes != NULL && pread(fd, bytes, size, 0) == (ssize_t) size)
        return bytes;
    free(bytes);
    return NULL;
}

static bool copy(int to, int from, size_t size)
{
    off_t offset = 0;
    while ((size_t) offset < size) {
        ssize_t n = sendfile(to, from, &offset, size - (size_t) offset);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
    }
    return true;
}

/* A file without a disk: what is in it is sent from where it is, which is worth its call once there is much of it. */
static int copy_file(int fd, size_t size)
{
    int copied = memfd_create("static", MFD_CLOEXEC);
    if (copied >= 0 && copy(copied, fd, size))
        return copied;
    if (copied >= 0)
        (void) close(copied);
    return -1;
}

static bool keep(struct static_variant *variant)
{
    if (variant->size <= STATIC_BYTES_MOST) {
        variant->bytes = read_bytes(variant->fd, (size_t) variant->size);
        return variant->bytes != NULL;
    }
    int copied = copy_file(variant->fd, (size_t) variant->size);
    if (copied < 0)
        return false;
    (void) close(variant->fd);
    variant->fd = copied;
    variant->in_memory = true;
    return true;
}

static bool fits(const struct static_variant *variant, size_t room)
{
    return variant->size <= STATIC_KEPT_MOST && (size_t) variant->size <= room;
}

size_t static_entry_keepable(const struct static_entry *entry, size_t room)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < entry->count; i++) {
        if (fits(&entry->variants[i], room - bytes))
            bytes += (size_t) entry->variants[i].size;
    }
    return bytes;
}

void static_entry_keep(struct static_entry *entry, size_t room)
{
    for (unsigned i = 0; i < entry->count; i++) {
        struct static_variant *variant = &entry->variants[i];
        if (!fits(variant, room - entry->kept) || !keep(variant))
            continue;
        entry->kept += (size_t) variant->size;
        entry->young = entry->young || is_young(variant);
    }
}

static bool time_same(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool variant_same(const struct static_variant *a, const struct static_variant *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->coding == b->coding && a->size == b->size &&
           time_same(a->modified, b->modified) && time_same(a->changed, b->changed);
}

bool static_entry_same(const struct static_entry *a, const struct static_entry *b)
{
    if (a->young || b->young || a->count != b->count || a->type != b->type)
        return false;
    for (unsigned i = 0; i < a->count; i++) {
        if (!variant_same(&a->variants[i], &b->variants[i]))
            return false;
    }
    return true;
}

struct static_entry *static_entry_ref(struct static_entry *entry)
{
    atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
    return entry;
}

void static_entry_unref(void *data)
{
    struct static_entry *entry = data;
    if (entry == NULL || atomic_fetch_sub_explicit(&entry->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < entry->count; i++) {
        (void) close(entry->variants[i].fd);
        free(entry->variants[i].bytes);
    }
    free(entry);
}
