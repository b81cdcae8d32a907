/* SPDX-License-Identifier: ISC */
/*
 * What a slot holds of the ring, and what its worker is told.
 */
#include "config.h"

#include "supervisor/client/slot.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

/* Lets the ring go round once, with messages of `speaker` alone; the others catch up each time. */
static void lap(struct fixture *fixture, struct slot *speaker, struct slot *listener)
{
    uint64_t start = fixture->supervisor.ring.head;

    for (int i = 0; i < 1000 && fixture->supervisor.ring.head - start <= FIXTURE_RING_SIZE; i++) {
        fixture_say(speaker, 1000);
        fixture_turn(fixture);
        fixture_catch_up(listener);
    }
    ck_assert_uint_gt(fixture->supervisor.ring.head - start, FIXTURE_RING_SIZE);
}

/* --- what is held */

START_TEST(who_has_caught_up_holds_nothing)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);

    fixture_catch_up(slot);
    fixture_catch_up(other);
    ck_assert_uint_eq(slot_needs(slot), 0);
    fixture_say(slot, 100);
    fixture_turn(fixture);
    ck_assert_uint_eq(slot_needs(slot), 0); /* its own message */
    ck_assert_uint_ne(slot_needs(other), 0);
    fixture_catch_up(other);
    ck_assert_uint_eq(slot_needs(other), 0);
    fixture_close(fixture);
}
END_TEST

START_TEST(who_is_behind_holds_its_position)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);

    fixture_catch_up(slot);
    fixture_catch_up(other);
    uint64_t first = fixture->supervisor.ring.next_sequence;
    for (int i = 0; i < 10; i++)
        fixture_say(other, 10);
    fixture_turn(fixture);
    for (uint64_t position = first; position < first + 10; position++) {
        fixture_deliver_to(slot, position);
        ck_assert_uint_eq(slot_needs(slot), position);
    }
    fixture_deliver_to(slot, first + 10);
    ck_assert_uint_eq(slot_needs(slot), 0);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_private_record_is_held_before_it_is_told)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    fixture_catch_up(slot);
    uint64_t first = fixture->supervisor.ring.next_sequence;
    fixture_frame(slot, FRAME_WHO);
    ck_assert_uint_eq(slot_needs(slot), first);
    fixture_turn(fixture);
    ck_assert_uint_eq(slot_needs(slot), first);
    fixture_catch_up(slot);
    ck_assert_uint_eq(slot_needs(slot), 0);
    fixture_close(fixture);
}
END_TEST

START_TEST(what_was_not_owed_is_not_held_by_who_had_caught_up)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);

    fixture_catch_up(slot);
    fixture_catch_up(other);
    for (int i = 0; i < 10; i++) {
        fixture_say(slot, 10);
        fixture_turn(fixture);
    }
    fixture_catch_up(other);
    uint64_t news = fixture->supervisor.ring.next_sequence;
    fixture_say(other, 10);
    fixture_turn(fixture);
    ck_assert_uint_eq(slot_needs(slot), news);
    fixture_deliver_to(slot, news);
    ck_assert_uint_eq(slot_needs(slot), news);
    fixture_catch_up(slot);
    ck_assert_uint_eq(slot_needs(slot), 0);
    fixture_close(fixture);
}
END_TEST

/* The worker is told twice before it reads its relay once. */
START_TEST(a_hold_never_goes_back)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);

    fixture_catch_up(slot);
    fixture_catch_up(other);
    lap(fixture, slot, other);
    uint64_t news = fixture->supervisor.ring.next_sequence;
    for (uint64_t i = 0; i < 3; i++) {
        fixture_say(other, 10);
        fixture_turn(fixture);
        ck_assert_uint_eq(slot_needs(slot), news);
        ck_assert_uint_ge(slot_needs(slot), fixture->supervisor.ring.oldest_sequence);
    }
    fixture_close(fixture);
}
END_TEST

