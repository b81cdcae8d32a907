/* SPDX-License-Identifier: ISC */
/*
 * Fault test: couriers that die or freeze. Their clients stay connected, lose nothing and receive
 * nothing twice: the position of a TCP client is known to the byte. A client whose position cannot
 * be known is disconnected with a reason.
 */
#include "config.h"

#include "tests/checker/workload.h"
#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COURIERS_MAX 64

/* Several couriers with few clients each. */
#define SEVERAL "-o", "couriers=3", "-o", "clients-per-courier=6"

/* --- killed under load --- */

struct hunt {
    struct daemon *daemon;
    unsigned long deaths;
    pid_t last[COURIERS_MAX]; /* so that none is killed twice */
};

static void kill_courier(void *context, const char *const *spared, unsigned choice)
{
    struct hunt *hunt = context;
    pid_t couriers[COURIERS_MAX];
    size_t count = daemon_couriers(hunt->daemon, couriers, COURIERS_MAX);
    pid_t victim;

    (void)spared;
    if (count == 0)
        return;
    victim = couriers[choice % count];
    if (victim == hunt->last[victim % COURIERS_MAX])
        return;
    hunt->last[victim % COURIERS_MAX] = victim;
    hunt->deaths += kill(victim, choice % 3 == 0 ? SIGSEGV : SIGKILL) == 0;
}

/* Clients join, talk, pause and leave while couriers die all the time. This lasts as long as new
 * clients join, since all others leave at some time. */
static void play(uint64_t seed, unsigned long deaths, unsigned newcomers)
{
    struct hunt hunt = {.daemon = daemon_start(OPTIONS(SEVERAL, "-o", "ring-size=2 MiB"))};
    struct workload_plan plan = {
        .seed = seed,
        .at_once = 14,
        .newcomers = newcomers,
        .messages = (unsigned)deaths * 20,
        .payload_max = 600,
        .quits = 8,
        .half_closes = 8,
        .resets = 8,
        .pauses = 40,
        .kills = 300,
        .kill_worker = kill_courier,
        .context = &hunt,
        .daemon = hunt.daemon,
    };
    struct workload *workload = workload_play(&plan);
    struct checker_report report;

    ck_assert_msg(workload_check(workload, &report), "seed %llu: %lu faults:\n%s",
        (unsigned long long)seed, report.faults, report.text);
    printf("killed %lu couriers under load (seed %llu): %lu records, %lu deliveries, %lu clients "
           "ended, no fault\n",
        hunt.deaths, (unsigned long long)seed, report.records, report.deliveries, report.ended);
    ck_assert_uint_ge(hunt.deaths, deaths / 4);
    ck_assert_uint_eq(fault_count_log(hunt.daemon, "reason=courier-lost"), 0);
    workload_free(workload);
    daemon_wait_workers(hunt.daemon, 0);
    daemon_stop(hunt.daemon);
}

START_TEST(couriers_killed_under_load_lose_nothing)
{
    unsigned long deaths = (unsigned long)fault_times(fault_sanitizers() ? 60 : 250, 2000);

    play(2001 + (uint64_t)_i, deaths, 60 + (unsigned)deaths / 8);
}
END_TEST

/* --- those who have not read what was written --- */

#define CROWD       8
#define LARGE_CROWD 150

static void kill_all_couriers(struct daemon *daemon, int number)
{
    pid_t couriers[COURIERS_MAX];
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t count;

    while ((count = daemon_couriers(daemon, couriers, COURIERS_MAX)) == 0)
        ck_assert_msg(bounded_turn(deadline), "there is no courier any more");
    for (size_t at = 0; at < count; at++)
        kill(couriers[at], number);
}

/* Half of the clients do not read, so that their positions are within a record, with bytes in
 * the kernel on both sides. Then the couriers are killed, again and again. */
