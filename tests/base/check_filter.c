/* SPDX-License-Identifier: ISC */
/*
 * check_filter.c - tests of base/filter: in a child that loads a filter, the kernel does what the
 * table says.
 */
#include "config.h"

#include "base/filter.h"

#include "base/privilege.h"
#include "tests/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Numbers above all descriptors of the test, so that no open descriptor is closed. */
#define MANY 0x1000

static const struct filter_rule rules[] = {
    {.call = "getpid", .verdict = FILTER_REFUSE, .failure = EXDEV},
    {.call = "sethostname", .verdict = FILTER_KILL},
    {.call = "no_such_call_anywhere", .verdict = FILTER_KILL},
    {.call = "getppid", .verdict = FILTER_ALLOW}, /* like all calls without a row */
    {.call = "lseek",
        .verdict = FILTER_REFUSE,
        .failure = EDOM,
        .condition_count = 2,
        .conditions = {{1, 0xff, 7, FILTER_EQUAL}, {2, UINT64_MAX, SEEK_END, FILTER_EQUAL}}},
    {.call = "close",
        .verdict = FILTER_REFUSE,
        .failure = ENOTUNIQ,
        .condition_count = 1,
        .conditions = {{0, UINT32_MAX, 4 + MANY, FILTER_ABOVE}}},
};

static const struct filter_table table = {rules, sizeof rules / sizeof rules[0], FILTER_ALLOW};

/* Returns the wait status of a child that loads the filter and then calls the function. */
static int run(int (*act)(void))
{
    struct filter filter;
    int status;
    pid_t child;

    ck_assert(filter_make(&filter, &table));
    ck_assert_uint_gt(filter.length, 0);
    child = fork();
    if (child == 0) {
        if (!privilege_no_more() || !filter_load(&filter))
            _exit(99);
        _exit(act());
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    filter_free(&filter);
    return status;
}

static int refused(void)
{
    return syscall(SYS_getpid) == -1 && errno == EXDEV && syscall(SYS_getppid) > 0 ? 0 : 1;
}

static int conditions(void)
{
    int fd = open("/dev/null", O_RDONLY);

    if (syscall(SYS_lseek, fd, 0x107, SEEK_END) != -1 || errno != EDOM)
        return 1;
    if (syscall(SYS_lseek, fd, 8, SEEK_END) == -1 || syscall(SYS_lseek, fd, 7, SEEK_SET) == -1)
        return 2;
    return 0;
}

static bool is_above(uint64_t number)
{
    return syscall(SYS_close, number) == -1 && errno == ENOTUNIQ;
}

/* The kernel closes 3 if the argument is 2^32 + 3. */
static int comparison(void)
{
    static const uint64_t above[] = {MANY + 5, MANY + 6, MANY + 7, MANY + 8, 2 * MANY, UINT32_MAX,
        UINT64_MAX, MANY + 5 + (UINT64_C(1) << 32)};
    static const uint64_t others[] = {MANY, MANY + 4, MANY - 1, MANY + 3,
        MANY + 4 + (UINT64_C(1) << 32), MANY + (UINT64_C(1) << 63)};

    for (size_t at = 0; at < sizeof above / sizeof above[0]; at++)
        if (!is_above(above[at]) || !filter_holds(&rules[5].conditions[0], above[at]))
            return 1;
    for (size_t at = 0; at < sizeof others / sizeof others[0]; at++)
        if (is_above(others[at]) || filter_holds(&rules[5].conditions[0], others[at]))
            return 2;
    return 0;
}

static int killed(void)
{
    syscall(SYS_sethostname, "", 0);
    return 0;
}

static const struct {
    int (*act)(void);
    int signal;
} cases[] = {{refused, 0}, {conditions, 0}, {comparison, 0}, {killed, SIGSYS}};

START_TEST(the_kernel_does_what_the_table_says)
{
    if (!filter_built_in()) {
        printf("skipped: built without libseccomp\n");
        return;
    }
    int status = run(cases[_i].act);
    if (cases[_i].signal != 0)
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == cases[_i].signal);
    else
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status 0x%x", status);
}
END_TEST

/* A row with the verdict of all calls that have no row is a fault of the table. */
START_TEST(a_table_that_cannot_be_is_refused)
{
    static const struct filter_rule idle[] = {{.call = "getpid", .verdict = FILTER_KILL}};
    static const struct filter_table wrong = {idle, 1, FILTER_KILL};
    struct filter filter;

    ck_assert(!filter_make(&filter, &wrong));
    ck_assert_int_ne(errno, 0);
    ck_assert(!filter_load(&filter));
    filter_free(&filter);
}
END_TEST

static Suite *filter_suite(void)
{
    Suite *suite = suite_create("base/filter");
    TCase *filter = tcase_create("filter");

    tcase_add_loop_test(
        filter, the_kernel_does_what_the_table_says, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(filter, a_table_that_cannot_be_is_refused);
    suite_add_tcase(suite, filter);
    return suite;
}

CHECK_MAIN(filter_suite)
