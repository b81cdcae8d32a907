/* SPDX-License-Identifier: ISC */
/*
 * System test: how clients disconnect, and that a client which disconnects in order loses nothing
 * that precedes its end.
 */
#include "config.h"

#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/stream.h"
#include "tests/system/workers.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SMALL_BUFFER 4096

static void close_all(struct client *const *crowd, size_t count)
{
    for (size_t at = 0; at < count; at++)
        client_close(crowd[at]);
}

/* A witness, three clients that talk all the time, and one that leaves meanwhile. */
START_TEST(a_half_closed_client_receives_all_that_precedes_its_end)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *crowd[5], *leaver;

    client_join_room(daemon_address(daemon, 0), crowd, 5);
    leaver = crowd[4];
    for (size_t at = 1; at <= 3; at++)
        crowd_queue(crowd[at], 0, 2000);
    crowd_run_until_messages(crowd, 5, crowd[0], 500);
    client_queue_text(leaver, "a whole line\nlast words");
    while (client_unsent(leaver) > 0)
        ck_assert(client_turn(crowd, 5, bounded_deadline(BOUND_MS)));
    client_half_close(leaver);
    crowd_run_until_end(crowd, 5, leaver);
    ck_assert_int_eq(leaver->error, 0);
    crowd_run_until_messages(crowd, 5, crowd[0], 6002);
    ck_assert(crowd_got(crowd[0], "[guest5] a whole line"));
    ck_assert(crowd_got(crowd[0], "[guest5] last words"));
    ck_assert_uint_gt(crowd_messages(leaver), 0);
    crowd_expect_whole(leaver, crowd[0], "* guest5 left");
    close_all(crowd, 5);
    daemon_stop(daemon);
}
END_TEST

enum way { QUIT, QUIT_AND_GO_ON, HALF_CLOSE, WAYS };

static void leave(struct client *leaver, enum way way)
{
    if (way == HALF_CLOSE)
        client_half_close(leaver);
    else
        client_send(leaver, "/quit\n");
}

/* Reads to the end. If it goes on talking, there is unread input whenever the server closes its
 * socket. */
static void read_on(struct client *const *crowd, struct client *leaver, enum way way)
{
    int64_t deadline = bounded_deadline(BOUND_MS);

    leaver->reads = true;
    while (!leaver->ended) {
        if (way == QUIT_AND_GO_ON && !leaver->unheard && client_unsent(leaver) == 0)
            client_queue_text(leaver, "noise that nobody wants\n");
        ck_assert_msg(client_turn(crowd, 3, deadline), "the connection does not end");
    }
}

/* A client that has read nothing leaves, and reads only then. In one of the ways it goes on
 * talking, so that there is unread input whenever its socket is closed. */
START_TEST(a_client_that_leaves_receives_its_backlog)
{
    static const char *const told[WAYS] = {
        "* guest3 left (quit)", "* guest3 left (quit)", "* guest3 left"};
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[3], *leaver;

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    leaver = crowd[2];
    leaver->reads = false;
    crowd_queue(crowd[1], 0, CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 2, crowd[0], CROWD_BACKLOG);
    leave(leaver, (enum way)_i);
    crowd_run_until_line(crowd, 3, crowd[0], told[_i]);
    read_on(crowd, leaver, (enum way)_i);
    ck_assert_int_eq(leaver->error, 0);
    ck_assert_uint_eq(crowd_messages(leaver), CROWD_BACKLOG);
    crowd_expect_whole(leaver, crowd[0], told[_i]);
    client_close(leaver);
    daemon_wait_workers(daemon, 2);
    daemon_wait_log(daemon, "event=leave", "name=guest3", "drain=done", "first_missing=none", NULL);
    client_expect_later(crowd[0], "%s", told[_i]);
    client_expect_silence(crowd[1], crowd, 1);
    close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_half_close_ends_the_last_line)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *crowd[2];

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    client_send(crowd[1], "one\nlast");
    client_close(crowd[1]);
    client_expect(crowd[0], "[guest2] one");
    client_expect(crowd[0], "[guest2] last");
    client_expect(crowd[0], "* guest2 left");
    daemon_wait_workers(daemon, 1);
    client_close(crowd[0]);
    daemon_stop(daemon);
}
END_TEST

