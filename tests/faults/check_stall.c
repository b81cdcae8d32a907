/* SPDX-License-Identifier: ISC */
/*
 * Fault test: clients that do not read. Senders wait and lose nothing. A client that blocks them is
 * evicted in time, and the room is told. The supervisor's memory does not grow with what is not
 * read.
 */
#include "config.h"

#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/stream.h"
#include "tests/system/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SMALL_RING   "ring-size=256 KiB", "-o", "max-message-size=1 KiB"
#define SMALL_BUFFER 2048

/* Messages of CROWD_MESSAGE bytes, many times what fits into the ring. */
#define SAID 4000
/* If no byte moves for so long, senders are blocked. */
#define QUIET_MS 300

/* Both senders send until the kernel accepts no more. Returns how much each has sent. */
static unsigned talk_until_held_up(struct client *const *crowd, size_t count)
{
    unsigned said = 0;

    while (client_unsent(crowd[1]) == 0 || client_unsent(crowd[2]) == 0) {
        crowd_queue(crowd[1], said, SAID);
        crowd_queue(crowd[2], said, SAID);
        said += SAID;
        ck_assert_msg(said < 40 * SAID, "nothing holds the senders up");
        fault_run_until_quiet(crowd, count, QUIET_MS);
    }
    return said;
}

/* While one client does not read, the two senders wait, however long it takes, and nothing is
 * lost. */
START_TEST(senders_wait_and_lose_nothing)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", SMALL_RING, "-o", "stall-grace=1 h"));
    struct client *crowd[4];
    int64_t resumed;
    unsigned said;

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    crowd[3] = client_join_small(daemon_address(daemon, 0), SMALL_BUFFER);
    fault_align(crowd[1], crowd, 4, "here we go");
    crowd[3]->reads = false;
    said = talk_until_held_up(crowd, 4);
    ck_assert_uint_lt(crowd_messages(crowd[0]), 2 * said);
    ck_assert_uint_gt(fault_counter(daemon, "ring-waits"), 0);
    printf("2 senders held up after %zu of %u messages, ", crowd_messages(crowd[0]), 2 * said);
    resumed = bounded_now();
    crowd[3]->reads = true;
    crowd_run_until_messages(crowd, 4, crowd[0], crowd_messages(crowd[0]) + 1);
    printf("on again %lld ms after the reader\n", (long long)(bounded_now() - resumed));
    crowd_run_until_messages(crowd, 4, crowd[0], 2 * said);
    crowd_run_until_messages(crowd, 4, crowd[3], 2 * said);
    crowd_run_until_messages(crowd, 4, crowd[1], said);
    crowd_run_until_messages(crowd, 4, crowd[2], said);
    ck_assert_uint_eq(fault_counter(daemon, "ended-stalled"), 0);
    ck_assert_uint_eq(fault_counter(daemon, "messages"), 2 * said + 1);
    crowd_expect_whole(crowd[3], crowd[0], NULL);
    fault_close_all(crowd, 4);
    daemon_stop(daemon);
}
END_TEST

/* --- laggards --- */

#define LAGGARDS  100
#define GRACE_MS  500
#define SECOND_MS 1000
/* A shorter pause is due to the machine. */
#define PAUSE_MS 50

/* A witness, a sender, clients that do not read, and at the end one that reads a byte a second. */
struct hall {
    struct daemon *daemon;
    struct client *crowd[LAGGARDS + 3];
    size_t count;
    int64_t byte_at;  /* when the slow one reads its next byte */
    int64_t heard_at; /* when the witness last received something ... */
    size_t heard;     /* ... and how much it had then */
    int64_t waited;   /* the sum of all pauses in which it received nothing */
    size_t told;      /* how many `left` for slow reading it has received ... */
    size_t told_at;   /* ... up to here */
    unsigned said;
};

static struct client *slow_one(struct hall *hall)
{
    return hall->crowd[hall->count - 1];
}

static void read_a_byte(struct client *client)
{
    char byte;
    ssize_t got = read(client->input, &byte, 1);

    if (got == 0 || (got < 0 && errno != EAGAIN))
        client->ended = true;
}

