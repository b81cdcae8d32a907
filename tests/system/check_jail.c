/* SPDX-License-Identifier: ISC */
/*
 * System test: the jail as seen from outside. What /proc shows of a worker with the jail and
 * without it; which user the processes run as; what the server says if it cannot make a jail; and
 * that workers with other user ids still die with their supervisor.
 *
 * tests/jail/ checks what the jail prevents.
 */
#include "config.h"

#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UID_BASE  "1070000"
#define FOLLOW_MS 1000

/* A user that every system has. */
static const char *const somebody = "nobody";

static void expect_status(pid_t process, const char *field, const char *expected)
{
    char value[128] = "";

    ck_assert_msg(process_status(process, field, value, sizeof(value)), "no field %s", field);
    ck_assert_msg(strcmp(value, expected) == 0, "%s of process %d is \"%s\" instead of \"%s\"",
        field, (int)process, value, expected);
}

static void expect_uid(pid_t process, unsigned long uid)
{
    char four[128];

    snprintf(four, sizeof(four), "%lu\t%lu\t%lu\t%lu", uid, uid, uid, uid);
    expect_status(process, "Uid", four);
}

/* Returns the soft limit in /proc/PID/limits, or -1 if it is unlimited or missing. */
static long limit_of(pid_t process, const char *name)
{
    char path[64], line[256];
    long value = -1;
    FILE *stream;

    snprintf(path, sizeof(path), "/proc/%d/limits", (int)process);
    stream = fopen(path, "r");
    ck_assert_ptr_nonnull(stream);
    while (fgets(line, sizeof(line), stream) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), "%ld", &value);
    fclose(stream);
    return value;
}

static long oom_score_of(pid_t process)
{
    char path[64];
    long value = -1;
    FILE *stream;

    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)process);
    stream = fopen(path, "r");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fscanf(stream, "%ld", &value), 1);
    fclose(stream);
    return value;
}

/* How many more descriptors it may have: numbers that are below its limit and not in use. -1 if this
 * user may not look. */
static long descriptors_left(pid_t process)
{
    long limit = limit_of(process, "Max open files"), left = 0;
    char path[64], target[64];

    for (long number = 0; number < limit; number++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%ld", (int)process, number);
        if (readlink(path, target, sizeof(target)) >= 0)
            continue;
        if (errno != ENOENT)
            return -1;
        left++;
    }
    return left;
}

#ifndef CHATROOMD_SANITIZERS
static void expect_descriptors_left(pid_t process, long expected)
{
    long left = descriptors_left(process);

    if (left < 0)
        printf("skipped: only root may look at a worker's descriptors\n");
    else
        ck_assert_int_eq(left, expected);
}
#endif

START_TEST(a_worker_is_jailed)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *client = client_join(daemon_address(daemon, 0));
    pid_t worker = daemon_worker_of(daemon, client->name);

    expect_status(worker, "NoNewPrivs", "1");
    expect_status(worker, "CapPrm", "0000000000000000");
    expect_status(worker, "CapEff", "0000000000000000");
    ck_assert_int_eq(oom_score_of(worker), 500);
#ifdef HAVE_SECCOMP
    expect_status(worker, "Seccomp", "2");
    expect_status(daemon_pid(daemon), "Seccomp", "2");
    ck_assert(daemon_has_log(daemon, "event=jail", "mode=required", "acts-refused=5", NULL));
#endif
#ifndef CHATROOMD_SANITIZERS
    expect_descriptors_left(worker, 0);
    ck_assert_int_eq(limit_of(worker, "Max processes"), 0);
    ck_assert_int_eq(limit_of(worker, "Max file size"), 0);
    ck_assert_int_eq(limit_of(worker, "Max locked memory"), 0);
    ck_assert_int_gt(limit_of(worker, "Max data size"), 0);
#endif
    ck_assert_int_eq(limit_of(worker, "Max core file size"), 0);
    client_close(client);
    daemon_stop(daemon);
}
END_TEST

#ifdef HAVE_SECCOMP

/* Waits for a worker that has no client yet, and returns it. */
static pid_t find_spare(struct daemon *daemon)
{
    int64_t deadline = bounded_deadline(FOLLOW_MS);
    pid_t children[16];
    char title[64];

    do {
        size_t count = process_children(daemon_pid(daemon), children, 16);
        for (size_t at = 0; at < count; at++) {
            process_title(children[at], title, sizeof(title));
            if (strcmp(title, "chatroomd: spare worker") == 0)
                return children[at];
        }
    } while (bounded_turn(deadline));
    ck_abort_msg("there is no spare worker");
}

