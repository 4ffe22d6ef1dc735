/* Processor time by getrusage(); memory, threads and descriptors from /proc. */
#include "stats/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "stats/stats_internal.h"

static int64_t ms_of(struct timeval time)
{
    return (int64_t) time.tv_sec * 1000 + time.tv_usec / 1000;
}

static void read_times(struct rtn_stats_process *ret)
{
    struct timespec now = { 0 };
    int64_t started = 0;
    struct rusage usage = { 0 };
    (void) clock_gettime(CLOCK_REALTIME, &now);
    rtn_stats_started(&ret->started_ms, &started);
    ret->time_ms = (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
    ret->uptime_ms = rtn_clock_ms() - started;
    (void) getrusage(RUSAGE_SELF, &usage);
    ret->user_ms = ms_of(usage.ru_utime);
    ret->system_ms = ms_of(usage.ru_stime);
}

static void read_memory(struct rtn_stats_process *ret)
{
    long long total;
    long long resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL)
        return;
    if (fscanf(file, "%lld %lld", &total, &resident) == 2) { /* NOLINT(cert-err34-c): the kernel writes numbers */
        ret->virtual_size = total * sysconf(_SC_PAGESIZE);
        ret->resident = resident * sysconf(_SC_PAGESIZE);
    }
    (void) fclose(file);
}

/* Entries of a folder that are numbers; -1: it cannot be read. */
static int64_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return -1;
    int64_t count = 0;
    const struct dirent *entry;
    /* cppcheck-suppress readdirCalled */
    while ((entry = readdir(folder)) != NULL) /* NOLINT(concurrency-mt-unsafe): a stream of our own */
        count += entry->d_name[0] != '.';
    (void) closedir(folder);
    return count;
}

void rtn_stats_process_read(struct rtn_stats_process *ret)
{
    struct rlimit limit = { 0 };
    *ret = (struct rtn_stats_process){ .resident = -1, .virtual_size = -1, .descriptors_max = -1 };
    read_times(ret);
    read_memory(ret);
    ret->descriptors = count_entries("/proc/self/fd");
    if (ret->descriptors > 0)
        ret->descriptors--; /* the one that reads the folder */
    ret->threads = count_entries("/proc/self/task");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        ret->descriptors_max = (int64_t) limit.rlim_cur;
}
