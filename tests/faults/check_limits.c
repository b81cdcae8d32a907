/* SPDX-License-Identifier: ISC */
/*
 * Fault test: limits of the machine. No more processes, no more descriptors, too little shared
 * memory: new clients are told, clients in the room do not notice, and the server recovers.
 */
#include "config.h"

#include "tests/faults/faults.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/stream.h"
#include "tests/system/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every new client needs a fork, and no courier is started meanwhile. */
#define FEW_PROCESSES "-o", "spare-workers=0", "-o", "clients-per-courier=200"

#define BUSY    "! The server is busy; try again later"
#define REFUSED 50

/* Connects clients, which must all be told that the server is busy, and read EOF. */
static void expect_busy(struct daemon *daemon, int times)
{
    for (int time = 0; time < times; time++) {
        struct client *late = client_open(daemon_address(daemon, 0), 0);

        client_expect(late, BUSY);
        client_expect_end(late);
        client_close(late);
    }
}

static void expect_unaffected(struct client *const *crowd)
{
    client_expect_silence(crowd[0], &crowd[1], 1);
    client_expect_silence(crowd[1], &crowd[0], 1);
}

/* A client can join again, and no slot, process or descriptor was lost. */
static void expect_recovered(struct daemon *daemon, struct client *const *crowd, size_t had)
{
    struct client *late = client_join(daemon_address(daemon, 0));

    client_expect(crowd[0], "* %s joined", late->name);
    client_expect(crowd[1], "* %s joined", late->name);
    ck_assert_str_eq(late->name, "guest3");
    client_close(late);
    client_expect(crowd[0], "* guest3 left");
    client_expect(crowd[1], "* guest3 left");
    fault_wait_slots(daemon, 2);
    fault_wait_descriptors(daemon_pid(daemon), had);
}

#define CPU_LOOK_MS 1000
#define CPU_MAX_MS  200

/* Waits while clients connect, and returns how much processor time the supervisor has used. */
static int64_t cpu_of(struct daemon *daemon, struct client *const *waiting, size_t count)
{
    int64_t before = fault_cpu_ms(daemon_pid(daemon));
    int64_t deadline = bounded_deadline(CPU_LOOK_MS);

    while (client_turn(waiting, count, deadline))
        ;
    return fault_cpu_ms(daemon_pid(daemon)) - before;
}

/* --- no more processes --- */

/* Writes to /sys/fs/cgroup/.../NAME; returns false if that fails. */
static bool cgroup_write(const char *folder, const char *name, const char *value)
{
    char path[300];
    FILE *file;
    bool done;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    if (file == NULL)
        return false;
    done = fputs(value, file) >= 0;
    return fclose(file) == 0 && done;
}