/* It has one filter, its own, which is loaded last. */
START_TEST(a_worker_is_jailed_before_it_has_a_client)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "spare-workers=1"));
    int64_t deadline = bounded_deadline(FOLLOW_MS);
    pid_t worker = find_spare(daemon);
    char filters[16] = "";

    while (process_status(worker, "Seccomp_filters", filters, sizeof(filters)) &&
           strcmp(filters, "1") != 0)
        ck_assert_msg(bounded_turn(deadline), "%s filters instead of 1", filters);
    if (filters[0] == '\0') {
        printf("skipped: this kernel does not count filters\n");
    } else {
        expect_status(worker, "NoNewPrivs", "1");
        expect_status(worker, "CapEff", "0000000000000000");
#ifndef CHATROOMD_SANITIZERS
        expect_descriptors_left(worker, 1);
#endif
    }
    daemon_stop(daemon);
}
END_TEST

#endif

START_TEST(jail_off_is_logged_and_makes_no_jail)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "jail=off"));
    struct client *client = client_join(daemon_address(daemon, 0));
    pid_t worker = daemon_worker_of(daemon, client->name);

    expect_status(worker, "Seccomp", "0");
    expect_status(daemon_pid(daemon), "Seccomp", "0");
    ck_assert_int_gt(descriptors_left(worker), 0);
    ck_assert(daemon_has_log(daemon, "level=warning event=jail", "mode=off", NULL));
    client_close(client);
    daemon_stop(daemon);
}
END_TEST

static bool is_root(void)
{
    if (geteuid() == 0 && getpwnam(somebody) != NULL)
        return true;
    printf("skipped: this needs root and a user %s\n", somebody);
    return false;
}

START_TEST(the_server_runs_as_its_user)
{
    if (!is_root())
        return;
    unsigned long uid = getpwnam(somebody)->pw_uid;
    struct daemon *daemon = daemon_start(OPTIONS("-o", "user=nobody"));
    struct client *client = client_join(daemon_address(daemon, 0));

    expect_uid(daemon_pid(daemon), uid);
    expect_uid(daemon_forker(daemon), uid);
    expect_uid(daemon_standby(daemon), uid);
    expect_status(daemon_forker(daemon), "CapPrm", "0000000000000000");
    expect_status(daemon_forker(daemon), "NoNewPrivs", "1");
    expect_uid(daemon_worker_of(daemon, client->name), uid);
    expect_status(daemon_pid(daemon), "CapPrm", "0000000000000000");
    expect_status(daemon_pid(daemon), "NoNewPrivs", "1");
    client_close(client);
    daemon_stop(daemon);
}
END_TEST

START_TEST(each_slot_has_a_uid_of_its_own)
{
    if (!is_root())
        return;
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "user=nobody", "-o", "worker-uid-base=" UID_BASE));
    struct client *room[3];
    unsigned long base = strtoul(UID_BASE, NULL, 10), seen = 0;

    client_join_room(daemon_address(daemon, 0), room, 3);
    for (unsigned at = 0; at < 3; at++) {
        char value[64] = "";
        unsigned long uid;

        pid_t worker = daemon_worker_of(daemon, room[at]->name);
        ck_assert(process_status(worker, "Uid", value, sizeof(value)));
        uid = strtoul(value, NULL, 10);
        expect_uid(worker, uid);
        ck_assert_uint_ge(uid, base);
        ck_assert_uint_lt(uid, base + 3);
        seen |= 1ul << (uid - base);
        expect_status(worker, "CapPrm", "0000000000000000");
    }
    ck_assert_uint_eq(seen, 7);
    expect_status(daemon_pid(daemon), "CapPrm", "0000000000000020");     /* KILL */
    expect_status(daemon_forker(daemon), "CapPrm", "00000000000000c0");  /* SETGID and SETUID */
    expect_status(daemon_standby(daemon), "CapPrm", "00000000000000c0"); /* the same */
    for (unsigned at = 0; at < 3; at++)
        client_close(room[at]);
    daemon_stop(daemon);
}
END_TEST

/* This includes a stopped worker, which cannot see the end of its relay. */
START_TEST(a_worker_with_another_uid_dies_with_the_supervisor)
{
    if (!is_root())
        return;
    struct daemon *daemon =
        daemon_start(OPTIONS("-o", "user=nobody", "-o", "worker-uid-base=" UID_BASE));
    struct client *room[3];
    pid_t family[4];

    client_join_room(daemon_address(daemon, 0), room, 3);
    for (unsigned at = 0; at < 3; at++)
        family[at] = daemon_worker_of(daemon, room[at]->name);
    family[3] = daemon_forker(daemon);
    ck_assert_int_eq(kill(family[1], SIGSTOP), 0);
    daemon_kill(daemon);
    ck_assert_msg(
        process_all_gone(family, 4, bounded_deadline(FOLLOW_MS)), "a worker outlives its server");
    daemon_release(daemon);
    for (unsigned at = 0; at < 3; at++)
        client_close(room[at]);
}
END_TEST