START_TEST(a_courier_killed_with_full_sockets_loses_nothing)
{
    struct daemon *daemon = daemon_start(OPTIONS(SEVERAL, "-o", "stall-grace=1 h"));
    struct client *crowd[CROWD];
    int rounds = fault_times(10, 300);
    unsigned said = 0;

    fault_join_many(daemon_address(daemon, 0), crowd, CROWD, 4096);
    fault_align(crowd[0], crowd, CROWD, "here we go");
    for (int round = 0; round < rounds; round++) {
        for (size_t at = 1; at < CROWD; at += 2)
            crowd[at]->reads = round % 3 == 2;
        crowd_queue(crowd[0], said, 700);
        said += 700;
        fault_run_until_quiet(crowd, CROWD, 20);
        kill_all_couriers(daemon, SIGKILL);
    }
    for (size_t at = 1; at < CROWD; at++)
        crowd[at]->reads = true;
    for (size_t at = 1; at < CROWD; at++)
        crowd_run_until_messages(crowd, CROWD, crowd[at], said);
    for (size_t at = 1; at < CROWD; at++)
        crowd_expect_whole(crowd[at], crowd[CROWD - 2], NULL);
    printf("killed all couriers %d times with full sockets: %u messages to %d clients, all whole\n",
        rounds, said, CROWD - 1);
    fault_close_all(crowd, CROWD);
    daemon_stop(daemon);
}
END_TEST

/* The second client's `joined` is deferred, since the first one's has just been written to all. The
 * courier dies meanwhile. */
START_TEST(a_courier_killed_with_deferred_joins_loses_none)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "couriers=1"));
    struct client *crowd[LARGE_CROWD], *newcomers[2];
    int rounds = fault_times(10, 200);

    fault_join_many(daemon_address(daemon, 0), crowd, LARGE_CROWD, 0);
    fault_align(crowd[0], crowd, LARGE_CROWD, "here we go");
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 2; i++)
            newcomers[i] = client_join(daemon_address(daemon, 0));
        kill_all_couriers(daemon, SIGKILL);
        for (size_t at = 0; at < LARGE_CROWD; at++)
            for (int i = 0; i < 2; i++)
                client_expect_later(crowd[at], "* %s joined", newcomers[i]->name);
        fault_close_all(newcomers, 2);
    }
    fault_close_all(crowd, LARGE_CROWD);
    daemon_stop(daemon);
}
END_TEST

/* A client that has said /quit and has not read yet receives the rest from the next courier. */
START_TEST(a_courier_killed_during_a_disconnect_loses_nothing)
{
    struct daemon *daemon =
        daemon_start(OPTIONS(SEVERAL, "-o", "stall-grace=1 h", "-o", "drain-timeout=60 s"));
    struct client *crowd[3];
    char left[80];

    fault_join_many(daemon_address(daemon, 0), crowd, 3, 4096);
    fault_align(crowd[0], crowd, 3, "here we go");
    crowd[1]->reads = false;
    crowd_queue(crowd[0], 0, CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 3, crowd[2], CROWD_BACKLOG);
    client_send(crowd[1], "/quit enough\n");
    snprintf(left, sizeof(left), "* %s left (quit: enough)", crowd[1]->name);
    crowd_run_until_line(crowd, 3, crowd[2], left);
    kill_all_couriers(daemon, SIGKILL);
    client_read_to_end(crowd[1]);
    ck_assert_int_eq(crowd[1]->error, 0);
    crowd_run_until_messages(crowd, 3, crowd[1], CROWD_BACKLOG);
    crowd_expect_prefix(crowd[1], crowd[2]);
    daemon_wait_log(daemon, "event=leave ", "reason=quit", "first_missing=none", NULL);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* --- frozen --- */

START_TEST(a_frozen_courier_is_replaced)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "couriers=1"));
    struct client *crowd[3];

    fault_join_many(daemon_address(daemon, 0), crowd, 3, 0);
    fault_align(crowd[0], crowd, 3, "here we go");
    kill_all_couriers(daemon, SIGSTOP);
    crowd_queue(crowd[0], 0, 100);
    crowd_run_until_messages(crowd, 3, crowd[2], 100);
    crowd_run_until_messages(crowd, 3, crowd[1], 100);
    crowd_expect_whole(crowd[1], crowd[2], NULL);
    daemon_wait_log(daemon, "event=courier-fault ", "does not answer", NULL);
    ck_assert_uint_eq(fault_count_log(daemon, "event=leave"), 0);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* The clients of a frozen courier are not evicted, although they block the ring. */
