/* Small helpers around file descriptors. Those that can fail return 0 or -errno. [any] */
#ifndef RTN_BASE_FD_H
#define RTN_BASE_FD_H

/* Closes *fd unless it is -1 and sets it to -1; errno is kept. Usable with RTN_CLEANUP. */
void rtn_fd_close(int *fd);

int rtn_fd_set_nonblocking(int fd);
int rtn_fd_set_cloexec(int fd);

#endif
