/* SPDX-License-Identifier: ISC */
/*
 * System test: signals. A stop loses no message that any client has received, and other signals do
 * no harm.
 */
#include "config.h"

#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/transcript.h"
#include "tests/system/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define STOPPED      "* The server is shutting down"
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static void close_all(struct client *const *crowd, size_t count)
{
    for (size_t at = 0; at < count; at++)
        client_close(crowd[at]);
}

/* When the stop comes, the witness has read everything and the third client nothing. */
static void make_pending(struct daemon *daemon, struct client **crowd)
{
    client_join_room(daemon_address(daemon, 0), crowd, 3);
    crowd[2]->reads = false;
    crowd_queue(crowd[1], 0, CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 2, crowd[0], CROWD_BACKLOG);
}

/* Every client is told, receives everything, and reads EOF. */
static void expect_orderly_end(struct client *const *crowd, const char *told)
{
    crowd_run_until_line(crowd, 3, crowd[0], told);
    crowd[2]->reads = true;
    for (size_t at = 0; at < 3; at++) {
        crowd_run_until_end(crowd, 3, crowd[at]);
        ck_assert_int_eq(crowd[at]->error, 0);
        ck_assert_msg(crowd_got(crowd[at], told), "%s is not told", crowd[at]->name);
        crowd_expect_whole(crowd[at], crowd[0], NULL);
    }
    ck_assert_uint_eq(crowd_messages(crowd[2]), CROWD_BACKLOG);
}

START_TEST(a_stop_delivers_pending_output)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[3];

    make_pending(daemon, crowd);
    daemon_signal(daemon, SIGTERM);
    expect_orderly_end(crowd, STOPPED);
    close_all(crowd, 3);
    daemon_wait_log(daemon, "event=stop ", NULL);
    daemon_wait_log(daemon, "event=stopped", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
}
END_TEST

/* Ctrl-C goes to the whole foreground group of the terminal: supervisor, forker and workers. */
START_TEST(ctrl_c_on_a_terminal_stops_in_order)
{
    struct daemon *daemon = daemon_start_on_terminal(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[3];

    if (daemon == NULL)
        return;
    make_pending(daemon, crowd);
    daemon_type(daemon, "\x03");
    expect_orderly_end(crowd, STOPPED);
    close_all(crowd, 3);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
}
END_TEST

/* All clients talk and read when the stop comes: each message that one of them received, all
 * others received too. */
START_TEST(a_stop_while_clients_talk_loses_nothing)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[6];

    client_join_room(daemon_address(daemon, 0), crowd, 6);
    for (size_t at = 1; at < 5; at++)
        crowd_queue(crowd[at], 0, 20000);
    crowd_run_until_messages(crowd, 6, crowd[0], 2000);
    daemon_signal(daemon, SIGTERM);
    for (size_t at = 0; at < 6; at++)
        crowd_run_until_end(crowd, 6, crowd[at]);
    for (size_t at = 0; at < 6; at++) {
        ck_assert_int_eq(crowd[at]->error, 0);
        ck_assert(crowd_got(crowd[at], STOPPED));
        crowd_expect_whole(crowd[at], crowd[0], NULL);
    }
    ck_assert_uint_lt(crowd_messages(crowd[0]), 80000);
    close_all(crowd, 6);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
}
END_TEST

/* A client that never reads delays the stop by drain-timeout and no longer. */
START_TEST(a_stop_ends_after_drain_timeout)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=400 ms"));
    struct client *crowd[3];

    make_pending(daemon, crowd);
    daemon_signal(daemon, SIGTERM);
    daemon_wait_log(daemon, "event=leave", "name=guest3", "reason=stop", "drain=timeout", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
    client_read_to_end(crowd[2]);
    ck_assert_uint_lt(crowd_expect_prefix(crowd[2], crowd[0]), CROWD_BACKLOG);
    close_all(crowd, 3);
}
END_TEST

/* A client that waits for a worker which no forker creates delays it no longer either. */
START_TEST(a_stop_without_a_forker_ends_after_drain_timeout)
{
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "drain-timeout=400 ms", "-o", "spare-workers=0"));
    struct client *crowd[2], *newcomer;

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    ck_assert_int_eq(kill(daemon_forker(daemon), SIGSTOP), 0);
    newcomer = client_open(daemon_address(daemon, 0), 0);
    client_expect_silence(crowd[0], &crowd[1], 1); /* it is accepted */
    daemon_signal(daemon, SIGTERM);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
    client_read_to_end(newcomer);
    client_close(newcomer);
    close_all(crowd, 2);
}
END_TEST

