/* SPDX-License-Identifier: ISC */
/*
 * Answering frames: in which states, in which order, and what a frame that cannot be answered
 * leaves behind. The longest line of each request fits what is reserved for it.
 */
#include "config.h"

#include "supervisor/order/order.h"

#include "supervisor/client/slot.h"
#include "supervisor/client/stall.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <stdio.h>
#include <string.h>

static struct fixture *fixture;
static struct supervisor *supervisor;

static void set_up(void)
{
    fixture = fixture_open();
    supervisor = &fixture->supervisor;
}

static void tear_down(void)
{
    fixture_close(fixture);
}

/* A frame with a text, which is put at the beginning of the outbox. */
static void send_text(
    struct slot *slot, enum frame_kind kind, uint8_t detail, const char *text, size_t length)
{
    memcpy(region_outbox(&supervisor->region, slot->number).bytes, text, length);
    order_frame(
        slot, &(struct frame){.kind = (uint8_t)kind, .detail = detail, .length = (uint32_t)length});
}

static const struct record_entry *newest(void)
{
    return region_entry(&supervisor->view, supervisor->ring.next_sequence - 1);
}

static void expect_line(const struct record_entry *entry, const char *line)
{
    ck_assert_uint_eq(entry->length, strlen(line));
    ck_assert_mem_eq(
        supervisor->view.ring + entry->offset % supervisor->view.ring_size, line, entry->length);
}

/* Fills the ring until what `speaker` says has to wait for `reader`. */
static void fill(struct slot *reader, struct slot *speaker)
{
    fixture_catch_up(reader);
    fixture_catch_up(speaker);
    for (int i = 0; i < 1000 && speaker->queue_count == 0; i++) {
        fixture_say(speaker, 2000);
        fixture_turn(fixture);
    }
    ck_assert(supervisor->space.blocked);
}

/* --- states */

/* What each kind of frame is in each state: 1: it may be sent. */
static const struct {
    enum frame_kind kind;
    size_t length; /* of its text */
    bool spare, starting, present;
} states[] = {
    {FRAME_PUBLISH, 1, false, false, true},
    {FRAME_REPLY, 1, false, true, true},
    {FRAME_HELLO, 0, false, true, false},
    {FRAME_RENAME, 1, false, false, true},
    {FRAME_WHO, 0, false, false, true},
    {FRAME_GOODBYE, 0, false, true, true},
};

#define STATES_COUNT (sizeof states / sizeof states[0])

START_TEST(a_frame_is_answered_in_its_states_only)
{
    struct slot *spare = fixture_take(fixture), *starting = fixture_take(fixture);
    struct slot *present = fixture_join(fixture);
    size_t length = states[_i].length;

    spare->state = SLOT_SPARE;
    send_text(spare, states[_i].kind, 0, "x", length);
    ck_assert_int_eq(spare->child.faulted, !states[_i].spare);
    send_text(starting, states[_i].kind, 0, "x", length);
    ck_assert_int_eq(starting->child.faulted, !states[_i].starting);
    send_text(present, states[_i].kind, 0, "x", length);
    ck_assert_int_eq(present->child.faulted, !states[_i].present);
}
END_TEST

START_TEST(who_is_gone_is_not_answered)
{
    struct slot *slot = fixture_join(fixture);
    uint64_t next;

    slot_end(slot, DISCONNECT_STALLED, FRAME_CLOSE_EVICT);
    next = supervisor->ring.next_sequence;
    send_text(slot, FRAME_PUBLISH, 0, "x", 1);
    ck_assert(!slot->child.faulted);
    ck_assert_uint_eq(slot->queue_count, 0);
    ck_assert_uint_eq(supervisor->ring.next_sequence, next);
}
END_TEST

START_TEST(nobody_is_answered_during_a_stop)
{
    struct slot *slot = fixture_join(fixture);
    uint64_t next = supervisor->ring.next_sequence;

    supervisor->stopping = true;
    send_text(slot, FRAME_PUBLISH, 0, "x", 1);
    ck_assert_uint_eq(slot->queue_count, 0);
    ck_assert_uint_eq(supervisor->ring.next_sequence, next);
}
END_TEST

/* --- waiting */

START_TEST(a_queue_has_space_for_the_credit_and_no_more)
{
    struct slot *slot = fixture_join(fixture);

    fixture_turn(fixture);
    slot->credit_due = 0;
    supervisor->space.blocked = true;
    for (unsigned i = 0; i < OUTBOX_CREDIT_FRAMES; i++)
        send_text(slot, FRAME_PUBLISH, 0, "x", 1);
    ck_assert_uint_eq(slot->queue_count, OUTBOX_CREDIT_FRAMES);
    ck_assert(!slot->child.faulted);
    send_text(slot, FRAME_PUBLISH, 0, "x", 1);
    ck_assert(slot->child.faulted);
    ck_assert_uint_eq(slot->queue_count, 0);
    ck_assert_int_eq(slot->wait, WAIT_NONE);
}
END_TEST