START_TEST(a_frozen_courier_is_replaced_if_the_ring_is_full)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "couriers=1", "-o", "ring-size=256 KiB",
        "-o", "max-message-size=1 KiB", "-o", "stall-grace=200 ms"));
    struct client *crowd[3];

    fault_join_many(daemon_address(daemon, 0), crowd, 3, 0);
    fault_align(crowd[0], crowd, 3, "here we go");
    kill_all_couriers(daemon, SIGSTOP);
    crowd_queue(crowd[0], 0, 3000);
    crowd_run_until_messages(crowd, 3, crowd[2], 3000);
    crowd_run_until_messages(crowd, 3, crowd[1], 3000);
    ck_assert_uint_eq(fault_count_log(daemon, "event=evict"), 0);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* Waits for the courier of the first clients, and returns it. */
static pid_t first_courier(struct daemon *daemon)
{
    pid_t couriers[COURIERS_MAX];
    size_t count = daemon_couriers(daemon, couriers, COURIERS_MAX);
    char title[PROCESS_TEXT_MAX];

    for (size_t at = 0; at < count; at++) {
        process_title(couriers[at], title, sizeof(title));
        if (strcmp(title, "chatroomd: courier 0") == 0)
            return couriers[at];
    }
    ck_abort_msg("there is no first courier");
}

/* While one courier has nothing to do, the ring goes round with records of another. Then the
 * courier is notified of a message, and dies before it has read that. The records between are
 * not its clients', and are overwritten. */
START_TEST(a_courier_killed_before_it_skips_a_gap_loses_nothing)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "couriers=2", "-o", "clients-per-courier=2",
        "-o", "ring-size=256 KiB", "-o", "max-message-size=1 KiB", "-o", "stall-grace=1 h"));
    struct client *crowd[3], *asker;
    pid_t sleeper;

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    fault_align(crowd[0], crowd, 3, "here we go");
    fault_align(crowd[1], crowd, 3, "and you");
    asker = crowd[2];
    sleeper = first_courier(daemon);
    ck_assert_int_eq(kill(sleeper, SIGSTOP), 0);
    for (unsigned lot = 0; asker->in.length < (size_t)1024 * 1024; lot++) {
        client_queue_text(asker, "/help\n/help\n/help\n/help\n/nothing%u\n", lot);
        while (strstr(asker->in.data + asker->cursor, "Unknown command") == NULL)
            ck_assert(client_turn(&asker, 1, bounded_deadline(BOUND_MS)));
        asker->cursor = asker->in.length;
    }
    client_send(asker, "after the round\n/nothing at all\n");
    client_expect_later(asker, "! Unknown command /nothing; /help lists the commands");
    kill(sleeper, SIGKILL); /* if this took long, the supervisor has killed it, since it did not
                             * answer */
    for (size_t at = 0; at < 2; at++)
        client_expect(crowd[at], "[%s] after the round", asker->name);
    client_expect_silence(crowd[0], &crowd[1], 1);
    client_expect_silence(crowd[1], crowd, 1);
    ck_assert_uint_eq(fault_count_log(daemon, "event=leave"), 0);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* --- not by TCP --- */

/* The kernel does not say how much was written to a unix: socket. A client that had received
 * everything stays. The position of any other client is unknown, so it is disconnected with a
 * reason. */
/* Waits until each courier is idle: a client has a message a moment before its courier has
 * published that. */
static void wait_for_couriers_at_rest(struct daemon *daemon)
{
    pid_t couriers[COURIERS_MAX];
    size_t count = daemon_couriers(daemon, couriers, COURIERS_MAX);
    int64_t deadline = bounded_deadline(BOUND_MS);
    char state[64];

    for (size_t at = 0; at < count; at++)
        while (process_status(couriers[at], "State", state, sizeof(state)) && state[0] != 'S')
            ck_assert_msg(bounded_turn(deadline), "a courier comes to no rest: %s", state);
}

