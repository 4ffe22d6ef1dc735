/*
 * Runs one fuzz target over files instead of a fuzzer: the seeds of a corpus, as a plain test in every build.
 *   replay FOLDER
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/macros.h"

#define MOST_BYTES ((size_t) 1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_file(const char *path)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    if (rtn_buf_read_file(&bytes, path, MOST_BYTES) < 0) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(1);
    }
    /* An exact copy, so that a read past its end is seen. */
    uint8_t *copy = malloc(bytes.length + (bytes.length == 0));
    if (copy == NULL)
        exit(1);
    if (bytes.length > 0)
        memcpy(copy, bytes.data, bytes.length);
    (void) LLVMFuzzerTestOneInput(copy, bytes.length);
    free(copy);
}

int main(int count, char **arguments)
{
    DIR *folder = count == 2 ? opendir(arguments[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "usage: replay FOLDER\n");
        return 2;
    }
    unsigned files = 0;
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char path[4096];
        struct stat status;
        (void) snprintf(path, sizeof(path), "%s/%s", arguments[1], entry->d_name);
        if (stat(path, &status) < 0 || !S_ISREG(status.st_mode))
            continue;
        run_file(path);
        files++;
    }
    (void) closedir(folder);
    printf("%u files\n", files);
    return files > 0 ? 0 : 1;
}
