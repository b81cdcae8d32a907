/* SPDX-License-Identifier: ISC */
/*
 * Fault test: workers that die or freeze: a thousand at random moments under load, two hundred at
 * once, and some just when their client is about to be disconnected. Only their own clients are
 * lost. No accepted message, process or slot is.
 */
#include "config.h"

#include "tests/checker/random.h"
#include "tests/checker/workload.h"
#include "tests/faults/faults.h"
#include "tests/system/address.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/modes.h"
#include "tests/system/process.h"
#include "tests/system/transcript.h"
#include "tests/system/workers.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE     16
#define WORKERS_MAX 512

/* --- one by one, under load --- */

/* What the workload's callbacks need. */
struct hunt {
    struct daemon *daemon;
    pid_t victims[WORKERS_MAX];
    size_t count;
    unsigned long killed, crashed;
};

static void kill_worker(void *context, const char *const *spared, unsigned choice)
{
    struct hunt *hunt = context;
    pid_t victim;
    size_t at;

    if (hunt->count == 0)
        hunt->count = daemon_workers(hunt->daemon, hunt->victims, WORKERS_MAX);
    if (hunt->count == 0)
        return;
    at = choice % hunt->count;
    victim = hunt->victims[at];
    hunt->victims[at] = hunt->victims[hunt->count - 1];
    hunt->count--;
    if (daemon_worker_is_of_one(hunt->daemon, victim, spared) || process_gone(victim))
        return;
    if (kill(victim, choice % 2 == 0 ? SIGKILL : SIGSEGV) != 0)
        return;
    if (choice % 2 == 0)
        hunt->killed++;
    else
        hunt->crashed++;
}

/* All slots can be taken again, and one more cannot. */
static void expect_all_slots_free(struct daemon *daemon, size_t slots)
{
    struct client *crowd[WORKERS_MAX], *late;

    ck_assert_uint_le(slots, WORKERS_MAX);
    fault_wait_slots(daemon, 0);
    fault_join_many(daemon_address(daemon, 0), crowd, slots, 0);
    late = client_open(daemon_address(daemon, 0), 0);
    client_expect_start(late, "! The server is full");
    client_close(late);
    fault_close_all(crowd, slots);
    daemon_wait_workers(daemon, 0);
}

/* Sums of all runs. */
struct bag {
    unsigned long killed, crashed, records, deliveries;
};

/* Clients leave only if their worker dies: one has died for each client beyond those that fit at
 * once. */
static void hunt_on_one_server(uint64_t seed, unsigned deaths, struct bag *bag)
{
    struct hunt hunt = {
        .daemon = daemon_start(OPTIONS("-o", "max-clients=24", "-o", "ring-size=2 MiB"))};
    struct workload_plan plan = {
        .seed = seed,
        .at_once = AT_ONCE,
        .newcomers = AT_ONCE + deaths,
        .messages = 12 * deaths,
        .payload_max = 300,
        .pauses = 20,
        .kills = 330,
        .kill_worker = kill_worker,
        .context = &hunt,
        .daemon = hunt.daemon,
    };
    struct checker_report report;
    struct workload *workload = workload_play(&plan);

    ck_assert_msg(workload_check(workload, &report), "seed %llu: %lu faults:\n%s",
        (unsigned long long)seed, report.faults, report.text);
    /* On a slow machine a new client sometimes leaves in another way. */
    ck_assert_uint_ge(hunt.killed + hunt.crashed, deaths - deaths / 10);
    bag->killed += hunt.killed;
    bag->crashed += hunt.crashed;
    bag->records += report.records;
    bag->deliveries += report.deliveries;
    workload_free(workload);
    expect_all_slots_free(hunt.daemon, 24);
    daemon_stop(hunt.daemon);
}

