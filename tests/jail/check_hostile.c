/* SPDX-License-Identifier: ISC */
/*
 * A hostile worker among honest clients: every act of acts.h is tried and refused, and is tried
 * once more under conditions in which it must succeed.
 *
 * Model: honest clients join, talk and leave over TCP as a seeded workload, and the delivery
 * checker (tests/checker) checks what they receive. Meanwhile hostile clients connect to a local
 * socket, one after the other, one for each act; to the checker they are strangers. So all that
 * honest clients see of an act is that the hostile client joins and leaves, if it was in the room,
 * and what it says under its own name.
 *
 * Everything is tried with workers that deliver to their own clients, since they have more then,
 * and what applies is tried once more with couriers.
 *
 * The controls need no crowd: three clients in a room check that they hear each other.
 */
#include "config.h"

#include "tests/check_main.h"
#include "tests/checker/workload.h"
#include "tests/jail/acts.h"
#include "tests/system/bounded.h"
#include "tests/system/client.h"
#include "tests/system/crowd.h"
#include "tests/system/daemon.h"
#include "tests/system/folder.h"
#include "tests/system/process.h"
#include "tests/system/workers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HONEST 3

/* How long a stalled careless server is waited for. */
#define CARELESS_MS 3000
#define LOG_TAIL    3000 /* bytes that a failure shows */

/* Who delivers. */
enum mode { BY_WORKERS, BY_COURIERS };
#define MODE_COUNT 2

static const char *const mode_options[MODE_COUNT] = {"couriers=0", "couriers=2"};

/* An act by_workers_only is on what a worker does not have where couriers deliver. */
struct call_row {
    const char *name;
    bool by_workers_only;
};

struct frame_row {
    const char *name, *fault;
    enum act_control control;
    bool inside;
    bool by_workers_only;
};

static const struct call_row call_rows[] = {
#define ACT(name) {#name, true},
    VIEW_CALL_ACTS(ACT)
#undef ACT
#define ACT(name) {#name, false},
        CALL_ACTS(ACT)
#undef ACT
};

static const char *const confined_rows[] = {
#define ACT(name) #name,
    CONFINED_ACTS(ACT)
#undef ACT
};

static const struct frame_row frame_rows[] = {
#define ACT(name, fault, control, inside) {#name, fault, control, inside, false},
    FRAME_ACTS(ACT)
#undef ACT
#define ACT(name, fault, control, inside) {#name, fault, control, inside, true},
        POSITION_FRAME_ACTS(ACT)
#undef ACT
};

#define CALL_COUNT     (sizeof call_rows / sizeof call_rows[0])
#define CONFINED_COUNT (sizeof confined_rows / sizeof confined_rows[0])
#define FRAME_COUNT    (sizeof frame_rows / sizeof frame_rows[0])

struct stage {
    struct daemon *daemon;
    struct client *honest[HONEST];
    char hostile_address[256];
    pid_t sibling;
};

/* The server alone. */
static void open_server(struct stage *stage, const char *variable, const char *jail, enum mode mode)
{
    const char *program = getenv(variable);

    ck_assert_msg(program != NULL, "%s is not set: run this test with make check", variable);
    setenv("CHATROOMD_BINARY", program, 1);
    folder_name(stage->hostile_address, sizeof stage->hostile_address, "unix:", "hostile");
    stage->daemon = daemon_start(OPTIONS("-l", "127.0.0.1:0", "-l", stage->hostile_address, "-o",
        jail, "-o", mode_options[mode], "-o", "max-clients=20", "-o", "max-message-size=4 KiB",
        "-o", "outbox-size=16 KiB"));
}

static void open_stage(struct stage *stage, const char *variable, const char *jail, enum mode mode)
{
    open_server(stage, variable, jail, mode);
    client_join_room(daemon_address(stage->daemon, 0), stage->honest, HONEST);
    stage->sibling = daemon_worker_of(stage->daemon, stage->honest[0]->name);
}

static void close_stage(struct stage *stage)
{
    for (unsigned at = 0; at < HONEST; at++)
        client_close(stage->honest[at]);
    daemon_stop(stage->daemon);
}

/* Sends a hostile worker its order. */
static struct client *begin(struct stage *stage, const char *act, const char *how)
{
    struct client *client = client_open(stage->hostile_address, 0);

    client_send(client, "%s %d %s\n", act, (int)stage->sibling, how);
    return client;
}

