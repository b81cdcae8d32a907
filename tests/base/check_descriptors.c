/* SPDX-License-Identifier: ISC */
/*
 * check_descriptors.c - tests of base/descriptors: all descriptors except the kept ones are closed,
 * by each of the methods.
 */
#include "config.h"

#include "base/descriptors.h"

#include "tests/check_main.h"
#include "tests/system/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST 20
#define LAST  90

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static const struct {
    const char *what;
    int calls[3];
    size_t count;
    int error;
} refused[] = {
    {"nothing is refused", {0}, 0, 0},
#ifdef SYS_close_range
    {"a kernel before 5.9", {SYS_close_range}, 1, ENOSYS},
    {"a container profile", {SYS_close_range}, 1, EPERM},
    {"no /proc either", {SYS_close_range, SYS_openat}, 2, ENOENT},
#endif
};

START_TEST(all_but_the_kept_are_closed)
{
    static const int kept[] = {FIRST, FIRST + 1, 40, LAST};
    bool has_proc = access("/proc/self/fd", R_OK) == 0;

    for (int fd = FIRST - 1; fd <= LAST + 1; fd++)
        ck_assert_int_eq(dup2(STDIN_FILENO, fd), fd);
    if (!refuse_calls(refused[_i].calls, refused[_i].count, refused[_i].error)) {
        puts("skipped: there are no seccomp filters here");
        return;
    }
    ck_assert(descriptors_close_but(FIRST, kept, 4));
    for (int fd = FIRST - 1; fd <= LAST + 1; fd++) {
        bool is_kept = fd < FIRST || fd == FIRST || fd == FIRST + 1 || fd == 40 || fd == LAST;

        ck_assert_msg(is_open(fd) == is_kept, "%s, /proc %d: descriptor %d is %s", refused[_i].what,
            has_proc, fd, is_kept ? "closed" : "open");
    }
}
END_TEST

START_TEST(a_system_that_tells_nothing_is_a_failure)
{
#ifdef SYS_close_range
    static const int calls[] = {
        SYS_close_range,
        SYS_openat,
        SYS_prlimit64,
#ifdef SYS_getrlimit
        SYS_getrlimit,
#endif
    };

    if (!refuse_calls(calls, sizeof calls / sizeof calls[0], EPERM)) {
        puts("skipped: there are no seccomp filters here");
        return;
    }
    ck_assert(!descriptors_close_but(FIRST, NULL, 0));
    ck_assert_int_eq(errno, EPERM);
#endif
}
END_TEST

static Suite *descriptors_suite(void)
{
    Suite *suite = suite_create("base/descriptors");
    TCase *descriptors = tcase_create("descriptors");

    tcase_add_loop_test(
        descriptors, all_but_the_kept_are_closed, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(descriptors, a_system_that_tells_nothing_is_a_failure);
    suite_add_tcase(suite, descriptors);
    return suite;
}

CHECK_MAIN(descriptors_suite)
