/* SPDX-License-Identifier: ISC */
/*
 * supervisor_jail.c - the supervisor's own jail.
 *
 * Model: the supervisor never parses a client's byte, so its jail is the second line: it must still
 * accept, fork, signal and reap, and let its children set up theirs, but it opens no file for
 * creating, no new socket, and starts no program. The filter is inherited by the forker and the
 * workers, whose own filters come on top.
 *
 * A supervisor with CAP_KILL still has its workers killed by the kernel when it dies, although they
 * have other uids: PDEATHSIG is sent with the dying process's credentials.
 */
#include "config.h"

#include "supervisor/supervisor_jail.h"

#include "base/filter.h"
#include "base/log.h"
#include "base/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* For workers with uids of their own: to give them these, and to kill them. */
#define WORKER_UID_CAPABILITIES                                                                    \
    (PRIVILEGE(CAP_SETUID) | PRIVILEGE(CAP_SETGID) | PRIVILEGE(CAP_KILL))

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
/* Only where none of these bits is set in an argument. */
#define ALLOW_WITHOUT(name, argument, bits)                                                        \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW, .condition_count = 1, .conditions = {               \
            {argument, bits, 0, FILTER_EQUAL}                                                      \
        }                                                                                          \
    }

/* Only where an argument, of which the kernel looks at 32 bits, has this value. */
#define ALLOW_ONLY(name, argument, number)                                                         \
    {                                                                                              \
        .call = name, .verdict = FILTER_ALLOW, .condition_count = 1, .conditions = {               \
            {argument, UINT64_C(0xffffffff), number, FILTER_EQUAL}                                 \
        }                                                                                          \
    }

#define NEW_NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |     \
        CLONE_NEWCGROUP)

/* O_TMPFILE is two bits, of which one is O_DIRECTORY. */
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

#define WORST                                                                                      \
    KILL("execve"), KILL("execveat"), KILL("process_vm_readv"), KILL("process_vm_writev"),         \
        KILL("connect"), KILL("bind"), KILL("listen"), KILL("remap_file_pages"),                   \
        KILL("io_uring_setup"), KILL("userfaultfd"), KILL("bpf"), KILL("perf_event_open"),         \
        KILL("mount"), KILL("unshare"), KILL("setns"), KILL("chroot"), KILL("pivot_root"),         \
        KILL("init_module"), KILL("finit_module"), KILL("kexec_load"), KILL("keyctl")

static const struct filter_rule rules[] = {
    WORST,
#ifndef CHATROOMD_SANITIZERS
    KILL("ptrace"),
    KILL("socket"),

    /* the loop and the log */
    ALLOW("epoll_create1"),
    ALLOW("epoll_create"),
    ALLOW("epoll_ctl"),
    ALLOW("epoll_wait"),
    ALLOW("epoll_pwait"),
    ALLOW("epoll_pwait2"),
    ALLOW("poll"),
    ALLOW("ppoll"),
    ALLOW("pipe"),
    ALLOW("pipe2"),
    ALLOW("eventfd2"),
    ALLOW("clock_gettime"),
    ALLOW("clock_gettime64"),
    ALLOW("gettimeofday"),
    ALLOW("time"),
    ALLOW("nanosleep"),
    ALLOW("clock_nanosleep"),
    ALLOW("restart_syscall"),

    /* clients, relays, the forker */
    ALLOW("accept"),
    ALLOW("accept4"),
    ALLOW("socketpair"),
    ALLOW("read"),
    ALLOW("pread64"), /* workers', of the region's header */
    ALLOW("write"),
    ALLOW("writev"),
    ALLOW("recvfrom"),
    ALLOW("sendto"),
    ALLOW("recvmsg"),
    ALLOW("sendmsg"),
    ALLOW("recv"),
    ALLOW("send"),
    ALLOW("shutdown"),
    ALLOW("close"),
    ALLOW("close_range"),
    ALLOW_ONLY("ioctl", 1, SIOCOUTQ), /* workers' */
    ALLOW_ONLY("ioctl", 1, TCGETS),   /* isatty(3) */
    ALLOW("fcntl"),
    ALLOW("fcntl64"),
    ALLOW("getsockopt"),
    ALLOW("setsockopt"),
    ALLOW("getsockname"),
    ALLOW("getpeername"),
    ALLOW("dup"),
    ALLOW("dup2"),
    ALLOW("dup3"),
    ALLOW("lseek"),

    /* processes; not by clone3, which hides its flags behind a pointer: ENOSYS makes the C library
     * do without it */
    ALLOW("fork"),
    ALLOW_WITHOUT("clone", 0, NEW_NAMESPACES),
    ALLOW("wait4"),
    ALLOW("waitid"),
    ALLOW("kill"),
    ALLOW("tgkill"),
    ALLOW("getpid"),
    ALLOW("getppid"),
    ALLOW("gettid"),
    ALLOW("set_robust_list"),
    ALLOW("set_tid_address"),
    ALLOW("rseq"),
    ALLOW("futex"),
    ALLOW("sched_yield"),
    ALLOW("exit"),
    ALLOW("exit_group"),
    ALLOW("rt_sigaction"),
    ALLOW("rt_sigprocmask"),
    ALLOW("rt_sigreturn"),
    ALLOW("sigaltstack"),

    /* memory, never executable */
    ALLOW("brk"),
    ALLOW("munmap"),
    ALLOW("mremap"),
    ALLOW("madvise"),
    ALLOW_WITHOUT("mmap", 2, PROT_EXEC),
    ALLOW_WITHOUT("mmap2", 2, PROT_EXEC),
    ALLOW_WITHOUT("mprotect", 2, PROT_EXEC),
    ALLOW("getrandom"),
    ALLOW("sysinfo"),

    /* files: none is made; sockets' names are taken away at the stop */
    ALLOW_WITHOUT("open", 1, MAKES_FILE),
    ALLOW_WITHOUT("openat", 2, MAKES_FILE),
    ALLOW("fstat"),
    ALLOW("newfstatat"),
    ALLOW("fstatat64"),
    ALLOW("statx"),
    ALLOW("unlink"),
    ALLOW("unlinkat"),

    /* the forker's and the workers' setting up */
    ALLOW("prctl"),
    ALLOW("seccomp"),
    ALLOW("getrlimit"),
    ALLOW("setrlimit"),
    ALLOW("prlimit64"),
    ALLOW("ugetrlimit"),
    ALLOW("capget"),
    ALLOW("capset"),
    ALLOW("setgroups"),
    ALLOW("setgroups32"),
    ALLOW("setresuid"),
    ALLOW("setresuid32"),
    ALLOW("setresgid"),
    ALLOW("setresgid32"),
    ALLOW("getuid"),
    ALLOW("geteuid"),
    ALLOW("getgid"),
    ALLOW("getegid"),
#endif
};

