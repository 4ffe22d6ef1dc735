/*
 * Reads the symbol table of an ELF file that is mapped for as long as that takes. Every offset of the file is checked
 * before it is followed.
 */
#include "loop/symbols.h"

#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/macros.h"

struct image {
    const char *data;
    size_t size;
};

struct table {
    const ElfW(Sym) * symbols;
    size_t count;
    const char *names;
    size_t names_size;
};

static const void *at(const struct image *image, uint64_t offset, uint64_t size)
{
    return offset <= image->size && size <= image->size - offset ? image->data + offset : NULL;
}

static const ElfW(Shdr) * sections(const struct image *image, size_t *count)
{
    const ElfW(Ehdr) *header = at(image, 0, sizeof(*header));
    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_shentsize != sizeof(ElfW(Shdr)))
        return NULL;
    *count = header->e_shnum;
    return at(image, header->e_shoff, (uint64_t) header->e_shnum * sizeof(ElfW(Shdr)));
}

static bool find_table(const struct image *image, struct table *ret)
{
    size_t count = 0;
    const ElfW(Shdr) *all = sections(image, &count);
    for (size_t i = 0; all != NULL && i < count; i++) {
        if (all[i].sh_type != SHT_SYMTAB || all[i].sh_link >= count)
            continue;
        const ElfW(Shdr) *names = &all[all[i].sh_link];
        *ret = (struct table){ .symbols = at(image, all[i].sh_offset, all[i].sh_size),
                               .count = all[i].sh_size / sizeof(ElfW(Sym)),
                               .names = at(image, names->sh_offset, names->sh_size),
                               .names_size = names->sh_size };
        return ret->symbols != NULL && ret->names != NULL;
    }
    return false;
}

static bool covers(const ElfW(Sym) * symbol, uintptr_t address)
{
    /* The type has the same bits in files of both classes. */
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value <= address &&
           address - symbol->st_value < symbol->st_size;
}

static bool find(const struct table *table, uintptr_t address, struct rtn_symbol *ret)
{
    for (size_t i = 0; i < table->count; i++) {
        const ElfW(Sym) *symbol = &table->symbols[i];
        if (!covers(symbol, address) || symbol->st_name >= table->names_size)
            continue;
        const char *name = table->names + symbol->st_name;
        int length = (int) strnlen(name, RTN_MIN(table->names_size - symbol->st_name, sizeof(ret->name) - 1));
        (void) snprintf(ret->name, sizeof(ret->name), "%.*s", length, name);
        ret->offset = address - symbol->st_value;
        return true;
    }
    return false;
}

bool rtn_symbol_find(const char *file, uintptr_t address, struct rtn_symbol *ret)
{
    RTN_CLEANUP(rtn_fd_close) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size == 0)
        return false;
    void *data = mmap(NULL, (size_t) info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return false;
    const struct image image = { .data = data, .size = (size_t) info.st_size };
    struct table table;
    bool found = find_table(&image, &table) && find(&table, address, ret);
    (void) munmap(data, image.size);
    return found;
}