/* Nobody has seen anything, and everybody still hears everybody. */
static void expect_peace(struct stage *stage)
{
    for (unsigned at = 0; at < HONEST; at++) {
        struct client *listeners[HONEST];
        size_t count = 0;

        for (unsigned other = 0; other < HONEST; other++)
            if (other != at)
                listeners[count++] = stage->honest[other];
        client_expect_silence(stage->honest[at], listeners, count);
    }
}

/* --- calls */

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

/* What came of it: true if it succeeded. The answer, or the lack of one, is left in `words`. */
static bool try_call(
    struct stage *stage, const char *act, const char *how, char *words, size_t size)
{
    struct client *client = begin(stage, act, how);
    const char *line;
    bool succeeded;

    client_read_to_end(client);
    line = client_take(client);
    snprintf(words, size, "%s", line == NULL ? "killed" : line);
    succeeded = strcmp(words, "succeeded") == 0;
    client_close(client);
    return succeeded;
}

/* Both modes have one filter. */
START_TEST(every_call_succeeds_without_the_jail)
{
    struct stage stage;
    char words[256];
    unsigned failed = 0;
    char absence[128]; /* this kernel does not have such a call */

    if (!has_calls())
        return;
    snprintf(absence, sizeof absence, "refused: %s", strerror(ENOSYS));
    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=off", BY_WORKERS);
    for (size_t row = 0; row < CALL_COUNT; row++) {
        if (try_call(&stage, call_rows[row].name, "", words, sizeof words))
            continue;
        bool absent = strcmp(words, absence) == 0;
        printf("%s%s does not succeed without the jail either: %s\n", absent ? "skipped: " : "",
            call_rows[row].name, words);
        failed += !absent;
    }
    ck_assert_msg(failed == 0, "%u acts prove nothing", failed);
    expect_peace(&stage);
    close_stage(&stage);
}
END_TEST

/* What an honest worker shares with other processes; its jail would keep us from looking. */
START_TEST(only_a_process_that_delivers_maps_the_ring)
{
    enum mode mode = (enum mode)_i;
    struct process_mapping found[8];
    struct stage stage;
    bool reads_all = false;

    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=off", mode);
    size_t count = process_shared_mappings(stage.sibling, found, 8);
    ck_assert_uint_eq(count, mode == BY_WORKERS ? 2 : 1);
    for (size_t at = 0; at < count; at++)
        reads_all = reads_all || found[at].offset == 0;
    ck_assert(reads_all == (mode == BY_WORKERS));
    close_stage(&stage);
}
END_TEST

/* What the supervisor may not do, tried by a worker in the supervisor's jail. The server has none, so
 * that nothing else refuses these. */
START_TEST(no_call_succeeds_in_the_supervisor_s_jail)
{
    struct stage stage;
    char words[256];

    if (!has_calls())
        return;
    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=off", BY_WORKERS);
    for (size_t row = 0; row < CONFINED_COUNT; row++)
        ck_assert_msg(!try_call(&stage, confined_rows[row], "confined", words, sizeof words),
            "%s succeeds in the supervisor's jail", confined_rows[row]);
    expect_peace(&stage);
    close_stage(&stage);
}
END_TEST

/* --- frames */

/* Where couriers deliver, what a worker says of its position is nothing: it is gone, no more. */
START_TEST(a_worker_s_position_is_ignored_if_couriers_deliver)
{
    struct stage stage;

    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=best-effort", BY_COURIERS);
    struct client *client = begin(&stage, "position_of_the_future", "");
    client_read_to_end(client);
    client_close(client);
    daemon_wait_log(stage.daemon, "event=leave", NULL);
    ck_assert(!daemon_has_log(stage.daemon, "event=worker-fault", NULL));
    close_stage(&stage);
}
END_TEST

static const struct frame_row *row_of(int number, enum act_control control)
{
    return frame_rows[number].control == control ? &frame_rows[number] : NULL;
}

/* Done lawfully, the same act is not found fault with. */
START_TEST(the_same_act_within_the_rules_passes)
{
    const struct frame_row *row = row_of(_i, LAWFUL);
    struct stage stage;

    if (row == NULL)
        return;
    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=best-effort", BY_WORKERS);
    struct client *client = begin(&stage, row->name, "lawful");
    client_expect(client, "done");
    client_close(client);
    daemon_wait_log(stage.daemon, "event=leave", NULL);
    ck_assert(!daemon_has_log(stage.daemon, "event=worker-fault", NULL));
    for (unsigned at = 0; at < HONEST; at++)
        client_close(stage.honest[at]);
    daemon_stop(stage.daemon);
}
END_TEST

/* Where the check is careless, the lie goes through: the supervisor takes it, falls over it, or
 * waits for ever for space that there cannot be. A fault is looked for until one of these is
 * certain, by one more message that comes or does not. */
