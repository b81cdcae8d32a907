/* SPDX-License-Identifier: ISC */
/*
 * process/jail: children are killed first when memory runs out.
 */
#include "config.h"

#include "process/jail.h"

#include "tests/check_main.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int own_score(void)
{
    FILE *stream = fopen("/proc/self/oom_score_adj", "re");
    int score = -1;

    if (stream == NULL || fscanf(stream, "%d", &score) != 1)
        score = -1;
    if (stream != NULL)
        fclose(stream);
    return score;
}

/* In a child that is, or is not, dumpable. Returns 0 if everything is as expected. */
static int offer(long dumpable)
{
    prctl(PR_SET_DUMPABLE, dumpable);
    if (!jail_offer_to_oom())
        return 1;
    if (prctl(PR_GET_DUMPABLE) != (int)dumpable)
        return 2;
    prctl(PR_SET_DUMPABLE, 1L); /* or its files in /proc belong to root */
    return own_score() >= 500 ? 0 : 3;
}

START_TEST(a_process_offers_itself)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(offer(_i));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

static Suite *oom_suite(void)
{
    Suite *suite = suite_create("process/jail: out of memory");
    TCase *oom = tcase_create("oom");

    tcase_add_loop_test(oom, a_process_offers_itself, 0, 2);
    suite_add_tcase(suite, oom);
    return suite;
}

CHECK_MAIN(oom_suite)
