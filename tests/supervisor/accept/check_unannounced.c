/* SPDX-License-Identifier: ISC */
/*
 * A forker dies before it has announced a worker, which may exist nevertheless: its client is
 * refused or disconnected, and its slot stays taken until the relay reads EOF, so that no other
 * worker gets the outbox that this one has mapped.
 */
#include "config.h"

#include "supervisor/accept/acceptor.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct acceptor acceptor;

static void open_all(void)
{
    fixture = fixture_open();
    supervisor = &fixture->supervisor;
    acceptor_prepare(&acceptor, supervisor, NULL, 0);
}

static void close_all(void)
{
    fixture_close(fixture);
}

static void announce_failure(struct slot *slot)
{
    struct forker_answer answer = {
        .kind = KIND_WORKER,
        .slot = slot->number,
        .generation = slot->generation,
        .failure = ECHILD,
    };

    slot->child.pid = 0;
    slot->child.state = CHILD_ASKED;
    supervisor->spawner.handlers[KIND_WORKER]->answered(supervisor, &answer);
}

/* Whether the worker sees the end of its relay, behind what it was sent. */
static bool sees_end(const struct slot *slot)
{
    struct frame frame;
    ssize_t length;

    do
        length = read(fixture->worker_ends[slot->number], &frame, sizeof frame);
    while (length > 0);
    return length == 0;
}

START_TEST(a_client_that_waits_is_refused)
{
    int ends[2];
    char line[128] = "";
    struct slot *slot;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    slot = fixture_take_client(fixture, dup(ends[0]));
    slot->client_fd = ends[0]; /* kept until the worker is announced */
    announce_failure(slot);
    ck_assert_int_gt(read(ends[1], line, sizeof line - 1), 0);
    ck_assert_str_eq(line, "! The server is busy; try again later\n");
    ck_assert_int_eq(slot->state, SLOT_GONE);
    ck_assert(sees_end(slot));
    children_reap(supervisor);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    fixture_end_relay(fixture, slot);
    children_reap(supervisor);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    close(ends[1]);
}
END_TEST

START_TEST(a_client_in_the_room_leaves)
{
    struct slot *slot = fixture_join(fixture);

    announce_failure(slot);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    ck_assert(sees_end(slot));
    fixture_end_relay(fixture, slot);
    fixture_turn(fixture);
    ck_assert_int_eq(slot->end, DISCONNECT_WORKER_CRASH);
    ck_assert(slot->left_recorded);
    ck_assert_int_eq(slot->state, SLOT_FREE);
}
END_TEST

static Suite *unannounced_suite(void)
{
    Suite *suite = suite_create("acceptor: unannounced workers");
    TCase *cases = tcase_create("unannounced");

    tcase_add_checked_fixture(cases, open_all, close_all);
    tcase_add_test(cases, a_client_that_waits_is_refused);
    tcase_add_test(cases, a_client_in_the_room_leaves);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(unannounced_suite)
