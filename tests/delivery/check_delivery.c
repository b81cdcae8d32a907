/* SPDX-License-Identifier: ISC */
/*
 * What one client receives of the ring: which records, of which ranges, in which runs.
 */
#include "config.h"

#include "delivery/delivery.h"

#include "tests/check_main.h"
#include "tests/delivery/records.h"

#include <stdatomic.h>

static void set_up(void)
{
    open_ring(1024 * 1024);
}

static void tear_down(void)
{
    region_destroy(&region);
}

/* --- one record */

/* Whether the client, in room 0 throughout, is given a record of this label. */
static bool is_given(struct record_label label)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached, sequence = put(label, 10);

    ck_assert(delivery_extend(&delivery, sequence, sequence));
    int count = delivery_gather(&delivery, runs, &reached);
    ck_assert_uint_eq(reached, sequence + 1);
    if (count > 0) {
        ck_assert_int_eq(count, 1);
        ck_assert_uint_eq(runs[0].iov_len, 10);
        delivery_advance(&delivery, 10, 10, reached);
    }
    ck_assert(delivery_is_done(&delivery));
    ck_assert_uint_eq(stated_position(), sequence + 1);
    return count > 0;
}

START_TEST(each_record_kind_has_its_recipients)
{
    static const bool of_own[RECORD_KIND_COUNT] = {[RECORD_RENAMED] = true,
        [RECORD_WELCOME] = true,
        [RECORD_REPLY] = true,
        [RECORD_ERROR] = true,
        [RECORD_NOTICE] = true};

    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    for (int kind = 0; kind < RECORD_KIND_COUNT; kind++) {
        struct record_label label = message_of(2);
        label.kind = (enum record_kind)kind;
        ck_assert(is_given(label));
        label.sender = REGION_NO_SLOT;
        ck_assert(is_given(label));
        label.sender = ME;
        ck_assert(is_given(label) == of_own[kind]);
        label.sender_generation = GENERATION - 1; /* another client that had the slot */
        ck_assert(is_given(label));
        label.sender_generation = GENERATION;
        label.room = 1;
        ck_assert(!is_given(label));

        label = private_to(ME, GENERATION);
        label.kind = (enum record_kind)kind;
        ck_assert(is_given(label));
        label.room = 1; /* what is private is of no room */
        ck_assert(is_given(label));
        label.recipient_generation = GENERATION + 1;
        ck_assert(!is_given(label));
        label = private_to(2, GENERATION);
        ck_assert(!is_given(label));
    }
}
END_TEST

START_TEST(a_membership_has_a_first_and_a_last_record)
{
    bool given[10];

    ck_assert(delivery_set_membership(&delivery, 0, 4, true));
    ck_assert(delivery_set_membership(&delivery, 0, 8, false));
    for (uint64_t i = 1; i < 10; i++)
        given[i] = is_given(message_of(2));
    for (uint64_t i = 1; i < 10; i++)
        ck_assert(given[i] == (i >= 4 && i < 8));
}
END_TEST

START_TEST(memberships_are_bounded_and_forgotten)
{
    for (uint16_t room = 0; room < DELIVERY_ROOMS_MAX; room++)
        ck_assert(delivery_set_membership(&delivery, room, 1, true));
    ck_assert(!delivery_set_membership(&delivery, 9, 1, true));
    ck_assert(delivery_set_membership(&delivery, 2, 3, false));
    ck_assert(!delivery_set_membership(&delivery, 9, 1, true)); /* record 2 may be owed yet */
    ck_assert(is_given(message_of(2)));
    ck_assert(is_given(message_of(2)));
    ck_assert(delivery_set_membership(&delivery, 9, 3, true));
    struct record_label label = message_of(2);
    label.room = 9;
    ck_assert(is_given(label));
    label.room = 2;
    ck_assert(!is_given(label));
    label.room = 3;
    ck_assert(is_given(label));
}
END_TEST

START_TEST(a_client_may_join_leave_and_join_again)
{
    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    ck_assert(delivery_set_membership(&delivery, 0, 3, false));
    ck_assert(delivery_set_membership(&delivery, 0, 5, true));
    static const bool expected[] = {true, true, false, false, true, true};
    for (int i = 0; i < 6; i++)
        ck_assert(is_given(message_of(2)) == expected[i]);
}
END_TEST

/* --- ranges */

