/* SPDX-License-Identifier: ISC */
/*
 * System test: short seeded workloads on a live server, checked by the checker. A failure prints
 * the seed; the first run takes it from CHATROOMD_WORKLOAD_SEED in the environment.
 */
#include "config.h"

#include "tests/checker/workload.h"
#include "tests/system/bounded.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS_MAX 256

static void kill_worker(void *context, const char *const *spared, unsigned choice)
{
    pid_t workers[WORKERS_MAX];
    size_t count = daemon_workers(context, workers, WORKERS_MAX);

    if (count > 0 && !daemon_worker_is_of_one(context, workers[choice % count], spared))
        kill(workers[choice % count], choice % 2 == 0 ? SIGKILL : SIGABRT);
}

/* Runs a workload on a server of its own and prints what was checked. */
static void play(struct workload_plan *plan, const char *const *options)
{
    struct daemon *daemon = daemon_start(options);
    struct checker_report report;
    struct workload *workload;

    plan->context = daemon;
    plan->kill_worker = kill_worker;
    plan->daemon = daemon;
    workload = workload_play(plan);
    ck_assert_msg(workload_check(workload, &report), "seed %llu: %lu faults:\n%s",
        (unsigned long long)plan->seed, report.faults, report.text);
    printf("seed %llu: %lu records, %lu deliveries, %lu clients ended, no fault\n",
        (unsigned long long)plan->seed, report.records, report.deliveries, report.ended);
    workload_free(workload);
    daemon_wait_workers(daemon, 0);
    daemon_stop(daemon);
}

static uint64_t seed(uint64_t otherwise)
{
    const char *wish = getenv("CHATROOMD_WORKLOAD_SEED");

    return wish == NULL ? otherwise : strtoull(wish, NULL, 10);
}

/* Clients join, talk and leave. */
START_TEST(clients_join_and_leave)
{
    struct workload_plan plan = {
        .seed = seed(1 + (uint64_t)_i),
        .at_once = 20,
        .newcomers = 60,
        .messages = 6000,
        .payload_max = 300,
        .quits = 15,
        .half_closes = 15,
        .resets = 15,
        .pauses = 20,
    };

    play(&plan, NULL);
}
END_TEST

/* A small ring, long messages, and some clients that stop reading: senders wait, and clients
 * that block them are evicted. */
START_TEST(clients_that_do_not_read_in_a_small_ring)
{
    struct workload_plan plan = {
        .seed = seed(101),
        .at_once = 16,
        .newcomers = 40,
        .messages = 8000,
        .payload_max = 1500,
        .half_closes = 10,
        .resets = 10,
        .pauses = 40,
        .freezes = 6,
    };

    play(&plan, OPTIONS("-o", "ring-size=512 KiB", "-o", "stall-grace=1500 ms"));
}
END_TEST

/* Workers are killed at random moments under load. */
START_TEST(workers_are_killed_under_load)
{
    struct workload_plan plan = {
        .seed = seed(201),
        .at_once = 16,
        .newcomers = 80,
        .messages = 6000,
        .payload_max = 300,
        .quits = 5,
        .pauses = 20,
        .kills = 40,
    };

    play(&plan, NULL);
}
END_TEST

/* More clients connect than fit: the others are told, and can join once there are free slots. */
START_TEST(a_full_server_works)
{
    struct workload_plan plan = {
        .seed = seed(301),
        .at_once = 20,
        .newcomers = 80,
        .messages = 4000,
        .payload_max = 200,
        .quits = 30,
        .half_closes = 10,
        .resets = 20,
    };

    play(&plan, OPTIONS("-o", "max-clients=12"));
}
END_TEST

static Suite *workload_suite(void)
{
    Suite *suite = suite_create("workload");
    TCase *workload = tcase_create("workload");

    tcase_set_timeout(workload, 2 * BOUND_CASE_SECONDS);
    tcase_add_loop_test(workload, clients_join_and_leave, 0, 2);
    tcase_add_test(workload, clients_that_do_not_read_in_a_small_ring);
    tcase_add_test(workload, workers_are_killed_under_load);
    tcase_add_test(workload, a_full_server_works);
    suite_add_tcase(suite, workload);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(workload_suite)
