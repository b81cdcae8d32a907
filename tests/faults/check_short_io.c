/* SPDX-License-Identifier: ISC */
/*
 * Fault test: every read and write of the server transfers 1 to 7 bytes. The output of a fixed
 * session stays the same, and a seeded workload passes the checker.
 */
#include "config.h"

#include "tests/checker/workload.h"
#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/transcript.h"
#include "tests/system/workers.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Returns the library beside this program, or NULL if it was not built. */
static const char *library(void)
{
    static char path[PATH_MAX + 16];
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);

    ck_assert_int_gt(length, 0);
    path[length] = '\0';
    strcat(dirname(path), "/short_io.so");
    return access(path, R_OK) == 0 ? path : NULL;
}

static bool has_mapped(pid_t process, const char *name)
{
    char path[64], line[PATH_MAX + 200];
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        found = found || strstr(line, name) != NULL;
    if (file != NULL)
        fclose(file);
    return found;
}

/* Starts the server with the library. The jail would not allow the library's calls. */
static struct daemon *start_short(void)
{
    const char *no_jail = fault_no_jail();
    struct daemon *daemon;

    setenv("LD_PRELOAD", library(), 1);
    setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    daemon = daemon_start(no_jail[0] != '\0' ? OPTIONS("-o", no_jail) : NULL);
    unsetenv("LD_PRELOAD");
    ck_assert_msg(has_mapped(daemon_pid(daemon), "short_io.so"), "the library is not loaded");
    return daemon;
}

/* Plays a fixed session; returns everything that the two clients have received. */
static void play(struct daemon *daemon, struct transcript **given)
{
    static const char *const said[] = {"hello", "/nick alice", "/who", "/help", "/nope",
        "a somewhat longer message \xe2\x82\xac with a few more words", "/nick guest2", "\xff",
        "/nick", "//me"};
    struct client *crowd[2];

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    for (size_t at = 0; at < sizeof(said) / sizeof(said[0]); at++) {
        client_send(crowd[0], "%s\n", said[at]);
        client_send(crowd[0], "and then %zu\n", at);
        client_expect_later(crowd[1], "[%s] and then %zu", at < 1 ? "guest1" : "alice", at);
    }
    client_send(crowd[1], "bye\n/quit gone\n");
    client_expect_later(crowd[0], "* guest2 left (quit: gone)");
    client_read_to_end(crowd[1]);
    for (size_t at = 0; at < 2; at++)
        given[at] = transcript_of(crowd[at], 0);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}

START_TEST(short_transfers_do_not_change_a_session)
{
    struct transcript *plain[2], *cut[2];

    if (library() == NULL) {
        fault_skip("short_io.so was not built");
        return;
    }
    play(daemon_start(NULL), plain);
    play(start_short(), cut);
    for (size_t at = 0; at < 2; at++) {
        transcript_expect_same(plain[at], cut[at]);
        printf("1 to 7 bytes at a time: %zu lines, all the same\n", cut[at]->count);
        transcript_free(plain[at]);
        transcript_free(cut[at]);
    }
}
END_TEST

START_TEST(short_transfers_do_not_break_a_workload)
{
    struct workload_plan plan = {
        .seed = 701,
        .at_once = 8,
        .newcomers = 12,
        .messages = (unsigned)fault_times(400, 4000),
        .payload_max = 200,
        .quits = 30,
        .half_closes = 30,
        .resets = 30,
        .pauses = 10,
    };
    struct checker_report report;
    struct workload *workload;
    struct daemon *daemon;

    if (library() == NULL) {
        fault_skip("short_io.so was not built");
        return;
    }
    plan.daemon = daemon = start_short();
    workload = workload_play(&plan);
    ck_assert_msg(workload_check(workload, &report), "seed %llu: %lu faults:\n%s",
        (unsigned long long)plan.seed, report.faults, report.text);
    printf("1 to 7 bytes at a time (seed %llu): %lu records, %lu deliveries, no fault\n",
        (unsigned long long)plan.seed, report.records, report.deliveries);
    workload_free(workload);
    daemon_wait_workers(daemon, 0);
    daemon_stop(daemon);
}
END_TEST

static Suite *short_io_suite(void)
{
    Suite *suite = suite_create("faults: short reads and writes");
    TCase *io = tcase_create("short");

    tcase_set_timeout(io, FAULT_CASE_SECONDS);
    tcase_add_test(io, short_transfers_do_not_change_a_session);
    tcase_add_test(io, short_transfers_do_not_break_a_workload);
    suite_add_tcase(suite, io);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(short_io_suite)
