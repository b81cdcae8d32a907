/*
 * A hostile worker under honest clients: all of acts.h, tried and refused, and each tried once more
 * where it must succeed.
 *
 * Model: a room of three honest clients on TCP, and hostile ones on a local socket, one for each
 * act. After every act one of the honest says something, and the next line that each other one sees
 * must be just that: so honest clients see nothing of an act but, where the hostile one was in the
 * room, its coming and going.
 *
 * All is tried where workers deliver to their own clients, since they have more then, and what
 * there is of it once more where couriers do.
 */
#include "config.h"

#include "tests/check_main.h"
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

static const struct frame_row frame_rows[] = {
#define ACT(name, fault, control, inside) {#name, fault, control, inside, false},
    FRAME_ACTS(ACT)
#undef ACT
#define ACT(name, fault, control, inside) {#name, fault, control, inside, true},
        POSITION_FRAME_ACTS(ACT)
#undef ACT
};

#define CALL_COUNT  (sizeof call_rows / sizeof call_rows[0])
#define FRAME_COUNT (sizeof frame_rows / sizeof frame_rows[0])

struct stage {
    struct daemon *daemon;
    struct client *honest[HONEST];
    char hostile_address[256];
    pid_t sibling;
};

static void open_stage(struct stage *stage, const char *variable, const char *jail, enum mode mode)
{
    const char *program = getenv(variable);

    ck_assert_msg(program != NULL, "%s is not set: run this test with make check", variable);
    setenv("CHATROOMD_BINARY", program, 1);
    folder_name(stage->hostile_address, sizeof stage->hostile_address, "unix:", "hostile");
    stage->daemon = daemon_start(OPTIONS("-l", "127.0.0.1:0", "-l", stage->hostile_address, "-o",
        jail, "-o", mode_options[mode], "-o", "max-clients=10", "-o", "max-message=4 KiB", "-o",
        "outbox-size=16 KiB"));
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
static struct client *begin(struct stage *stage, const char *act, bool lawful)
{
    struct client *client = client_open(stage->hostile_address, 0);

    client_send(client, "%s %d %s\n", act, (int)stage->sibling, lawful ? "lawful" : "");
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
static bool try_call(struct stage *stage, const char *act, char *words, size_t size)
{
    struct client *client = begin(stage, act, false);
    const char *line;
    bool succeeded;

    client_read_to_end(client);
    line = client_take(client);
    snprintf(words, size, "%s", line == NULL ? "killed" : line);
    succeeded = strcmp(words, "succeeded") == 0;
    client_close(client);
    return succeeded;
}

START_TEST(no_call_succeeds)
{
    enum mode mode = (enum mode)_i;
    struct stage stage;
    char words[256];
    unsigned refused = 0, killed = 0;

    if (!has_calls())
        return;
    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=required", mode);
    for (size_t at = 0; at < CALL_COUNT; at++) {
        const struct call_row *row = &call_rows[at];

        if (row->by_workers_only && mode != BY_WORKERS)
            continue;
        ck_assert_msg(!try_call(&stage, row->name, words, sizeof words),
            "%s succeeds within the jail", row->name);
        refused++;
        killed += strcmp(words, "killed") == 0;
        expect_peace(&stage);
    }
    printf("%u calls refused, %u of them by death\n", refused, killed);
    close_stage(&stage);
}
END_TEST

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
    for (size_t at = 0; at < CALL_COUNT; at++) {
        const struct call_row *row = &call_rows[at];

        if (try_call(&stage, row->name, words, sizeof words))
            continue;
        bool absent = strcmp(words, absence) == 0;
        printf("%s%s does not succeed without the jail either: %s\n", absent ? "skipped: " : "",
            row->name, words);
        failed += !absent;
    }
    ck_assert_msg(failed == 0, "%u acts prove nothing", failed);
    expect_peace(&stage);
    close_stage(&stage);
}
END_TEST

/* What an honest worker shares with other processes; its jail would keep us from looking. */
START_TEST(what_all_read_is_mapped_by_who_delivers_only)
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

/* --- frames */

/* The next line must begin with "* guest", and end so. */
static void expect_about_guest(struct client *client, const char *end)
{
    const char *line = client_expect_start(client, "* guest");
    size_t length = strlen(line), tail = strlen(end);

    ck_assert_msg(length >= tail && strcmp(line + length - tail, end) == 0,
        "%s saw \"%s\" instead of \"...%s\"", client->name, line, end);
}

/* Messages that the act sent before it was caught are its own affair, if they are clean: from its
 * own name, and without a control character. The line that it left must come. */
static void expect_departure(struct client *client)
{
    for (;;) {
        const char *line = client_line(client);

        for (const char *byte = line; *byte != '\0'; byte++)
            ck_assert_msg((unsigned char)*byte >= ' ', "%s saw a control character", client->name);
        if (strncmp(line, "[guest4] ", 9) != 0) {
            ck_assert_str_eq(line, "* guest4 left (connection lost)");
            return;
        }
    }
}

START_TEST(every_lie_ends_its_worker)
{
    enum mode mode = (enum mode)_i;
    struct stage stage;
    unsigned ended = 0;

    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=best-effort", mode);
    for (size_t at = 0; at < FRAME_COUNT; at++) {
        const struct frame_row *row = &frame_rows[at];
        char what[128];

        if (row->by_workers_only && mode != BY_WORKERS)
            continue;
        ended++;
        daemon_mark(stage.daemon);
        struct client *client = begin(&stage, row->name, false);
        if (row->inside)
            for (unsigned honest = 0; honest < HONEST; honest++)
                expect_about_guest(stage.honest[honest], " joined");
        client_read_to_end(client);
        client_close(client);
        if (row->inside)
            for (unsigned honest = 0; honest < HONEST; honest++)
                expect_departure(stage.honest[honest]);
        snprintf(what, sizeof what, "what=%s", row->fault);
        daemon_wait_log(stage.daemon, "event=worker-fault", what, NULL);
        daemon_wait_log(stage.daemon, "event=leave", NULL);
        expect_peace(&stage);
    }
    printf("%u lies ended their workers\n", ended);
    close_stage(&stage);
}
END_TEST

/* Where couriers deliver, what a worker says of its position is nothing: it is gone, no more. */
START_TEST(a_position_means_nothing_where_couriers_deliver)
{
    struct stage stage;

    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=best-effort", BY_COURIERS);
    struct client *client = begin(&stage, "position_of_the_future", false);
    for (unsigned honest = 0; honest < HONEST; honest++)
        expect_about_guest(stage.honest[honest], " joined");
    client_read_to_end(client);
    client_close(client);
    for (unsigned honest = 0; honest < HONEST; honest++)
        expect_departure(stage.honest[honest]);
    daemon_wait_log(stage.daemon, "event=leave", NULL);
    ck_assert(!daemon_has_log(stage.daemon, "event=worker-fault", NULL));
    expect_peace(&stage);
    close_stage(&stage);
}
END_TEST

static const struct frame_row *row_of(int number, enum act_control control)
{
    return frame_rows[number].control == control ? &frame_rows[number] : NULL;
}

/* Done lawfully, the same act is not found fault with. */
START_TEST(the_same_done_lawfully_passes)
{
    const struct frame_row *row = row_of(_i, LAWFUL);
    struct stage stage;

    if (row == NULL)
        return;
    open_stage(&stage, "CHATROOMD_HOSTILE", "jail=best-effort", BY_WORKERS);
    struct client *client = begin(&stage, row->name, true);
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
START_TEST(what_is_not_checked_goes_through)
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
    struct client *client = begin(&stage, row->name, false);
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

static Suite *hostile_suite(void)
{
    Suite *suite = suite_create("jail: hostile worker");
    TCase *calls = tcase_create("calls"), *frames = tcase_create("frames");

    tcase_set_timeout(calls, BOUND_CASE_SECONDS);
    tcase_set_timeout(frames, BOUND_CASE_SECONDS);
    tcase_add_loop_test(calls, no_call_succeeds, 0, MODE_COUNT);
    tcase_add_test(calls, every_call_succeeds_without_the_jail);
    tcase_add_loop_test(calls, what_all_read_is_mapped_by_who_delivers_only, 0, MODE_COUNT);
    tcase_add_loop_test(frames, every_lie_ends_its_worker, 0, MODE_COUNT);
    tcase_add_test(frames, a_position_means_nothing_where_couriers_deliver);
    tcase_add_loop_test(frames, the_same_done_lawfully_passes, 0, (int)FRAME_COUNT);
    tcase_add_loop_test(frames, what_is_not_checked_goes_through, 0, (int)FRAME_COUNT);
    suite_add_tcase(suite, calls);
    suite_add_tcase(suite, frames);
    return suite;
}

CHECK_MAIN(hostile_suite)
