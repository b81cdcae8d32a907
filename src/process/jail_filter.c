/* SPDX-License-Identifier: ISC */
/*
 * jail_filter.c - what a worker may ask of the kernel, in one table for each kind.
 *
 * Model: what is not here is refused with ENOSYS, which the C library and libevent take as an older
 * kernel. KILL is for calls that no honest worker makes and that are the first steps of a
 * taken-over one: there is nothing to go on with then, and the log says worker-crash signal=31.
 *
 * Conditions are on numbers only; what a pointer leads to a filter cannot see. So open is not here
 * at all, and neither is sendmsg or recvmsg, which could pass descriptors. Nor is recv: read
 * does, and has no flags.
 *
 * A courier writes to its clients' sockets and never reads from them: its reads are bound to the
 * numbers of its relay and handover sockets. These numbers it cannot close, nor duplicate anything
 * to them, so that no client's socket can ever become one of them. It alone takes descriptors, and
 * it maps nothing.
 *
 * tests/jail/compare_calls runs suites under strace, and fails where a worker makes a call that is
 * not in this table.
 */
#include "config.h"

#include "process/jail_filter.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
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
#define ALLOW_IF(name, argument, mask, value)                                                      \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW, .condition_count = 1, .conditions = {               \
            {argument, mask, value, FILTER_EQUAL}                                                  \
        }                                                                                          \
    }
#define ALLOW_IF_BOTH(name, one, one_mask, one_value, other, other_mask, other_value)              \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW, .condition_count = 2, .conditions = {               \
            {one, one_mask, one_value, FILTER_EQUAL},                                              \
            {other, other_mask, other_value, FILTER_EQUAL}                                         \
        }                                                                                          \
    }

#define ALLOW_ABOVE(name, argument, mask, value)                                                   \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW, .condition_count = 1, .conditions = {               \
            {argument, mask, value, FILTER_ABOVE}                                                  \
        }                                                                                          \
    }

#define WHOLE UINT64_MAX

/* ioctl(2), madvise(2), mmap(2), send(2) and clock_gettime(2) look at 32 bits of these. */
#define LOW UINT64_C(0xffffffff)

/* No other flag of send(2): out-of-band data alone has led out of jails. */
#define OTHER_FLAGS (LOW & ~(uint64_t)(MSG_DONTWAIT | MSG_NOSIGNAL))

/* The system's own clocks; that of another process has a negative number. */
#define OTHER_CLOCKS (LOW & ~UINT64_C(0xf))

/* Starting a program, looking into another process, signalling, reaching out, and parts of the
 * kernel that are the usual way out of a jail. */
#define WORST                                                                                      \
    KILL("execve"), KILL("execveat"), KILL("process_vm_readv"), KILL("process_vm_writev"),         \
        KILL("kill"), KILL("tkill"), KILL("rt_sigqueueinfo"), KILL("rt_tgsigqueueinfo"),           \
        KILL("pidfd_send_signal"), KILL("pidfd_getfd"), KILL("socket"), KILL("connect"),           \
        KILL("bind"), KILL("listen"), KILL("remap_file_pages"), KILL("io_uring_setup"),            \
        KILL("io_uring_enter"), KILL("io_uring_register"), KILL("userfaultfd"), KILL("bpf"),       \
        KILL("perf_event_open"), KILL("mount"), KILL("unshare"), KILL("setns"), KILL("chroot"),    \
        KILL("pivot_root"), KILL("init_module"), KILL("finit_module"), KILL("kexec_load"),         \
        KILL("add_key"), KILL("request_key"), KILL("keyctl")

#ifdef CHATROOMD_SANITIZERS

/* Their reports open files, and look for leaks from a thread that traces this one. */
static const struct filter_rule rules[] = {
    WORST,
    REFUSE("mremap", ENOMEM),
};

const struct filter_table *jail_filter_of(enum kind_number kind)
{
    static const struct filter_table table = {
        .name = "sanitizers",
        .rules = rules,
        .count = sizeof rules / sizeof rules[0],
        .otherwise = FILTER_ALLOW,
    };

    (void)kind;
    return &table;
}

#else

/* What every kind does: its event loop, writing and closing, memory of its own (never executable,
 * never shared), and the end. */
#define COMMON                                                                                     \
    ALLOW("epoll_wait"), ALLOW("epoll_pwait"), ALLOW("epoll_pwait2"), ALLOW("epoll_ctl"),          \
        ALLOW_IF("clock_gettime", 0, OTHER_CLOCKS, 0),                                             \
        ALLOW_IF("clock_gettime64", 0, OTHER_CLOCKS, 0), ALLOW("gettimeofday"), ALLOW("write"),    \
        ALLOW("writev"), ALLOW_IF("send", 3, OTHER_FLAGS, 0),                                      \
        ALLOW_IF_BOTH("sendto", 3, OTHER_FLAGS, 0, 4, WHOLE, 0), ALLOW("brk"), ALLOW("munmap"),    \
        ALLOW_IF("madvise", 2, LOW, MADV_DONTNEED), ALLOW_IF("madvise", 2, LOW, MADV_FREE),        \
        ALLOW_IF("madvise", 2, LOW, MADV_POPULATE_READ), /* of the ring: delivery/prefault.c */    \
        REFUSE("mremap", ENOMEM), ALLOW("getrandom"), ALLOW("rt_sigreturn"),                       \
        ALLOW("restart_syscall"), ALLOW("exit"), ALLOW("exit_group"), WORST, KILL("ptrace"),       \
        KILL("tgkill")

/* Waits for its client and takes its socket from the relay; reads from both, never from an address;
 * looks at what the client has taken. */
static const struct filter_rule client_rules[] = {
    COMMON,
    ALLOW("poll"),
    ALLOW("ppoll"),
    ALLOW_IF_BOTH("recvmsg", 0, LOW, WORKER_RELAY_FD, 2, LOW, MSG_CMSG_CLOEXEC),
    ALLOW("read"),
    ALLOW("shutdown"),
    ALLOW("close"),
    ALLOW_IF("ioctl", 1, LOW, SIOCOUTQ),
    ALLOW_IF_BOTH("mmap", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
    ALLOW_IF_BOTH("mmap2", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
};

/* Reads from its relay, and takes descriptors from the socket that they come by. */
static const struct filter_rule courier_rules[] = {
    COMMON,
    ALLOW_IF("read", 0, LOW, COURIER_RELAY_FD),
    ALLOW_IF("shutdown", 0, LOW, COURIER_RELAY_FD),
    ALLOW_IF_BOTH("recvmsg", 0, LOW, COURIER_HANDOVER_FD, 2, LOW, MSG_CMSG_CLOEXEC),
    ALLOW_ABOVE("close", 0, LOW, COURIER_LAST_FD),
#ifndef HAVE_MALLOPT /* malloc(3) of musl cannot be told to use brk(2) only */
    ALLOW_IF_BOTH("mmap", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
    ALLOW_IF_BOTH("mmap2", 2, PROT_EXEC, 0, 3, LOW, MAP_PRIVATE | MAP_ANONYMOUS),
#endif
};

const struct filter_table *jail_filter_of(enum kind_number kind)
{
    static const struct filter_table client = {
        .name = "client",
        .rules = client_rules,
        .count = sizeof client_rules / sizeof client_rules[0],
        .otherwise = FILTER_REFUSE,
    };
    static const struct filter_table courier = {
        .name = "courier",
        .rules = courier_rules,
        .count = sizeof courier_rules / sizeof courier_rules[0],
        .otherwise = FILTER_REFUSE,
    };

    return kind == KIND_COURIER ? &courier : &client;
}

#endif