START_TEST(slots_that_wait_are_served_in_turn)
{
    struct slot *slots[2] = {fixture_join(fixture), fixture_join(fixture)};
    uint64_t first;

    fixture_turn(fixture);
    first = supervisor->ring.next_sequence;
    supervisor->space.blocked = true;
    for (int i = 0; i < 3; i++)
        send_text(slots[0], FRAME_PUBLISH, 0, "x", 1);
    for (int i = 0; i < 3; i++)
        send_text(slots[1], FRAME_PUBLISH, 0, "x", 1);
    ck_assert_int_eq(slots[0]->wait, WAIT_RING);
    ck_assert_uint_eq(supervisor->ring.next_sequence, first);
    supervisor->space.blocked = false;
    fixture_turn(fixture);
    ck_assert_uint_eq(supervisor->ring.next_sequence, first + 6);
    for (uint64_t i = 0; i < 6; i++)
        ck_assert_uint_eq(region_entry(&supervisor->view, first + i)->sender, slots[i % 2]->number);
    ck_assert_int_eq(slots[0]->wait, WAIT_NONE);
    ck_assert_int_eq(slots[1]->wait, WAIT_NONE);
    ck_assert(TAILQ_EMPTY(&supervisor->waiting));
}
END_TEST

START_TEST(each_wait_has_its_reason)
{
    struct slot *reader = fixture_join(fixture), *speaker = fixture_join(fixture);

    fixture_catch_up(reader);
    reader->private_bytes = PRIVATE_PENDING_MAX;
    reader->private_last = supervisor->ring.next_sequence;
    send_text(reader, FRAME_WHO, 0, "", 0);
    ck_assert_int_eq(reader->wait, WAIT_PRIVATE);
    send_text(reader, FRAME_PUBLISH, 0, "x", 1); /* behind it, whatever it needs */
    ck_assert_int_eq(reader->wait, WAIT_PRIVATE);
    ck_assert_uint_eq(reader->queue_count, 2);
    fill(reader, speaker);
    ck_assert_int_eq(speaker->wait, WAIT_RING);
    ck_assert_int_eq(reader->wait, WAIT_PRIVATE);
}
END_TEST

/* --- all or nothing */

START_TEST(a_hello_that_waits_changes_nothing)
{
    struct slot *reader = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *slot;
    uint64_t next;

    fill(reader, speaker);
    slot = fixture_take(fixture);
    next = supervisor->ring.next_sequence;
    fixture_frame(slot, FRAME_HELLO);
    ck_assert_int_eq(slot->state, SLOT_STARTING);
    ck_assert_int_eq(slot->wait, WAIT_RING);
    ck_assert_uint_eq(slot->joined, 0);
    ck_assert(!room_has(supervisor->lobby, slot->number));
    ck_assert_uint_eq(supervisor->ring.next_sequence, next);
    ck_assert_uint_eq(slot->credit_due, 0);

    fixture_catch_up(reader);
    fixture_turn(fixture);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    ck_assert_uint_gt(slot->joined, 0);
    ck_assert_int_eq(slot->wait, WAIT_NONE);
}
END_TEST

START_TEST(a_wrong_text_leaves_no_record)
{
    struct slot *slot = fixture_join(fixture);
    uint64_t next = supervisor->ring.next_sequence;

    send_text(slot, _i == 0 ? FRAME_PUBLISH : FRAME_REPLY, 0, "a\nb", 3);
    ck_assert(slot->child.faulted);
    ck_assert_uint_eq(supervisor->ring.next_sequence, next);
}
END_TEST

START_TEST(the_stop_notice_may_use_the_reserve)
{
    struct slot *reader = fixture_join(fixture), *speaker = fixture_join(fixture);

    fill(reader, speaker);
    ck_assert(order_stop_notice(supervisor));
    ck_assert_int_eq(newest()->kind, RECORD_NOTICE);
}
END_TEST

/* --- the longest lines: one that is longer than its reservation would abort */

static char longest_name[NAME_LENGTH_MAX + 1];

/* Renames the client to the longest name that begins with `first`. */
static void rename_longest(struct slot *slot, char first)
{
    memset(longest_name, 'x', NAME_LENGTH_MAX);
    longest_name[0] = first;
    send_text(slot, FRAME_RENAME, 0, longest_name, NAME_LENGTH_MAX);
    ck_assert_str_eq(slot->name, longest_name);
    fixture_turn(fixture);
    fixture_catch_up(slot);
}

