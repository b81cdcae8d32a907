/* SPDX-License-Identifier: ISC */
/*
 * The space of the ring: which records stay, which requests wait, and which process is asked to
 * wake the supervisor.
 */
#include "config.h"

#include "supervisor/ring/space.h"

#include "supervisor/client/slot.h"
#include "supervisor/client/stall.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <stdatomic.h>
#include <string.h>

#define MESSAGE 2000
#define SHORT   100
#define LONG    4000

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

/* The records that may be read must be whole: numbered, and neither below what is held. */
static void expect_nothing_lost(struct fixture *fixture, uint64_t held)
{
    ck_assert_uint_le(fixture->supervisor.ring.oldest_sequence, held);
    ck_assert_uint_eq(region_entry(&fixture->supervisor.view, held)->sequence, held);
}

START_TEST(a_reader_that_stands_still_stops_the_others)
{
    uint64_t held = pair.fixture->supervisor.ring.next_sequence;
    fill(pair.fixture, pair.speaker);
    ck_assert_ptr_eq(pair.fixture->supervisor.space.slowest, &pair.cursor->cursor);
    ck_assert_uint_eq(pair.fixture->supervisor.space.needed_from, held);
    ck_assert_uint_eq(pair.fixture->supervisor.space.waits, 1);
    expect_nothing_lost(pair.fixture, held);
    for (int i = 0; i < 3; i++)
        fixture_turn(pair.fixture);
    ck_assert_uint_eq(pair.speaker->queue_count, 1);

    fixture_deliver_to(pair.cursor, held + 10);
    fixture_turn(pair.fixture);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
    ck_assert(!pair.fixture->supervisor.space.blocked);
    expect_nothing_lost(pair.fixture, held + 10);
}
END_TEST

START_TEST(readers_that_keep_up_stop_nobody)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);

    fixture_catch_up(speaker);
    for (int i = 0; i < 1000; i++) {
        fixture_say(speaker, MESSAGE);
        fixture_turn(fixture);
        fixture_catch_up(cursor);
    }
    ck_assert_uint_eq(speaker->queue_count, 0);
    ck_assert_uint_eq(fixture->supervisor.space.waits, 0);
    ck_assert_uint_eq(fixture->supervisor.counters.messages, 1000);
    fixture_close(fixture);
}
END_TEST

/* A slow reader that has been told twice, by a second speaker, before it looks once. */
START_TEST(a_late_reader_is_told_twice)
{
    struct fixture *fixture = fixture_open();
    struct slot *speaker = fixture_join(fixture), *other = fixture_join(fixture);

    fixture_catch_up(speaker);
    for (int lap = 0; lap < 3; lap++) {
        for (int i = 0; i < 200; i++) {
            fixture_say(speaker, MESSAGE);
            fixture_turn(fixture);
            fixture_catch_up(other);
        }
        uint64_t news = fixture->supervisor.ring.next_sequence;
        for (int i = 0; i < 2; i++) {
            fixture_say(other, MESSAGE);
            fixture_turn(fixture);
            fixture_catch_up(other);
        }
        fill(fixture, speaker);
        expect_nothing_lost(fixture, news);
        fixture_catch_up(speaker);
        fixture_catch_up(other);
        fixture_turn(fixture);
        fixture_catch_up(speaker);
        fixture_catch_up(other);
    }
    fixture_close(fixture);
}
END_TEST

START_TEST(the_reserve_is_for_leaves)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *leaver = fixture_join(fixture);

    fixture_catch_up(cursor);
    fixture_catch_up(speaker);
    fill(fixture, speaker);
    struct reservation unused;
    struct ring_need need = ring_need_of(MESSAGE + 100);
    ck_assert(!space_reserve(&fixture->supervisor.space, need, SPACE_COMMON, &unused));
    ck_assert(space_reserve(&fixture->supervisor.space, need, SPACE_ALL, &unused));
    uint64_t before = fixture->supervisor.ring.next_sequence;
    slot_end(leaver, DISCONNECT_CONNECTION_LOST, FRAME_CLOSE_DRAIN);
    fixture_turn(fixture);
    ck_assert_uint_eq(fixture->supervisor.ring.next_sequence, before + 1);
    ck_assert_int_eq(region_entry(&fixture->supervisor.view, before)->kind, RECORD_LEFT);
    fixture_close(fixture);
}
END_TEST

START_TEST(order_in_a_slot_is_kept_while_it_waits)
{
    fill(pair.fixture, pair.speaker);
    uint64_t first = pair.fixture->supervisor.ring.next_sequence;
    for (size_t i = 0; i < 5; i++)
        fixture_say(pair.speaker, 10 + i); /* would fit, but must not overtake */
    ck_assert_uint_eq(pair.speaker->queue_count, 6);
    fixture_catch_up(pair.cursor);
    fixture_turn(pair.fixture);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
    for (uint32_t i = 1; i < 5; i++)
        ck_assert_uint_eq(region_entry(&pair.fixture->supervisor.view, first + 1 + i)->length,
            region_entry(&pair.fixture->supervisor.view, first + 1)->length + i);
}
END_TEST

