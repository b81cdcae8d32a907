/* SPDX-License-Identifier: ISC */
/*
 * Which couriers are taken for hung: those that leave something undone, whatever it is, while the
 * supervisor runs. The courier is a process that does nothing, or is played by the test; the time
 * that passes is what the test says.
 */
#include "config.h"

#include "relay/handover.h"
#include "supervisor/courier/courier_state.h"
#include "supervisor/courier/couriers.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 3000u /* milliseconds */
#define TICK     100u

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct courier *courier;
static int relay_end, handover_end; /* the courier's */

static void open_courier(void)
{
    int ends[2];

    fixture = fixture_open_with_couriers(1);
    supervisor = &fixture->supervisor;
    courier = &supervisor->couriers[0];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert(child_open(&courier->child, ends[0]));
    relay_end = ends[1];
    ck_assert(handover_pair(&courier->handover_fd, &handover_end));
    courier->child.pid = fork();
    ck_assert_int_ge(courier->child.pid, 0);
    while (courier->child.pid == 0)
        pause();
    courier->child.state = CHILD_RUNNING;
    courier->retry_at = 0;
}

static void close_courier(void)
{
    fixture_close(fixture); /* kills and reaps it */
    close(relay_end);
    close(handover_end);
}

/* It has read all that it was told, done it, and answers. */
static void catch_up(void)
{
    struct courier_state *state = courier->part.state;

    atomic_store(&state->oldest_needed, courier->cursor.notified_to);
    atomic_store(&state->answered, courier->child.pinged);
}

/* What has killed it, unless this does. */
static int ended_by(int number)
{
    siginfo_t exited;

    ck_assert_int_eq(kill(courier->child.pid, number), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)courier->child.pid, &exited, WEXITED | WNOWAIT), 0);
    return exited.si_status;
}

/* The supervisor runs for so long, tick by tick. */
static void run_for(unsigned milliseconds)
{
    for (unsigned passed = 0; passed < milliseconds; passed += TICK) {
        couriers_tick(supervisor, TICK);
        children_kill_due(supervisor);
    }
}

static void expect_left_alone(void)
{
    ck_assert_int_eq(ended_by(SIGUSR1), SIGUSR1);
}

static void expect_killed(void)
{
    run_for(PATIENCE + 2 * TICK);
    ck_assert_int_eq(ended_by(SIGUSR1), SIGKILL);
}

START_TEST(one_that_does_not_answer_is_killed)
{
    couriers_tick(supervisor, 0);
    expect_killed();
}
END_TEST

START_TEST(one_that_answers_late_is_left_alone)
{
    for (int late = 0; late < 3; late++) {
        couriers_tick(supervisor, 0);
        run_for(PATIENCE - TICK);
        catch_up();
        couriers_tick(supervisor, TICK);
    }
    expect_left_alone();
}
END_TEST

/* The whole service was stopped, and goes on. */
START_TEST(only_time_in_which_the_supervisor_ran_counts)
{
    for (int stop = 0; stop < 10; stop++) {
        couriers_tick(supervisor, 0);
        supervisor->now_ms += UINT64_C(3600000);
        couriers_tick(supervisor, TICK);
        catch_up();
        couriers_tick(supervisor, TICK);
    }
    expect_left_alone();
}
END_TEST

/* There is no record that it does not deliver, and yet it keeps the last client's slot. */
START_TEST(one_that_does_not_let_go_is_killed)
{
    struct slot *slot = fixture_join(fixture);

    couriers_tick(supervisor, 0); /* its first PING */
    catch_up();
    ck_assert(!couriers_turn(supervisor));
    slot_end(slot, DISCONNECT_CLOSED, FRAME_CLOSE_DRAIN);
    fixture_turn(fixture);
    ck_assert_ptr_nonnull(slot->link.courier);
    ck_assert(couriers_turn(supervisor));
    expect_killed();
}
END_TEST

/* It lets go, and is not asked any more. */
START_TEST(one_that_lets_go_is_left_alone)
{
    struct slot *slot = fixture_join(fixture);

    slot_end(slot, DISCONNECT_CLOSED, FRAME_CLOSE_DRAIN);
    fixture_turn(fixture);
    courier_read_detached(courier, &(struct frame){.kind = FRAME_DETACHED,
                                       .detail = FRAME_DETACHED_CLOSED,
                                       .slot = slot->number,
                                       .generation = slot->generation});
    ck_assert_ptr_null(slot->link.courier);
    couriers_tick(supervisor, 0);
    catch_up();
    ck_assert(!couriers_turn(supervisor));
    run_for(10 * PATIENCE);
    expect_left_alone();
}
END_TEST

static Suite *hang_suite(void)
{
    Suite *suite = suite_create("couriers that hang");
    TCase *hang = tcase_create("hang");

    tcase_add_checked_fixture(hang, open_courier, close_courier);
    tcase_add_test(hang, one_that_does_not_answer_is_killed);
    tcase_add_test(hang, one_that_answers_late_is_left_alone);
    tcase_add_test(hang, only_time_in_which_the_supervisor_ran_counts);
    tcase_add_test(hang, one_that_does_not_let_go_is_killed);
    tcase_add_test(hang, one_that_lets_go_is_left_alone);
    suite_add_tcase(suite, hang);
    return suite;
}

CHECK_MAIN(hang_suite)