/* GNU timeout signals its child and then the whole group, and so do some supervisors. */
START_TEST(a_signal_repeated_at_once_counts_once)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[3];
    int number = _i == 0 ? SIGTERM : SIGINT;

    make_pending(daemon, crowd);
    daemon_signal(daemon, number);
    daemon_wait_log(daemon, "event=stop ", NULL);
    daemon_signal(daemon, number);
    expect_orderly_end(crowd, STOPPED);
    close_all(crowd, 3);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
}
END_TEST

/* Waits until a second stop signal does not count as a repetition of the first any more. */
static void wait_out_repetition(void)
{
    int64_t over = bounded_deadline(1000);

    while (bounded_turn(over))
        continue;
}

START_TEST(a_second_stop_signal_ends_the_server_at_once)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[3];
    pid_t workers[3];

    make_pending(daemon, crowd);
    ck_assert_uint_eq(daemon_workers(daemon, workers, 4), 3);
    daemon_signal(daemon, SIGTERM);
    crowd_run_until_line(crowd, 2, crowd[0], STOPPED);
    ck_assert_msg(
        !process_gone(workers[2]) || !process_gone(workers[1]) || !process_gone(workers[0]),
        "nothing was left to wait for");
    if (_i == 0)
        wait_out_repetition();
    daemon_signal(daemon, _i == 0 ? SIGTERM : SIGINT);
    daemon_wait_log(daemon, "event=stopped", "orderly=no", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
    ck_assert(process_all_gone(workers, 3, bounded_deadline(1000)));
    close_all(crowd, 3);
}
END_TEST

/* Both forkers are gone, so the server stops by itself. A stop signal after that is the first
 * one. */
START_TEST(a_first_signal_during_a_stop_ends_nothing)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=1 h"));
    pid_t forkers[2] = {daemon_forker(daemon), daemon_standby(daemon)};
    struct client *crowd[3];

    make_pending(daemon, crowd);
    /* The supervisor must not replace one while the other is there. */
    daemon_signal(daemon, SIGSTOP);
    ck_assert_int_eq(kill(forkers[0], SIGKILL) | kill(forkers[1], SIGKILL), 0);
    daemon_signal(daemon, SIGCONT);
    daemon_wait_log(daemon, "event=stop ", "cause=fault", NULL);
    daemon_signal(daemon, SIGTERM);
    expect_orderly_end(crowd, STOPPED);
    close_all(crowd, 3);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
}
END_TEST

/* SIGQUIT stops at once, whether it comes alone or, by Ctrl-\ on a terminal, to the whole group. */
START_TEST(sigquit_ends_the_server_at_once)
{
    struct daemon *daemon = _i == 0 ? daemon_start(OPTIONS("-o", "drain-timeout=1 h"))
                                    : daemon_start_on_terminal(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[3];
    pid_t children[16];
    size_t count;

    if (daemon == NULL)
        return;
    make_pending(daemon, crowd);
    count = process_children(daemon_pid(daemon), children, 16);
    if (_i == 0)
        daemon_signal(daemon, SIGQUIT);
    else
        daemon_type(daemon, "\x1c");
    daemon_wait_log(daemon, "event=stopped", "orderly=no", "cause=SIGQUIT", NULL);
    ck_assert(!daemon_has_log(daemon, "crash", NULL));
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
    ck_assert(process_all_gone(children, count, bounded_deadline(1000)));
    close_all(crowd, 3);
}
END_TEST

START_TEST(no_client_joins_after_the_stop)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "drain-timeout=1 h"));
    struct client *crowd[3], *late;
    char address[100];
    int descriptor;

    make_pending(daemon, crowd);
    snprintf(address, sizeof(address), "%s", daemon_address(daemon, 0));
    daemon_signal(daemon, SIGTERM);
    crowd_run_until_line(crowd, 2, crowd[0], STOPPED);
    descriptor = address_connect(address, 0);
    if (descriptor >= 0) {
        late = client_adopt(descriptor, descriptor, "(too late)");
        client_read_to_end(late);
        ck_assert(late->in.length == 0 || late->in.data[0] == '!');
        client_close(late);
    }
    expect_orderly_end(crowd, STOPPED);
    close_all(crowd, 3);
    daemon_expect_exit(daemon, DAEMON_EXIT_STOPPED);
}
END_TEST

static const int harmless[] = {
    SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR};

/* Supervisor, forker and worker survive these signals. */
START_TEST(other_signals_do_not_end_the_server)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *crowd[3];

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    daemon_signal(daemon, harmless[_i]);
    ck_assert_int_eq(kill(daemon_forker(daemon), harmless[_i]), 0);
    ck_assert_int_eq(kill(daemon_worker_of(daemon, "guest1"), harmless[_i]), 0);
    client_expect_silence(crowd[0], &crowd[1], 1);
    client_expect_silence(crowd[1], &crowd[0], 1);
    crowd[2] = client_join(daemon_address(daemon, 0));
    ck_assert_str_eq(crowd[2]->name, "guest3");
    close_all(crowd, 3);
    daemon_stop(daemon);
}
END_TEST

