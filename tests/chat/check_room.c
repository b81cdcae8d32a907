/* SPDX-License-Identifier: ISC */
/*
 * check_room.c - tests of chat/room, against a plain array of booleans.
 */
#include "config.h"

#include "chat/room.h"

#include "tests/check_main.h"

#include <stdint.h>
#include <stdlib.h>

START_TEST(a_new_room_is_empty)
{
    struct room *room = room_new(3);

    ck_assert_uint_eq(room_count(room), 0);
    for (unsigned slot = 0; slot < 3; slot++)
        ck_assert(!room_has(room, slot));
    room_free(room);
    room_free(NULL);
}
END_TEST

START_TEST(entering_and_leaving_count_once)
{
    struct room *room = room_new(3);

    ck_assert(!room_leave(room, 2));
    ck_assert(room_enter(room, 2));
    ck_assert(!room_enter(room, 2));
    ck_assert_uint_eq(room_count(room), 1);
    ck_assert(room_has(room, 2));
    ck_assert_uint_eq(room_member(room, 0), 2);
    ck_assert(room_leave(room, 2));
    ck_assert(!room_leave(room, 2));
    ck_assert_uint_eq(room_count(room), 0);
    ck_assert(!room_has(room, 2));
    room_free(room);
}
END_TEST

START_TEST(members_are_in_order_until_one_leaves)
{
    struct room *room = room_new(4);
    static const unsigned entering[] = {2, 0, 3, 1};

    for (unsigned i = 0; i < 4; i++)
        ck_assert(room_enter(room, entering[i]));
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(room_member(room, i), entering[i]);

    ck_assert(room_leave(room, 0));
    ck_assert_uint_eq(room_count(room), 3);
    ck_assert_uint_eq(room_member(room, 0), 2);
    ck_assert_uint_eq(room_member(room, 1), 1);
    ck_assert_uint_eq(room_member(room, 2), 3);
    room_free(room);
}
END_TEST

START_TEST(a_walk_downwards_may_empty_the_room)
{
    struct room *room = room_new(100);

    for (unsigned slot = 0; slot < 100; slot++)
        ck_assert(room_enter(room, slot));
    for (unsigned index = room_count(room); index-- > 0;)
        ck_assert(room_leave(room, room_member(room, index)));
    ck_assert_uint_eq(room_count(room), 0);
    room_free(room);
}
END_TEST

static void expect_same(const struct room *room, const bool *in, unsigned slots)
{
    unsigned count = 0;

    for (unsigned slot = 0; slot < slots; slot++) {
        ck_assert(room_has(room, slot) == in[slot]);
        count += in[slot];
    }
    ck_assert_uint_eq(room_count(room), count);

    bool seen[64] = {false};
    for (unsigned index = 0; index < count; index++) {
        unsigned member = room_member(room, index);
        ck_assert(in[member] && !seen[member]);
        seen[member] = true;
    }
}

START_TEST(random_comings_and_goings)
{
    enum { SLOTS = 40 };
    struct room *room = room_new(SLOTS);
    bool in[SLOTS] = {false};
    uint32_t random = 1;

    for (int round = 0; round < 20000; round++) {
        random = random * 1664525 + 1013904223;
        unsigned slot = (random >> 16) % SLOTS;
        if ((random >> 8) % 2 == 0)
            ck_assert(room_enter(room, slot) == !in[slot]);
        else
            ck_assert(room_leave(room, slot) == in[slot]);
        in[slot] = (random >> 8) % 2 == 0;
        if (round % 16 == 0)
            expect_same(room, in, SLOTS);
    }
    room_free(room);
}
END_TEST

static Suite *room_suite(void)
{
    Suite *suite = suite_create("room");
    TCase *members = tcase_create("members");

    tcase_set_timeout(members, 60);
    tcase_add_test(members, a_new_room_is_empty);
    tcase_add_test(members, entering_and_leaving_count_once);
    tcase_add_test(members, members_are_in_order_until_one_leaves);
    tcase_add_test(members, a_walk_downwards_may_empty_the_room);
    tcase_add_test(members, random_comings_and_goings);
    suite_add_tcase(suite, members);
    return suite;
}

CHECK_MAIN(room_suite)
