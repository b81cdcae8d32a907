/* SPDX-License-Identifier: ISC */
/*
 * footprint.c - memory of a process, by /proc/self.
 *
 * Model: asked once by the process that makes the workers, for all of them: each is a copy of it,
 * and a look at /proc costs the kernel an inode for each process, at its beginning and at its end.
 */
#include "config.h"

#include "base/footprint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Of 1000; added to what the kernel thinks of the process by its size. */
#define OOM_SCORE_ADJUSTMENT "500"

/* The numbers in statm: the first is the size, the sixth data and stack; in pages. */
enum { STATM_SIZE = 0, STATM_DATA = 5, STATM_COUNT };

struct footprint footprint_now(void)
{
    rlim_t pages[STATM_COUNT] = {0}, page = (rlim_t)sysconf(_SC_PAGESIZE);
    char text[256] = "", *next = text;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return (struct footprint){0, 0};
    if (read(fd, text, sizeof text - 1) > 0)
        for (int number = 0; number < STATM_COUNT; number++)
            pages[number] = strtoul(next, &next, 10);
    close(fd);
    return (struct footprint){pages[STATM_SIZE] * page, pages[STATM_DATA] * page};
}

bool footprint_offer_to_oom(void)
{
    bool was_dumpable = prctl(PR_GET_DUMPABLE) == 1;
    ssize_t length = -1;
    int fd = -1;

    /* Otherwise the file is root's, also after a change of user. */
    if (prctl(PR_SET_DUMPABLE, 1L) == 0)
        fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        length = write(fd, OOM_SCORE_ADJUSTMENT, strlen(OOM_SCORE_ADJUSTMENT));
    int failure = errno;
    if (fd >= 0)
        close(fd);
    prctl(PR_SET_DUMPABLE, was_dumpable ? 1L : 0L);
    errno = failure;
    return length > 0 || (fd >= 0 && failure == EACCES);
}