/* The server does not inherit the parent's signal mask and ignored signals. */
START_TEST(signals_blocked_or_ignored_by_the_parent_are_restored)
{
    struct daemon *daemon;
    struct client *crowd[2];
    sigset_t all, before;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    signal(SIGCHLD, SIG_IGN);
    daemon = daemon_start(NULL);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    client_join_room(daemon_address(daemon, 0), crowd, 2);
    ck_assert_int_eq(kill(daemon_worker_of(daemon, "guest2"), SIGKILL), 0);
    daemon_wait_log(daemon, "event=worker-crash", "name=guest2", "signal=9", NULL);
    close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* This holds before the event loop runs, too. Signals without a meaning are logged once it runs. */
START_TEST(other_signals_at_the_start_do_not_end_the_server)
{
    struct daemon *daemon = daemon_launch(NULL);

    daemon_wait_log(daemon, "event=start ", NULL);
    daemon_signal(daemon, harmless[_i]);
    daemon_wait_log(daemon, "event=ready", NULL);
    daemon_signal(daemon, harmless[_i]);
    if (harmless[_i] != SIGHUP && harmless[_i] != SIGUSR1 && harmless[_i] != SIGPIPE) {
        char number[16];

        snprintf(number, sizeof number, "signal=%d ", harmless[_i]);
        daemon_wait_log(daemon, "event=signal", number, "action=ignored", NULL);
    }
    daemon_stop(daemon);
}
END_TEST

/* A signal to the whole process group must not disconnect a client. */
START_TEST(workers_ignore_the_signals_of_the_group)
{
    static const int group[] = {
        SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE};
    struct daemon *daemon = daemon_start(NULL);
    struct client *crowd[2];
    pid_t worker;

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    worker = daemon_worker_of(daemon, "guest2");
    for (size_t at = 0; at < sizeof(group) / sizeof(group[0]); at++) {
        ck_assert_int_eq(kill(worker, group[at]), 0);
        client_expect_silence(crowd[0], &crowd[1], 1);
        client_expect_silence(crowd[1], &crowd[0], 1);
    }
    ck_assert_int_eq(daemon_worker_of(daemon, "guest2"), worker);
    close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

START_TEST(sigusr1_logs_counters)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *crowd[2];

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    for (int times = 0; times < 2; times++) {
        daemon_mark(daemon);
        daemon_signal(daemon, SIGUSR1);
        daemon_wait_log(daemon, "event=counters", NULL);
    }
    close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* A server that no client has joined, and one whose clients have all left. */
START_TEST(an_empty_server_stops)
{
    struct daemon *daemon = daemon_start(NULL);

    if (_i == 1) {
        client_close(client_join(daemon_address(daemon, 0)));
        daemon_wait_workers(daemon, 0);
    }
    daemon_stop(daemon);
}
END_TEST

static Suite *stop_suite(void)
{
    Suite *suite = suite_create("system: stop");
    TCase *stop = tcase_create("stop");

    tcase_set_timeout(stop, BOUND_CASE_SECONDS);
    tcase_add_test(stop, a_stop_delivers_pending_output);
    tcase_add_test(stop, ctrl_c_on_a_terminal_stops_in_order);
    tcase_add_test(stop, a_stop_while_clients_talk_loses_nothing);
    tcase_add_test(stop, a_stop_ends_after_drain_timeout);
    tcase_add_test(stop, a_stop_without_a_forker_ends_after_drain_timeout);
    tcase_add_loop_test(stop, a_signal_repeated_at_once_counts_once, 0, 2);
    tcase_add_loop_test(stop, a_second_stop_signal_ends_the_server_at_once, 0, 2);
    tcase_add_test(stop, a_first_signal_during_a_stop_ends_nothing);
    tcase_add_loop_test(stop, sigquit_ends_the_server_at_once, 0, 2);
    tcase_add_test(stop, no_client_joins_after_the_stop);
    tcase_add_loop_test(stop, other_signals_do_not_end_the_server, 0, COUNT(harmless));
    tcase_add_loop_test(stop, other_signals_at_the_start_do_not_end_the_server, 0, COUNT(harmless));
    tcase_add_test(stop, signals_blocked_or_ignored_by_the_parent_are_restored);
    tcase_add_test(stop, workers_ignore_the_signals_of_the_group);
    tcase_add_test(stop, sigusr1_logs_counters);
    tcase_add_loop_test(stop, an_empty_server_stops, 0, 2);
    suite_add_tcase(suite, stop);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(stop_suite)
