/* SPDX-License-Identifier: ISC */
/*
 * System test: processes that die suddenly. A worker takes only its own client with it. The
 * supervisor takes all workers with it and leaves nothing behind, and the next start works.
 */
#include "config.h"

#include "tests/system/address.h"
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
#include <string.h>
#include <unistd.h>

#define FAMILY_MAX 64
/* How long the children may take to follow the supervisor; a process with sanitizers takes long
 * to give back its memory. */
#ifdef CHATROOMD_SANITIZERS
#define FOLLOW_MS 5000
#else
#define FOLLOW_MS 1000
#endif

static void close_all(struct client *const *crowd, size_t count)
{
    for (size_t at = 0; at < count; at++)
        client_close(crowd[at]);
}

static const int deaths[] = {SIGKILL, SIGABRT};

/* If couriers deliver, the dead worker's client still receives a last line. */
START_TEST(a_dead_worker_takes_only_its_client_along)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=3"));
    struct client *crowd[3], *next;
    char died_of[32];

    client_join_room(daemon_address(daemon, 0), crowd, 3);
    ck_assert_int_eq(kill(daemon_worker_of(daemon, "guest2"), deaths[_i]), 0);
    if (!mode_is_workers())
        client_expect(crowd[1],
            "! You are disconnected: internal error (the process for this connection crashed)");
    client_expect_end(crowd[1]);
    client_expect(crowd[0], "* guest2 left (connection lost)");
    client_expect(crowd[2], "* guest2 left (connection lost)");
    snprintf(died_of, sizeof(died_of), "signal=%d", deaths[_i]);
    daemon_wait_log(daemon, "event=worker-crash", "name=guest2", died_of, NULL);
    daemon_wait_log(daemon, "event=leave", "name=guest2", "reason=worker-crash", NULL);
    daemon_wait_workers(daemon, 2);
    next = client_join(daemon_address(daemon, 0));
    ck_assert_str_eq(next->name, "guest2");
    client_expect(crowd[0], "* guest2 joined");
    client_expect(crowd[2], "* guest2 joined");
    client_expect_silence(next, crowd, 1);
    client_expect_silence(crowd[0], &next, 1);
    close_all(crowd, 3);
    client_close(next);
    daemon_stop(daemon);
}
END_TEST

/* Messages that were accepted before the worker died reach all clients in one order. */
START_TEST(a_worker_that_dies_while_its_client_talks)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *crowd[4];

    client_join_room(daemon_address(daemon, 0), crowd, 4);
    crowd_queue(crowd[2], 0, 4000);
    crowd_queue(crowd[3], 0, 4000);
    crowd_run_until_messages(crowd, 4, crowd[0], 1000);
    ck_assert_int_eq(kill(daemon_worker_of(daemon, "guest4"), SIGKILL), 0);
    crowd_run_until_line(crowd, 4, crowd[0], "* guest4 left (connection lost)");
    crowd_queue(crowd[2], 4000, 1);
    crowd_run_until_end(crowd, 4, crowd[3]);
    while (client_unsent(crowd[2]) > 0)
        ck_assert(client_turn(crowd, 3, bounded_deadline(BOUND_MS)));
    client_half_close(crowd[2]);
    for (size_t at = 0; at < 2; at++)
        crowd_run_until_line(crowd, 3, crowd[at], "* guest3 left");
    crowd_expect_whole(crowd[1], crowd[0], NULL);
    crowd_expect_whole(crowd[2], crowd[0], "* guest3 left");
    crowd_expect_prefix(crowd[3], crowd[0]);
    close_all(crowd, 4);
    daemon_stop(daemon);
}
END_TEST

START_TEST(all_workers_may_die_at_once)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=20"));
    struct client *crowd[20];
    pid_t workers[20];

    client_join_room(daemon_address(daemon, 0), crowd, 20);
    ck_assert_uint_eq(daemon_workers(daemon, workers, 21), 20);
    for (size_t at = 0; at < 20; at++)
        ck_assert_int_eq(kill(workers[at], SIGKILL), 0);
    for (size_t at = 0; at < 20; at++)
        client_read_to_end(crowd[at]);
    daemon_wait_workers(daemon, 0);
    close_all(crowd, 20);
    client_join_room(daemon_address(daemon, 0), crowd, 20);
    client_expect_silence(crowd[7], &crowd[19], 1);
    close_all(crowd, 20);
    daemon_stop(daemon);
}
END_TEST

/* A region has a name only while it is created. If it had one, the maps of a process still show
 * it, with "(deleted)". */
static void expect_nameless(struct daemon *daemon, char *name, size_t size)
{
    static const char deleted[] = " (deleted)";
    struct process_mapping shared[8];
    size_t length;

    ck_assert_uint_eq(process_shared_mappings(daemon_pid(daemon), shared, 8), 1);
    length = strlen(shared[0].path);
    ck_assert_uint_gt(length, sizeof(deleted));
    ck_assert_str_eq(shared[0].path + length - strlen(deleted), deleted);
    shared[0].path[length - strlen(deleted)] = '\0';
    snprintf(name, size, "%s", shared[0].path);
    ck_assert_msg(access(name, F_OK) != 0, "%s is there", name);
}