/* The same of one whose worker has not even begun. */
START_TEST(a_newcomer_holds_all_since_it_joined)
{
    struct fixture *fixture = fixture_open();
    struct slot *other = fixture_join(fixture), *slot = fixture_join(fixture);

    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(slot_needs(slot), slot->joined);
        fixture_say(other, 10);
        fixture_turn(fixture);
    }
    ck_assert_uint_eq(slot_needs(slot), slot->joined);
    fixture_close(fixture);
}
END_TEST

/* The worker is told again in the middle of what it was told before. */
START_TEST(telling_more_moves_no_hold)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);

    fixture_catch_up(slot);
    uint64_t first = fixture->supervisor.ring.next_sequence;
    fixture_say(other, 10);
    fixture_say(other, 10);
    fixture_turn(fixture);
    fixture_deliver_to(slot, first + 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(slot_needs(slot), first + 1);
        fixture_say(slot, 10);
        fixture_turn(fixture);
        fixture_say(other, 10);
        fixture_turn(fixture);
    }
    ck_assert_uint_eq(slot_needs(slot), first + 1);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_dead_worker_holds_nothing)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    ck_assert_uint_ne(slot_needs(slot), 0);
    fixture_end_relay(fixture, slot);
    ck_assert_uint_ne(slot_needs(slot), 0); /* it may still deliver */
    children_reap(&fixture->supervisor);
    ck_assert_uint_eq(slot_needs(slot), 0);
    fixture_close(fixture);
}
END_TEST

START_TEST(private_records_are_bounded)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    fixture_catch_up(slot);
    ck_assert(slot_private_fits(slot, PRIVATE_PENDING_MAX - slot->private_bytes));
    fixture_frame(slot, FRAME_WHO);
    fixture_turn(fixture);
    size_t owed = slot->private_bytes;
    ck_assert_uint_gt(owed, 0);
    ck_assert(slot_private_fits(slot, PRIVATE_PENDING_MAX - owed));
    ck_assert(!slot_private_fits(slot, PRIVATE_PENDING_MAX - owed + 1));
    fixture_catch_up(slot);
    ck_assert(slot_private_fits(slot, PRIVATE_PENDING_MAX));
    ck_assert(!slot_private_fits(slot, PRIVATE_PENDING_MAX + 1));
    fixture_close(fixture);
}
END_TEST

/* --- what is told */

START_TEST(nobody_is_told_of_its_own_messages_alone)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);
    struct frame frame;

    while (fixture_told(fixture, slot, &frame) || fixture_told(fixture, other, &frame))
        continue;
    uint64_t first = fixture->supervisor.ring.next_sequence;
    fixture_say(slot, 10);
    fixture_say(slot, 10);
    fixture_turn(fixture);
    ck_assert(!fixture_told(fixture, slot, &frame));
    ck_assert(fixture_told(fixture, other, &frame));
    ck_assert_int_eq(frame.kind, FRAME_DELIVER);
    ck_assert_uint_eq(frame.from, first);
    ck_assert_uint_eq(frame.to, first + 1);
    ck_assert(!fixture_told(fixture, other, &frame));
    fixture_close(fixture);
}
END_TEST

static Suite *hold_suite(void)
{
    Suite *suite = suite_create("hold");
    TCase *hold = tcase_create("hold");

    tcase_set_timeout(hold, 60);
    tcase_add_test(hold, who_has_caught_up_holds_nothing);
    tcase_add_test(hold, who_is_behind_holds_its_position);
    tcase_add_test(hold, a_private_record_is_held_before_it_is_told);
    tcase_add_test(hold, what_was_not_owed_is_not_held_by_who_had_caught_up);
    tcase_add_test(hold, a_hold_never_goes_back);
    tcase_add_test(hold, a_newcomer_holds_all_since_it_joined);
    tcase_add_test(hold, telling_more_moves_no_hold);
    tcase_add_test(hold, a_dead_worker_holds_nothing);
    tcase_add_test(hold, private_records_are_bounded);
    tcase_add_test(hold, nobody_is_told_of_its_own_messages_alone);
    suite_add_tcase(suite, hold);
    return suite;
}

CHECK_MAIN(hold_suite)
