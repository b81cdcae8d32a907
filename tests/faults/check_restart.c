/* SPDX-License-Identifier: ISC */
/*
 * Fault test: the supervisor is killed a hundred times and started again on the same address. Each
 * time its children are gone within a second, nothing is left in /dev/shm or the process table, and
 * the next start serves.
 */
#include "config.h"

#include "tests/checker/random.h"
#include "tests/faults/faults.h"
#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CROWD      6
#define FAMILY_MAX 64
/* How long the children may take to follow the supervisor. */
#define FOLLOW_MS (fault_sanitizers() ? 5000 : 1000)

/* Looks for shared memory with a name that this process has made: there must be none, or, if
 * `name_allowed`, an empty one. Returns whether there was one, and removes it. */
static bool leaves_name(pid_t process, bool name_allowed)
{
    char start[64], path[400];
    struct dirent *entry;
    struct stat left;
    bool found = false;
    DIR *folder = opendir("/dev/shm");

    ck_assert_ptr_nonnull(folder);
    snprintf(start, sizeof(start), "chatroomd.%d.", (int)process);
    while (!found && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, start, strlen(start)) != 0)
            continue;
        found = true;
        snprintf(path, sizeof(path), "/dev/shm/%s", entry->d_name);
        ck_assert_int_eq(stat(path, &left), 0);
        unlink(path);
        ck_assert_msg(name_allowed, "%s is left", path);
        ck_assert_msg(left.st_size == 0 && left.st_blocks == 0, "%s is left with %lld bytes", path,
            (long long)left.st_size);
    }
    closedir(folder);
    return found;
}

/* A process that does nothing. The time until it is gone after a kill is the time for which this
 * machine lets killed processes wait. */
static pid_t start_control(void)
{
    pid_t control;

    fflush(NULL);
    control = fork();
    ck_assert_int_ge(control, 0);
    while (control == 0)
        pause();
    return control;
}

/* Kills the supervisor and checks that nothing is left of it. Returns the time from the kill
 * until the last of its children was gone. */
static int64_t kill_and_look(struct daemon *daemon, size_t family)
{
    pid_t members[FAMILY_MAX], supervisor = daemon_pid(daemon), control = start_control();
    size_t count = process_children(supervisor, members, FAMILY_MAX);
    int64_t start = bounded_now(), took, control_took;

    ck_assert_uint_ge(count, family); /* and couriers, and spare workers */
    daemon_signal(daemon, SIGKILL);
    ck_assert_int_eq(kill(control, SIGKILL), 0);
    ck_assert(process_all_gone(&control, 1, bounded_deadline(BOUND_MS)));
    control_took = bounded_now() - start;
    ck_assert(process_all_gone(members, count, bounded_deadline(BOUND_MS)));
    took = bounded_now() - start;
    waitpid(control, NULL, 0);
    ck_assert_msg(took <= FOLLOW_MS + control_took,
        "the workers followed the supervisor after %lld ms, and another killed process was gone "
        "after %lld",
        (long long)took, (long long)control_took);
    leaves_name(supervisor, false);
    return took;
}

/* Fills the room, and lets some clients talk for a random time. */
static void talk_for_a_while(
    struct daemon *daemon, struct client **crowd, struct random *random, int round)
{
    fault_join_many(daemon_address(daemon, 0), crowd, CROWD, 0);
    crowd[2]->reads = round % 2 == 0;
    crowd_queue(crowd[1], 0, 300);
    crowd_queue(crowd[3], 0, 300);
    for (unsigned turns = random_below(random, 40); turns > 0; turns--)
        client_turn(crowd, CROWD, bounded_deadline(1));
}

/* Every fourth server has a jail, which takes time to test at the start. */
static const char *const *with_jail(int round, const char *address)
{
    static const char *options[7];
    const char *no_jail = fault_no_jail();
    size_t count = 0;

    options[count++] = "-l";
    options[count++] = address;
    options[count++] = "-o";
    options[count++] = "max-clients=12";
    if (round % 4 != 3 && no_jail[0] != '\0') {
        options[count++] = "-o";
        options[count++] = no_jail;
    }
    options[count] = NULL;
    return options;
}

