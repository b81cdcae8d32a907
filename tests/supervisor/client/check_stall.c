/* SPDX-License-Identifier: ISC */
/*
 * Clients that block others: which deliveries are asked to wake the supervisor, and which clients
 * are evicted.
 */
#include "config.h"

#include "supervisor/client/stall.h"

#include "supervisor/client/slot.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE 2000

/* What most tests begin with: one who speaks and one who reads, and both have all that there is. */
static struct {
    struct fixture *fixture;
    struct slot *cursor, *speaker;
} pair;

static void open_pair(void)
{
    pair.fixture = fixture_open();
    pair.cursor = fixture_join(pair.fixture);
    pair.speaker = fixture_join(pair.fixture);
    fixture_catch_up(pair.cursor);
    fixture_catch_up(pair.speaker);
}

static void close_pair(void)
{
    fixture_close(pair.fixture);
}

static uint64_t wanted_of(const struct slot *slot)
{
    return atomic_load(&slot->supervisor->view.slots[slot->number].wanted);
}

/* Lets `speaker` talk until what it says has to wait. */
static void fill(struct fixture *fixture, struct slot *speaker)
{
    for (int i = 0; i < 1000 && speaker->queue_count == 0; i++) {
        fixture_say(speaker, MESSAGE);
        fixture_turn(fixture);
    }
    ck_assert_uint_eq(speaker->queue_count, 1);
    ck_assert(fixture->supervisor.space.blocked);
}

/* --- waiting for private records to be delivered */

START_TEST(private_records_wait_for_their_own_client_only)
{
    struct fixture *fixture = fixture_open();
    struct slot *asker = fixture_join(fixture), *speaker = fixture_join(fixture);

    fixture_catch_up(asker);
    fixture_catch_up(speaker);
    asker->private_bytes = PRIVATE_PENDING_MAX - 10;
    fixture_say(speaker, 10);
    asker->private_last = fixture->supervisor.ring.next_sequence - 1;
    fixture_turn(fixture);
    fixture_frame(asker, FRAME_WHO);
    fixture_turn(fixture);
    ck_assert_uint_eq(asker->queue_count, 1);
    ck_assert(asker->wait == WAIT_PRIVATE);
    ck_assert(!fixture->supervisor.space.blocked);
    ck_assert(!stall_arm(&fixture->supervisor));
    ck_assert_uint_eq(wanted_of(asker), asker->private_last + 1);

    uint64_t before = fixture->supervisor.counters.messages;
    fixture_say(speaker, 10);
    ck_assert_uint_eq(fixture->supervisor.counters.messages, before + 1);
    fixture_deliver_to(asker, asker->private_last + 1);
    fixture_turn(fixture);
    ck_assert_uint_eq(asker->queue_count, 0);
    fixture_close(fixture);
}
END_TEST

/* It moves after the last look and before it is asked: it will send no SPACE. */
START_TEST(who_catches_up_before_it_is_asked_is_noticed)
{
    pair.cursor->private_bytes = PRIVATE_PENDING_MAX - 10;
    fixture_say(pair.speaker, 10);
    pair.cursor->private_last = pair.fixture->supervisor.ring.next_sequence - 1;
    fixture_turn(pair.fixture);
    fixture_frame(pair.cursor, FRAME_WHO);
    fixture_turn(pair.fixture);
    ck_assert(pair.cursor->wait == WAIT_PRIVATE);
    fixture_catch_up(pair.cursor);
    ck_assert(stall_arm(&pair.fixture->supervisor));
    fixture_turn(pair.fixture);
    ck_assert_uint_eq(pair.cursor->queue_count, 0);
}
END_TEST

/* There would be room for its answer now, but for the ring: another turn would change nothing. */
START_TEST(who_waits_for_both_does_not_make_the_loop_spin)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *asker = fixture_join(fixture);

    fixture_catch_up(cursor);
    fixture_catch_up(speaker);
    fixture_catch_up(asker);
    asker->private_bytes = PRIVATE_PENDING_MAX - 10;
    fixture_say(speaker, 10);
    asker->private_last = fixture->supervisor.ring.next_sequence - 1;
    fixture_turn(fixture);
    fixture_frame(asker, FRAME_WHO);
    fixture_turn(fixture);
    ck_assert(asker->wait == WAIT_PRIVATE);
    fill(fixture, speaker);
    fixture_catch_up(asker);
    for (int i = 0; i < 3; i++) {
        ck_assert(!stall_arm(&fixture->supervisor));
        fixture_turn(fixture);
        ck_assert_uint_eq(asker->queue_count, 1);
    }
    fixture_catch_up(cursor);
    ck_assert(stall_arm(&fixture->supervisor));
    fixture_turn(fixture);
    ck_assert_uint_eq(asker->queue_count, 0);
    ck_assert_uint_eq(speaker->queue_count, 0);
    fixture_close(fixture);
}
END_TEST

