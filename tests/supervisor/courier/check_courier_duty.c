/* SPDX-License-Identifier: ISC */
/*
 * Whether a courier that answers is believed that it does what it is there for.
 *
 * Model: the supervisor's side is real, and the test is the courier: it reads its relay, answers,
 * and says where it and its client stand. The client is in a room in which somebody talks until
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

/* Longer than any courier may be idle; and shorter. */
#define LONG_MS  4000u
#define SHORT_MS 2500u

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct courier *courier;
static struct slot *client, *speaker;
static int relay_end, handover_end;
static FILE *log_file;

static bool no_frame(void *context, const struct frame *frame)
{
    (void)context, (void)frame;
    return true;
}

static void writable(void *context)
{
    ((struct courier *)context)->ask_waits = false;
}

static void no_end(void *context)
{
    (void)context;
}

static const struct relay_handler handler = {no_frame, NULL, writable, no_end};

/* As if the forker had made its process. */
static void run_courier(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    courier->relay = relay_open(supervisor->base, ends[0], &handler, courier);
    ck_assert_ptr_nonnull(courier->relay);
    relay_end = ends[1];
    ck_assert(handover_pair(&courier->handover_fd, &handover_end));
    courier->state = COURIER_RUNS;
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

static void pass_and_judge_clients(unsigned milliseconds, void (*each)(unsigned tick))
{
    for (unsigned tick = 0; tick < milliseconds / TICK_MS; tick++) {
        pass(TICK_MS, NULL);
        each(tick);
        stall_tick(supervisor, TICK_MS);
        supervisor->space.waited = true;
    }
}

START_TEST(who_only_answers_is_at_fault)
{
    begin();
    pass(SHORT_MS, NULL);
    ck_assert(!has_fault(""));
    pass(LONG_MS - SHORT_MS, NULL);
    ck_assert(has_fault("it answers and does not deliver"));
    end();
}
END_TEST

START_TEST(who_keeps_nobody_waiting_is_not)
{
    begin();
    supervisor->space.waited = supervisor->space.blocked = false;
    pass(LONG_MS, NULL);
    ck_assert(!has_fault(""));
    end();
}
END_TEST

START_TEST(a_client_that_waits_there_explains_it)
{
    begin();
    show(needed(), true);
    pass(2 * LONG_MS, NULL);
    ck_assert(!has_fault(""));
    end();
}
END_TEST

START_TEST(a_client_that_waits_further_on_does_not)
{
    begin();
    show(needed() + 1, true);
    pass(LONG_MS, NULL);
    ck_assert(has_fault("it answers and does not deliver"));
    end();
}
END_TEST

START_TEST(a_client_that_was_ended_does_not)
{
    begin();
    show(needed(), true);
    pass(LONG_MS, NULL);
    ck_assert(!has_fault(""));
    slot_end(client, DISCONNECT_STALLED, FRAME_CLOSE_EVICT);
    fixture_turn(fixture);
    pass(LONG_MS, NULL);
    ck_assert(has_fault("it answers and does not deliver"));
    end();
}
END_TEST

/* One that drains may take its time, but not that of others. */
START_TEST(a_client_that_drains_does_until_it_is_evicted)
{
    begin();
    show(needed(), true);
    slot_end(client, DISCONNECT_QUIT, FRAME_CLOSE_DRAIN);
    fixture_turn(fixture);
    pass(LONG_MS, NULL);
    ck_assert(!has_fault(""));
    for (unsigned time = 0; time < 2 * FIXTURE_GRACE_MS; time += TICK_MS) {
        pass(TICK_MS, NULL);
        stall_tick(supervisor, TICK_MS);
        supervisor->space.waited = true;
    }
    ck_assert(client->evicted);
    pass(LONG_MS, NULL);
    ck_assert(has_fault("it answers and does not deliver"));
    end();
}
END_TEST

static void move_a_little(unsigned tick)
{
    (void)tick;
    need(needed() + 1);
}

START_TEST(who_moves_a_little_is_at_fault)
{
    begin();
    ck_assert_uint_gt(courier->cursor.notified_to, needed() + LONG_MS / TICK_MS);
    pass(LONG_MS, move_a_little);
    ck_assert(has_fault("it answers and does not deliver"));
    end();
}
END_TEST

static void catch_up_in_time(unsigned tick)
{
    if (tick == SHORT_MS / TICK_MS)
        need(courier->cursor.notified_to);
}

START_TEST(who_catches_up_in_time_is_not)
{
    begin();
    pass(LONG_MS, catch_up_in_time);
    ck_assert(!has_fault(""));
    end();
}
END_TEST

/* It has got so far, but has been told of more since. */
START_TEST(who_gets_where_it_was_told_to_is_not)
{
    uint64_t first;

    begin();
    pass(SHORT_MS, NULL);
    first = courier->cursor.notified_to;
    need(first - 10);
    fixture_turn(fixture);
    talk_until_blocked();
    ck_assert_uint_gt(courier->cursor.notified_to, first + 10);
    pass(5 * TICK_MS, NULL);
    need(first);
    pass(SHORT_MS, NULL);
    ck_assert(!has_fault(""));
    end();
}
END_TEST

static void wait_now_and_then(unsigned tick)
{
    show(needed(), tick % 3 == 0);
}

START_TEST(now_and_then_is_no_explanation)
{
    begin();
    pass(LONG_MS, wait_now_and_then);
    ck_assert(!has_fault(""));
    pass(LONG_MS, wait_now_and_then);
    ck_assert(has_fault("it answers and does not deliver"));
    end();
}
END_TEST

static void wait_mostly(unsigned tick)
{
    show(needed(), tick % 3 != 0);
}

/* Or its courier could let it hold the ring for ever. */
START_TEST(a_client_that_waits_mostly_is_ended_at_last)
{
    begin();
    pass_and_judge_clients(2 * FIXTURE_GRACE_MS, wait_mostly);
    ck_assert_int_eq(client->end, DISCONNECT_STALLED);
    end();
}
END_TEST

/* It stands behind what it must pass, and then gets it all. */
START_TEST(a_client_that_gets_its_records_is_forgiven)
{
    begin();
    pass_and_judge_clients(FIXTURE_GRACE_MS - 2 * TICK_MS, wait_mostly);
    ck_assert_uint_gt(client->stalled_ms, 0);
    show(courier->cursor.notified_to, false);
    pass(TICK_MS, NULL);
    stall_tick(supervisor, TICK_MS);
    ck_assert_uint_eq(client->stalled_ms, 0);
    end();
}
END_TEST

/* What it has been told waits for the relay, and so does the question. */
START_TEST(who_answers_without_reading_is_at_fault)
{
    begin();
    answer();
    for (unsigned times = 0; times < 100000 && !has_fault(""); times++) {
        atomic_store(&courier->part.state->answered, courier->asked);
        couriers_tick(supervisor, 0);
    }
    ck_assert(has_fault("it answers what it was not asked yet"));
    end();
}
END_TEST

static Suite *duty_suite(void)
{
    Suite *suite = suite_create("supervisor/courier_duty");
    TCase *duty = tcase_create("duty");

    tcase_set_timeout(duty, 60);
    tcase_add_test(duty, who_only_answers_is_at_fault);
    tcase_add_test(duty, who_keeps_nobody_waiting_is_not);
    tcase_add_test(duty, a_client_that_waits_there_explains_it);
    tcase_add_test(duty, a_client_that_waits_further_on_does_not);
    tcase_add_test(duty, a_client_that_was_ended_does_not);
    tcase_add_test(duty, a_client_that_drains_does_until_it_is_evicted);
    tcase_add_test(duty, who_gets_where_it_was_told_to_is_not);
    tcase_add_test(duty, who_moves_a_little_is_at_fault);
    tcase_add_test(duty, who_catches_up_in_time_is_not);
    tcase_add_test(duty, now_and_then_is_no_explanation);
    tcase_add_test(duty, a_client_that_waits_mostly_is_ended_at_last);
    tcase_add_test(duty, a_client_that_gets_its_records_is_forgiven);
    tcase_add_test(duty, who_answers_without_reading_is_at_fault);
    suite_add_tcase(suite, duty);
    return suite;
}

CHECK_MAIN(duty_suite)