START_TEST(the_longest_rename_fits)
{
    struct slot *slot = fixture_join(fixture);
    char line[128];

    rename_longest(slot, 'a');
    rename_longest(slot, 'b');
    snprintf(line, sizeof line, "* a%s is now %s\n", longest_name + 1, longest_name);
    expect_line(newest(), line);
}
END_TEST

START_TEST(every_refusal_of_a_name_fits)
{
    static const char *const wishes[] = {"", "guest1", "a b", "guest77", "\xc3\xa9", "-"};
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);
    char too_long[FRAME_NAME_MAX];

    ck_assert_str_eq(slot->name, "guest1");
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++)
        send_text(other, FRAME_RENAME, 0, wishes[i], strlen(wishes[i]));
    memset(too_long, 'x', sizeof too_long);
    send_text(other, FRAME_RENAME, 0, too_long, sizeof too_long);
    ck_assert(!other->child.faulted);
    ck_assert_int_eq(newest()->kind, RECORD_ERROR);
}
END_TEST

START_TEST(the_longest_goodbye_fits)
{
    struct slot *slot = fixture_join(fixture);
    char reason[FRAME_REASON_MAX], line[512];

    rename_longest(slot, 'a');
    memset(reason, 'r', sizeof reason);
    send_text(slot, FRAME_GOODBYE, FRAME_GOODBYE_QUIT, reason, sizeof reason);
    snprintf(
        line, sizeof line, "* %s left (quit: %.*s)\n", longest_name, (int)sizeof reason, reason);
    expect_line(newest(), line);
}
END_TEST

START_TEST(every_leave_fits)
{
    for (int reason = DISCONNECT_NONE + 1; reason < DISCONNECT_COUNT; reason++) {
        struct slot *slot = fixture_join(fixture);

        rename_longest(slot, 'a');
        slot_end(slot, (enum disconnect_reason)reason, FRAME_CLOSE_EVICT);
        fixture_turn(fixture);
        ck_assert(!slot->left_due);
        fixture_end_relay(fixture, slot);
        fixture_turn(fixture);
        ck_assert_int_eq(slot->state, SLOT_FREE);
    }
}
END_TEST

START_TEST(the_longest_reply_fits)
{
    struct slot *slot = fixture_join(fixture);
    char text[FRAME_REPLY_MAX];

    memset(text, 't', sizeof text);
    send_text(slot, FRAME_REPLY, FRAME_REPLY_ERROR, text, sizeof text);
    ck_assert_uint_eq(newest()->length, sizeof text + strlen("! \n"));
}
END_TEST

START_TEST(a_listing_of_the_longest_names_fits)
{
    struct slot *slot = NULL;
    char line[256];

    for (int i = 0; i < FIXTURE_CLIENTS; i++) {
        slot = fixture_join(fixture);
        rename_longest(slot, (char)('a' + i));
    }
    fixture_frame(slot, FRAME_WHO);
    snprintf(line, sizeof line, "* %d here: a%s b%s c%s d%s\n", FIXTURE_CLIENTS, longest_name + 1,
        longest_name + 1, longest_name + 1, longest_name + 1);
    expect_line(newest(), line);
}
END_TEST

static Suite *order_suite(void)
{
    Suite *suite = suite_create("order");
    TCase *order = tcase_create("order");
    TCase *longest = tcase_create("longest");

    tcase_set_timeout(order, 60);
    tcase_add_checked_fixture(order, set_up, tear_down);
    tcase_add_loop_test(order, a_frame_is_answered_in_its_states_only, 0, STATES_COUNT);
    tcase_add_test(order, who_is_gone_is_not_answered);
    tcase_add_test(order, nobody_is_answered_during_a_stop);
    tcase_add_test(order, a_queue_has_space_for_the_credit_and_no_more);
    tcase_add_test(order, slots_that_wait_are_served_in_turn);
    tcase_add_test(order, each_wait_has_its_reason);
    tcase_add_test(order, a_hello_that_waits_changes_nothing);
    tcase_add_loop_test(order, a_wrong_text_leaves_no_record, 0, 2);
    tcase_add_test(order, the_stop_notice_may_use_the_reserve);
    suite_add_tcase(suite, order);
    tcase_set_timeout(longest, 60);
    tcase_add_checked_fixture(longest, set_up, tear_down);
    tcase_add_test(longest, the_longest_rename_fits);
    tcase_add_test(longest, every_refusal_of_a_name_fits);
    tcase_add_test(longest, the_longest_goodbye_fits);
    tcase_add_test(longest, every_leave_fits);
    tcase_add_test(longest, the_longest_reply_fits);
    tcase_add_test(longest, a_listing_of_the_longest_names_fits);
    suite_add_tcase(suite, longest);
    return suite;
}

CHECK_MAIN(order_suite)