/* A short turn of all clients; the sender always has something to send. */
static void hall_turn(struct hall *hall)
{
    struct client *witness = hall->crowd[0];
    const char *left;
    int64_t now;

    if (client_unsent(hall->crowd[1]) < (size_t)100 * CROWD_MESSAGE) {
        crowd_queue(hall->crowd[1], hall->said, 100);
        hall->said += 100;
    }
    client_turn(hall->crowd, hall->count, bounded_deadline(2));
    now = bounded_now();
    if (now >= hall->byte_at && !slow_one(hall)->ended) {
        read_a_byte(slow_one(hall));
        hall->byte_at = now + SECOND_MS;
    }
    if (hall->told_at < witness->cursor)
        hall->told_at = witness->cursor;
    while ((left = strstr(witness->in.data + hall->told_at, " left (too slow)\n")) != NULL) {
        hall->told_at = (size_t)(left + 1 - witness->in.data);
        hall->told++;
    }
    if (witness->in.length != hall->heard) {
        if (now - hall->heard_at > PAUSE_MS)
            hall->waited += now - hall->heard_at;
        hall->heard = witness->in.length;
        hall->heard_at = now;
    }
}

static void hall_open(struct hall *hall)
{
    const char *address;

    *hall = (struct hall){.count = LAGGARDS + 3};
    hall->daemon = daemon_start(
        OPTIONS("-o", SMALL_RING, "-o", "stall-grace=500 ms", "-o", "max-clients=110"));
    address = daemon_address(hall->daemon, 0);
    fault_join_many(address, hall->crowd, 2, 0);
    fault_join_many(address, hall->crowd + 2, LAGGARDS + 1, SMALL_BUFFER);
    fault_align(hall->crowd[1], hall->crowd, hall->count, "here we go");
    slow_one(hall)->reads = false;
    hall->heard_at = bounded_now();
}

/* Checks each evicted client: its reason, how far it was behind, and the place of its `left`. */
static void expect_told(struct hall *hall, const struct client *laggard)
{
    char name[80], told[120];
    const char *line;

    snprintf(name, sizeof(name), "name=%s ", laggard->name);
    line = daemon_wait_log(hall->daemon, "event=evict ", name, "reason=stalled", NULL);
    ck_assert_uint_gt(log_line_number(line, "behind_bytes"), 0);
    ck_assert_uint_gt(log_line_number(line, "behind_records"), 0);
    line = daemon_wait_log(hall->daemon, "event=leave ", name, "reason=stalled", NULL);
    ck_assert_uint_gt(log_line_number(line, "first_missing"), 0);
    snprintf(told, sizeof(told), "* %s left (too slow)", laggard->name);
    crowd_run_until_line(hall->crowd, 2, hall->crowd[0], told);
}

/* The clients stop reading one after the other, while the sender talks. */
START_TEST(clients_that_do_not_read_are_evicted)
{
    struct hall hall;
    int64_t stalled, took, deadline;

    hall_open(&hall);
    for (size_t at = 2; at < LAGGARDS + 2; at++) {
        hall.crowd[at]->reads = false;
        hall_turn(&hall);
    }
    stalled = bounded_now();
    deadline = bounded_deadline(BOUND_MS);
    while (hall.told < LAGGARDS + 1) {
        ck_assert_msg(
            bounded_now() < deadline, "only %zu of %d are ended", hall.told, LAGGARDS + 1);
        hall_turn(&hall);
    }
    took = bounded_now() - stalled;
    printf("%d laggards and 1 byte a second: all ended %lld ms after the last one stopped reading; "
           "the others waited %lld ms in all (grace %d ms)\n",
        LAGGARDS, (long long)took, (long long)hall.waited, GRACE_MS);
    if (!fault_sanitizers())
        ck_assert_int_le(hall.waited, GRACE_MS + SECOND_MS);
    crowd_run_until_messages(hall.crowd, 2, hall.crowd[0], crowd_messages(hall.crowd[0]) + 100);
    for (size_t at = 2; at < hall.count; at++)
        expect_told(&hall, hall.crowd[at]);
    daemon_wait_workers(hall.daemon, 2);
    fault_close_all(hall.crowd, hall.count);
    daemon_stop(hall.daemon);
}
END_TEST

/* A client that reads slowly but steadily blocks no other for a whole stall-grace, and stays. */
START_TEST(a_client_that_reads_slowly_stays)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", SMALL_RING, "-o", "stall-grace=2 s"));
    struct client *crowd[3];
    int64_t deadline = bounded_deadline(BOUND_MS);

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    crowd[2] = client_join_small(daemon_address(daemon, 0), 16 * SMALL_BUFFER);
    fault_align(crowd[1], crowd, 3, "here we go");
    crowd_queue(crowd[1], 0, SAID);
    for (int turns = 0; crowd_messages(crowd[2]) < SAID; turns++) {
        crowd[2]->reads = turns % 4 == 0;
        client_turn(crowd, 3, bounded_deadline(2));
        ck_assert_msg(bounded_now() < deadline, "%zu messages", crowd_messages(crowd[2]));
    }
    ck_assert_uint_eq(fault_counter(daemon, "ended-stalled"), 0);
    crowd_run_until_messages(crowd, 3, crowd[0], SAID);
    crowd_expect_whole(crowd[2], crowd[0], NULL);
    fault_close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* --- the supervisor's memory --- */

