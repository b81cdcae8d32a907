/* SPDX-License-Identifier: ISC */
/*
 * check_progress.c - a courier that answers its PINGs but blocks the ring is killed at last.
 *
 * Model: the supervisor's side is real, and the test is the courier: it reads its relay, answers, and
 * publishes its position and that of its client. The client is in a room in which somebody talks until
 * that has to wait.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"

#include "relay/handover.h"
#include "supervisor/client/stall.h"
#include "supervisor/courier/couriers.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS 50u

/* Longer than a courier may block the ring; and shorter. */
#define LONG_MS  (FIXTURE_GRACE_MS + 11000u)
#define SHORT_MS (FIXTURE_GRACE_MS + 9000u)

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct courier *courier;
static struct slot *client, *speaker;
static int relay_end, handover_end;
static FILE *log_file;

/* As if the forker had created its process. */
static void run_courier(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert(child_open(&courier->child, ends[0]));
    relay_end = ends[1];
    ck_assert(handover_pair(&courier->handover_fd, &handover_end));
    courier->child.state = CHILD_RUNNING;
    courier->child.pid = FIXTURE_NO_PROCESS;
    courier->retry_at = 0;
}

static void show(uint64_t position, bool waits)
{
    struct delivery_state *state = &courier->part.deliveries[client->number];
    uint32_t version = atomic_load(&state->version) + 1;

    atomic_store(&state->marks[version % 2].position, position);
    atomic_store(&state->version, version);
    atomic_store(&state->waits, waits);
    atomic_store(&state->generation, client->generation);
}

static void need(uint64_t position)
{
    atomic_store(&courier->part.state->oldest_needed, position);
}

static uint64_t needed(void)
{
    return atomic_load(&courier->part.state->oldest_needed);
}

static void talk_until_blocked(void)
{
    for (int i = 0; i < 1000 && speaker->queue_count == 0; i++) {
        fixture_say(speaker, 2000);
        fixture_turn(fixture);
    }
    ck_assert(supervisor->space.blocked);
}

/* Somebody talks until it has to wait; the courier has told its client nothing yet. */
static void begin(void)
{
    fixture = fixture_open_with_couriers(1);
    supervisor = &fixture->supervisor;
    courier = supervisor->couriers;
    run_courier();
    client = fixture_join(fixture);
    speaker = fixture_join(fixture);
    need(courier->cursor.notified_to);
    talk_until_blocked();
    log_file = tmpfile();
    ck_assert_ptr_nonnull(log_file);
    ck_assert_int_ge(dup2(fileno(log_file), STDERR_FILENO), 0);
}

static bool has_fault(const char *what)
{
    char line[1024];

    rewind(log_file);
    while (fgets(line, sizeof line, log_file) != NULL)
        if (strstr(line, "event=courier-fault") != NULL && strstr(line, what) != NULL)
            return true;
    return false;
}

static void end(void)
{
    fclose(log_file);
    fixture_close(fixture);
    close(relay_end);
    close(handover_end);
}

/* Reads its relay to the end, and answers. */
static void answer(void)
{
    struct frame frame;

    while (read(relay_end, &frame, sizeof frame) == (ssize_t)sizeof frame)
        if (frame.kind == FRAME_PING)
            atomic_store(&courier->part.state->answered, frame.from);
}

/* Lets so much time pass; each time the courier answers and does this. */
static void pass(unsigned milliseconds, void (*each)(unsigned tick))
{
    for (unsigned tick = 0; tick < milliseconds / TICK_MS; tick++) {
        if (each != NULL)
            each(tick);
        couriers_tick(supervisor, TICK_MS);
        answer();
    }
}

static void pass_and_check_clients(unsigned milliseconds, void (*each)(unsigned tick))
{
    for (unsigned tick = 0; tick < milliseconds / TICK_MS; tick++) {
        pass(TICK_MS, NULL);
        each(tick);
        stall_tick(supervisor, TICK_MS);
        supervisor->space.waited = true;
    }
}