START_TEST(workers_killed_one_after_the_other)
{
    unsigned deaths = fault_sanitizers() ? 100 : 500;
    uint64_t seed = 1001 + 1000 * (uint64_t)_i;
    int servers = fault_times(1, 10);
    struct bag bag = {0};

    /* An address whose workers crash so often would be refused. */
    address_spread();
    for (int server = 0; server < servers; server++)
        hunt_on_one_server(seed + (uint64_t)server, deaths, &bag);
    printf("killed %lu workers and crashed %lu under load, of %d servers (seed %llu): %lu records, "
           "%lu deliveries, no fault\n",
        bag.killed, bag.crashed, servers, (unsigned long long)seed, bag.records, bag.deliveries);
}
END_TEST

/* --- all at once --- */

#define MANY 200
/* Everything that one client in so many has received is compared. */
#define LOOKED_AT 10

static void expect_all_reaped(struct daemon *daemon, const struct client *witness)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t lefts = 0;

    for (const char *at = witness->in.data; (at = strstr(at, " left (connection lost)\n")) != NULL;
         at++)
        lefts++;
    ck_assert_uint_eq(lefts, MANY);
    while (fault_count_log(daemon, "reason=worker-crash") < MANY)
        ck_assert_msg(bounded_turn(deadline), "%zu of %d deaths are logged",
            fault_count_log(daemon, "reason=worker-crash"), MANY);
    daemon_wait_workers(daemon, 2);
}

/* Finds the workers of all clients but the first two. */
static void kill_all(struct daemon *daemon, struct client *const *crowd)
{
    pid_t workers[WORKERS_MAX], spared[2];
    size_t count = daemon_workers(daemon, workers, WORKERS_MAX), killed = 0;

    for (size_t at = 0; at < 2; at++)
        spared[at] = daemon_worker_of(daemon, crowd[at]->name);
    for (size_t at = 0; at < count; at++)
        if (workers[at] != spared[0] && workers[at] != spared[1])
            killed += kill(workers[at], SIGKILL) == 0;
    ck_assert_uint_eq(killed, MANY);
}

/* Waits until the witness has received every `left`. */
static void run_until_all_left(struct client *const *crowd)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    size_t lefts = 0, from = crowd[0]->cursor;
    const char *at;

    while (lefts < MANY) {
        ck_assert_msg(client_turn(crowd, 2, deadline), "%zu of %d left", lefts, MANY);
        while ((at = strstr(crowd[0]->in.data + from, " left (connection lost)\n")) != NULL) {
            from = (size_t)(at + 1 - crowd[0]->in.data);
            lefts++;
        }
    }
}

START_TEST(workers_killed_all_at_once)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=202"));
    struct client *crowd[MANY + 2];

    fault_join_many(daemon_address(daemon, 0), crowd, MANY + 2, 0);
    fault_align(crowd[1], crowd, MANY + 2, "here we go");
    crowd_queue(crowd[1], 0, 300);
    crowd_run_until_messages(crowd, MANY + 2, crowd[0], 100);
    kill_all(daemon, crowd);
    run_until_all_left(crowd);
    expect_all_reaped(daemon, crowd[0]);
    crowd_run_until_messages(crowd, 2, crowd[0], 300);
    for (size_t at = 2; at < MANY + 2; at += LOOKED_AT) {
        client_read_to_end(crowd[at]);
        crowd_expect_prefix(crowd[at], crowd[0]);
    }
    printf("killed %d workers at once\n", MANY);
    fault_close_all(crowd, MANY + 2);
    expect_all_slots_free(daemon, 202);
    daemon_stop(daemon);
}
END_TEST

/* None of the clients reads, so that the ring is full. There is space for 200 `left` only as the
 * dead clients free it. */
