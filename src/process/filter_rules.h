/* SPDX-License-Identifier: ISC */
/*
 * filter_rules.h - how a filter table is written, and the rules that all of them share.
 *
 * A call that has no row is refused with ENOSYS, which the C library and libevent take as an older
 * kernel. KILL is for calls that a process never makes unless it has been taken over: there is
 * nothing to continue then, and the log reports signal=31.
 *
 * Conditions are on numbers only, because a filter cannot see what a pointer refers to. Therefore
 * no child may call open, sendmsg (which passes descriptors) or recvmsg on any descriptor but one.
 */
#ifndef CHATROOMD_PROCESS_FILTER_RULES_H
#define CHATROOMD_PROCESS_FILTER_RULES_H

#include "base/filter.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define ALLOW(name)                                                                                \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW                                                      \
    }
#define REFUSE(name, error)                                                                        \
    {                                                                                              \
        .call = name, .verdict = FILTER_REFUSE, .failure = error                                   \
    }
#define KILL(name)                                                                                 \
    {                                                                                              \
        .call = name, .verdict = FILTER_KILL                                                       \
    }

/* Allowed if an argument, masked, has this value; or is above it. */
#define ALLOW_WHEN(name, argument, mask, value, test)                                              \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW, .condition_count = 1, .conditions = {               \
            {argument, mask, value, test}                                                          \
        }                                                                                          \
    }
#define ALLOW_IF(name, argument, mask, value) ALLOW_WHEN(name, argument, mask, value, FILTER_EQUAL)
#define ALLOW_ABOVE(name, argument, mask, value)                                                   \
    ALLOW_WHEN(name, argument, mask, value, FILTER_ABOVE)

/* Allowed if two arguments, masked, have these values. */
#define ALLOW_IF_BOTH(name, one, one_mask, one_value, other, other_mask, other_value)              \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW, .condition_count = 2, .conditions = {               \
            {one, one_mask, one_value, FILTER_EQUAL},                                              \
            {other, other_mask, other_value, FILTER_EQUAL}                                         \
        }                                                                                          \
    }

/* The table of the array `list`. Builds with sanitizers forbid only what is on a list of worst
 * calls, since their reports open files and make processes. */
#ifdef CHATROOMD_SANITIZERS
#define FILTER_OTHERWISE FILTER_ALLOW
#else
#define FILTER_OTHERWISE FILTER_REFUSE
#endif
#define FILTER_TABLE(list)                                                                         \
    {                                                                                              \
        .rules = list, .count = sizeof list / sizeof list[0], .otherwise = FILTER_OTHERWISE        \
    }

/* Masks of arguments of which the kernel uses all 64 bits, or 32. */
#define WHOLE UINT64_MAX
#define LOW   UINT64_C(0xffffffff)

/* Every flag of send(2) but these: out-of-band data alone has led out of jails. */
#define OTHER_FLAGS (LOW & ~(uint64_t)(MSG_DONTWAIT | MSG_NOSIGNAL))

/* The system's own clocks; that of another process has a negative number. */
#define OTHER_CLOCKS (LOW & ~UINT64_C(0xf))

/* The worst calls: starting a program, reaching into another process, opening a connection, and
 * parts of the kernel that are the usual way out of a jail. The supervisor kills on these and no
 * others, because it has to signal its children. */
#define FILTER_WORST                                                                               \
    KILL("execve"), KILL("execveat"), KILL("process_vm_readv"), KILL("process_vm_writev"),         \
        KILL("pidfd_getfd"), KILL("socket"), KILL("connect"), KILL("bind"), KILL("listen"),        \
        KILL("remap_file_pages"), KILL("io_uring_setup"), KILL("io_uring_enter"),                  \
        KILL("io_uring_register"), KILL("userfaultfd"), KILL("bpf"), KILL("perf_event_open"),      \
        KILL("mount"), KILL("unshare"), KILL("setns"), KILL("chroot"), KILL("pivot_root"),         \
        KILL("init_module"), KILL("finit_module"), KILL("kexec_load"), KILL("add_key"),            \
        KILL("request_key"), KILL("keyctl")

/* What a child is killed for besides. */
#define FILTER_WORST_OF_CHILD                                                                      \
    FILTER_WORST, KILL("kill"), KILL("tkill"), KILL("rt_sigqueueinfo"), KILL("rt_tgsigqueueinfo"), \
        KILL("pidfd_send_signal")

/* The rules of every child. It has an event loop, writes to sockets, has private memory (never
 * executable, never shared) and exits. */
#ifdef CHATROOMD_SANITIZERS
#define FILTER_OF_CHILD FILTER_WORST_OF_CHILD, REFUSE("mremap", ENOMEM)
#else
#define FILTER_OF_CHILD                                                                            \
    FILTER_WORST_OF_CHILD, KILL("ptrace"), KILL("tgkill"), ALLOW("epoll_wait"),                    \
        ALLOW("epoll_pwait"), ALLOW("epoll_pwait2"), ALLOW("epoll_ctl"),                           \
        ALLOW_IF("clock_gettime", 0, OTHER_CLOCKS, 0),                                             \
        ALLOW_IF("clock_gettime64", 0, OTHER_CLOCKS, 0), ALLOW("gettimeofday"), ALLOW("write"),    \
        ALLOW("writev"), ALLOW_IF("send", 3, OTHER_FLAGS, 0),                                      \
        ALLOW_IF_BOTH("sendto", 3, OTHER_FLAGS, 0, 4, WHOLE, 0), ALLOW("brk"), ALLOW("munmap"),    \
        ALLOW_IF("madvise", 2, LOW, MADV_DONTNEED), ALLOW_IF("madvise", 2, LOW, MADV_FREE),        \
        ALLOW_IF("madvise", 2, LOW, MADV_POPULATE_READ), /* of the ring: delivery/prefault.c */    \
        REFUSE("mremap", ENOMEM), ALLOW("getrandom"), ALLOW("rt_sigreturn"),                       \
        ALLOW("restart_syscall"), ALLOW("exit"), ALLOW("exit_group")
#endif

#endif