/* Each time that there is just space for the long one, a short one would fit too. The ring begins
 * its lap far from there, or the short one could use what the long one leaves at a lap's end. */
START_TEST(short_ones_do_not_overtake_a_long_one_for_ever)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *quick = fixture_join(fixture);
    struct slot *slow = fixture_join(fixture);

    fixture_catch_up(cursor);
    fixture_catch_up(quick);
    fixture_catch_up(slow);
    for (int i = 0; i < 4000 && quick->queue_count < 20; i++) {
        fixture_say(quick, SHORT);
        fixture_turn(fixture);
        fixture_catch_up(slow);
        if (i < 500)
            fixture_catch_up(cursor);
    }
    fixture_say(slow, LONG);
    ck_assert_uint_eq(slow->queue_count, 1);
    for (int i = 0; i < 5 && fixture->supervisor.space.blocked_need.length < LONG; i++) {
        stall_arm(&fixture->supervisor);
        fixture_deliver_to(cursor, wanted_of(cursor));
        fixture_turn(fixture);
    }
    ck_assert_uint_eq(slow->queue_count, 1); /* it is what waits now ... */
    ck_assert_uint_gt(fixture->supervisor.space.blocked_need.length, LONG);
    ck_assert_uint_gt(quick->queue_count, 10);
    stall_arm(&fixture->supervisor);
    fixture_deliver_to(cursor, wanted_of(cursor));
    fixture_turn(fixture);
    ck_assert_uint_eq(slow->queue_count, 0); /* ... and what goes first */
    fixture_close(fixture);
}
END_TEST

/* --- a process of any kind */

/* A process that has read everything so far, and publishes its position as a courier does. */
static struct {
    struct cursor cursor;
    _Atomic uint64_t position, wanted;
    unsigned faults;
} extra;

static void count_fault(void *owner)
{
    (*(unsigned *)owner)++;
}

static void open_with_extra(void)
{
    uint64_t next;

    open_pair();
    next = pair.fixture->supervisor.ring.next_sequence;
    memset(&extra, 0, sizeof extra);
    atomic_store(&extra.position, next);
    extra.cursor = (struct cursor){
        .oldest_needed = &extra.position,
        .wanted = &extra.wanted,
        .position = next,
        .notified_to = next,
        .fault = count_fault,
        .owner = &extra.faults,
    };
    space_add_cursor(&pair.fixture->supervisor.space, &extra.cursor);
}

/* Somebody talks until the ring is full of what this process alone needs. */
static void fill_before_extra(void)
{
    struct supervisor *supervisor = &pair.fixture->supervisor;
    struct frame frame;

    for (int i = 0; i < 1000 && pair.speaker->queue_count == 0; i++) {
        uint64_t sequence = supervisor->ring.next_sequence;
        fixture_say(pair.speaker, MESSAGE);
        if (supervisor->ring.next_sequence > sequence)
            cursor_extend(&extra.cursor, sequence, sequence);
        cursor_notify(&extra.cursor, &frame);
        fixture_turn(pair.fixture);
        fixture_catch_up(pair.cursor);
    }
    ck_assert(supervisor->space.blocked);
    ck_assert_ptr_eq(supervisor->space.slowest, &extra.cursor);
}

START_TEST(a_process_of_any_kind_keeps_what_it_needs)
{
    struct space *space = &pair.fixture->supervisor.space;
    uint64_t needs = extra.cursor.position;

    fill_before_extra();
    expect_nothing_lost(pair.fixture, needs);
    ck_assert(!space_arm(space));
    ck_assert_uint_gt(atomic_load(&extra.wanted), needs);
    atomic_store(&extra.position, atomic_load(&extra.wanted));
    ck_assert(space_arm(space));
    fixture_turn(pair.fixture);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
}
END_TEST

START_TEST(a_process_that_is_gone_needs_nothing)
{
    struct space *space = &pair.fixture->supervisor.space;

    fill_before_extra();
    space_remove_cursor(space, &extra.cursor);
    ck_assert_ptr_null(space->slowest);
    space_remove_cursor(space, &extra.cursor);
    fixture_turn(pair.fixture);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
    ck_assert(!space->blocked);
}
END_TEST

START_TEST(a_position_out_of_range_is_reported_at_the_end_of_the_turn)
{
    struct space *space = &pair.fixture->supervisor.space;
    uint64_t position = extra.cursor.position;

    atomic_store(&extra.position, _i == 0 ? position + 1 : position - 1);
    ck_assert_uint_eq(cursor_position(&extra.cursor), position);
    ck_assert_uint_eq(cursor_needs(&extra.cursor), 0);
    ck_assert_uint_eq(extra.faults, 0);
    ck_assert(space_check_cursors(space));
    ck_assert_uint_eq(extra.faults, 1);
    ck_assert_uint_eq(cursor_position(&extra.cursor), position);
    ck_assert(!space_check_cursors(space));
    ck_assert_uint_eq(extra.faults, 1);
}
END_TEST