START_TEST(a_reset_is_reported_as_a_lost_connection)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=2"));
    struct client *crowd[2];

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    client_send(crowd[1], "in the middle of a");
    client_reset(crowd[1]);
    client_expect(crowd[0], "* guest2 left (connection lost)");
    daemon_wait_log(daemon, "event=leave", "name=guest2", "reason=connection-lost", NULL);
    daemon_wait_workers(daemon, 1);
    crowd[1] = client_join(daemon_address(daemon, 0));
    client_expect(crowd[0], "* guest2 joined");
    client_expect_silence(crowd[1], crowd, 1);
    close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* A client that leaves and never reads is dropped after drain-timeout; the log says what it
 * missed. */
START_TEST(a_client_that_does_not_read_ends_after_drain_timeout)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=400 ms"));
    struct client *crowd[3];
    const char *line;
    int64_t before;

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    crowd[2] = client_join_small(daemon_address(daemon, 0), SMALL_BUFFER);
    client_expect(crowd[0], "* guest3 joined");
    crowd[2]->reads = false;
    crowd_queue(crowd[1], 0, CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 2, crowd[0], CROWD_BACKLOG);
    before = bounded_now();
    client_half_close(crowd[2]);
    crowd_run_until_line(crowd, 3, crowd[0], "* guest3 left");
    daemon_wait_workers(daemon, 2);
    ck_assert_msg(bounded_now() - before >= 400, "it was given up after %d ms already",
        (int)(bounded_now() - before));
    line = daemon_wait_log(
        daemon, "event=leave", "name=guest3", "reason=closed", "drain=timeout", NULL);
    ck_assert_uint_gt(log_line_number(line, "first_missing"), 0);
    client_read_to_end(crowd[2]);
    ck_assert_uint_lt(crowd_expect_prefix(crowd[2], crowd[0]), CROWD_BACKLOG);
    close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* What else can cut a drain short, and the word for it in the log. */
enum cut { CUT_BY_RESET, CUT_BY_CRASH, CUT_BY_HANGING, CUT_BY_STALLING, CUTS };

static const struct {
    const char *drain_timeout;
    const char *word;
} cuts[CUTS] = {
    [CUT_BY_RESET] = {"drain-timeout=1 h", "drain=connection-lost"},
    [CUT_BY_CRASH] = {"drain-timeout=1 h", "drain=worker-crash"},
    [CUT_BY_HANGING] = {"drain-timeout=1 s", "drain=killed"},
    [CUT_BY_STALLING] = {"drain-timeout=1 h", "drain=stalled"},
};

static void cut_short(struct client *const *crowd, pid_t worker, enum cut cut)
{
    switch (cut) {
    case CUT_BY_RESET:
        client_reset(crowd[2]);
        break;
    case CUT_BY_CRASH:
        ck_assert_int_eq(kill(worker, SIGKILL), 0);
        break;
    case CUT_BY_HANGING:
        ck_assert_int_eq(kill(worker, SIGSTOP), 0);
        break;
    default:
        crowd_queue(crowd[1], CROWD_BACKLOG, 2 * CROWD_BACKLOG);
        crowd_run_until_messages(crowd, 2, crowd[0], 3 * CROWD_BACKLOG);
    }
}

START_TEST(the_log_says_why_a_drain_was_cut_short)
{
    struct daemon *daemon = daemon_start(OPTIONS(
        "-o", cuts[_i].drain_timeout, "-o", "ring-size=10 MiB", "-o", "stall-grace=300 ms"));
    struct client *crowd[3];
    const char *line;
    pid_t worker;

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    crowd[2] = client_join_small(daemon_address(daemon, 0), SMALL_BUFFER);
    client_expect(crowd[0], "* guest3 joined");
    worker = daemon_worker_of(daemon, "guest3");
    crowd[2]->reads = false;
    crowd_queue(crowd[1], 0, CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 2, crowd[0], CROWD_BACKLOG);
    client_half_close(crowd[2]);
    crowd_run_until_line(crowd, 2, crowd[0], "* guest3 left");
    cut_short(crowd, worker, (enum cut)_i);
    line =
        daemon_wait_log(daemon, "event=leave", "name=guest3", "reason=closed", cuts[_i].word, NULL);
    ck_assert_uint_gt(log_line_number(line, "first_missing"), 0);
    close_all(crowd, _i == CUT_BY_RESET ? 2 : 3);
    daemon_stop(daemon);
}
END_TEST

