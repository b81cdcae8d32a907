/* SPDX-License-Identifier: ISC */
/*
 * terminal.h - pseudo-terminals for tests; containers often have none.
 */
#ifndef CHATROOMD_TESTS_TERMINAL_H
#define CHATROOMD_TESTS_TERMINAL_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens a pseudo-terminal; returns its master. `slave` is set to the other end, which is close-on-exec
 * too. If there is none, prints why the test case is skipped and returns -1. */
static inline int terminal_open(int *slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0) {
        *slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (*slave >= 0)
            return master;
    }
    printf("skipped: no pseudo-terminal can be opened: %s\n", strerror(errno));
    if (master >= 0)
        close(master);
    return -1;
}

#endif