START_TEST(a_process_in_range_is_not_reported)
{
    cursor_position(&extra.cursor);
    ck_assert(!space_check_cursors(&pair.fixture->supervisor.space));
    fixture_deliver_to(pair.cursor, pair.cursor->cursor.notified_to + 1);
    slot_position(pair.cursor);
    ck_assert(space_check_cursors(&pair.fixture->supervisor.space));
    ck_assert_uint_eq(extra.faults, 0);
    ck_assert(pair.cursor->child.faulted);
}
END_TEST

static void close_with_extra(void)
{
    space_remove_cursor(&pair.fixture->supervisor.space, &extra.cursor);
    close_pair();
}

/* --- waking */

START_TEST(only_the_holder_is_asked_to_wake)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *other = fixture_join(fixture);

    fixture_catch_up(cursor);
    fixture_catch_up(speaker);
    uint64_t held = fixture->supervisor.ring.next_sequence;
    fixture_catch_up(other);
    for (int i = 0; i < 1000 && speaker->queue_count == 0; i++) {
        fixture_say(speaker, MESSAGE);
        fixture_turn(fixture);
        fixture_catch_up(other);
    }
    ck_assert(!stall_arm(&fixture->supervisor));
    ck_assert_uint_eq(wanted_of(other), 0);
    ck_assert_uint_eq(wanted_of(speaker), 0);
    uint64_t wanted = wanted_of(cursor);
    ck_assert_uint_gt(wanted, held);
    ck_assert_uint_le(wanted, cursor->cursor.notified_to);

    fixture_deliver_to(cursor, wanted - 1);
    ck_assert(!stall_arm(&fixture->supervisor));
    fixture_deliver_to(cursor, wanted_of(cursor));
    ck_assert(stall_arm(&fixture->supervisor)); /* no need to wait */
    fixture_turn(fixture);
    ck_assert_uint_eq(speaker->queue_count, 0);
    fixture_close(fixture);
}
END_TEST

START_TEST(the_position_asked_for_is_the_first_that_helps)
{
    fill(pair.fixture, pair.speaker);
    ck_assert(!stall_arm(&pair.fixture->supervisor));
    uint64_t wanted = wanted_of(pair.cursor);
    struct ring_need need = pair.fixture->supervisor.space.blocked_need;
    ck_assert_uint_eq(need.spare, RESERVE_BYTES);
    ck_assert_uint_eq(need.spare_entries, RESERVE_ENTRIES);
    ck_assert(!ring_fits(&pair.fixture->supervisor.ring, wanted - 1, &need));
    ck_assert(ring_fits(&pair.fixture->supervisor.ring, wanted, &need));
}
END_TEST

START_TEST(the_holder_that_catches_up_before_it_is_asked_is_noticed)
{
    fill(pair.fixture, pair.speaker);
    fixture_catch_up(pair.cursor);
    ck_assert(stall_arm(&pair.fixture->supervisor));
    fixture_turn(pair.fixture);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
}
END_TEST

static Suite *space_suite(void)
{
    Suite *suite = suite_create("space");
    TCase *pairs = tcase_create("pairs");
    TCase *holding = tcase_create("holding");
    TCase *others = tcase_create("others");
    TCase *waking = tcase_create("waking");

    tcase_set_timeout(pairs, 60);
    tcase_add_checked_fixture(pairs, open_pair, close_pair);
    tcase_add_test(pairs, a_reader_that_stands_still_stops_the_others);
    tcase_add_test(pairs, order_in_a_slot_is_kept_while_it_waits);
    tcase_add_test(pairs, the_position_asked_for_is_the_first_that_helps);
    tcase_add_test(pairs, the_holder_that_catches_up_before_it_is_asked_is_noticed);
    suite_add_tcase(suite, pairs);
    tcase_set_timeout(holding, 60);
    tcase_add_test(holding, readers_that_keep_up_stop_nobody);
    tcase_add_test(holding, a_late_reader_is_told_twice);
    tcase_add_test(holding, the_reserve_is_for_leaves);
    tcase_add_test(holding, short_ones_do_not_overtake_a_long_one_for_ever);
    suite_add_tcase(suite, holding);
    tcase_set_timeout(others, 60);
    tcase_add_checked_fixture(others, open_with_extra, close_with_extra);
    tcase_add_test(others, a_process_of_any_kind_keeps_what_it_needs);
    tcase_add_test(others, a_process_that_is_gone_needs_nothing);
    tcase_add_loop_test(others, a_position_out_of_range_is_reported_at_the_end_of_the_turn, 0, 2);
    tcase_add_test(others, a_process_in_range_is_not_reported);
    suite_add_tcase(suite, others);
    tcase_set_timeout(waking, 60);
    tcase_add_test(waking, only_the_holder_is_asked_to_wake);
    suite_add_tcase(suite, waking);
    return suite;
}

CHECK_MAIN(space_suite)
