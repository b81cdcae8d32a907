/* SPDX-License-Identifier: ISC */
/*
 * System test: an old kernel or a container profile that refuses system calls, and a container
 * without /proc or /dev/null. The server works without them, or names what it needs.
 */
#include "config.h"

#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"
#include "tests/system/refuse.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_ROOM 160

static bool refuse(int call, int error)
{
    if (refuse_calls(&call, 1, error))
        return true;
    puts("skipped: there are no seccomp filters here");
    return false;
}

#ifdef SYS_close_range
START_TEST(the_server_runs_without_close_range)
{
    struct daemon *daemon;
    struct client *pair[2];

    if (!refuse(SYS_close_range, _i == 0 ? ENOSYS : EPERM))
        return;
    daemon = daemon_start(NULL);
    client_join_room(daemon_address(daemon, 0), pair, 2);
    client_expect_silence(pair[0], &pair[1], 1);
    client_close(pair[0]);
    client_close(pair[1]);
    daemon_stop(daemon);
}
END_TEST
#endif

#ifdef HAVE_SECCOMP
#define JAIL_CALLS                                                                                 \
    {"seccomp", SYS_seccomp}, {"memfd_create", SYS_memfd_create}, {"capget", SYS_capget},          \
        {"capset", SYS_capset},
#else
#define JAIL_CALLS
#endif

static const struct {
    const char *name;
    int number;
} needed[] = {
#ifndef CHATROOMD_SANITIZERS /* which need it themselves */
    {"prlimit64", SYS_prlimit64},
#endif
    {"getrandom", SYS_getrandom}, {"madvise", SYS_madvise}, {"fallocate", SYS_fallocate},
    {"dup", SYS_dup}, {"epoll_create1", SYS_epoll_create1}, JAIL_CALLS};

START_TEST(a_refused_system_call_is_named)
{
    struct daemon *daemon;
    char words[100];

    if (!refuse(needed[_i].number, EPERM))
        return;
    snprintf(words, sizeof(words), "system call %s is refused", needed[_i].name);
    daemon = daemon_launch(NULL);
    daemon_wait_log(daemon, words, "allow it", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
}
END_TEST

/* From now on this process and its children see an empty folder there. */
static bool hide(const char *path)
{
    if (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
            mount("none", path, "tmpfs", 0, NULL) == 0)
            return true;
    printf("skipped: %s cannot be hidden (%s)\n", path, strerror(errno));
    return false;
}

START_TEST(a_missing_dev_null_is_named)
{
    char file[PATH_ROOM];
    struct daemon *daemon;

    folder_write(file, sizeof(file), "empty", "");
    if (!hide("/dev") || mkdir("/dev/shm", 0777) != 0)
        return;
    daemon = daemon_launch(OPTIONS("-f", file));
    daemon_wait_log(daemon, "/dev/null", "No such file", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
}
END_TEST

START_TEST(a_missing_proc_is_named)
{
    struct daemon *daemon;
    struct client *pair[2];

#ifdef CHATROOMD_SANITIZERS
    puts("skipped: LeakSanitizer needs /proc");
    return;
#endif
    if (!hide("/proc"))
        return;
#ifdef HAVE_SECCOMP
    daemon = daemon_launch(NULL);
    daemon_wait_log(daemon, "/proc/self/oom_score_adj", "mount /proc", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
#endif
    daemon = daemon_start(OPTIONS("-o", "jail=best-effort"));
    client_join_room(daemon_address(daemon, 0), pair, 2);
    client_close(pair[0]);
    client_close(pair[1]);
    daemon_stop(daemon);
}
END_TEST

static Suite *refused_suite(void)
{
    Suite *suite = suite_create("system: refused");
    TCase *refused = tcase_create("refused");

    tcase_set_timeout(refused, BOUND_CASE_SECONDS);
#ifdef SYS_close_range
    tcase_add_loop_test(refused, the_server_runs_without_close_range, 0, 2);
#endif
    tcase_add_loop_test(
        refused, a_refused_system_call_is_named, 0, sizeof(needed) / sizeof(needed[0]));
    tcase_add_test(refused, a_missing_dev_null_is_named);
    tcase_add_test(refused, a_missing_proc_is_named);
    suite_add_tcase(suite, refused);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(refused_suite)
