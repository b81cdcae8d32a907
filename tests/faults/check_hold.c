/* SPDX-License-Identifier: ISC */
/*
 * Fault test: workers that are slow to handle notifications. The ring keeps what a client has not
 * received, even if its worker was notified twice before it handled the first, and even if the
 * second notification does not begin where the first ended.
 */
#include "config.h"

#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/workers.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Messages that go round the smallest ring several times. */
#define LAPS 1000

static struct daemon *start(void)
{
    return daemon_start(OPTIONS("-o", "max-clients=64", "-o", "stall-grace=1 h", "-o",
        "ring-size=256 KiB", "-o", "max-message-size=1 KiB"));
}

/* The first client sends `count` messages, and the second has received them all. */
static void speak(struct client *const *crowd, unsigned first, unsigned count)
{
    size_t had = crowd_messages(crowd[1]);

    crowd_queue(crowd[0], first, count);
    crowd_run_until_messages(crowd, 2, crowd[1], had + count);
}

/* One client alone has talked for long, so its worker has not been notified. The worker is
 * frozen and notified twice; then others talk until the ring is full. */
START_TEST(a_worker_notified_twice_after_a_gap_loses_nothing)
{
    struct daemon *daemon = start();
    struct client *crowd[3], *order[2];
    pid_t worker;

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    speak(crowd, 0, LAPS);
    crowd_run_until_messages(crowd, 3, crowd[2], LAPS);
    worker = daemon_worker_of(daemon, crowd[0]->name);
    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    order[0] = crowd[1];
    order[1] = crowd[2];
    crowd[2]->cursor = crowd[2]->in.length;
    speak(order, 0, 1);
    speak(order, 1, 1);
    crowd_queue(crowd[1], 2, LAPS - 2);
    fault_run_until_quiet(order, 2, 300);
    ck_assert_uint_gt(client_unsent(crowd[1]) + fault_counter(daemon, "ring-waits"), 0);
    ck_assert_int_eq(kill(worker, SIGCONT), 0);
    crowd_run_until_messages(crowd, 3, crowd[0], LAPS);
    crowd_run_until_messages(crowd, 3, crowd[2], LAPS);
    crowd_expect_whole(crowd[0], crowd[2], NULL);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* Clients join while others talk without end. Each receives its welcome first, and then the
 * order from its own `joined` on. */
START_TEST(clients_join_while_the_ring_is_full)
{
    struct daemon *daemon = start();
    struct client *crowd[3];
    int rounds = fault_times(100, 2000);
    unsigned said = 0;

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    for (int round = 0; round < rounds; round++) {
        int64_t deadline = bounded_deadline(BOUND_MS);
        const char *line;

        crowd[2] = client_open(daemon_address(daemon, 0), 0);
        while ((line = client_take(crowd[2])) == NULL) {
            if (client_unsent(crowd[0]) < (size_t)200 * CROWD_MESSAGE)
                crowd_queue(crowd[0], 200 * said++, 200);
            ck_assert(client_turn(crowd, 3, deadline));
        }
        ck_assert_msg(strncmp(line, "* Welcome to chatroomd; you are guest", 37) == 0,
            "newcomer %d got first: %.100s", round, line);
        client_close(crowd[2]);
        fault_forget(crowd[0]);
        fault_forget(crowd[1]);
    }
    printf("%d newcomers in a full ring\n", rounds);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

static Suite *hold_suite(void)
{
    Suite *suite = suite_create("faults: hold");
    TCase *hold = tcase_create("hold");

    tcase_set_timeout(hold, FAULT_CASE_SECONDS);
    if (mode_is_workers())
        tcase_add_test(hold, a_worker_notified_twice_after_a_gap_loses_nothing);
    tcase_add_test(hold, clients_join_while_the_ring_is_full);
    suite_add_tcase(suite, hold);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(hold_suite)
