/* SPDX-License-Identifier: ISC */
/*
 * Fault test: too much input. More connections than fit, connections that say nothing, connections
 * that break off in the middle of a message, and one client that sends without end. Clients are
 * told, memory is bounded, and afterwards everything is as before.
 */
#include "config.h"

#include "tests/checker/random.h"
#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/stream.h"
#include "tests/system/workers.h"

#include <stdio.h>
#include <string.h>

#define FIT    20
#define BEYOND (9 * FIT)

/* The supervisor's private memory may grow by this much with the number of clients. */
#define MEMORY_MARGIN_KIB 1024

struct figures {
    size_t descriptors;
    size_t memory;
};

static struct figures figures_of(struct daemon *daemon)
{
    return (struct figures){
        fault_descriptors(daemon_pid(daemon)), fault_private_kib(daemon_pid(daemon))};
}

static void expect_as_before(struct daemon *daemon, struct figures before, unsigned slots)
{
    struct figures now;

    fault_wait_slots(daemon, slots);
    now = figures_of(daemon);
    ck_assert_uint_eq(now.descriptors, before.descriptors);
    if (!fault_sanitizers())
        ck_assert_uint_le(now.memory, before.memory + MEMORY_MARGIN_KIB);
}

/* Ten times as many connections as fit, all at once. As many as fit join, and each of the others
 * receives one line. Clients in the room notice nothing but the new names. Afterwards there are
 * free slots again. */