START_TEST(who_moves_far_enough_before_it_is_asked_is_noticed)
{
    pair.cursor->private_bytes = PRIVATE_PENDING_MAX - 10;
    for (int i = 0; i < 5; i++)
        fixture_say(pair.speaker, 10);
    pair.cursor->private_last = pair.fixture->supervisor.ring.next_sequence - 3;
    fixture_turn(pair.fixture);
    fixture_frame(pair.cursor, FRAME_WHO);
    fixture_turn(pair.fixture);
    fixture_deliver_to(pair.cursor, pair.cursor->private_last + 1);
    ck_assert(stall_arm(&pair.fixture->supervisor));
    ck_assert_uint_lt(slot_position(pair.cursor), pair.cursor->cursor.notified_to);
}
END_TEST

/* --- stalling */

START_TEST(a_stalled_reader_goes_after_the_grace)
{
    fill(pair.fixture, pair.speaker);
    for (unsigned time = STALL_TICK_MS; time < FIXTURE_GRACE_MS; time += STALL_TICK_MS) {
        stall_tick(&pair.fixture->supervisor, STALL_TICK_MS);
        ck_assert_int_eq(pair.cursor->end, DISCONNECT_NONE);
    }
    stall_tick(&pair.fixture->supervisor, STALL_TICK_MS);
    ck_assert_int_eq(pair.cursor->end, DISCONNECT_STALLED);
    ck_assert_int_eq(pair.cursor->end_how, FRAME_CLOSE_EVICT);
    ck_assert(pair.cursor->child.kill_pending);
    ck_assert_uint_eq(pair.cursor->child.kill_at, pair.fixture->supervisor.now_ms + EVICT_GRACE_MS);
    ck_assert_int_eq(pair.speaker->end, DISCONNECT_NONE);

    fixture_end_relay(pair.fixture, pair.cursor);
    fixture_turn(pair.fixture);
    fixture_turn(pair.fixture);
    ck_assert_int_eq(pair.cursor->state, SLOT_FREE);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
}
END_TEST

START_TEST(no_time_adds_up_while_nobody_waits)
{
    fixture_say(pair.speaker, MESSAGE);
    fixture_turn(pair.fixture);
    for (int i = 0; i < 100; i++)
        stall_tick(&pair.fixture->supervisor, STALL_TICK_MS);
    ck_assert_int_eq(pair.cursor->end, DISCONNECT_NONE);
    ck_assert_uint_eq(pair.cursor->stall.ms, 0);
}
END_TEST

START_TEST(who_passes_the_middle_is_forgiven)
{
    fill(pair.fixture, pair.speaker);
    stall_tick(&pair.fixture->supervisor, FIXTURE_GRACE_MS - 1);
    ck_assert_uint_eq(pair.cursor->stall.ms, FIXTURE_GRACE_MS - 1);
    fixture_deliver_to(pair.cursor, pair.cursor->stall.target);
    stall_tick(&pair.fixture->supervisor, FIXTURE_GRACE_MS);
    ck_assert_uint_eq(pair.cursor->stall.ms, 0);
    ck_assert_int_eq(pair.cursor->end, DISCONNECT_NONE);
}
END_TEST

START_TEST(who_moves_but_stays_behind_the_middle_is_not_forgiven)
{
    fill(pair.fixture, pair.speaker);
    stall_tick(&pair.fixture->supervisor, FIXTURE_GRACE_MS - 1);
    fixture_deliver_to(pair.cursor, pair.cursor->stall.target - 1);
    stall_tick(&pair.fixture->supervisor, 1);
    ck_assert_int_eq(pair.cursor->end, DISCONNECT_STALLED);
}
END_TEST

/* The ring goes on under one who reads, so that it stays in the oldest quarter: it is the middle of
 * when its time began that it has to pass, not the one of today. */