/* Makes a cgroup that can limit processes; returns false if that fails. */
static bool cgroup_make(char *folder, size_t size)
{
    static const char *const roots[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"};
    char path[300];

    for (size_t at = 0; at < 2; at++) {
        snprintf(folder, size, "%s/chatroomd-test-%d", roots[at], (int)getpid());
        if (mkdir(folder, 0755) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/pids.max", folder);
        if (access(path, W_OK) == 0)
            return true;
        rmdir(folder);
    }
    return false;
}

static bool cgroup_add(const char *folder, pid_t process)
{
    char number[32];

    snprintf(number, sizeof(number), "%d", (int)process);
    return cgroup_write(folder, "cgroup.procs", number);
}

/* No more processes can be created there than exist, or as many as before. */
static bool forbid_forks(const char *folder, pid_t process, bool forbidden)
{
    struct rlimit limit;

    if (folder[0] != '\0')
        return cgroup_write(folder, "pids.max", forbidden ? "1" : "max");
    if (prlimit(process, RLIMIT_NPROC, NULL, &limit) != 0)
        return false;
    limit.rlim_cur = forbidden ? 1 : limit.rlim_max; /* only root may raise rlim_max */
    return prlimit(process, RLIMIT_NPROC, &limit, NULL) == 0;
}

/* As root with a cgroup, which limits privileged processes too; otherwise with the forker's
 * RLIMIT_NPROC, which the user's other processes use up. */
START_TEST(clients_are_told_if_a_fork_is_refused)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=8", FEW_PROCESSES));
    char folder[200] = "";
    struct client *crowd[2];
    int64_t start;
    size_t had;
    pid_t forker;

    had = fault_join_pair(daemon, crowd);
    forker = daemon_forker(daemon);
    start = bounded_now();
    if (geteuid() == 0 && (!cgroup_make(folder, sizeof(folder)) || !cgroup_add(folder, forker))) {
        fault_skip("no pids cgroup can be made");
    } else {
        daemon_mark(daemon);
        ck_assert(forbid_forks(folder, forker, true));
        expect_busy(daemon, REFUSED);
        expect_unaffected(crowd);
        daemon_wait_log(daemon, "event=refused", "reason=busy", "what=fork", NULL);
        ck_assert(forbid_forks(folder, forker, false));
        expect_recovered(daemon, crowd, had);
        fault_expect_refusals(daemon, REFUSED, start);
        ck_assert_uint_eq(fault_counter(daemon, "refused-busy"), REFUSED);
        printf("%d newcomers were refused a process\n", REFUSED);
    }
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
    if (folder[0] != '\0')
        rmdir(folder);
}
END_TEST

/* The forker dies, and for a second the standby that takes over cannot create a process, not
 * even the next standby. New clients are told, clients in the room do not notice, and the log
 * has one line. After that, new clients can join, and the next standby works as well. */
START_TEST(the_server_runs_without_a_standby_forker)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=40", FEW_PROCESSES));
    struct client *crowd[2];
    char folder[200] = "";
    pid_t standby;
    int64_t cpu;
    size_t had;

    had = fault_join_pair(daemon, crowd);
    standby = daemon_standby(daemon);
    if (geteuid() == 0 && (!cgroup_make(folder, sizeof(folder)) || !cgroup_add(folder, standby))) {
        fault_skip("no pids cgroup can be made");
    } else {
        ck_assert(forbid_forks(folder, standby, true));
        ck_assert_int_eq(kill(daemon_forker(daemon), SIGKILL), 0);
        daemon_wait_log(daemon, "event=forker-replaced", "reason=died", NULL);
        daemon_wait_log(daemon, "event=forker-missing", NULL);
        expect_busy(daemon, 10);
        cpu = cpu_of(daemon, crowd, 2);
        ck_assert_int_le(cpu, CPU_MAX_MS);
        expect_unaffected(crowd);
        ck_assert_uint_eq(fault_count_log(daemon, "event=forker-missing"), 1);
        ck_assert(forbid_forks(folder, standby, false));
        daemon_wait_log(daemon, "event=forker-standby", NULL);
        expect_recovered(daemon, crowd, had);
        ck_assert_int_eq(daemon_forker(daemon), standby);
        ck_assert_int_eq(kill(standby, SIGKILL), 0);
        daemon_wait_log(daemon, "event=forker-replaced", "reason=died", NULL);
        daemon_wait_log(daemon, "event=forker-standby", NULL);
        expect_recovered(daemon, crowd, had);
        printf("no standby could be created for %d ms, of which %lld were worked\n", CPU_LOOK_MS,
            (long long)cpu);
    }
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
    if (folder[0] != '\0')
        rmdir(folder);
}
END_TEST

/* Both forkers die: clients are told, and the server stops and says why. */
START_TEST(the_server_stops_if_both_forkers_die)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=8"));
    struct client *crowd[2];

    client_join_room(daemon_address(daemon, 0), crowd, 2);
    ck_assert_int_eq(kill(daemon_forker(daemon), SIGSTOP), 0);
    ck_assert_int_eq(kill(daemon_standby(daemon), SIGKILL), 0);
    ck_assert_int_eq(kill(daemon_forker(daemon), SIGKILL), 0);
    for (size_t at = 0; at < 2; at++) {
        client_expect(crowd[at], "* The server is shutting down");
        client_expect_end(crowd[at]);
    }
    daemon_wait_log(daemon, "event=failed", "both forkers have died", NULL);
    daemon_wait_log(daemon, "event=stopped", "orderly=yes", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
    fault_close_all(crowd, 2);
}
END_TEST

/* --- no more descriptors --- */