#define MEMORY_MARGIN_KIB 1024

static void expect_same_memory(struct daemon *daemon, size_t before, const char *what)
{
    size_t after = fault_private_kib(daemon_pid(daemon));

    printf("%s: the supervisor had %zu KiB before and %zu KiB after\n", what, before, after);
    if (!fault_sanitizers())
        ck_assert_uint_le(after, before + MEMORY_MARGIN_KIB);
}

#define FLOODERS 40
#define ASKED    4000

/* Each client sends /who without end and reads nothing: its requests wait, and no other client
 * does. */
START_TEST(answers_that_are_not_read_take_bounded_memory)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "ring-size=8 MiB", "-o", "stall-grace=1 h"));
    struct client *crowd[FLOODERS + 2];
    size_t before;

    fault_join_many(daemon_address(daemon, 0), crowd, 2, 0);
    fault_join_many(daemon_address(daemon, 0), crowd + 2, FLOODERS, SMALL_BUFFER);
    fault_align(crowd[1], crowd, FLOODERS + 2, "here we go");
    fault_align(crowd[0], crowd, FLOODERS + 2, "here we are");
    before = fault_private_kib(daemon_pid(daemon));
    for (size_t at = 2; at < FLOODERS + 2; at++) {
        crowd[at]->reads = false;
        for (int times = 0; times < ASKED; times++)
            client_queue_text(crowd[at], "/who\n");
    }
    fault_run_until_quiet(crowd, FLOODERS + 2, QUIET_MS);
    client_expect_silence(crowd[0], crowd + 1, 1);
    client_expect_silence(crowd[1], crowd, 1);
    printf("%d clients asked /who %d times each and read nothing\n", FLOODERS, ASKED);
    expect_same_memory(daemon, before, "/who floods");
    fault_close_all(crowd, FLOODERS + 2);
    daemon_wait_workers(daemon, 0);
    expect_same_memory(daemon, before, "/who floods, over");
    daemon_stop(daemon);
}
END_TEST

#define FROZEN 8

/* Workers that do not read their relays, while others are notified in thousands of turns. */
START_TEST(a_worker_that_does_not_read_takes_bounded_memory)
{
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "ring-size=16 MiB", "-o", "stall-grace=1 h"));
    struct client *crowd[FROZEN + 2];
    pid_t workers[FROZEN];
    size_t before;

    fault_join_many(daemon_address(daemon, 0), crowd, FROZEN + 2, 0);
    fault_align(crowd[1], crowd, FROZEN + 2, "here we go");
    for (size_t at = 0; at < FROZEN; at++) {
        workers[at] = daemon_worker_of(daemon, crowd[at + 2]->name);
        ck_assert_int_eq(kill(workers[at], SIGSTOP), 0);
    }
    before = fault_private_kib(daemon_pid(daemon));
    for (unsigned said = 0; said < SAID; said += 2) {
        crowd_queue(crowd[1], said, 2);
        crowd_run_until_messages(crowd, 2, crowd[0], said + 2);
    }
    expect_same_memory(daemon, before, "8 relays unread during 2000 bursts");
    for (size_t at = 0; at < FROZEN; at++)
        ck_assert_int_eq(kill(workers[at], SIGCONT), 0);
    for (size_t at = 0; at < FROZEN; at++) {
        crowd_run_until_messages(crowd, FROZEN + 2, crowd[at + 2], SAID);
        crowd_expect_whole(crowd[at + 2], crowd[0], NULL);
    }
    fault_close_all(crowd, FROZEN + 2);
    daemon_stop(daemon);
}
END_TEST

static Suite *stall_suite(void)
{
    Suite *suite = suite_create("faults: stall");
    TCase *stall = tcase_create("stall");

    tcase_set_timeout(stall, FAULT_CASE_SECONDS);
    tcase_add_test(stall, senders_wait_and_lose_nothing);
    tcase_add_test(stall, clients_that_do_not_read_are_evicted);
    tcase_add_test(stall, a_client_that_reads_slowly_stays);
    tcase_add_test(stall, answers_that_are_not_read_take_bounded_memory);
    tcase_add_test(stall, a_worker_that_does_not_read_takes_bounded_memory);
    suite_add_tcase(suite, stall);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(stall_suite)
