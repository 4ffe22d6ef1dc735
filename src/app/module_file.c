/*
 * Opens a module from a copy in anonymous memory, so that nobody can pull the code from under a running daemon by
 * writing into the file. The copy is checked to be whole first: the dynamic linker maps what the headers promise,
 * and touching a page past the end of a half-written file would be a SIGBUS.
 *
 * The copy's descriptor stays open as long as the module is mapped. The dynamic linker knows a module by the name
 * it was opened with, here /proc/PID/fd/N (not "self", which a debugger would take for itself); a second module with
 * the same N would be taken for the first.
 */
#include "app/module_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/module_name.h"
#include "base/fd.h"
#include "loop/activity.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define COPY_NAME_SIZE 32
#define COMPARED_AT_ONCE 16384 /* bytes */

static int refuse(struct rtn_buf *problem, const char *text)
{
    rtn_buf_append_text(problem, text);
    return -EINVAL;
}

static int refuse_errno(struct rtn_buf *problem, const char *what)
{
    rtn_buf_printf(problem, "%s: %s", what, strerrordesc_np(errno));
    return -EINVAL;
}

static int check_stat(const char *path, const struct stat *info, struct rtn_buf *problem)
{
    if (!S_ISREG(info->st_mode))
        return refuse(problem, "is not a regular file");
    if (info->st_size == 0)
        return refuse(problem, "is empty");
    if ((info->st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return 0;
    const char *who = info->st_mode & S_IWOTH ? "others" : "its group";
    rtn_buf_printf(problem, "can be written by %s; run: chmod go-w %s", who, path);
    return -EINVAL;
}

/*
 * True when every segment that will be mapped lies within the copy, and the table of sections, which linkers and
 * compilers write last.
 */
static bool is_whole(int copy, const ElfW(Ehdr) * header, size_t size)
{
    size_t sections = (size_t) header->e_shnum * header->e_shentsize;
    if (header->e_shoff > size || sections > size - header->e_shoff)
        return false;
    for (size_t i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        off_t at = (off_t) (header->e_phoff + i * sizeof(segment));
        if (pread(copy, &segment, sizeof(segment), at) != (ssize_t) sizeof(segment))
            return false;
        if (segment.p_type == PT_LOAD && (segment.p_offset > size || segment.p_filesz > size - segment.p_offset))
            return false;
    }
    return true;
}

static int check_elf(int copy, size_t size, struct rtn_buf *problem)
{
    ElfW(Ehdr) header = { 0 };
    ssize_t got = pread(copy, &header, sizeof(header), 0);
    if (got < SELFMAG || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(problem, "is not a shared object (no ELF header)");
    if (got < (ssize_t) sizeof(header))
        return refuse(problem, "is cut short");
    bool native = header.e_ident[EI_CLASS] == (__ELF_NATIVE_CLASS == 64 ? ELFCLASS64 : ELFCLASS32);
    if (native && header.e_phentsize == sizeof(ElfW(Phdr)) && !is_whole(copy, &header, size))
        return refuse(problem, "is cut short");
    return 0; /* the dynamic linker words the rest well: wrong class, wrong machine */
}

/* Whoever writes in place is seen by the times of the file, else by those of the next reload. */
static bool is_unchanged(int file, const struct stat *before)
{
    struct stat now;
    return fstat(file, &now) == 0 && now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

static int copy_bytes(int from, int to, off_t size)
{
    for (off_t done = 0; done < size;) {
        ssize_t sent = sendfile(to, from, NULL, (size_t) (size - done));
        if (sent == 0)
            break; /* it shrank: the check for wholeness tells */
        if (sent < 0 && errno != EINTR)
            return -1;
        done += sent > 0 ? sent : 0;
    }
    return 0;
}

int rtn_module_file_copy(const char *path, struct rtn_buf *problem)
{
    /* O_NONBLOCK: a FIFO would hang the open. */
    RTN_CLEANUP(rtn_fd_close) int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (file < 0 || fstat(file, &info) < 0)
        return refuse_errno(problem, "cannot be read");
    if (check_stat(path, &info, problem) < 0)
        return -EINVAL;
    const char *slash = strrchr(path, '/');
    RTN_CLEANUP(rtn_fd_close) int copy = memfd_create(slash != NULL ? slash + 1 : path, MFD_CLOEXEC);
    if (copy < 0 || copy_bytes(file, copy, info.st_size) < 0)
        return refuse_errno(problem, "cannot be copied into memory");
    if (!is_unchanged(file, &info))
        return refuse(problem, "is being written; try again when that is done");
    if (check_elf(copy, (size_t) lseek(copy, 0, SEEK_END), problem) < 0)
        return -EINVAL;
    int checked = copy;
    copy = -1;
    return checked;
}

/* The same bytes of both from `at`: 1, or 0 at the end of both; -1: they differ, or cannot be read. */
static int compare_part(int copy, int other, off_t at)
{
    char a[COMPARED_AT_ONCE];
    char b[COMPARED_AT_ONCE];
    ssize_t got = pread(copy, a, sizeof(a), at);
    if (got < 0 || pread(other, b, sizeof(b), at) != got || memcmp(a, b, (size_t) got) != 0)
        return -1;
    return got > 0;
}

bool rtn_module_file_is_same(int copy, int other)
{
    int r = 1;
    for (off_t at = 0; r > 0; at += COMPARED_AT_ONCE)
        r = compare_part(copy, other, at);
    return r == 0;
}

static void copy_name(char out[COPY_NAME_SIZE], int copy)
{
    (void) snprintf(out, COPY_NAME_SIZE, "/proc/%d/fd/%d", (int) getpid(), copy);
}

/* What the dynamic linker said, with the file's own name in place of the copy's, and none at the start. */
static void explain_dlerror(const char *said, const char *name, const char *path, struct rtn_buf *problem)
{
    size_t length = strlen(name);
    if (strncmp(said, name, length) == 0 && strncmp(said + length, ": ", 2) == 0)
        said += length + 2;
    for (const char *at = strstr(said, name); at != NULL; at = strstr(said, name)) {
        rtn_buf_append(problem, said, (size_t) (at - said));
        rtn_buf_append_text(problem, path);
        said = at + length;
    }
    rtn_buf_append_text(problem, said);
}

static void explain_failure(const char *said, const char *name, const char *path, struct rtn_buf *problem)
{
    static const char missing[] = "undefined symbol: ";
    const char *symbol = strstr(said, missing);
    if (symbol == NULL || strncmp(symbol + strlen(missing), "rtn_", 4) != 0) {
        rtn_buf_append_text(problem, "cannot be loaded: ");
        explain_dlerror(said, name, path, problem);
        return;
    }
    symbol += strlen(missing);
    rtn_buf_printf(problem, "needs %.*s(), which this daemon does not have", (int) strcspn(symbol, ", "), symbol);
}

int rtn_module_file_open(int copy, const char *path, struct rtn_module_file *ret, struct rtn_buf *problem)
{
    RTN_CLEANUP(rtn_fd_close) int kept = copy;
    char name[COPY_NAME_SIZE];
    copy_name(name, copy);
    void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        explain_failure(dlerror(), name, path, problem);
        return -EINVAL;
    }
    *ret = (struct rtn_module_file){ handle, copy };
    rtn_module_name_add(name, path);
    kept = -1;
    return 0;
}

void rtn_module_file_close(struct rtn_module_file *file)
{
    if (file->handle == NULL)
        return;
    void *handle = file->handle;
    file->handle = NULL;
    if (SANITIZED)
        return; /* reports written at exit need the code in place to name its functions */
    char name[COPY_NAME_SIZE];
    copy_name(name, file->copy);
    rtn_activity_fence();
    (void) dlclose(handle);
    rtn_module_name_remove(name);
    /* A module may refuse to go (-z nodelete); its name must then stay taken. */
    const void *still_there = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
    if (still_there == NULL)
        rtn_fd_close(&file->copy);
}
