/* SPDX-License-Identifier: ISC */
/*
 * courier_filter.c - the system calls of a courier.
 *
 * It writes to its clients' sockets and never reads from them: it may read from its relay only, and
 * receive descriptors by its handover socket only. It may neither close these two descriptors nor
 * dup2() onto them, so that no client's socket can take their place. It maps nothing.
 *
 * tests/jail/compare_calls runs test suites under strace and fails if a courier makes a call that
 * has no row here.
 */
#include "config.h"

#include "courier/courier.h"
#include "process/filter_rules.h"
#include "process/heritage.h"

static const struct filter_rule rules[] = {
    FILTER_OF_CHILD,
    ALLOW_IF("read", 0, LOW, CHILD_RELAY_FD),
    ALLOW_IF("shutdown", 0, LOW, CHILD_RELAY_FD),
    ALLOW_IF_BOTH("recvmsg", 0, LOW, CHILD_HANDOVER_FD, 2, LOW, MSG_CMSG_CLOEXEC),
    ALLOW_ABOVE("close", 0, LOW, CHILD_HANDOVER_FD),
#ifndef HAVE_MALLOPT /* malloc(3) of musl cannot be told to use brk(2) only */
    ALLOW_IF_BOTH("mmap", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
    ALLOW_IF_BOTH("mmap2", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
#endif
};

const struct filter_table courier_filter = FILTER_TABLE(rules);