/* Returns the limit below which exactly `free` numbers of descriptors are free. */
static rlim_t limit_that_leaves(pid_t process, int free)
{
    static struct process_descriptor found[256];
    size_t count = process_descriptors(process, found, 256);
    rlim_t limit = 0;

    for (;; limit++) {
        bool taken = false;

        for (size_t at = 0; at < count; at++)
            taken = taken || (rlim_t)found[at].number == limit;
        if (!taken && free-- == 0)
            return limit;
    }
}

static void limit_descriptors(pid_t process, int free, struct rlimit *before)
{
    struct rlimit limit;

    ck_assert_int_eq(prlimit(process, RLIMIT_NOFILE, NULL, before), 0);
    limit = *before;
    limit.rlim_cur = limit_that_leaves(process, free);
    ck_assert_int_eq(prlimit(process, RLIMIT_NOFILE, &limit, NULL), 0);
}

/* No descriptor is free, or a few are, so that another call fails. New clients wait in the
 * backlog, or are told. The supervisor does not spin. All clients that waited have joined a
 * second after descriptors are free again. */
START_TEST(a_supervisor_without_descriptors_recovers)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=40", FEW_PROCESSES));
    struct client *crowd[2], *waiting[20];
    struct rlimit before;
    int64_t cpu, relieved, start;
    size_t had, told = 0;

    had = fault_join_pair(daemon, crowd);
    start = bounded_now();
    limit_descriptors(daemon_pid(daemon), _i, &before);
    for (size_t at = 0; at < 20; at++)
        waiting[at] = client_open(daemon_address(daemon, 0), 0);
    cpu = cpu_of(daemon, waiting, 20);
    ck_assert_msg(cpu <= CPU_MAX_MS || fault_sanitizers(),
        "the supervisor worked %lld of %d ms for nothing", (long long)cpu, CPU_LOOK_MS);
    ck_assert_uint_le(fault_count_log(daemon, "event=refused"),
        2 * (1 + (size_t)(bounded_now() - start) / 1000)); /* of two reasons: accept, busy */
    relieved = bounded_now();
    ck_assert_int_eq(prlimit(daemon_pid(daemon), RLIMIT_NOFILE, &before, NULL), 0);
    for (size_t at = 0; at < 20; at++) {
        const char *line = client_line(waiting[at]);

        told += strcmp(line, BUSY) == 0;
        ck_assert_msg(line[0] == '*' || strcmp(line, BUSY) == 0, "%s", line);
    }
    ck_assert_int_le(bounded_now() - relieved, fault_sanitizers() ? 5000 : 1000);
    printf(
        "%d descriptors free: %lld ms of %d worked; %zu newcomers told, the others in after %lld "
        "ms\n",
        _i, (long long)cpu, CPU_LOOK_MS, told, (long long)(bounded_now() - relieved));
    fault_close_all(waiting, 20);
    fault_wait_slots(daemon, 2);
    fault_wait_descriptors(daemon_pid(daemon), had);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* The same in the forker. It cannot receive a descriptor, or it receives one with the last free
 * number; then the new worker uses the numbers of descriptors that it closes. */
START_TEST(a_forker_without_descriptors_recovers)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=40", FEW_PROCESSES));
    struct rlimit before;
    struct client *crowd[2];
    int64_t start;
    size_t had;
    pid_t forker;

    had = fault_join_pair(daemon, crowd);
    forker = daemon_forker(daemon);
    start = bounded_now();
    if (fault_descriptors(forker) == 0) {
        fault_skip("only root may look into the forker");
    } else {
        limit_descriptors(forker, _i, &before);
        if (_i == 0) {
            expect_busy(daemon, REFUSED);
            expect_unaffected(crowd);
            fault_expect_refusals(daemon, REFUSED, start);
            ck_assert_int_eq(prlimit(forker, RLIMIT_NOFILE, &before, NULL), 0);
        }
        expect_recovered(daemon, crowd, had);
    }
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* The forker dies while new clients wait for it. They are told, and the next clients can join. */
START_TEST(a_forker_that_dies_while_clients_connect_is_replaced)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=40", FEW_PROCESSES));
    struct client *crowd[2], *waiting[20];
    int rounds = fault_times(10, 200);
    size_t had;

    had = fault_join_pair(daemon, crowd);
    for (int round = 0; round < rounds; round++) {
        pid_t forker = daemon_forker(daemon);

        ck_assert_int_eq(kill(forker, SIGSTOP), 0);
        for (size_t at = 0; at < 20; at++)
            waiting[at] = client_open(daemon_address(daemon, 0), 0);
        expect_unaffected(crowd);
        ck_assert_int_eq(kill(forker, SIGKILL), 0);
        for (size_t at = 0; at < 20; at++) {
            client_expect(waiting[at], BUSY);
            client_expect_end(waiting[at]);
        }
        fault_close_all(waiting, 20);
        expect_recovered(daemon, crowd, had);
    }
    printf("killed the forker %d times with 20 newcomers waiting for it\n", rounds);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* More than the 10 seconds after which a forker that does not answer is replaced. */