START_TEST(workers_killed_all_at_once_while_the_ring_is_full)
{
    struct daemon *daemon = daemon_start(OPTIONS("-o", "max-clients=202", "-o", "stall-grace=1 h",
        "-o", "ring-size=256 KiB", "-o", "max-message-size=1 KiB"));
    struct client *crowd[MANY + 2];
    unsigned said = 0;

    fault_join_many(daemon_address(daemon, 0), crowd, 2, 0);
    fault_join_many(daemon_address(daemon, 0), crowd + 2, MANY, 2048);
    fault_align(crowd[1], crowd, MANY + 2, "here we go");
    for (size_t at = 2; at < MANY + 2; at++)
        crowd[at]->reads = false;
    while (client_unsent(crowd[1]) == 0) {
        crowd_queue(crowd[1], said, 2000);
        said += 2000;
        fault_run_until_quiet(crowd, 2, 300);
    }
    ck_assert_uint_lt(crowd_messages(crowd[0]), said);
    kill_all(daemon, crowd);
    run_until_all_left(crowd);
    expect_all_reaped(daemon, crowd[0]);
    crowd_run_until_messages(crowd, 2, crowd[0], said);
    printf("killed %d workers at once while the ring was full\n", MANY);
    for (size_t at = 2; at < MANY + 2; at += LOOKED_AT) {
        client_read_to_end(crowd[at]);
        crowd_expect_prefix(crowd[at], crowd[0]);
    }
    fault_close_all(crowd, MANY + 2);
    expect_all_slots_free(daemon, 202);
    daemon_stop(daemon);
}
END_TEST

/* --- frozen --- */

/* When a frozen worker continues. */
enum thaw { THAW_NEVER, THAW_SOON, THAW_AT_EVICTION, THAW_AFTER_EVICTION, THAWS };

struct freezer {
    struct daemon *daemon;
    struct random random;
    struct client *crowd[2]; /* a witness, and a client that talks */
    struct client *victim;   /* reads nothing */
    pid_t worker;
    unsigned said;
};

/* Sends enough to have a client evicted that does not read. Returns whether it is. */
static bool press(struct freezer *freezer)
{
    char name[80];

    if (client_unsent(freezer->crowd[1]) < (size_t)50 * CROWD_MESSAGE) {
        crowd_queue(freezer->crowd[1], freezer->said, 50);
        freezer->said += 50;
    }
    client_turn(freezer->crowd, 2, bounded_deadline(1));
    snprintf(name, sizeof(name), "name=%s ", freezer->victim->name);
    return daemon_has_log(freezer->daemon, "event=evict", name, NULL);
}

static void freeze(struct freezer *freezer, int round)
{
    struct client *all[3] = {freezer->crowd[0], freezer->crowd[1]};
    char line[80];

    freezer->victim = client_join_small(daemon_address(freezer->daemon, 0), 2048);
    all[2] = freezer->victim;
    freezer->worker = daemon_worker_of(freezer->daemon, freezer->victim->name);
    fault_forget(freezer->crowd[0]);
    snprintf(line, sizeof(line), "[%s] round %d", freezer->crowd[1]->name, round);
    client_queue_text(freezer->crowd[1], "round %d\n", round);
    crowd_run_until_line(all, 3, freezer->victim, line);
    crowd_run_until_line(all, 3, freezer->crowd[0], line);
    client_expect_later(freezer->victim, "%s", line);
    client_expect_later(freezer->crowd[0], "%s", line);
    freezer->victim->reads = false;
    daemon_mark(freezer->daemon);
    ck_assert_int_eq(kill(freezer->worker, SIGSTOP), 0);
}

/* Waits until it is evicted and its process gone, and lets it continue if needed. Returns
 * whether it was evicted. */
static bool press_until_gone(struct freezer *freezer, enum thaw thaw)
{
    int64_t deadline = bounded_deadline(BOUND_MS), at = INT64_MAX;
    bool evicted = false, thawed = false;

    if (thaw == THAW_SOON)
        at = bounded_now() + 50 + random_below(&freezer->random, 1200);
    while (!evicted || !process_gone(freezer->worker)) {
        if (!evicted && press(freezer)) {
            evicted = true;
            if (thaw == THAW_AT_EVICTION)
                at = 0;
            else if (thaw == THAW_AFTER_EVICTION)
                at = bounded_now() + 200 + random_below(&freezer->random, 60);
        }
        if (bounded_now() >= at) {
            thawed = kill(freezer->worker, SIGCONT) == 0;
            at = INT64_MAX;
        }
        ck_assert_msg(bounded_now() < deadline, "the frozen worker is not ended: %s",
            daemon_log(freezer->daemon));
        if (evicted)
            client_turn(freezer->crowd, 2, bounded_deadline(1));
    }
    return thawed;
}

