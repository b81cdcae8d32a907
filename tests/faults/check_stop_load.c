/* SPDX-License-Identifier: ISC */
/*
 * Fault test: SIGTERM at random moments while many messages are sent and output is pending. Every
 * message that any client has received reaches every member that reads, and all clients are
 * disconnected in order.
 */
#include "config.h"

#include "tests/checker/random.h"
#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/transcript.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define CROWD    12
#define SPEAKERS 6
#define STOPPED  "* The server is shutting down"

/* All speakers talk, and one in four reads only sometimes. The stop comes at a random moment. */
static void talk_until_stop(struct daemon *daemon, struct client **crowd, struct random *random)
{
    for (unsigned turns = 10 + random_below(random, 80); turns > 0; turns--) {
        for (size_t at = 0; at < CROWD; at++)
            if (at % 4 == 3)
                crowd[at]->reads = random_percent(random, 10);
        for (size_t at = 1; at <= SPEAKERS; at++)
            if (client_unsent(crowd[at]) < (size_t)20 * CROWD_MESSAGE)
                crowd_queue(crowd[at], turns * 50, 50);
        client_turn(crowd, CROWD, bounded_deadline(1));
    }
    daemon_signal(daemon, SIGTERM);
    for (size_t at = 0; at < CROWD; at++)
        crowd[at]->reads = true;
}

/* The witness says nothing, so it has received everything that was accepted since the fence. */
static size_t expect_the_same(struct client *const *crowd)
{
    for (size_t at = 0; at < CROWD; at++) {
        ck_assert_msg(crowd[at]->error == 0, "the end of %s is: %s", crowd[at]->name,
            strerror(crowd[at]->error));
        ck_assert_msg(crowd_got(crowd[at], STOPPED), "%s is not told", crowd[at]->name);
        crowd_expect_whole(crowd[at], crowd[0], NULL);
    }
    return crowd_messages(crowd[0]);
}

static size_t stop_once(struct random *random, const char *ring)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=60 s", "-o", ring, "-o",
        "max-message-size=1 KiB", "-o", "stall-grace=1 h"));
    struct client *crowd[CROWD];
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t messages, ended = 0;

    fault_join_many(daemon_address(daemon, 0), crowd, CROWD, 0);
    fault_align(crowd[CROWD - 1], crowd, CROWD - 1, "here we go");
    client_send(crowd[0], "and you\n");
    client_expect_later(crowd[CROWD - 1], "[%s] and you", crowd[0]->name);
    for (size_t at = 1; at < CROWD - 1; at++)
        client_expect_later(crowd[at], "[%s] and you", crowd[0]->name);
    talk_until_stop(daemon, crowd, random);
    while (ended < CROWD) {
        ck_assert_msg(client_turn(crowd, CROWD, deadline), "%zu of %d have ended", ended, CROWD);
        while (ended < CROWD && crowd[ended]->ended)
            ended++;
    }
    messages = expect_the_same(crowd);
    fault_close_all(crowd, CROWD);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
    return messages;
}

START_TEST(a_stop_under_load_delivers_what_anybody_has)
{
    struct random random = {.state = 31 + (uint64_t)_i};
    int rounds = fault_times(3, 200);
    size_t messages = 0;

    for (int round = 0; round < rounds; round++)
        messages += stop_once(&random, _i == 0 ? "ring-size=16 MiB" : "ring-size=256 KiB");
    printf("stopped %d servers with a %s ring under load: %zu messages, all with everybody\n",
        rounds, _i == 0 ? "large" : "small", messages);
}
END_TEST

static Suite *stop_load_suite(void)
{
    Suite *suite = suite_create("faults: stop under load");
    TCase *stop = tcase_create("stop");

    tcase_set_timeout(stop, FAULT_CASE_SECONDS);
    tcase_add_loop_test(stop, a_stop_under_load_delivers_what_anybody_has, 0, 2);
    suite_add_tcase(suite, stop);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(stop_load_suite)