#define FROZEN_MAX_MS (fault_sanitizers() ? 20000 : 15000)

#define FROZEN_NEWCOMERS 80

#define SPARES_MAX 8

/* Finds the workers that wait for a client. */
static size_t find_spares(struct daemon *daemon, pid_t spares[SPARES_MAX])
{
    pid_t children[64];
    size_t count = process_children(daemon_pid(daemon), children, 64), found = 0;
    char title[64];

    for (size_t at = 0; at < count && found < SPARES_MAX; at++) {
        process_title(children[at], title, sizeof(title));
        if (strcmp(title, "chatroomd: spare worker") == 0)
            spares[found++] = children[at];
    }
    return found;
}

/* Waits until `expected` workers wait for a client. */
static void wait_spares(struct daemon *daemon, size_t expected)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    pid_t spares[SPARES_MAX];
    size_t found;

    do
        found = find_spares(daemon, spares);
    while (found != expected && bounded_turn(deadline));
    ck_assert_uint_eq(found, expected);
}

/* The forker is frozen while clients connect, more than it may be creating workers for. Those
 * that it was asked for are told, and the others join, all within a bounded time. Clients in the
 * room do not notice, and the log says once why there is another forker. With spare workers, and
 * without. */
START_TEST(a_forker_that_freezes_while_clients_connect_is_replaced)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=120", "-o",
        _i == 0 ? "spare-workers=0" : "spare-workers=4", "-o", "clients-per-courier=200"));
    struct client *crowd[2], *waiting[FROZEN_NEWCOMERS];
    size_t spares = _i == 0 ? 0 : 4;
    int64_t began, took;
    size_t had, told = 0;

    wait_spares(daemon, spares);
    had = fault_join_pair(daemon, crowd);
    wait_spares(daemon, spares);
    ck_assert_int_eq(kill(daemon_forker(daemon), SIGSTOP), 0);
    began = bounded_now();
    for (size_t at = 0; at < FROZEN_NEWCOMERS; at++)
        waiting[at] = client_open(daemon_address(daemon, 0), 0);
    for (size_t at = 0; at < FROZEN_NEWCOMERS; at++) {
        const char *line = client_line(waiting[at]);

        ck_assert_msg(line[0] == '*' || strcmp(line, BUSY) == 0, "%s", line);
        told += line[0] != '*';
    }
    took = bounded_now() - began;
    ck_assert_int_le(took, FROZEN_MAX_MS);
    ck_assert_uint_ge(told, 1);
    ck_assert_uint_lt(told, FROZEN_NEWCOMERS);
    daemon_wait_log(daemon, "event=forker-replaced", "reason=no-answer", NULL);
    ck_assert_uint_eq(fault_count_log(daemon, "event=forker-replaced"), 1);
    fault_close_all(waiting, FROZEN_NEWCOMERS);
    fault_wait_slots(daemon, 2);
    wait_spares(daemon, spares);
    fault_align(crowd[0], crowd, 2, "over");
    fault_align(crowd[1], crowd, 2, "over");
    expect_recovered(daemon, crowd, had);
    printf("the forker was frozen: %zu of %d newcomers told, all of them served in %lld ms\n", told,
        FROZEN_NEWCOMERS, (long long)took);
    fault_close_all(crowd, 2);
    daemon_stop(daemon);
}
END_TEST