/* While one client does not read and the ring is full, senders wait and no client is dropped.
 * When it reads, the others continue and nothing is lost. */
START_TEST(senders_wait_for_a_slow_client)
{
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "ring-size=512 KiB", "-o", "stall-grace=1 h"));
    struct client *crowd[3];

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    crowd[2]->reads = false;
    crowd_queue(crowd[1], 0, 2 * CROWD_BACKLOG);
    while (client_turn(crowd, 3, bounded_deadline(300)))
        ck_assert_uint_lt(crowd_messages(crowd[0]), 2 * CROWD_BACKLOG);
    ck_assert_uint_gt(client_unsent(crowd[1]), 0);
    crowd[2]->reads = true;
    crowd_run_until_messages(crowd, 3, crowd[0], 2 * CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 3, crowd[2], 2 * CROWD_BACKLOG);
    crowd_expect_whole(crowd[2], crowd[0], NULL);
    close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* A worker that sleeps is notified of others' messages in several steps, between its own. What
 * the first notification announced must be kept during the next one; otherwise the ring is
 * overwritten while the worker reads it. */
START_TEST(a_worker_that_sleeps_is_notified_twice)
{
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "ring-size=512 KiB", "-o", "stall-grace=1 h"));
    struct client *crowd[3];
    size_t said = 500;
    pid_t sleeper;

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    sleeper = daemon_worker_of(daemon, crowd[2]->name);
    crowd_queue(crowd[2], 0, (unsigned)said);
    for (size_t at = 0; at < 2; at++)
        crowd_run_until_messages(crowd, 3, crowd[at], said);
    ck_assert_int_eq(kill(sleeper, SIGSTOP), 0);
    for (unsigned step = 0; step < 5; step++) {
        crowd_queue(crowd[1], 100 * step, step == 0 ? 1 : 30);
        said += step == 0 ? 1 : 30;
        crowd_run_until_messages(crowd, 3, crowd[0], said);
    }
    ck_assert_int_eq(kill(sleeper, SIGCONT), 0);
    crowd_run_until_messages(crowd, 3, crowd[2], said - 500);
    crowd_expect_whole(crowd[2], crowd[0], NULL);
    close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* A client that does not read at all is evicted after stall-grace, and the others receive
 * everything. */
START_TEST(a_client_that_does_not_read_is_evicted)
{
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "ring-size=512 KiB", "-o", "stall-grace=300 ms"));
    struct client *crowd[3];
    const char *line;

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    crowd[2]->reads = false;
    crowd_queue(crowd[1], 0, 2 * CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 3, crowd[0], 2 * CROWD_BACKLOG);
    ck_assert(crowd_got(crowd[0], "* guest3 left (too slow)"));
    ck_assert(crowd_got(crowd[1], "* guest3 left (too slow)"));
    daemon_wait_log(daemon, "event=evict", "name=guest3", NULL);
    line = daemon_wait_log(daemon, "event=leave", "name=guest3", "reason=stalled", NULL);
    ck_assert_uint_gt(log_line_number(line, "first_missing"), 0);
    daemon_wait_workers(daemon, 2);
    client_read_to_end(crowd[2]);
    crowd_expect_prefix(crowd[2], crowd[0]);
    close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

static Suite *ends_suite(void)
{
    Suite *suite = suite_create("system: ends");
    TCase *ends = tcase_create("ends");

    tcase_set_timeout(ends, BOUND_CASE_SECONDS);
    tcase_add_test(ends, a_half_closed_client_receives_all_that_precedes_its_end);
    tcase_add_loop_test(ends, a_client_that_leaves_receives_its_backlog, 0, WAYS);
    tcase_add_test(ends, a_half_close_ends_the_last_line);
    tcase_add_test(ends, a_reset_is_reported_as_a_lost_connection);
    tcase_add_test(ends, a_client_that_does_not_read_ends_after_drain_timeout);
    tcase_add_loop_test(ends, the_log_says_why_a_drain_was_cut_short, 0, CUTS);
    tcase_add_test(ends, senders_wait_for_a_slow_client);
    tcase_add_test(ends, a_worker_that_sleeps_is_notified_twice);
    tcase_add_test(ends, a_client_that_does_not_read_is_evicted);
    suite_add_tcase(suite, ends);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(ends_suite)