/* The supervisor can kill a worker with another uid that does not exit by itself. */
START_TEST(a_stuck_worker_with_another_uid_is_killed_at_the_stop)
{
    if (!is_root())
        return;
    struct daemon *daemon = daemon_start(OPTIONS(
        "-o", "user=nobody", "-o", "worker-uid-base=" UID_BASE, "-o", "drain-timeout=100 ms"));
    struct client *client = client_join(daemon_address(daemon, 0));
    pid_t worker = daemon_worker_of(daemon, client->name);

    ck_assert_int_eq(kill(worker, SIGSTOP), 0);
    daemon_stop(daemon);
    ck_assert(process_all_gone(&worker, 1, bounded_deadline(FOLLOW_MS)));
    client_close(client);
}
END_TEST

static const struct {
    const char *options[5];
    int status;
    const char *words;
} refused[] = {
    {{"-o", "user=no-such-user-here"}, DAEMON_EXIT_CONFIGURATION,
        "chatroomd: user: no such user: no-such-user-here"},
    {{"-o", "group=daemon"}, DAEMON_EXIT_CONFIGURATION, "chatroomd: group: requires user"},
    {{"-o", "worker-uid-base=70000"}, DAEMON_EXIT_CONFIGURATION,
        "chatroomd: worker-uid-base: requires user"},
    {{"-o", "user=nobody", "-o", "group=no-such-group-here"}, DAEMON_EXIT_CONFIGURATION,
        "chatroomd: group: no such group: no-such-group-here"},
    {{"-o", "jail=yes"}, DAEMON_EXIT_CONFIGURATION, "yes is not required, best-effort or off"},
#ifndef HAVE_SECCOMP
    {{"-o", "jail=required"}, DAEMON_EXIT_FAILED,
        "jail = required, but this program was built without seccomp"},
#endif
};

START_TEST(a_jail_or_user_that_cannot_be_had_is_refused)
{
    struct daemon *daemon = daemon_launch(refused[_i].options);
    int64_t deadline = bounded_deadline(BOUND_MS);

    while (!daemon_ended(daemon))
        ck_assert(bounded_turn(deadline));
    ck_assert_msg(strstr(daemon_log(daemon), refused[_i].words) != NULL, "no \"%s\" in:\n%s",
        refused[_i].words, daemon_log(daemon));
    daemon_expect_exit(daemon, refused[_i].status);
}
END_TEST

START_TEST(a_user_other_than_root_cannot_set_one)
{
    if (geteuid() == 0) {
        printf("skipped: this is for who is not root\n");
        return;
    }
    struct daemon *daemon = daemon_launch(OPTIONS("-o", "user=root"));

    daemon_wait_log(daemon, "user = root needs a start as root", NULL);
    daemon_expect_exit(daemon, DAEMON_EXIT_FAILED);
}
END_TEST

/* After six workers of one address have crashed, the address is refused for a second. */
START_TEST(an_address_whose_workers_crash_is_refused_for_a_second)
{
    struct daemon *daemon = daemon_start(NULL);
    struct client *client;

    for (int crash = 0; crash < 6; crash++) {
        client = client_join(daemon_address(daemon, 0));
        daemon_mark(daemon);
        ck_assert_int_eq(kill(daemon_worker_of(daemon, client->name), SIGSEGV), 0);
        client_read_to_end(client);
        client_close(client);
        daemon_wait_log(daemon, "event=worker-crash", "signal=11", NULL);
        daemon_wait_workers(daemon, 0);
    }
    daemon_wait_log(daemon, "event=penalty", "address=127.0.0.1:", "refused_s=1", NULL);
    client = client_open(daemon_address(daemon, 0), 0);
    client_expect(
        client, "! Too many connections from your address have crashed; try again in 1 s");
    client_read_to_end(client);
    client_close(client);
    daemon_stop(daemon);
}
END_TEST

static Suite *jail_suite(void)
{
    Suite *suite = suite_create("system: jail");
    TCase *jail = tcase_create("jail");

    tcase_set_timeout(jail, BOUND_CASE_SECONDS);
    tcase_add_test(jail, a_worker_is_jailed);
#ifdef HAVE_SECCOMP
    tcase_add_test(jail, a_worker_is_jailed_before_it_has_a_client);
#endif
    tcase_add_test(jail, jail_off_is_logged_and_makes_no_jail);
    tcase_add_test(jail, the_server_runs_as_its_user);
    tcase_add_test(jail, each_slot_has_a_uid_of_its_own);
    tcase_add_test(jail, a_worker_with_another_uid_dies_with_the_supervisor);
    tcase_add_test(jail, a_stuck_worker_with_another_uid_is_killed_at_the_stop);
    tcase_add_loop_test(jail, a_jail_or_user_that_cannot_be_had_is_refused, 0,
        (int)(sizeof(refused) / sizeof(refused[0])));
    tcase_add_test(jail, a_user_other_than_root_cannot_set_one);
    tcase_add_test(jail, an_address_whose_workers_crash_is_refused_for_a_second);
    suite_add_tcase(suite, jail);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(jail_suite)
