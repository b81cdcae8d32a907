/* SPDX-License-Identifier: ISC */
/*
 * A hostile courier among honest clients: every act of acts_courier.h is tried and refused, and is
 * tried once more under conditions in which it must succeed.
 *
 * Model: one courier is taken over again and again (hostile_courier.c). The test kills an honest
 * generation of it, the next one does an act and ends, and the one after that is honest. The log
 * shows the result of the act: how the courier ended, and whether a fault was found before.
 *
 * Meanwhile honest clients talk as a seeded workload, and the delivery checker checks what they
 * receive. If an act can harm nobody, some of them are the hostile courier's own clients, which
 * continue with the next courier and miss nothing. If it harms its own clients, these are strangers
 * to the checker, and all others belong to another courier.
 */
#include "config.h"

#include "tests/check_main.h"
#include "tests/checker/workload.h"
#include "tests/jail/acts_courier.h"
#include "tests/jail/hostile.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/daemon.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Turns of the workload for which an honest courier serves before it is killed. */
#define HONEST_TURNS 10

enum row_kind { ROW_CALL, ROW_MEMORY, ROW_FRAME, ROW_CLIENT };

struct row {
    enum row_kind kind;
    const char *name, *fault;
    enum act_control control;
};

static const struct row rows[] = {
#define ACT(name) {ROW_CALL, #name, NULL, LAWFUL},
    VIEW_CALL_ACTS(ACT) CALL_ACTS(ACT) COURIER_CALL_ACTS(ACT)
#undef ACT
#define ACT(name) {ROW_MEMORY, #name, NULL, LAWFUL},
        COURIER_MEMORY_ACTS(ACT)
#undef ACT
#define ACT(name, fault, control) {ROW_FRAME, #name, fault, control},
            COURIER_FRAME_ACTS(ACT)
#undef ACT
#define ACT(name, fault) {ROW_CLIENT, #name, fault, LAWFUL},
                COURIER_CLIENT_ACTS(ACT)
#undef ACT
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

/* The first row of a kind, or ROW_COUNT where that would be the next kind of the last. */
static size_t first_of(enum row_kind kind)
{
    size_t at = 0;

    while (at < ROW_COUNT && rows[at].kind < kind)
        at++;
    return at;
}

/* Acts of rows [next, end), done one after the other by courier `number`. */
enum phase { HONEST_COMES, HONEST_SERVES, HOSTILE_COMES, HOSTILE_ENDS };

struct attack {
    struct daemon *daemon;
    unsigned number;
    size_t next, end;
    bool succeeds; /* the defence is off: each must succeed */

    enum phase phase;
    size_t seen;  /* bytes of the log that were looked at */
    size_t begun; /* where in it the act began */
    pid_t pid;
    unsigned turns;
    int64_t deadline; /* of the phase */
    unsigned tried, killed;
};

/* Finds the next whole line of the log with these words; what follows them is returned. */
static const char *find_line(struct attack *attack, const char *words)
{
    const char *log = daemon_log(attack->daemon);
    const char *found = strstr(log + attack->seen, words), *end;

    end = found == NULL ? NULL : strchr(found, '\n');
    if (end == NULL)
        return NULL;
    attack->seen = (size_t)(end + 1 - log);
    return found + strlen(words);
}

/* The process ID that the log gives to the next one of its number. */
static bool is_born(struct attack *attack)
{
    char words[64];
    const char *pid;

    snprintf(words, sizeof words, "event=courier courier=%u pid=", attack->number);
    pid = find_line(attack, words);
    if (pid == NULL)
        return false;
    attack->pid = (pid_t)strtol(pid, NULL, 10);
    return true;
}

static void enter_phase(struct attack *attack, enum phase phase)
{
    attack->phase = phase;
    attack->turns = 0;
    attack->deadline = bounded_deadline(BOUND_MS);
}

/* Whether the log tells of a fault since the act began, and of this one, where it is not NULL. */
static bool has_fault(const struct attack *attack, const char *what)
{
    static const char event[] = "event=courier-fault ";
    const char *log = daemon_log(attack->daemon);
    const char *fault = strstr(log + attack->begun, event);
    char line[512] = "", number[64], words[256];

    if (fault == NULL)
        return false;
    ck_assert_msg(strstr(fault + 1, event) == NULL, "more than one fault:\n%.2000s", fault);
    snprintf(line, sizeof line, "%.*s\n", (int)strcspn(fault, "\n"), fault);
    snprintf(number, sizeof number, " courier=%u ", attack->number);
    snprintf(words, sizeof words, " what=%s", what == NULL ? "" : what);
    return strstr(line, number) != NULL && strstr(line, words) != NULL;
}

/* `how` is the log's, of how the courier ended: "exit=..." or "signal=...". */
static void judge_call(const struct row *row, const char *how, bool succeeds)
{
    int status = strncmp(how, "exit=", 5) == 0 ? atoi(how + 5) : -1;
    int death = strncmp(how, "signal=", 7) == 0 ? atoi(how + 7) : 0;

    if (succeeds && status == HOSTILE_EXIT_REFUSED + ENOSYS)
        printf("skipped: %s: this kernel has no such call\n", row->name);
    else if (succeeds)
        ck_assert_msg(
            status == HOSTILE_EXIT_SUCCEEDED, "%s does not succeed: %.20s", row->name, how);
    else
        ck_assert_msg(status >= HOSTILE_EXIT_REFUSED || death == SIGSYS ||
                          (row->kind == ROW_MEMORY && death == SIGSEGV),
            "%s within the jail: %.20s", row->name, how);
}

static void judge(struct attack *attack, const struct row *row, const char *how)
{
    attack->killed += strncmp(how, "signal=", 7) == 0;
    if (row->kind == ROW_CALL || row->kind == ROW_MEMORY) {
        judge_call(row, how, attack->succeeds);
        return;
    }
    if (row->fault != NULL && !attack->succeeds)
        ck_assert_msg(has_fault(attack, row->fault), "%s is not found fault with:\n%s", row->name,
            daemon_log(attack->daemon) + attack->begun);
    else
        ck_assert_msg(!has_fault(attack, NULL), "%s is found fault with:\n%s", row->name,
            daemon_log(attack->daemon) + attack->begun);
}

/* How the hostile courier ended, once it has. */
static const char *find_end(struct attack *attack)
{
    char words[128];

    snprintf(words, sizeof words, "event=courier-crash courier=%u pid=%ld ", attack->number,
        (long)attack->pid);
    return find_line(attack, words);
}

static void end_honest(struct attack *attack)
{
    attack->begun = attack->seen;
    kill(attack->pid, SIGKILL);
    enter_phase(attack, HOSTILE_COMES);
}

static void end_act(struct attack *attack, const char *how)
{
    judge(attack, &rows[attack->next++], how);
    attack->tried++;
    enter_phase(attack, HONEST_COMES);
}

/* Goes on with the attack as far as that is possible now; false: it is over. */
static bool go_on(struct attack *attack)
{
    const char *how;

    if (attack->next == attack->end)
        return false;
    ck_assert_msg(bounded_now() < attack->deadline, "%s is not over in time (%d):\n%s",
        rows[attack->next].name, (int)attack->phase, daemon_log(attack->daemon) + attack->begun);
    switch (attack->phase) {
    case HONEST_COMES:
        if (is_born(attack))
            enter_phase(attack, HONEST_SERVES);
        break;
    case HONEST_SERVES:
        if (++attack->turns > HONEST_TURNS)
            end_honest(attack);
        break;
    case HOSTILE_COMES:
        if (is_born(attack))
            enter_phase(attack, HOSTILE_ENDS);
        break;
    case HOSTILE_ENDS:
        how = find_end(attack);
        if (how != NULL)
            end_act(attack, how);
    }
    return true;
}

/* Starts the server, whose courier `number` is hostile; `how` as hostile_courier.c reads it. */
static void open_server(
    struct attack *attack, const char *variable, const char *how, const char *const *options)
{
    const char *program = getenv(variable);
    char order[256];

    ck_assert_msg(program != NULL, "%s is not set: run this test with make check", variable);
    setenv("CHATROOMD_BINARY", program, 1);
    snprintf(order, sizeof order, "%u %s %s", attack->number, rows[attack->next].name, how);
    setenv("CHATROOMD_HOSTILE_COURIER", order, 1);
    attack->daemon = daemon_start(options);
    enter_phase(attack, HONEST_COMES);
}

/* Whether this build has the whole jail. */
static bool has_calls(void)
{
#if defined(HAVE_SECCOMP) && !defined(CHATROOMD_SANITIZERS)
    return true;
#else
    printf("skipped: the jail of this build is looser\n");
    return false;
#endif
}

#define SIZES "-o", "max-clients=100", "-o", "max-message-size=4 KiB", "-o", "outbox-size=16 KiB"

/* --- controls: a room of few, whose courier is the hostile one; the last is another's --- */

#define PEOPLE 6

/* Does the acts, and looks whether those are served at last whom the acts cannot harm. */
static void play_control(
    struct attack *attack, const char *variable, const char *how, const char *jail)
{
    struct client *people[PEOPLE];

    open_server(attack, variable, how,
        OPTIONS("-o", "couriers=2", "-o", "clients-per-courier=5", "-o", jail, SIZES));
    client_join_room(daemon_address(attack->daemon, 0), people, PEOPLE);
    while (!daemon_ended(attack->daemon) && go_on(attack))
        client_turn(people, PEOPLE, bounded_deadline(1));
    for (size_t at = 0; at < PEOPLE; at++)
        client_close(people[at]);
    if (!daemon_ended(attack->daemon))
        daemon_kill(attack->daemon);
    daemon_release(attack->daemon);
}

START_TEST(every_call_succeeds_without_the_jail)
{
    struct attack attack = {.succeeds = true, .end = first_of(ROW_MEMORY)};

    if (!has_calls())
        return;
    play_control(&attack, "CHATROOMD_HOSTILE", "", "jail=off");
    ck_assert_uint_eq(attack.next, attack.end);
}
END_TEST

START_TEST(memory_that_is_open_can_be_written)
{
    struct attack attack = {
        .succeeds = true, .next = first_of(ROW_MEMORY), .end = first_of(ROW_FRAME)};

    if (!has_calls())
        return;
    play_control(&attack, "CHATROOMD_HOSTILE", "open", "jail=off");
    ck_assert_uint_eq(attack.next, attack.end);
}
END_TEST

/* What a courier shares with other processes: what all read, to read it, and its own part, a page
 * and a line for each of the hundred slots. Its jail would keep us from looking. */
START_TEST(a_courier_maps_only_its_own_part_for_writing)
{
    struct attack attack = {.succeeds = true};
    struct process_mapping found[8];
    size_t writable = 0, count;
    pid_t courier;

    open_server(&attack, "CHATROOMD_HOSTILE", "",
        OPTIONS("-o", "couriers=3", "-o", "clients-per-courier=5", "-o", "jail=off", SIZES));
    while (daemon_couriers(attack.daemon, &courier, 1) != 1)
        ck_assert(bounded_turn(attack.deadline));
    count = process_shared_mappings(courier, found, 8);
    ck_assert_uint_eq(count, 2);
    for (size_t at = 0; at < count; at++)
        if (strchr(found[at].rights, 'w') != NULL) {
            writable++;
            ck_assert_uint_ne(found[at].offset, 0);
            ck_assert_uint_eq(found[at].length, 3 * 4096);
        }
    ck_assert_uint_eq(writable, 1);
    daemon_stop(attack.daemon);
}
END_TEST

START_TEST(the_same_act_within_the_rules_passes)
{
    size_t at = first_of(ROW_FRAME) + (size_t)_i;
    struct attack attack = {.succeeds = true, .next = at, .end = at + 1};

    if (rows[at].control != LAWFUL)
        return;
    play_control(&attack, "CHATROOMD_HOSTILE", "lawful", "jail=best-effort");
    ck_assert_uint_eq(attack.next, attack.end);
}
END_TEST

/* Where the check is careless the lie goes through, and the server may fall over it. */
START_TEST(a_frame_that_is_not_checked_succeeds)
{
    size_t at = first_of(ROW_FRAME) + (size_t)_i;
    struct attack attack = {.succeeds = true, .next = at, .end = at + 1};

    if (rows[at].control != CARELESS)
        return;
#ifdef CHATROOMD_SANITIZERS
    printf("skipped: the sanitizers catch what the careless server does not\n");
    return;
#endif
    play_control(&attack, "CHATROOMD_CARELESS", "lawful", "jail=best-effort");
}
END_TEST

/* --- all of it, among people --- */

static bool attack_on(void *context)
{
    return go_on(context);
}

/* Has people talk until the attack is over. */
static void play(struct workload_plan *plan, struct checker_report *report)
{
    struct workload *workload = workload_play(plan);

    ck_assert_msg(
        workload_check(workload, report), "%lu faults:\n%s", report->faults, report->text);
    if (report->ended != 0) {
        puts(daemon_log(plan->daemon));
        fflush(stdout);
    }
    ck_assert_msg(report->ended == 0, "%lu honest clients were ended", report->ended);
    workload_free(workload);
    daemon_wait_workers(plan->daemon, 0);
    daemon_stop(plan->daemon);
}

/* The first to come are the hostile courier's. Who leaves is owed what an honest one is slow to
 * deliver in between, so there is time for that. */
START_TEST(no_act_affects_honest_clients)
{
    struct attack attack = {.end = first_of(ROW_CLIENT)};
    struct checker_report report;

    if (!has_calls())
        attack.next = first_of(ROW_FRAME);
    open_server(&attack, "CHATROOMD_HOSTILE", "",
        OPTIONS("-o", "couriers=2", "-o", "clients-per-courier=5", "-o",
            has_calls() ? "jail=required" : "jail=best-effort", "-o", "drain-timeout=10 min",
            SIZES));
    struct workload_plan plan = {
        .seed = 403,
        .at_once = 8,
        .newcomers = 30,
        .messages = 3000,
        .payload_max = 300,
        .quits = 6,
        .half_closes = 6,
        .pauses = 20,
        .disturb = attack_on,
        .context = &attack,
        .daemon = attack.daemon,
    };
    play(&plan, &report);
    printf(
        "%u acts of couriers, %u of them ended by death; %lu records, %lu deliveries, no fault\n",
        attack.tried, attack.killed, report.records, report.deliveries);
}
END_TEST

/* Those who come last are the hostile courier's, and strangers. */
#define HONEST  8
#define VICTIMS 2

struct raid {
    struct attack attack;
    struct client *victims[VICTIMS];
    bool are_here;
};

static unsigned count_joins(struct daemon *daemon)
{
    unsigned count = 0;

    for (const char *at = daemon_log(daemon); (at = strstr(at, "event=join ")) != NULL; at++)
        count++;
    return count;
}

static bool raid_on(void *context)
{
    struct raid *raid = context;
    struct attack *attack = &raid->attack;

    if (!raid->are_here && count_joins(attack->daemon) == HONEST) {
        raid->are_here = true;
        for (size_t at = 0; at < VICTIMS; at++)
            raid->victims[at] = client_open(daemon_address(attack->daemon, 0), 0);
    }
    if (!raid->are_here)
        return bounded_now() < attack->deadline;
    client_turn(raid->victims, VICTIMS, bounded_now());
    if (attack->phase == HONEST_COMES && count_joins(attack->daemon) < HONEST + VICTIMS)
        return bounded_now() < attack->deadline;
    if (go_on(attack))
        return true;
    for (size_t at = 0; at < VICTIMS; at++)
        client_close(raid->victims[at]);
    return false;
}

START_TEST(a_courier_can_harm_only_its_own_clients)
{
    size_t at = first_of(ROW_CLIENT) + (size_t)_i;
    struct raid raid = {.attack = {.number = 1, .next = at, .end = at + 1}};
    struct checker_report report;

    open_server(&raid.attack, "CHATROOMD_HOSTILE", "",
        OPTIONS("-o", "couriers=2", "-o", "clients-per-courier=8", "-o", "jail=best-effort", "-o",
            "ring-size=264 KiB", "-o", "stall-grace=2 s", SIZES));
    struct workload_plan plan = {
        .seed = 405,
        .at_once = HONEST - 2,
        .newcomers = HONEST - 2,
        .messages = 600,
        .payload_max = 300,
        .disturb = raid_on,
        .context = &raid,
        .daemon = raid.attack.daemon,
    };
    play(&plan, &report);
    ck_assert_uint_eq(raid.attack.tried, 1);
    printf("%s: %lu records, %lu deliveries, no fault\n", rows[at].name, report.records,
        report.deliveries);
}
END_TEST

static Suite *hostile_courier_suite(void)
{
    Suite *suite = suite_create("jail: hostile courier");
    TCase *calls = tcase_create("calls"), *frames = tcase_create("frames");
    TCase *all = tcase_create("all");
    int frame_count = (int)(first_of(ROW_CLIENT) - first_of(ROW_FRAME));

    tcase_set_timeout(calls, BOUND_CASE_SECONDS);
    tcase_set_timeout(frames, BOUND_CASE_SECONDS);
    tcase_set_timeout(all, 2 * BOUND_CASE_SECONDS);
    tcase_add_test(all, no_act_affects_honest_clients);
    tcase_add_loop_test(
        all, a_courier_can_harm_only_its_own_clients, 0, (int)(ROW_COUNT - first_of(ROW_CLIENT)));
    tcase_add_test(calls, every_call_succeeds_without_the_jail);
    tcase_add_test(calls, a_courier_maps_only_its_own_part_for_writing);
    tcase_add_test(calls, memory_that_is_open_can_be_written);
    tcase_add_loop_test(frames, the_same_act_within_the_rules_passes, 0, frame_count);
    tcase_add_loop_test(frames, a_frame_that_is_not_checked_succeeds, 0, frame_count);
    suite_add_tcase(suite, all);
    suite_add_tcase(suite, calls);
    suite_add_tcase(suite, frames);
    return suite;
}

CHECK_MAIN(hostile_courier_suite)