/* --- spare workers --- */

/* Stops the supervisor until SIGCONT. */
static void stop_supervisor(struct daemon *daemon)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    char state[PROCESS_TEXT_MAX] = "";

    daemon_signal(daemon, SIGSTOP);
    while (!process_status(daemon_pid(daemon), "State", state, sizeof(state)) || state[0] != 'T')
        ck_assert(bounded_turn(deadline));
}

/* All spare workers die while the supervisor is stopped, and a client connects before or after
 * that. It gets a worker that lives. */
START_TEST(a_client_connects_while_spare_workers_die)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "spare-workers=4"));
    struct client *newcomer = NULL;
    pid_t spares[SPARES_MAX];

    wait_spares(daemon, 4);
    find_spares(daemon, spares);
    stop_supervisor(daemon);
    if (_i == 0)
        newcomer = client_open(daemon_address(daemon, 0), 0);
    for (int at = 0; at < 4; at++)
        ck_assert_int_eq(kill(spares[at], SIGKILL), 0);
    ck_assert(process_all_gone(spares, 4, bounded_deadline(BOUND_MS)));
    if (_i == 1)
        newcomer = client_open(daemon_address(daemon, 0), 0);
    daemon_signal(daemon, SIGCONT);
    client_expect_welcome(newcomer);
    ck_assert_uint_eq(fault_count_log(daemon, "event=leave"), 0);
    client_close(newcomer);
    wait_spares(daemon, 4);
    daemon_stop(daemon);
}
END_TEST

/* --- too little shared memory --- */

/* A script that starts chatroomd with its own /dev/shm of 1 MiB. */
static const char small_memory[] = "#!/bin/sh\n"
                                   "mount -t tmpfs -o size=1m none /dev/shm || exit 99\n"
                                   "exec \"$CHATROOMD_BINARY\" \"$@\"\n";

START_TEST(too_little_shared_memory_is_named)
{
    char script[200], command[600], line[500] = "";
    unsigned long available = 0, needed = 0;
    FILE *output;
    int status;

    if (geteuid() != 0 || !fault_has_tool("unshare") || system("unshare -m true") != 0) {
        fault_skip("a mount namespace needs root and unshare");
        return;
    }
    folder_write(script, sizeof(script), "small", small_memory);
    snprintf(command, sizeof(command),
        "unshare -m sh %s -f /dev/null -l 127.0.0.1:0 -o ring-size=16MiB 2>&1", script);
    output = popen(command, "re");
    ck_assert_ptr_nonnull(output);
    while (fgets(line, sizeof(line), output) != NULL)
        if (sscanf(line, "chatroomd: the shared memory (/dev/shm) has %lu KiB free and %lu KiB",
                &available, &needed) == 2)
            break;
    status = pclose(output);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == DAEMON_EXIT_FAILED,
        "wait status 0x%x: %s", (unsigned)status, line);
    ck_assert_uint_gt(available, 900);
    ck_assert_uint_le(available, 1024);
    ck_assert_uint_gt(needed, 16 * 1024);
    printf("refused to start: %s", line);
}
END_TEST

static Suite *limits_suite(void)
{
    Suite *suite = suite_create("faults: limits");
    TCase *limits = tcase_create("limits");

    tcase_set_timeout(limits, FAULT_CASE_SECONDS);
    tcase_add_test(limits, clients_are_told_if_a_fork_is_refused);
    tcase_add_test(limits, the_server_runs_without_a_standby_forker);
    tcase_add_test(limits, the_server_stops_if_both_forkers_die);
    tcase_add_loop_test(limits, a_supervisor_without_descriptors_recovers, 0, 4);
    tcase_add_loop_test(limits, a_forker_without_descriptors_recovers, 0, 2);
    tcase_add_test(limits, a_forker_that_dies_while_clients_connect_is_replaced);
    tcase_add_loop_test(limits, a_forker_that_freezes_while_clients_connect_is_replaced, 0, 2);
    tcase_add_loop_test(limits, a_client_connects_while_spare_workers_die, 0, 2);
    tcase_add_test(limits, too_little_shared_memory_is_named);
    suite_add_tcase(suite, limits);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(limits_suite)