START_TEST(ranges_that_go_back_are_refused)
{
    for (int i = 0; i < 20; i++)
        put(message_of(2), 10);
    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    ck_assert(!delivery_extend(&delivery, 6, 5));
    ck_assert(delivery_extend(&delivery, 5, 10));
    ck_assert_uint_eq(delivery.position, 5);
    ck_assert(!delivery_extend(&delivery, 4, 12)); /* begins before the position */
    ck_assert(!delivery_extend(&delivery, 6, 9));  /* ends before the end */
    ck_assert_uint_eq(delivery.position, 5);
    ck_assert_uint_eq(delivery.end, 11);
    ck_assert(delivery_extend(&delivery, 11, 12));
    ck_assert_uint_eq(delivery.position, 5);
    ck_assert_uint_eq(delivery.end, 13);
}
END_TEST

START_TEST(a_client_that_has_all_moves_to_the_next_range)
{
    for (int i = 0; i < 20; i++)
        put(message_of(2), 10);
    ck_assert(delivery_extend(&delivery, 3, 3)); /* of no room: nothing */
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 0);
    ck_assert(delivery_is_done(&delivery));
    ck_assert_uint_eq(stated_position(), 4);
    ck_assert(delivery_extend(&delivery, 15, 16));
    ck_assert_uint_eq(delivery.position, 15);
    ck_assert_uint_eq(stated_position(), 15);
    ck_assert(!delivery_is_done(&delivery));
}
END_TEST

START_TEST(skipping_goes_forward_only)
{
    for (int i = 0; i < 20; i++)
        put(message_of(2), 10);
    delivery_skip(&delivery, 5);
    ck_assert_uint_eq(delivery.position, 5);
    ck_assert_uint_eq(delivery.end, 5);
    ck_assert_uint_eq(stated_position(), 5);
    delivery_skip(&delivery, 3);
    ck_assert_uint_eq(delivery.position, 5);
    ck_assert(delivery_extend(&delivery, 5, 10));
    delivery_skip(&delivery, 8);
    ck_assert_uint_eq(delivery.position, 8);
    ck_assert_uint_eq(delivery.end, 11);
}
END_TEST

/* To the first record that is the client's, which is the first that it misses if it ends now. */
START_TEST(the_position_passes_records_of_others)
{
    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    for (int i = 0; i < 3; i++)
        put(message_of(ME), 10);
    put(message_of(2), 10);
    put(message_of(ME), 10);
    ck_assert(delivery_extend(&delivery, 1, 5));
    delivery_move_to_next(&delivery);
    ck_assert_uint_eq(stated_position(), 4);
    delivery_move_to_next(&delivery);
    ck_assert_uint_eq(stated_position(), 4);
    delivery_advance(&delivery, 5, 10, 5); /* half of record 4 */
    delivery_move_to_next(&delivery);
    ck_assert_uint_eq(stated_position(), 4);
    ck_assert(!delivery_at_line_boundary(&delivery));
    delivery_advance(&delivery, 5, 5, 5);
    delivery_move_to_next(&delivery);
    ck_assert_uint_eq(stated_position(), 6);
    ck_assert(delivery_is_done(&delivery));
}
END_TEST

START_TEST(the_wanted_position_is_noticed_when_it_is_passed)
{
    _Atomic uint64_t *wanted = &region.slots[ME].wanted;
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    for (int i = 0; i < 30; i++)
        put(message_of(2), 10);
    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    ck_assert(delivery_extend(&delivery, 1, 20));
    ck_assert(!delivery.space_passed); /* wanted is 0: nobody waits */
    atomic_store(wanted, 5);
    for (uint64_t i = 1; i <= 20; i++) {
        ck_assert(delivery_gather(&delivery, runs, &reached) > 0);
        delivery_advance(&delivery, 9, 200, reached); /* not yet all of it */
        ck_assert(!delivery.space_passed);
        delivery_gather(&delivery, runs, &reached);
        delivery_advance(&delivery, 1, runs[0].iov_len, reached);
        ck_assert_uint_eq(delivery.position, i + 1);
        ck_assert(delivery.space_passed == (i + 1 == 5));
        delivery.space_passed = false;
    }
    atomic_store(wanted, 25); /* passed by a jump */
    ck_assert(delivery_extend(&delivery, 25, 26));
    ck_assert(delivery.space_passed);
    delivery.space_passed = false;
    atomic_store(wanted, 27); /* passed over what is not given */
    ck_assert(delivery_set_membership(&delivery, 0, 20, false));
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 0);
    ck_assert(delivery.space_passed);
    delivery.space_passed = false;
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 0);
    ck_assert(!delivery.space_passed); /* once */
    for (int slot = 0; slot < SLOTS; slot++)
        if (slot != ME)
            atomic_store(&region.slots[slot].wanted, 29);
    ck_assert(delivery_extend(&delivery, 29, 29)); /* another's is not looked at */
    ck_assert(!delivery.space_passed);
}
END_TEST

