/* Reading what the page cache holds of a file, so that a loop can send it without waiting for a disk. [any] */
#ifndef RTN_APP_PREFETCH_H
#define RTN_APP_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

#define RTN_PREFETCH_MOST ((size_t) 128 * 1024)

/*
 * The bytes, in memory of the calling thread that the next call overwrites. NULL when they are more than
 * RTN_PREFETCH_MOST, when some would have to come from the disk, or when the file system cannot tell.
 */
const void *rtn_prefetch(int fd, int64_t offset, size_t length);

#endif