static void restart_on(const char *first, int rounds)
{
    struct random random = {.state = 4242};
    struct client *crowd[CROWD];
    struct daemon *daemon;
    int64_t longest = 0;
    char address[200];

    snprintf(address, sizeof(address), "%s", first);
    for (int round = 0; round < rounds; round++) {
        int64_t took;

        daemon = daemon_start(with_jail(round, address));
        snprintf(address, sizeof(address), "%s", daemon_address(daemon, 0));
        talk_for_a_while(daemon, crowd, &random, round);
        took = kill_and_look(daemon, CROWD + 1);
        longest = took > longest ? took : longest;
        for (size_t at = 0; at < CROWD; at++)
            client_read_to_end(crowd[at]);
        fault_close_all(crowd, CROWD);
        daemon_release(daemon);
    }
    daemon = daemon_start(OPTIONS("-l", address));
    client_join_room(address, crowd, 2);
    client_expect_silence(crowd[0], &crowd[1], 1);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
    printf("killed the supervisor %d times on %.5s...: all gone after %lld ms at most\n", rounds,
        address, (long long)longest);
}

START_TEST(a_killed_server_starts_again_on_tcp)
{
    char address[80];

    snprintf(address, sizeof(address), "%s:0", address_own_loopback());
    restart_on(address, fault_times(70, 1000));
}
END_TEST

START_TEST(a_killed_server_starts_again_on_a_unix_socket)
{
    char address[160];

    folder_name(address, sizeof(address), "unix:", "socket");
    restart_on(address, fault_times(30, 300));
}
END_TEST

/* Returns how long a start takes here, in microseconds. */
static unsigned start_time(const char *address)
{
    int64_t start = bounded_now();
    struct daemon *daemon = daemon_start(with_jail(3, address));
    int64_t took = bounded_now() - start;

    daemon_stop(daemon);
    return (unsigned)(took + 1) * 1000;
}

/* The server is killed at a random moment of its start. The pause does not wait for anything:
 * the moments in question are between the events that could be waited for. Between two system
 * calls the shared memory has a name and is empty; that may be left. */
START_TEST(a_server_killed_while_it_starts_leaves_nothing)
{
    struct random random = {.state = 99};
    int rounds = fault_times(100, 3000), unready = 0, names = 0;
    struct daemon *daemon;
    char address[160];
    unsigned span;

    folder_name(address, sizeof(address), "unix:", "socket");
    span = start_time(address);
    for (int round = 0; round < rounds; round++) {
        struct timespec moment = {.tv_nsec = (long)random_below(&random, span) % 1000000 * 1000};
        pid_t supervisor;

        daemon = daemon_launch(with_jail(round, address));
        supervisor = daemon_pid(daemon);
        nanosleep(&moment, NULL);
        unready += !daemon_has_log(daemon, "event=ready", NULL);
        daemon_kill(daemon);
        names += leaves_name(supervisor, true);
        daemon_release(daemon);
    }
    daemon = daemon_start(OPTIONS("-l", address));
    client_close(client_join(address));
    daemon_stop(daemon);
    printf("killed the supervisor %d times at its start, %d times before it was ready; %d empty "
           "names were left\n",
        rounds, unready, names);
}
END_TEST

/* The second server on an address refuses to start, and the first is not affected. */
START_TEST(one_of_two_servers_on_an_address_starts)
{
    struct daemon *first, *second;
    struct client *crowd[2];
    char address[160];

    if (_i == 0)
        snprintf(address, sizeof(address), "127.0.0.1:0");
    else
        folder_name(address, sizeof(address), "unix:", "socket");
    first = daemon_start(OPTIONS("-l", address));
    snprintf(address, sizeof(address), "%s", daemon_address(first, 0));
    client_join_room(address, crowd, 2);
    for (int times = 0; times < 20; times++) {
        second = daemon_launch(OPTIONS("-l", address));
        daemon_wait_log(second, address, "another server", NULL);
        daemon_expect_exit(second, DAEMON_EXIT_FAILED);
        client_expect_silence(crowd[0], &crowd[1], 1);
    }
    printf("20 second servers on %.5s... refused\n", address);
    fault_close_all(crowd, 2);
    daemon_stop(first);
}
END_TEST

static Suite *restart_suite(void)
{
    Suite *suite = suite_create("faults: restart");
    TCase *restart = tcase_create("restart");

    tcase_set_timeout(restart, FAULT_CASE_SECONDS);
    tcase_add_test(restart, a_killed_server_starts_again_on_tcp);
    tcase_add_test(restart, a_killed_server_starts_again_on_a_unix_socket);
    tcase_add_test(restart, a_server_killed_while_it_starts_leaves_nothing);
    tcase_add_loop_test(restart, one_of_two_servers_on_an_address_starts, 0, 2);
    suite_add_tcase(suite, restart);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(restart_suite)