START_TEST(a_frame_that_is_not_checked_succeeds)
{
    const struct frame_row *row = row_of(_i, CARELESS);
    int64_t deadline = bounded_deadline(CARELESS_MS);
    struct stage stage;

    if (row == NULL)
        return;
#ifdef CHATROOMD_SANITIZERS
    printf("skipped: the sanitizers catch what the careless server does not\n");
    return;
#endif
    open_stage(&stage, "CHATROOMD_CARELESS", "jail=best-effort", BY_WORKERS);
    struct client *client = begin(&stage, row->name, "");
    while (!daemon_ended(stage.daemon) && client_take(client) == NULL &&
           client_turn(&client, 1, deadline))
        continue;
    client_close(client);
    client_queue_text(stage.honest[0], "the end\n");
    while (!daemon_ended(stage.daemon) && client_turn(stage.honest, HONEST, deadline) &&
           !crowd_got(stage.honest[1], "[guest1] the end"))
        continue;
    ck_assert_msg(!daemon_has_log(stage.daemon, "event=worker-fault", NULL),
        "%s is caught by something else, too:\n%s", row->name, daemon_log(stage.daemon));
    for (unsigned at = 0; at < HONEST; at++)
        client_close(stage.honest[at]);
    if (!daemon_ended(stage.daemon))
        daemon_kill(stage.daemon);
    daemon_release(stage.daemon);
}
END_TEST

/* --- all of it, among people */

/* Hostile ones, one after the other: CALL acts by their number, then FRAME acts. */
struct attack {
    struct stage stage;
    enum mode mode;
    size_t next, end;
    unsigned tried;
    bool careless;         /* of the server: what is done goes through */
    struct client *client; /* of the act before `next`, or NULL */
    const char *name;
    const char *fault; /* that the log must tell of it, or NULL */
    int64_t deadline;  /* of it */
    unsigned killed;
    unsigned told; /* why they were ended */
};

static bool has_next(struct attack *attack)
{
    for (; attack->next < attack->end; attack->next++) {
        size_t at = attack->next;
        bool by_workers_only = at < CALL_COUNT ? call_rows[at].by_workers_only
                                               : frame_rows[at - CALL_COUNT].by_workers_only;
        if (!by_workers_only || attack->mode == BY_WORKERS)
            return true;
    }
    return false;
}

static void begin_next(struct attack *attack)
{
    size_t at = attack->next++;
    const struct frame_row *row = at < CALL_COUNT ? NULL : &frame_rows[at - CALL_COUNT];

    attack->tried++;
    attack->name = row == NULL ? call_rows[at].name : row->name;
    attack->fault = row == NULL ? NULL : row->fault;
    attack->deadline = bounded_deadline(BOUND_MS);
    daemon_mark(attack->stage.daemon);
    attack->client = begin(&attack->stage, attack->name, "");
}

/* Takes the client's next line that is not the last one, in which a courier says, if it was one's
 * already, why it is ended. */
static const char *take_answer(struct attack *attack)
{
    const char *line = client_take(attack->client);

    if (line == NULL || strncmp(line, "! You are disconnected: ", 24) != 0)
        return line;
    ck_assert_str_eq(line + 24, attack->fault != NULL
                                    ? "internal error (the process for this connection was faulty)"
                                    : "internal error (the process for this connection crashed)");
    attack->told++;
    return NULL;
}

/* The worker must have been ended for its lie, or the call refused. */
static void expect_refused(struct attack *attack)
{
    char what[128];
    const char *line;

    if (attack->fault != NULL) {
        snprintf(what, sizeof what, "what=%s", attack->fault);
        daemon_wait_log(attack->stage.daemon, "event=worker-fault", what, NULL);
        while (take_answer(attack) != NULL)
            continue;
        return;
    }
    line = take_answer(attack);
    ck_assert_msg(line == NULL || strncmp(line, "refused: ", 9) == 0, "%s within the jail: %s",
        attack->name, line);
    attack->killed += line == NULL;
}

/* Whether the last act is over. */
static bool is_over(struct attack *attack)
{
    const char *log = daemon_log(attack->stage.daemon);
    size_t length = strlen(log);

    ck_assert_msg(bounded_now() < attack->deadline, "%s is not over in time:\n%s", attack->name,
        log + (length > LOG_TAIL ? length - LOG_TAIL : 0));
    client_turn(&attack->client, 1, bounded_now());
    if (attack->careless ? client_take(attack->client) == NULL
                         : !attack->client->ended || !daemon_has_log(attack->stage.daemon,
                                                         "event=leave", "address=unix:", NULL))
        return false;
    if (!attack->careless)
        expect_refused(attack);
    client_close(attack->client);
    attack->client = NULL;
    return true;
}

