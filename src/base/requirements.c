/* SPDX-License-Identifier: ISC */
/*
 * requirements.c - checks at the start what would fail later with a misleading error.
 *
 * Model: a container profile refuses system calls with EPERM or ENOSYS, and an old kernel does not
 * have them. Most of them are used by processes other than the one that reports errors. Therefore
 * each is called once at the start, with arguments for which it does nothing, and each file is
 * opened. close_range(2) is not checked, because base/descriptors.c works without it.
 */
#include "config.h"

#include "base/requirements.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A call does nothing if its first argument is `first` and the others are 0, because there is no
 * such descriptor or command, or the request is empty. */
static const struct {
    const char *name;
    long number, first;
    enum jail_mode most; /* not needed with a weaker jail than this */
} calls[] = {
    {"prlimit64", SYS_prlimit64, 0, JAIL_OFF},
    {"getrandom", SYS_getrandom, 0, JAIL_OFF},
    {"madvise", SYS_madvise, 0, JAIL_OFF},
    {"fallocate", SYS_fallocate, -1, JAIL_OFF},
    {"prctl", SYS_prctl, -1, JAIL_OFF},
    {"dup", SYS_dup, -1, JAIL_OFF},
    {"epoll_create1", SYS_epoll_create1, -1, JAIL_OFF},
    {"memfd_create", SYS_memfd_create, 0, JAIL_REQUIRED},
    {"seccomp", SYS_seccomp, -1, JAIL_REQUIRED},
    {"capget", SYS_capget, 0, JAIL_REQUIRED},
    {"capset", SYS_capset, 0, JAIL_REQUIRED},
};

static const struct {
    const char *path;
    enum jail_mode most;
    const char *advice;
} files[] = {
    {"/dev/null", JAIL_OFF, "a container needs one"},
    {"/proc/self/oom_score_adj", JAIL_REQUIRED,
        "mount /proc in the container, or set jail = best-effort"},
};

static bool is_refused(long number, long first)
{
    return syscall(number, first, 0, 0, 0, 0) < 0 && (errno == EPERM || errno == ENOSYS);
}

char *requirements_missing(enum jail_mode jail)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (jail <= calls[i].most && is_refused(calls[i].number, calls[i].first))
            return alloc_print("the system call %s is refused (%s); allow it in the container's "
                               "seccomp profile, or use a newer kernel%s",
                calls[i].name, strerror(errno),
                calls[i].most == JAIL_OFF ? "" : ", or set jail = best-effort");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int fd = jail <= files[i].most ? open(files[i].path, O_WRONLY | O_CLOEXEC) : -1;

        if (fd >= 0)
            close(fd);
        else if (jail <= files[i].most)
            return alloc_print(
                "cannot open %s (%s); %s", files[i].path, strerror(errno), files[i].advice);
    }
    return NULL;
}