START_TEST(ten_times_more_connections_than_fit_are_told)
{
    struct daemon *daemon = daemon_start(
        OPTIONS("-o", "max-clients=20", "-o", "clients-per-courier=200", "-o", "spare-workers=0"));
    struct client *crowd[2], *flood[FIT + BEYOND];
    int rounds = fault_times(5, 100);
    int64_t start = bounded_now();
    struct figures before;

    fault_join_pair(daemon, crowd);
    before = figures_of(daemon);
    for (int round = 0; round < rounds; round++) {
        size_t in = 0;

        for (size_t at = 0; at < FIT + BEYOND; at++)
            flood[at] = client_open(daemon_address(daemon, 0), 0);
        for (size_t at = 0; at < FIT + BEYOND; at++) {
            const char *line = client_line(flood[at]);

            in += line[0] == '*';
            if (line[0] == '*')
                continue;
            ck_assert_str_eq(line, "! The server is full (20 clients); try again later");
            client_expect_end(flood[at]);
        }
        ck_assert_uint_eq(in, FIT - 2);
        fault_align(crowd[0], crowd, 2, "still here");
        fault_close_all(flood, FIT + BEYOND);
        daemon_wait_workers(daemon, 2);
        client_close(client_join(daemon_address(daemon, 0)));
        daemon_wait_workers(daemon, 2);
    }
    fault_expect_refusals(daemon, (unsigned)rounds * (BEYOND + 2), start);
    expect_as_before(daemon, before, 2);
    ck_assert_uint_eq(fault_counter(daemon, "refused-full"), (unsigned)rounds * (BEYOND + 2));
    printf("%d connections for %d places, %d times: %d told each time\n", FIT + BEYOND, FIT, rounds,
        BEYOND + 2);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* One free slot, and always one client too many. */
START_TEST(free_slots_are_used_while_connections_wait)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=3"));
    int rounds = fault_times(100, 2000);
    int64_t start = bounded_now();
    struct client *crowd[2];

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    for (int round = 0; round < rounds; round++) {
        struct client *in = client_join(daemon_address(daemon, 0));
        struct client *late = client_open(daemon_address(daemon, 0), 0);

        client_expect_start(late, "! The server is full");
        client_close(late);
        client_close(in);
        daemon_wait_workers(daemon, 2);
    }
    fault_expect_refusals(daemon, (unsigned)rounds, start);
    printf("%d times a place and one too many, in %lld ms\n", rounds,
        (long long)(bounded_now() - start));
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* Connections that say nothing and are closed again, some before they were accepted. */
START_TEST(silent_connections_are_bounded)
{
    struct daemon *daemon = daemon_start(
        OPTIONS("-o", "max-clients=120", "-o", "clients-per-courier=200", "-o", "spare-workers=0"));
    struct random random = {.state = 5};
    struct client *crowd[2], *silent[100];
    int rounds = fault_times(8, 200);
    struct figures before;

    fault_join_pair(daemon, crowd);
    before = figures_of(daemon);
    for (int round = 0; round < rounds; round++) {
        for (size_t at = 0; at < 100; at++)
            silent[at] = client_open(daemon_address(daemon, 0), 0);
        if (round % 2 == 0)
            client_expect_welcome(silent[99]);
        for (size_t at = 0; at < 100; at++)
            if (random_percent(&random, 50))
                client_reset(silent[at]);
            else
                client_close(silent[at]);
        fault_align(crowd[0], crowd, 2, "still here");
        daemon_wait_workers(daemon, 2);
    }
    expect_as_before(daemon, before, 2);
    printf("%d silent connections came and went\n", 100 * rounds);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* Connections that are reset in the middle of a message: the room is told that they are gone,
 * and receives nothing of the message. */
START_TEST(connections_reset_within_a_message_leave_nothing)
{
    struct daemon *daemon = daemon_start(
        OPTIONS("-o", "max-clients=24", "-o", "clients-per-courier=200", "-o", "spare-workers=0"));
    struct client *crowd[2], *some[20];
    int rounds = fault_times(25, 500);
    struct figures before;

    fault_join_pair(daemon, crowd);
    before = figures_of(daemon);
    for (int round = 0; round < rounds; round++) {
        fault_join_many(daemon_address(daemon, 0), some, 20, 0);
        for (size_t at = 0; at < 20; at++)
            client_send(some[at], "a whole one from %s\nhalf of anoth", some[at]->name);
        for (size_t at = 0; at < 20; at++) {
            char told[120];

            snprintf(
                told, sizeof(told), "[%s] a whole one from %s", some[at]->name, some[at]->name);
            crowd_run_until_line(crowd, 2, crowd[0], told);
        }
        for (size_t at = 0; at < 20; at++) {
            char told[120];

            snprintf(told, sizeof(told), "* %s left (connection lost)", some[at]->name);
            client_reset(some[at]);
            crowd_run_until_line(crowd, 2, crowd[0], told);
        }
        ck_assert(strstr(crowd[0]->in.data, "half") == NULL);
        fault_forget(crowd[0]);
        fault_forget(crowd[1]);
        daemon_wait_workers(daemon, 2);
    }
    expect_as_before(daemon, before, 2);
    printf("%d connections were broken off in mid-message\n", 20 * rounds);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* --- one who talks without end --- */

#define PINGS         50
#define DELAY_MAX_MS  2000
#define FLOOD_PENDING 20000

/* The flooding client always has more to send than is accepted. All clients read. */
static void flood_turn(struct client *const *crowd)
{
    char lines[2000];

    for (size_t at = 0; at < sizeof(lines); at += 2)
        memcpy(lines + at, "x\n", 2);
    while (client_unsent(crowd[2]) < FLOOD_PENDING)
        client_queue(crowd[2], lines, sizeof(lines));
    client_turn(crowd, 3, bounded_deadline(BOUND_MS));
}

static bool has_come(const struct client *client, const char *line)
{
    return client->in.length > 0 && strstr(client->in.data, line) != NULL;
}

/* The messages of a quiet client reach the witness soon, whatever the flooding client sends. The
 * ring and the witness's buffer are small, so that little precedes them there. */
START_TEST(one_client_that_floods_harms_no_other)
{
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "ring-size=256 KiB", "-o", "max-message-size=1 KiB"));
    struct client *crowd[3];
    int64_t longest = 0;
    size_t flooded = 0;

    fault_join_many(daemon_address(daemon, 0), crowd, 3, 16384);
    for (int ping = 0; ping < PINGS; ping++) {
        int64_t start = bounded_now(), took;
        char text[120];

        for (int turns = 0; turns < 20; turns++)
            flood_turn(crowd);
        fault_forget(crowd[0]);
        fault_forget(crowd[1]);
        start = bounded_now();
        client_queue_text(crowd[1], "ping %d\n", ping);
        snprintf(text, sizeof(text), "[%s] ping %d\n", crowd[1]->name, ping);
        while (!has_come(crowd[0], text)) {
            ck_assert_msg(bounded_now() - start < BOUND_MS, "ping %d does not come", ping);
            flooded += crowd_messages(crowd[0]);
            fault_forget(crowd[0]);
            flood_turn(crowd);
        }
        took = bounded_now() - start;
        longest = took > longest ? took : longest;
    }
    printf("one client flooded: %d messages of another came through %zu of its own after %lld ms "
           "at most\n",
        PINGS, flooded, (long long)longest);
    if (!fault_sanitizers())
        ck_assert_int_le(longest, DELAY_MAX_MS);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

static Suite *floods_suite(void)
{
    Suite *suite = suite_create("faults: floods");
    TCase *floods = tcase_create("floods"), *talk = tcase_create("talk");

    tcase_set_timeout(floods, FAULT_CASE_SECONDS);
    tcase_add_test(floods, ten_times_more_connections_than_fit_are_told);
    tcase_add_test(floods, free_slots_are_used_while_connections_wait);
    tcase_add_test(floods, silent_connections_are_bounded);
    tcase_add_test(floods, connections_reset_within_a_message_leave_nothing);
    suite_add_tcase(suite, floods);
    tcase_set_timeout(talk, FAULT_CASE_SECONDS);
    tcase_add_test(talk, one_client_that_floods_harms_no_other);
    suite_add_tcase(suite, talk);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(floods_suite)