/* --- runs */

START_TEST(neighbours_leave_as_one_run)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    for (int i = 0; i < 100; i++)
        put(message_of(2), 100);
    ck_assert(delivery_extend(&delivery, 1, 100));
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 1);
    ck_assert_ptr_eq(runs[0].iov_base, view.ring);
    ck_assert_uint_eq(runs[0].iov_len, 10000);
    ck_assert_uint_eq(reached, 101);
    ck_assert_uint_eq(delivery.position, 1); /* nothing has left yet */
}
END_TEST

START_TEST(a_run_is_cut_at_its_longest)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    for (int i = 0; i < 1000; i++)
        put(message_of(2), 1000);
    ck_assert(delivery_extend(&delivery, 1, 1000));
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 4);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(runs[i].iov_len, DELIVERY_RUN_MAX / 1000 * 1000);
    ck_assert_uint_eq(reached, 1001);
}
END_TEST

START_TEST(a_gathering_ends_when_the_runs_are_used_up)
{
    enum { RECORDS = 2 * (DELIVERY_RUNS_MAX + 2), NO_ROOM = 2 * DELIVERY_RUNS_MAX + 1 };
    size_t gathered = (size_t)DELIVERY_RUNS_MAX * 10;
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    for (int i = 0; i < RECORDS; i++)
        put(message_of(i % 2 == 0 ? 2 : ME), 10);
    ck_assert(delivery_extend(&delivery, 1, RECORDS));
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), DELIVERY_RUNS_MAX);
    ck_assert_uint_eq(reached, NO_ROOM); /* the first that found none */
    delivery_advance(&delivery, gathered, gathered, reached);
    ck_assert_uint_eq(stated_position(), NO_ROOM);
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 2);
    ck_assert_uint_eq(reached, RECORDS + 1);
}
END_TEST

START_TEST(the_ring_s_end_cuts_a_run)
{
    struct iovec runs[DELIVERY_RUNS_MAX];
    uint64_t reached;

    ck_assert(delivery_set_membership(&delivery, 0, 1, true));
    put(message_of(2), view.ring_size - 50);
    put(message_of(2), 30);
    put(message_of(2), 40);
    ck_assert(delivery_extend(&delivery, 2, 3));
    ck_assert_int_eq(delivery_gather(&delivery, runs, &reached), 2);
    ck_assert_ptr_eq(runs[0].iov_base, view.ring + view.ring_size - 50);
    ck_assert_uint_eq(runs[0].iov_len, 30);
    ck_assert_ptr_eq(runs[1].iov_base, view.ring);
    ck_assert_uint_eq(runs[1].iov_len, 40);
}
END_TEST

static Suite *delivery_suite(void)
{
    Suite *suite = suite_create("delivery");
    TCase *records = tcase_create("records");

    tcase_set_timeout(records, 60);
    tcase_add_checked_fixture(records, set_up, tear_down);
    tcase_add_test(records, each_record_kind_has_its_recipients);
    tcase_add_test(records, a_membership_has_a_first_and_a_last_record);
    tcase_add_test(records, memberships_are_bounded_and_forgotten);
    tcase_add_test(records, a_client_may_join_leave_and_join_again);
    tcase_add_test(records, ranges_that_go_back_are_refused);
    tcase_add_test(records, a_client_that_has_all_moves_to_the_next_range);
    tcase_add_test(records, skipping_goes_forward_only);
    tcase_add_test(records, the_position_passes_records_of_others);
    tcase_add_test(records, the_wanted_position_is_noticed_when_it_is_passed);
    tcase_add_test(records, neighbours_leave_as_one_run);
    tcase_add_test(records, a_run_is_cut_at_its_longest);
    tcase_add_test(records, a_gathering_ends_when_the_runs_are_used_up);
    tcase_add_test(records, the_ring_s_end_cuts_a_run);
    suite_add_tcase(suite, records);
    return suite;
}

CHECK_MAIN(delivery_suite)
