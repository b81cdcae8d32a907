/* SPDX-License-Identifier: ISC */
/*
 * base/footprint: what a process has of memory, and that it and its children go first when there is
 * too little.
 */
#include "config.h"

#include "base/footprint.h"

#include "tests/check_main.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MORE ((size_t)48 << 20)

START_TEST(what_is_mapped_is_counted)
{
    struct footprint before = footprint_now(), after;
    void *read_only, *writable;

    ck_assert(before.data > 0 && before.all > before.data);
    read_only = mmap(NULL, MORE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    after = footprint_now();
    ck_assert(after.all >= before.all + MORE && after.data < before.data + MORE);
    writable = mmap(NULL, MORE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    after = footprint_now();
    ck_assert(after.all >= before.all + 2 * MORE && after.data >= before.data + MORE);
    munmap(read_only, MORE);
    munmap(writable, MORE);
}
END_TEST

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

/* In a child that is, or is not, dumpable. Returns 0 where all is as it must be. */
static int offer(long dumpable)
{
    prctl(PR_SET_DUMPABLE, dumpable);
    if (!footprint_offer_to_oom())
        return 1;
    if (prctl(PR_GET_DUMPABLE) != (int)dumpable)
        return 2;
    prctl(PR_SET_DUMPABLE, 1L); /* or its files in /proc are root's */
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

static Suite *footprint_suite(void)
{
    Suite *suite = suite_create("base/footprint");
    TCase *footprint = tcase_create("footprint");

    tcase_add_test(footprint, what_is_mapped_is_counted);
    tcase_add_loop_test(footprint, a_process_offers_itself, 0, 2);
    suite_add_tcase(suite, footprint);
    return suite;
}

CHECK_MAIN(footprint_suite)