START_TEST(a_courier_that_only_answers_is_killed)
{
    begin();
    pass(SHORT_MS, NULL);
    ck_assert(!has_fault(""));
    pass(LONG_MS - SHORT_MS, NULL);
    ck_assert(has_fault("it blocks the ring and does not deliver"));
    end();
}
END_TEST

START_TEST(a_courier_that_blocks_nobody_is_left_alone)
{
    begin();
    supervisor->space.waited = supervisor->space.blocked = false;
    pass(2 * LONG_MS, NULL);
    ck_assert(!has_fault(""));
    end();
}
END_TEST

static void move_now_and_then(unsigned tick)
{
    if (tick % (SHORT_MS / TICK_MS) == 0)
        need(needed() + 1);
}

START_TEST(a_courier_that_moves_is_left_alone)
{
    begin();
    pass(3 * LONG_MS, move_now_and_then);
    ck_assert(!has_fault(""));
    end();
}
END_TEST

/* The client that is to blame is evicted first, and then the courier has its full time. */
START_TEST(a_slow_client_is_evicted_before_its_courier_is_killed)
{
    begin();
    show(needed(), true);
    for (unsigned time = 0; time < 2 * FIXTURE_GRACE_MS; time += TICK_MS) {
        pass(TICK_MS, NULL);
        stall_tick(supervisor, TICK_MS);
        supervisor->space.waited = true;
    }
    ck_assert(client->stall.evicted);
    ck_assert(!has_fault(""));
    end();
}
END_TEST

static void wait_mostly(unsigned tick)
{
    show(needed(), tick % 3 != 0);
}

/* Or its courier could let it hold the ring for ever. */
START_TEST(a_client_that_waits_mostly_is_evicted_at_last)
{
    begin();
    pass_and_check_clients(2 * FIXTURE_GRACE_MS, wait_mostly);
    ck_assert_int_eq(client->end, DISCONNECT_STALLED);
    end();
}
END_TEST

/* It stands behind what it must pass, and then gets it all. */
START_TEST(the_time_of_a_client_that_gets_its_records_is_reset)
{
    begin();
    pass_and_check_clients(FIXTURE_GRACE_MS - 2 * TICK_MS, wait_mostly);
    ck_assert_uint_gt(client->stall.ms, 0);
    show(courier->cursor.notified_to, false);
    pass(TICK_MS, NULL);
    stall_tick(supervisor, TICK_MS);
    ck_assert_uint_eq(client->stall.ms, 0);
    end();
}
END_TEST

/* What it has been told waits for the relay, and so does the question. */
START_TEST(a_courier_that_answers_without_reading_is_killed)
{
    begin();
    answer();
    for (unsigned times = 0; times < 100000 && !has_fault(""); times++) {
        atomic_store(&courier->part.state->answered, courier->child.pinged);
        couriers_tick(supervisor, 0);
    }
    ck_assert(has_fault("it answers what it was not asked yet"));
    end();
}
END_TEST

static Suite *progress_suite(void)
{
    Suite *suite = suite_create("supervisor/courier: progress");
    TCase *progress = tcase_create("progress");

    tcase_set_timeout(progress, 60);
    tcase_add_test(progress, a_courier_that_only_answers_is_killed);
    tcase_add_test(progress, a_courier_that_blocks_nobody_is_left_alone);
    tcase_add_test(progress, a_courier_that_moves_is_left_alone);
    tcase_add_test(progress, a_slow_client_is_evicted_before_its_courier_is_killed);
    tcase_add_test(progress, a_client_that_waits_mostly_is_evicted_at_last);
    tcase_add_test(progress, the_time_of_a_client_that_gets_its_records_is_reset);
    tcase_add_test(progress, a_courier_that_answers_without_reading_is_killed);
    suite_add_tcase(suite, progress);
    return suite;
}

CHECK_MAIN(progress_suite)