static void expect_ended(struct freezer *freezer)
{
    int64_t deadline = bounded_deadline(BOUND_MS);
    char told[80], name[80];

    snprintf(told, sizeof(told), "* %s left (too slow)", freezer->victim->name);
    snprintf(name, sizeof(name), "name=%s ", freezer->victim->name);
    crowd_run_until_line(freezer->crowd, 2, freezer->crowd[0], told);
    while (client_unsent(freezer->crowd[1]) > 0)
        ck_assert(client_turn(freezer->crowd, 2, deadline));
    client_read_to_end(freezer->victim);
    daemon_wait_log(freezer->daemon, "event=leave", name, "reason=stalled", NULL);
    daemon_wait_workers(freezer->daemon, 2);
}

/* What it has received must be a beginning of what the witness has; the reason of its
 * disconnection may follow. */
static void expect_beginning(const struct client *victim, const struct client *witness)
{
    struct transcript *got = transcript_of(victim, victim->cursor);
    struct transcript *told = transcript_of(witness, witness->cursor);

    const char *why = transcript_take_goodbye(got);

    if (why != NULL)
        ck_assert_str_eq(why, "too slow to read its messages");
    ck_assert_uint_le(got->count, told->count);
    told->count = got->count;
    transcript_expect_same(told, got);
    transcript_free(got);
    transcript_free(told);
}

/* A worker is frozen. It continues, or does not, a moment before or after its client is evicted,
 * which happens in any case. The next client in the slot finds nothing of the last one. */
START_TEST(frozen_workers_are_killed)
{
    struct freezer freezer = {
        .daemon = daemon_start(OPTIONS("-o", "max-clients=3", "-o",
            fault_sanitizers() ? "stall-grace=2 s" : "stall-grace=1 s", "-o", "ring-size=256 KiB",
            "-o", "max-message-size=1 KiB")),
        .random = {.state = 77},
    };
    int rounds = fault_times(12, 400), thawed = 0;

    client_join_room(daemon_address(freezer.daemon, 0), freezer.crowd, 2);
    for (int round = 0; round < rounds; round++) {
        freeze(&freezer, round);
        thawed += press_until_gone(&freezer, (enum thaw)(round % THAWS));
        expect_ended(&freezer);
        expect_beginning(freezer.victim, freezer.crowd[0]);
        client_close(freezer.victim);
    }
    ck_assert_uint_eq(fault_count_log(freezer.daemon, "event=worker-crash"), 0);
    ck_assert_uint_eq(fault_count_log(freezer.daemon, "event=evict"), (size_t)rounds);
    printf("froze %d workers, %d of them went on just then\n", rounds, thawed);
    fault_close_all(freezer.crowd, 2);
    expect_all_slots_free(freezer.daemon, 3);
    daemon_stop(freezer.daemon);
}
END_TEST

static Suite *kills_suite(void)
{
    Suite *suite = suite_create("faults: kills");
    TCase *kills = tcase_create("kills");

    tcase_set_timeout(kills, FAULT_CASE_SECONDS);
    tcase_add_loop_test(kills, workers_killed_one_after_the_other, 0, 2);
    tcase_add_test(kills, workers_killed_all_at_once);
    tcase_add_test(kills, workers_killed_all_at_once_while_the_ring_is_full);
    tcase_add_test(kills, frozen_workers_are_killed);
    suite_add_tcase(suite, kills);
    return suite;
}

CHECK_MAIN_IN_BOTH_MODES(kills_suite)