START_TEST(who_reads_on_in_the_oldest_quarter_is_forgiven)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    uint64_t target;

    fixture_catch_up(cursor);
    fixture_catch_up(speaker);
    fill(fixture, speaker);
    stall_tick(&fixture->supervisor, 1);
    target = cursor->stall.target;
    ck_assert_uint_gt(target, slot_position(cursor) + 1);
    while (slot_position(cursor) < target) {
        fixture_deliver_to(cursor, slot_position(cursor) + 1);
        fixture_catch_up(speaker);
        fixture_turn(fixture);
        fill(fixture, speaker);
        stall_tick(&fixture->supervisor, 1);
    }
    ck_assert_uint_eq(cursor->stall.ms, 0);

    stall_tick(&fixture->supervisor, FIXTURE_GRACE_MS - 1);
    ck_assert_uint_eq(cursor->stall.ms, FIXTURE_GRACE_MS - 1);
    ck_assert_int_eq(cursor->end, DISCONNECT_NONE);
    stall_tick(&fixture->supervisor, 1);
    ck_assert_int_eq(cursor->end, DISCONNECT_STALLED);
    fixture_close(fixture);
}
END_TEST

/* One is a good way on, and does not move: it would hold the ring next. */
START_TEST(a_group_of_laggards_goes_together)
{
    struct fixture *fixture = fixture_open();
    struct slot *first = fixture_join(fixture), *second = fixture_join(fixture);
    struct slot *third = fixture_join(fixture), *speaker = fixture_join(fixture);

    fixture_catch_up(first);
    fixture_catch_up(second);
    fixture_catch_up(third);
    fixture_catch_up(speaker);
    fill(fixture, speaker);
    fixture_deliver_to(second, first->cursor.notified_to - 10);
    fixture_deliver_to(third, third->cursor.notified_to - 3);
    for (unsigned time = 0; time < FIXTURE_GRACE_MS; time += STALL_TICK_MS) {
        stall_tick(&fixture->supervisor, STALL_TICK_MS);
        fixture_deliver_to(third, third->cursor.notified_to); /* goes on reading */
    }
    ck_assert_int_eq(first->end, DISCONNECT_STALLED);
    ck_assert_int_eq(second->end, DISCONNECT_STALLED);
    ck_assert_int_eq(third->end, DISCONNECT_NONE);
    ck_assert_int_eq(speaker->end, DISCONNECT_NONE);
    fixture_close(fixture);
}
END_TEST

static unsigned count_lines(FILE *file, const char *what)
{
    char line[1024];
    unsigned count = 0;

    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        count += strstr(line, what) != NULL;
    return count;
}

START_TEST(an_eviction_is_logged_once)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    FILE *log = tmpfile();

    ck_assert_ptr_nonnull(log);
    fixture_catch_up(cursor);
    fixture_catch_up(speaker);
    fill(fixture, speaker);
    ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
    for (int i = 0; i < 10; i++)
        stall_tick(&fixture->supervisor, FIXTURE_GRACE_MS);
    ck_assert_int_eq(cursor->end, DISCONNECT_STALLED);
    ck_assert_uint_eq(count_lines(log, "event=evict"), 1);
    fclose(log);
    fixture_close(fixture);
}
END_TEST

static Suite *stall_suite(void)
{
    Suite *suite = suite_create("stall");
    TCase *pairs = tcase_create("pairs");
    TCase *private = tcase_create("private");
    TCase *stalling = tcase_create("stalling");

    tcase_set_timeout(pairs, 60);
    tcase_add_checked_fixture(pairs, open_pair, close_pair);
    tcase_add_test(pairs, who_catches_up_before_it_is_asked_is_noticed);
    tcase_add_test(pairs, who_moves_far_enough_before_it_is_asked_is_noticed);
    tcase_add_test(pairs, a_stalled_reader_goes_after_the_grace);
    tcase_add_test(pairs, no_time_adds_up_while_nobody_waits);
    tcase_add_test(pairs, who_passes_the_middle_is_forgiven);
    tcase_add_test(pairs, who_moves_but_stays_behind_the_middle_is_not_forgiven);
    suite_add_tcase(suite, pairs);
    tcase_set_timeout(private, 60);
    tcase_add_test(private, private_records_wait_for_their_own_client_only);
    tcase_add_test(private, who_waits_for_both_does_not_make_the_loop_spin);
    suite_add_tcase(suite, private);
    tcase_set_timeout(stalling, 60);
    tcase_add_test(stalling, who_reads_on_in_the_oldest_quarter_is_forgiven);
    tcase_add_test(stalling, a_group_of_laggards_goes_together);
    tcase_add_test(stalling, an_eviction_is_logged_once);
    suite_add_tcase(suite, stalling);
    return suite;
}

CHECK_MAIN(stall_suite)
