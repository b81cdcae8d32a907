/*
 * What a slot holds of the ring, and what its worker is told.
 */
#include "config.h"

#include "supervisor/client/slot.h"

#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

/* Lets the ring go round once, with messages of `speaker` alone; the others catch up each time. */
static void lap(struct stage *stage, struct slot *speaker, struct slot *listener)
{
    uint64_t start = stage->supervisor.ring.head;

    for (int i = 0; i < 1000 && stage->supervisor.ring.head - start <= STAGE_RING_SIZE; i++) {
        stage_say(speaker, 1000);
        stage_turn(stage);
        stage_catch_up(listener);
    }
    ck_assert_uint_gt(stage->supervisor.ring.head - start, STAGE_RING_SIZE);
}

/* --- what is held */

START_TEST(who_has_caught_up_holds_nothing)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);

    stage_catch_up(slot);
    stage_catch_up(other);
    ck_assert_uint_eq(slot_hold(slot), 0);
    stage_say(slot, 100);
    stage_turn(stage);
    ck_assert_uint_eq(slot_hold(slot), 0); /* its own message */
    ck_assert_uint_ne(slot_hold(other), 0);
    stage_catch_up(other);
    ck_assert_uint_eq(slot_hold(other), 0);
    stage_close(stage);
}
END_TEST

START_TEST(who_is_behind_holds_its_position)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);

    stage_catch_up(slot);
    stage_catch_up(other);
    uint64_t first = stage->supervisor.ring.next_sequence;
    for (int i = 0; i < 10; i++)
        stage_say(other, 10);
    stage_turn(stage);
    for (uint64_t position = first; position < first + 10; position++) {
        stage_deliver_to(slot, position);
        ck_assert_uint_eq(slot_hold(slot), position);
    }
    stage_deliver_to(slot, first + 10);
    ck_assert_uint_eq(slot_hold(slot), 0);
    stage_close(stage);
}
END_TEST

START_TEST(a_private_record_is_held_before_it_is_told)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    stage_catch_up(slot);
    uint64_t first = stage->supervisor.ring.next_sequence;
    stage_frame(slot, FRAME_WHO);
    ck_assert_uint_eq(slot_hold(slot), first);
    stage_turn(stage);
    ck_assert_uint_eq(slot_hold(slot), first);
    stage_catch_up(slot);
    ck_assert_uint_eq(slot_hold(slot), 0);
    stage_close(stage);
}
END_TEST

START_TEST(what_was_not_owed_is_not_held_by_who_had_caught_up)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);

    stage_catch_up(slot);
    stage_catch_up(other);
    for (int i = 0; i < 10; i++) {
        stage_say(slot, 10);
        stage_turn(stage);
    }
    stage_catch_up(other);
    uint64_t news = stage->supervisor.ring.next_sequence;
    stage_say(other, 10);
    stage_turn(stage);
    ck_assert_uint_eq(slot_hold(slot), news);
    stage_deliver_to(slot, news);
    ck_assert_uint_eq(slot_hold(slot), news);
    stage_catch_up(slot);
    ck_assert_uint_eq(slot_hold(slot), 0);
    stage_close(stage);
}
END_TEST

/* The worker is told twice before it reads its relay once. */
START_TEST(a_hold_never_goes_back)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);

    stage_catch_up(slot);
    stage_catch_up(other);
    lap(stage, slot, other);
    uint64_t news = stage->supervisor.ring.next_sequence;
    for (uint64_t i = 0; i < 3; i++) {
        stage_say(other, 10);
        stage_turn(stage);
        ck_assert_uint_eq(slot_hold(slot), news);
        ck_assert_uint_ge(slot_hold(slot), stage->supervisor.ring.oldest_sequence);
    }
    stage_close(stage);
}
END_TEST

/* The same of one whose worker has not even begun. */
START_TEST(a_newcomer_holds_all_since_it_joined)
{
    struct stage *stage = stage_open();
    struct slot *other = stage_join(stage), *slot = stage_join(stage);

    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(slot_hold(slot), slot->joined);
        stage_say(other, 10);
        stage_turn(stage);
    }
    ck_assert_uint_eq(slot_hold(slot), slot->joined);
    stage_close(stage);
}
END_TEST

/* The worker is told again in the middle of what it was told before. */
START_TEST(telling_more_moves_no_hold)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);

    stage_catch_up(slot);
    uint64_t first = stage->supervisor.ring.next_sequence;
    stage_say(other, 10);
    stage_say(other, 10);
    stage_turn(stage);
    stage_deliver_to(slot, first + 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(slot_hold(slot), first + 1);
        stage_say(slot, 10);
        stage_turn(stage);
        stage_say(other, 10);
        stage_turn(stage);
    }
    ck_assert_uint_eq(slot_hold(slot), first + 1);
    stage_close(stage);
}
END_TEST

START_TEST(a_dead_worker_holds_nothing)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    ck_assert_uint_ne(slot_hold(slot), 0);
    stage_end_relay(stage, slot);
    ck_assert_uint_ne(slot_hold(slot), 0); /* it may still deliver */
    slots_reap(&stage->supervisor);
    ck_assert_uint_eq(slot_hold(slot), 0);
    stage_close(stage);
}
END_TEST

START_TEST(private_records_are_bounded)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    stage_catch_up(slot);
    ck_assert(slot_private_fits(slot, PRIVATE_OWED_MAX - slot->private_bytes));
    stage_frame(slot, FRAME_WHO);
    stage_turn(stage);
    size_t owed = slot->private_bytes;
    ck_assert_uint_gt(owed, 0);
    ck_assert(slot_private_fits(slot, PRIVATE_OWED_MAX - owed));
    ck_assert(!slot_private_fits(slot, PRIVATE_OWED_MAX - owed + 1));
    stage_catch_up(slot);
    ck_assert(slot_private_fits(slot, PRIVATE_OWED_MAX));
    ck_assert(!slot_private_fits(slot, PRIVATE_OWED_MAX + 1));
    stage_close(stage);
}
END_TEST

/* --- what is told */

START_TEST(nobody_is_told_of_its_own_messages_alone)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);
    struct frame frame;

    while (stage_told(stage, slot, &frame) || stage_told(stage, other, &frame))
        continue;
    uint64_t first = stage->supervisor.ring.next_sequence;
    stage_say(slot, 10);
    stage_say(slot, 10);
    stage_turn(stage);
    ck_assert(!stage_told(stage, slot, &frame));
    ck_assert(stage_told(stage, other, &frame));
    ck_assert_int_eq(frame.kind, FRAME_DELIVER);
    ck_assert_uint_eq(frame.from, first);
    ck_assert_uint_eq(frame.to, first + 1);
    ck_assert(!stage_told(stage, other, &frame));
    stage_close(stage);
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
