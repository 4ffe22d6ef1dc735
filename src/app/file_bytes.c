/* Reading and writing in as many calls as it takes. */
#include "app/file_bytes.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

int64_t rtn_file_bytes_read(int fd, int64_t offset, void *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pread(fd, (char *) bytes + done, length - done, (off_t) (offset + (int64_t) done));
        if (n == 0)
            break;
        if (n > 0)
            done += (size_t) n;
        else if (errno != EINTR)
            return -errno;
    }
    return (int64_t) done;
}

int64_t rtn_file_bytes_write(int fd, int64_t offset, const void *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = pwrite(fd, (const char *) bytes + done, length - done, (off_t) (offset + (int64_t) done));
        if (n == 0)
            break;
        if (n > 0)
            done += (size_t) n;
        else if (errno != EINTR)
            return -errno;
    }
    return (int64_t) done;
}
