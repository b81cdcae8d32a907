/* SPDX-License-Identifier: ISC */
/*
 * worker_filter.c - the system calls of a worker.
 *
 * It waits for its client, receives the client's socket by its relay, reads from both, never from
 * an address, and asks how much the client has taken. recv(2) is missing: read(2) does the same and
 * has no flags.
 *
 * tests/jail/compare_calls runs test suites under strace and fails if a worker makes a call that
 * has no row here.
 */
#include "config.h"

#include "process/filter_rules.h"
#include "process/heritage.h"
#include "worker/worker.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

static const struct filter_rule rules[] = {
    FILTER_OF_CHILD,
    ALLOW("poll"),
    ALLOW("ppoll"),
    ALLOW_IF_BOTH("recvmsg", 0, LOW, CHILD_RELAY_FD, 2, LOW, MSG_CMSG_CLOEXEC),
    ALLOW("read"),
    ALLOW("shutdown"),
    ALLOW("close"),
    ALLOW_IF("ioctl", 1, LOW, SIOCOUTQ),
    ALLOW_IF_BOTH("mmap", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
    ALLOW_IF_BOTH("mmap2", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
};

const struct filter_table worker_filter = FILTER_TABLE(rules);
