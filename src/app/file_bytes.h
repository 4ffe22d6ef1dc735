/* Bytes at a place in a file, whole: for workers. [any] */
#ifndef RTN_APP_FILE_BYTES_H
#define RTN_APP_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* How many bytes were read (fewer at the end of the file) or written; -errno, also when some were. */
int64_t rtn_file_bytes_read(int fd, int64_t offset, void *bytes, size_t length);
int64_t rtn_file_bytes_write(int fd, int64_t offset, const void *bytes, size_t length);

#endif
