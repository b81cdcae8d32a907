/* SPDX-License-Identifier: ISC */
/*
 * supervisor_jail.c - the supervisor's own jail.
 *
 * Model: the supervisor parses no byte of a client, so its jail is a second line of defence. It
 * accepts, signals and reaps, but it creates no process, file or socket (except socketpairs) and
 * starts no program. No other process inherits its filter, since the forkers are forked before.
 *
 * If children have uids of their own, the supervisor keeps CAP_KILL: to kill them, and so that the
 * kernel kills them when the supervisor dies, since PDEATHSIG is sent with its credentials.
 */
#include "config.h"

#include "supervisor/supervisor_jail.h"

#include "base/log.h"
#include "base/privilege.h"
#include "process/filter_rules.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* O_TMPFILE is two bits, of which one is O_DIRECTORY. */
#define MAKES_FILE (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))

static const struct filter_rule rules[] = {
    FILTER_WORST,
#ifndef CHATROOMD_SANITIZERS
    KILL("ptrace"),
#endif

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

    /* clients, relays, the forkers */
    ALLOW("accept"),
    ALLOW("accept4"),
    ALLOW("socketpair"),
    ALLOW("read"),
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
    ALLOW_IF("ioctl", 1, LOW, SIOCOUTQ),
    ALLOW_IF("ioctl", 1, LOW, TCGETS), /* isatty(3) */
    ALLOW("fcntl"),
    ALLOW("fcntl64"),
    ALLOW("getsockopt"),
    ALLOW("setsockopt"),
    ALLOW("getsockname"),
    ALLOW("getpeername"),
    ALLOW("lseek"),

    /* processes: none is created */
    ALLOW("wait4"),
    ALLOW("waitid"),
    ALLOW("kill"),
    ALLOW("tgkill"),
    ALLOW("getpid"),
    ALLOW("gettid"),
    ALLOW("futex"),
    ALLOW("sched_yield"),
    ALLOW("exit"),
    ALLOW("exit_group"),
    ALLOW("rt_sigaction"),
    ALLOW("rt_sigprocmask"),
    ALLOW("rt_sigreturn"),
    ALLOW("sigaltstack"),
    ALLOW("getrlimit"),
    ALLOW("ugetrlimit"),
    ALLOW_IF("prlimit64", 2, WHOLE, 0), /* to read a limit */
    ALLOW("getuid"),
    ALLOW("geteuid"),
    ALLOW("getgid"),
    ALLOW("getegid"),

    /* memory, never executable */
    ALLOW("brk"),
    ALLOW("munmap"),
    ALLOW("mremap"),
    ALLOW("madvise"),
    ALLOW_IF("mmap", 2, PROT_EXEC, 0),
    ALLOW_IF("mmap2", 2, PROT_EXEC, 0),
    ALLOW_IF("mprotect", 2, PROT_EXEC, 0),
    ALLOW("getrandom"),
    ALLOW("sysinfo"),

    /* files: none is created; the names of Unix sockets are removed at the stop */
    ALLOW_IF("open", 1, MAKES_FILE, 0),
    ALLOW_IF("openat", 2, MAKES_FILE, 0),
    ALLOW("fstat"),
    ALLOW("newfstatat"),
    ALLOW("fstatat64"),
    ALLOW("statx"),
    ALLOW("unlink"),
    ALLOW("unlinkat"),
};

static const struct filter_table supervisor_filter = FILTER_TABLE(rules);

static bool fail(const char *what)
{
    fprintf(stderr, "chatroomd: cannot %s: %s\n", what, strerror(errno));
    return false;
}

bool supervisor_changes_user(const struct options *options)
{
    bool is_already = geteuid() != 0 && geteuid() == options->uid && getegid() == options->gid;

    return *options->user != '\0' && (options->worker_uid_base != 0 || !is_already);
}

static bool become_user(const struct options *options)
{
    uint64_t kept = options->worker_uid_base != 0 ? PRIVILEGE(CAP_KILL) : 0;

    if (*options->user == '\0' && geteuid() == 0)
        log_event(LOG_LEVEL_WARNING, "root",
            "advice=\"start it as another user, or with -o user=NAME (such as nobody): the server "
            "and its workers are root\"");
    if (!supervisor_changes_user(options))
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
    int failure;

    if (!privilege_no_more())
        return options->jail != JAIL_REQUIRED || fail("refuse new privileges");
    if (!filter_built_in())
        return true; /* the selftests report what that means for workers */
    if (filter_make(&filter, &supervisor_filter)) {
        loaded = filter_load(&filter);
        failure = errno;
        filter_free(&filter);
        errno = failure;
    }
    return loaded || options->jail != JAIL_REQUIRED || fail("load the filter of system calls");
}

bool supervisor_jail_enter(const struct options *options)
{
    if (options->jail == JAIL_REQUIRED && !filter_built_in()) {
        fputs("chatroomd: jail = required, but this program was built without seccomp; build it "
              "with, or set jail = best-effort\n",
            stderr);
        return false;
    }
    if (!become_user(options))
        return false;
    if (options->jail == JAIL_OFF) {
        log_event(LOG_LEVEL_WARNING, "jail", "mode=off filter=none");
        return true;
    }
    return load_filter(options);
}