START_TEST(clients_of_unix_sockets_are_disconnected_with_a_reason)
{
    struct daemon *daemon;
    struct client *crowd[3];
    char address[256], left[80];

    folder_name(address, sizeof(address), "unix:", "socket");
    daemon = daemon_start(OPTIONS("-l", address, "-o", "couriers=1", "-o", "stall-grace=1 h"));
    fault_join_many(address, crowd, 3, 0);
    fault_align(crowd[0], crowd, 3, "here we go");
    crowd[2]->reads = false;
    crowd_queue(crowd[0], 0, 5000);
    crowd_run_until_messages(crowd, 3, crowd[1], 5000);
    wait_for_couriers_at_rest(daemon);
    kill_all_couriers(daemon, SIGKILL);
    snprintf(left, sizeof(left), "* %s left (connection lost)", crowd[2]->name);
    crowd_run_until_line(crowd, 2, crowd[1], left);
    daemon_wait_log(daemon, "event=leave ", "reason=courier-lost", "first_missing=", NULL);
    ck_assert_uint_eq(fault_count_log(daemon, "event=leave"), 1);
    client_read_to_end(crowd[2]);
    crowd_expect_prefix(crowd[2], crowd[1]);
    client_send(crowd[0], "and on\n");
    client_expect_later(crowd[1], "[%s] and on", crowd[0]->name);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* --- with others --- */

/* The forker dies at the same moment, so that the next courier has to wait for the next forker. */
START_TEST(a_courier_and_the_forker_may_die_together)
{
    struct daemon *daemon = daemon_start(OPTIONS(SEVERAL));
    struct client *crowd[CROWD];
    int rounds = fault_times(10, 100);

    fault_join_many(daemon_address(daemon, 0), crowd, CROWD, 0);
    fault_align(crowd[0], crowd, CROWD, "here we go");
    for (int round = 0; round < rounds; round++) {
        crowd_queue(crowd[0], (unsigned)round * 50, 50);
        kill(daemon_forker(daemon), SIGKILL);
        kill_all_couriers(daemon, SIGKILL);
        crowd_run_until_messages(crowd, CROWD, crowd[CROWD - 1], ((unsigned)round + 1) * 50);
    }
    for (size_t at = 1; at < CROWD; at++) {
        crowd_run_until_messages(crowd, CROWD, crowd[at], (unsigned)rounds * 50);
        crowd_expect_whole(crowd[at], crowd[CROWD - 1], NULL);
    }
    ck_assert_uint_eq(fault_count_log(daemon, "event=leave"), 0);
    fault_close_all(crowd, CROWD);
    daemon_stop(daemon);
}
END_TEST

/* The stop waits for the new couriers: every client receives everything and the last line. */
START_TEST(couriers_killed_during_the_stop_lose_nothing)
{
    for (int round = 0; round < fault_times(5, 100); round++) {
        struct daemon *daemon = daemon_start(OPTIONS(SEVERAL, "-o", "drain-timeout=60 s"));
        struct client *crowd[CROWD];

        fault_join_many(daemon_address(daemon, 0), crowd, CROWD, 0);
        fault_align(crowd[0], crowd, CROWD, "here we go");
        crowd_queue(crowd[0], 0, 300);
        crowd_run_until_messages(crowd, CROWD, crowd[1], 100 + (unsigned)round);
        daemon_signal(daemon, SIGTERM);
        kill_all_couriers(daemon, SIGKILL);
        for (size_t at = 1; at < CROWD; at++) {
            client_read_to_end(crowd[at]);
            ck_assert_int_eq(crowd[at]->error, 0);
            ck_assert(crowd_got(crowd[at], "* The server is shutting down"));
            crowd_expect_whole(crowd[at], crowd[1], NULL);
        }
        fault_close_all(crowd, CROWD);
        daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
    }
}
END_TEST

static Suite *couriers_suite(void)
{
    Suite *suite = suite_create("faults: couriers");
    TCase *couriers = tcase_create("couriers");

    tcase_set_timeout(couriers, FAULT_CASE_SECONDS);
    tcase_add_loop_test(couriers, couriers_killed_under_load_lose_nothing, 0, 2);
    tcase_add_test(couriers, a_courier_killed_with_full_sockets_loses_nothing);
    tcase_add_test(couriers, a_courier_killed_with_deferred_joins_loses_none);
    tcase_add_test(couriers, a_courier_killed_during_a_disconnect_loses_nothing);
    tcase_add_test(couriers, a_frozen_courier_is_replaced);
    tcase_add_test(couriers, a_frozen_courier_is_replaced_if_the_ring_is_full);
    tcase_add_test(couriers, a_courier_killed_before_it_skips_a_gap_loses_nothing);
    tcase_add_test(couriers, clients_of_unix_sockets_are_disconnected_with_a_reason);
    tcase_add_test(couriers, a_courier_and_the_forker_may_die_together);
    tcase_add_test(couriers, couriers_killed_during_the_stop_lose_nothing);
    suite_add_tcase(suite, couriers);
    return suite;
}

CHECK_MAIN(couriers_suite)