static const struct filter_table supervisor_filter = {
    .name = "supervisor",
    .rules = rules,
    .count = sizeof rules / sizeof rules[0],
#ifdef CHATROOMD_SANITIZERS
    .otherwise = FILTER_ALLOW, /* their reports do what no filter foresees */
#else
    .otherwise = FILTER_REFUSE,
#endif
};

static bool fail(const char *what)
{
    fprintf(stderr, "chatroomd: cannot %s: %s\n", what, strerror(errno));
    return false;
}

/* Whether this process is already who it is to become. */
static bool is_already(const struct options *options)
{
    return geteuid() == options->uid && getegid() == options->gid;
}

static bool become_user(const struct options *options)
{
    uint64_t kept = options->worker_uid_base != 0 ? WORKER_UID_CAPABILITIES : 0;

    if (*options->user == '\0') {
        if (geteuid() == 0)
            log_event(LOG_LEVEL_WARNING, "root",
                "advice=\"set user, so that neither the server nor its workers are root\"");
        return true;
    }
    if (options->worker_uid_base == 0 && is_already(options) && geteuid() != 0)
        return true;
    if (!privilege_has(CAP_SETUID) || !privilege_has(CAP_SETGID) ||
        (kept != 0 && !privilege_has(CAP_KILL))) {
        fprintf(stderr,
            "chatroomd: user = %s needs a start as root; start as root, or leave user out\n",
            options->user);
        return false;
    }
    return privilege_become(options->uid, options->gid, kept) || fail("become the user");
}

static bool load_filter(const struct options *options)
{
    struct filter filter;
    bool loaded = false;

    if (!privilege_no_more())
        return options->jail != JAIL_REQUIRED || fail("refuse new privileges");
    if (!filter_built_in())
        return true; /* the canaries tell what that means for workers */
    if (filter_make(&filter, &supervisor_filter)) {
        loaded = filter_load(&filter);
        int failure = errno;
        filter_free(&filter);
        errno = failure;
    }
    return loaded || options->jail != JAIL_REQUIRED || fail("load the filter of system calls");
}

/* While files can still be made. What a kind cannot have, its workers go without, or the canaries
 * will tell. */
static bool prepare_kinds(const struct process_kind *kinds, enum jail_mode jail)
{
    for (enum kind_number kind = 0; kind < KIND_COUNT && jail != JAIL_OFF; kind++)
        if (kinds[kind].prepare != NULL && !kinds[kind].prepare(kind) && jail == JAIL_REQUIRED)
            return fail("make the filter of workers' system calls");
    return true;
}

bool confinement_enter(const struct options *options, const struct process_kind *kinds)
{
    if (options->jail == JAIL_REQUIRED && !filter_built_in()) {
        fputs("chatroomd: jail = required, but this program was built without seccomp; build it "
              "with, or set jail = best-effort\n",
            stderr);
        return false;
    }
    if (!prepare_kinds(kinds, options->jail) || !become_user(options))
        return false;
    if (options->jail == JAIL_OFF) {
        log_event(LOG_LEVEL_WARNING, "jail", "mode=off filter=none");
        return true;
    }
    return load_filter(options);
}
