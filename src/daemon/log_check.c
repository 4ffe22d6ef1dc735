/*
 * A log that is no file is opened and closed again, which leaves no trace. Of a file only the permissions are looked
 * at: its own when it is there, else those of its folder.
 */
#include "daemon/log_check.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "log/log.h"

static int check_folder(const char *path)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf folder = { 0 };
    const char *slash = strrchr(path, '/');
    rtn_buf_printf(&folder, "%.*s/", (int) (slash - path), path);
    return access(folder.data, W_OK | X_OK) < 0 ? -errno : 0;
}

static int check_file(const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return errno == ENOENT ? check_folder(path) : -errno;
    if (S_ISDIR(info.st_mode))
        return -EISDIR;
    return access(path, W_OK) < 0 ? -errno : 0;
}

int rtn_log_check(const struct rtn_config_log *config)
{
    if (config->to == RTN_LOG_TO_FILE)
        return check_file(config->path);
    const struct rtn_log_options options = { .to = (enum rtn_log_to) config->to,
                                             .format = (enum rtn_log_format) config->format };
    struct rtn_log *log = NULL;
    int r = rtn_log_new(&options, &log);
    rtn_log_free(log);
    return r;
}
