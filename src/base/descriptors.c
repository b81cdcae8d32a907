/* SPDX-License-Identifier: ISC */
/*
 * descriptors.c - closes all file descriptors except a few.
 *
 * Model: each range between two kept descriptors is closed by close_range(2). Kernels before 5.9 do
 * not have this call, and some container profiles refuse it. Then the descriptors listed in
 * /proc/self/fd are closed or, if it cannot be read, each number below the limit of open files. The
 * last method misses descriptors above a limit that was lowered after they were opened.
 */
#include "config.h"

#include "base/descriptors.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The default of fs.nr_open, the maximum limit of open files. */
#define NUMBERS_MAX 1048576

/* Uses the system call, because not every C library has the function. */
static bool close_range_call(int first, int last)
{
#ifdef SYS_close_range
    return syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) == 0;
#else
    (void)first, (void)last;
    return false;
#endif
}

/* Closing descriptors does not affect reading the folder: the kernel continues by number. */
static bool close_listed(int first, int last)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;

    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL) {
        int fd = atoi(entry->d_name); /* 0 for . and .. */
        if (fd > 0 && fd >= first && fd <= last && fd != dirfd(folder))
            close(fd);
    }
    closedir(folder);
    return true;
}

static bool close_each(int first, int last)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    rlim_t end = limit.rlim_cur < NUMBERS_MAX ? limit.rlim_cur : NUMBERS_MAX;
    for (int fd = first; fd <= last && (rlim_t)fd < end; fd++)
        close(fd);
    return true;
}

static bool close_span(int first, int last)
{
    return first > last || close_range_call(first, last) || close_listed(first, last) ||
           close_each(first, last);
}

bool descriptors_close_but(int first, const int *kept, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!close_span(first, kept[i] - 1))
            return false;
        first = kept[i] + 1;
    }
    return close_span(first, INT_MAX);
}