static bool attack_on(void *context)
{
    struct attack *attack = context;

    if (attack->stage.sibling == 0) /* the witness's */
        attack->stage.sibling = daemon_worker_of(attack->stage.daemon, "guest1");
    if (attack->client != NULL && !is_over(attack))
        return true;
    if (!has_next(attack))
        return false;
    begin_next(attack);
    return true;
}

/* Has people talk until the attack is over. Returns whether the checker finds no fault. */
static bool play(struct attack *attack, unsigned newcomers, struct checker_report *report)
{
    struct workload_plan plan = {
        .seed = 401,
        .at_once = 8,
        .newcomers = newcomers,
        .messages = 100 * newcomers,
        .payload_max = 300,
        .quits = 6,
        .half_closes = 6,
        .pauses = 20,
        .disturb = attack_on,
        .context = attack,
        .daemon = attack->stage.daemon,
    };
    struct workload *workload = workload_play(&plan);
    bool sound;

    sound = workload_check(workload, report);
    workload_free(workload);
    daemon_wait_workers(attack->stage.daemon, 0);
    daemon_stop(attack->stage.daemon);
    return sound;
}

START_TEST(no_act_affects_honest_clients)
{
    struct attack attack = {.mode = (enum mode)_i, .end = CALL_COUNT + FRAME_COUNT};
    struct checker_report report;

    if (!has_calls())
        attack.next = CALL_COUNT;
    open_server(&attack.stage, "CHATROOMD_HOSTILE",
        has_calls() ? "jail=required" : "jail=best-effort", attack.mode);
    ck_assert_msg(play(&attack, 30, &report), "%lu faults:\n%s", report.faults, report.text);
    ck_assert_msg(report.ended == 0, "%lu honest clients were ended", report.ended);
    printf("%u acts, %u of them ended by death, %u told why; %lu records, %lu deliveries, no "
           "fault\n",
        attack.tried, attack.killed, attack.told, report.records, report.deliveries);
}
END_TEST

static const char *const noticed[] = {
    "text_with_escape", "text_with_line_feed", "text_not_utf8", "reason_with_escape"};

#define NOTICED_COUNT ((int)(sizeof noticed / sizeof noticed[0]))

/* The control of the above: what gets through a careless server to the room, the checker sees. */
START_TEST(an_act_that_succeeds_is_noticed)
{
    struct attack attack = {.next = CALL_COUNT, .careless = true};
    struct checker_report report;

    while (strcmp(frame_rows[attack.next - CALL_COUNT].name, noticed[_i]) != 0)
        attack.next++;
    attack.end = attack.next + 1;
    open_server(&attack.stage, "CHATROOMD_CARELESS", "jail=best-effort", BY_WORKERS);
    ck_assert_msg(!play(&attack, 4, &report), "%s is not noticed", noticed[_i]);
}
END_TEST

static Suite *hostile_suite(void)
{
    Suite *suite = suite_create("jail: hostile worker");
    TCase *calls = tcase_create("calls"), *frames = tcase_create("frames");
    TCase *all = tcase_create("all");

    tcase_set_timeout(calls, BOUND_CASE_SECONDS);
    tcase_set_timeout(frames, BOUND_CASE_SECONDS);
    tcase_set_timeout(all, 2 * BOUND_CASE_SECONDS);
    tcase_add_loop_test(all, no_act_affects_honest_clients, 0, MODE_COUNT);
    tcase_add_loop_test(all, an_act_that_succeeds_is_noticed, 0, NOTICED_COUNT);
    tcase_add_test(calls, every_call_succeeds_without_the_jail);
    tcase_add_loop_test(calls, only_a_process_that_delivers_maps_the_ring, 0, MODE_COUNT);
    tcase_add_test(frames, a_worker_s_position_is_ignored_if_couriers_deliver);
    tcase_add_test(calls, no_call_succeeds_in_the_supervisor_s_jail);
    tcase_add_loop_test(frames, the_same_act_within_the_rules_passes, 0, (int)FRAME_COUNT);
    tcase_add_loop_test(frames, a_frame_that_is_not_checked_succeeds, 0, (int)FRAME_COUNT);
    suite_add_tcase(suite, all);
    suite_add_tcase(suite, calls);
    suite_add_tcase(suite, frames);
    return suite;
}

CHECK_MAIN(hostile_suite)