/* The supervisor's children of every kind. */
static size_t family(struct daemon *daemon, pid_t *members)
{
    daemon_forker(daemon);
    return process_children(daemon_pid(daemon), members, FAMILY_MAX);
}

/* Kills the supervisor and checks that nothing is left of it. */
static void kill_and_look(struct daemon *daemon, size_t children)
{
    char name[PROCESS_TEXT_MAX];
    pid_t members[FAMILY_MAX];
    size_t count;

    expect_nameless(daemon, name, sizeof(name));
    count = family(daemon, members);
    ck_assert_uint_ge(count, children); /* and couriers, and spare workers */
    daemon_signal(daemon, SIGKILL);
    ck_assert_msg(process_all_gone(members, count, bounded_deadline(FOLLOW_MS)),
        "not all workers followed the supervisor within %d ms", FOLLOW_MS);
    ck_assert_msg(access(name, F_OK) != 0, "%s is left", name);
    daemon_release(daemon);
}

START_TEST(a_dead_supervisor_takes_its_children_along)
{
    struct daemon *daemon;
    struct client *crowd[8];
    char address[80];

    snprintf(address, sizeof(address), "%s:0", address_own_loopback());
    for (int times = 0; times < 5; times++) {
        daemon = daemon_start(OPTIONS("-l", address));
        snprintf(address, sizeof(address), "%s", daemon_address(daemon, 0));
        client_join_room(address, crowd, 8);
        crowd[3]->reads = false;
        crowd_queue(crowd[1], 0, 50);
        crowd_run_until_messages(crowd, 8, crowd[0], 50);
        kill_and_look(daemon, 9);
        for (size_t at = 0; at < 8; at++)
            client_read_to_end(crowd[at]);
        close_all(crowd, 8);
    }
    daemon = daemon_start(OPTIONS("-l", address));
    client_join_room(address, crowd, 2);
    client_expect_silence(crowd[0], &crowd[1], 1);
    close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* Workers that are stopped, or wait for a client that does not read, die as well. */
START_TEST(a_dead_supervisor_takes_busy_workers_along)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *crowd[4];

    client_join_room(daemon_address(daemon, 0), crowd, 4);
    crowd[2]->reads = false;
    crowd_queue(crowd[1], 0, CROWD_BACKLOG);
    crowd_run_until_messages(crowd, 4, crowd[0], CROWD_BACKLOG);
    ck_assert_int_eq(kill(daemon_worker_of(daemon, "guest4"), SIGSTOP), 0);
    kill_and_look(daemon, 5);
    close_all(crowd, 4);
}
END_TEST

START_TEST(a_dead_server_s_unix_socket_is_replaced)
{
    char address[160];
    struct daemon *daemon;
    struct client *client;

    folder_name(address, sizeof(address), "unix:", "socket");
    daemon = daemon_start(OPTIONS("-l", address));
    client = client_join(address);
    kill_and_look(daemon, 2);
    client_read_to_end(client);
    client_close(client);
    ck_assert_int_eq(access(address + 5, F_OK), 0);
    daemon = daemon_start(OPTIONS("-l", address));
    client_close(client_join(address));
    daemon_stop(daemon);
    ck_assert_msg(access(address + 5, F_OK) != 0, "an orderly stop leaves its socket");
}
END_TEST

/* The forker is replaced. Clients in the room do not notice, and new clients can join. */
START_TEST(a_dead_forker_is_replaced)
{
    struct daemon *daemon = daemon_start(NULL);
    int64_t deadline = bounded_deadline(BOUND_MS);
    struct client *crowd[2], *late;
    pid_t forker;

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    forker = daemon_forker(daemon);
    ck_assert_int_eq(kill(forker, SIGKILL), 0);
    ck_assert(process_all_gone(&forker, 1, bounded_deadline(BOUND_MS)));
    client_expect_silence(crowd[0], &crowd[1], 1);
    client_expect_silence(crowd[1], &crowd[0], 1);
    for (;;) {
        late = client_open(daemon_address(daemon, 0), 0);
        if (client_line(late)[0] == '*')
            break;
        ck_assert_str_eq(late->line, "! The server is busy; try again later");
        client_expect_end(late);
        client_close(late);
        ck_assert(bounded_turn(deadline));
    }
    client_expect(crowd[0], "* guest3 joined");
    ck_assert_int_ne(daemon_forker(daemon), forker);
    client_close(late);
    close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

static Suite *crash_suite(void)
{
    Suite *suite = suite_create("system: crash");
    TCase *crash = tcase_create("crash");

    tcase_set_timeout(crash, BOUND_CASE_SECONDS);
    tcase_add_loop_test(crash, a_dead_worker_takes_only_its_client_along, 0, 2);
    tcase_add_test(crash, a_worker_that_dies_while_its_client_talks);
    tcase_add_test(crash, all_workers_may_die_at_once);
    tcase_add_test(crash, a_dead_supervisor_takes_its_children_along);
    tcase_add_test(crash, a_dead_supervisor_takes_busy_workers_along);
    tcase_add_test(crash, a_dead_server_s_unix_socket_is_replaced);
    tcase_add_test(crash, a_dead_forker_is_replaced);
    suite_add_tcase(suite, crash);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(crash_suite)
