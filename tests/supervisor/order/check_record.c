/* SPDX-License-Identifier: ISC */
/*
 * Records as they stand in the ring: their bytes, whom they are by and for, and what they are
 * counted as.
 */
#include "config.h"

#include "supervisor/order/record.h"

#include "supervisor/client/slot.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <signal.h>
#include <string.h>

static struct fixture *fixture;
static struct supervisor *supervisor;
static struct slot *slot;

static void set_up(void)
{
    fixture = fixture_open();
    supervisor = &fixture->supervisor;
    slot = fixture_join(fixture);
    fixture_catch_up(slot);
    ck_assert_str_eq(slot->name, "guest1");
}

static void tear_down(void)
{
    fixture_close(fixture);
}

static struct reservation reserve(size_t length)
{
    struct reservation reservation;

    ck_assert(space_reserve(&supervisor->space, ring_need_of(length), SPACE_COMMON, &reservation));
    return reservation;
}

static const struct record_entry *expect_newest(enum record_kind kind, const char *line)
{
    const struct record_entry *entry =
        region_entry(&supervisor->view, supervisor->ring.next_sequence - 1);

    ck_assert_int_eq(entry->kind, kind);
    ck_assert_uint_eq(entry->room, ROOM_LOBBY);
    ck_assert_uint_eq(entry->length, strlen(line));
    ck_assert_mem_eq(
        supervisor->view.ring + entry->offset % supervisor->view.ring_size, line, entry->length);
    return entry;
}

static struct record_line make_line(const char *prefix, const char *text)
{
    struct record_line line;

    record_line_begin(&line, prefix);
    record_line_print(&line, "%s", text);
    record_line_end(&line);
    return line;
}

START_TEST(a_message_has_name_and_text)
{
    struct reservation reservation = reserve(record_message_length(strlen("guest1"), 5));
    uint64_t next = supervisor->ring.next_sequence;

    ck_assert(record_message(slot, &reservation, ROOM_LOBBY, "hello", 5));
    const struct record_entry *entry = expect_newest(RECORD_MESSAGE, "[guest1] hello\n");
    ck_assert_uint_eq(entry->sender, slot->number);
    ck_assert_uint_eq(entry->sender_generation, slot->generation);
    ck_assert_uint_eq(entry->recipient, REGION_NO_SLOT);
    ck_assert_uint_eq(reservation.length, 0); /* exactly what was asked for */
    ck_assert_uint_eq(supervisor->turn.first, next);
    ck_assert_uint_eq(supervisor->turn.records, 1);
    ck_assert_uint_eq(slot->own_in_turn, 1);
    ck_assert_uint_eq(supervisor->counters.messages, 1);
    ck_assert_uint_eq(supervisor->counters.message_bytes, 5);
}
END_TEST

START_TEST(a_wrong_text_is_not_recorded)
{
    struct reservation reservation = reserve(100);
    uint64_t next = supervisor->ring.next_sequence;

    ck_assert(!record_message(slot, &reservation, ROOM_LOBBY, "\033[2J", 4));
    ck_assert_uint_eq(supervisor->ring.next_sequence, next);
    ck_assert_uint_eq(supervisor->turn.first, 0);
    ck_assert_uint_eq(supervisor->counters.messages, 0);
    ck_assert(record_message(slot, &reservation, ROOM_LOBBY, "fine", 4)); /* the space is left */
    expect_newest(RECORD_MESSAGE, "[guest1] fine\n");
}
END_TEST

START_TEST(an_event_is_for_the_room)
{
    struct record_line line = make_line(RECORD_EVENT_PREFIX, "something");
    struct reservation reservation = reserve(line.length);
    uint64_t sequence = record_room_event(slot, &reservation, RECORD_RENAMED, &line);
    const struct record_entry *entry = expect_newest(RECORD_RENAMED, "* something\n");

    ck_assert_uint_eq(entry->sequence, sequence);
    ck_assert_uint_eq(entry->sender, slot->number);
    ck_assert_uint_eq(entry->recipient, REGION_NO_SLOT);
    ck_assert_uint_eq(supervisor->turn.last, sequence);
    ck_assert_uint_eq(slot->own_in_turn, 0);
}
END_TEST

START_TEST(a_notice_is_about_nobody)
{
    struct record_line line = make_line(RECORD_EVENT_PREFIX, "notice");
    struct reservation reservation = reserve(line.length);

    record_notice(supervisor, &reservation, &line);
    ck_assert_uint_eq(expect_newest(RECORD_NOTICE, "* notice\n")->sender, REGION_NO_SLOT);
    ck_assert_uint_eq(supervisor->turn.records, 1);
}
END_TEST

START_TEST(a_private_record_is_pending_for_its_client_alone)
{
    struct record_line line = make_line(RECORD_ERROR_PREFIX, "no");
    struct reservation reservation = reserve(line.length);
    size_t before = slot->private_bytes;
    uint64_t sequence = record_private(slot, &reservation, RECORD_ERROR, &line);
    const struct record_entry *entry = expect_newest(RECORD_ERROR, "! no\n");

    ck_assert_uint_eq(entry->recipient, slot->number);
    ck_assert_uint_eq(entry->recipient_generation, slot->generation);
    ck_assert_uint_eq(slot->private_last, sequence);
    ck_assert_uint_eq(slot->private_bytes, before + line.length);
    ck_assert_uint_eq(slot_needs(slot), sequence);
    ck_assert_uint_eq(supervisor->turn.first, 0); /* the room is not notified of it */
}
END_TEST

START_TEST(a_leave_frees_the_name)
{
    struct reservation reservation = reserve(NAME_LINE_MAX + 3);

    record_left(slot, &reservation, " (quit)", "bye", 3);
    expect_newest(RECORD_LEFT, "* guest1 left (quit: bye)\n");
    ck_assert(slot->left_recorded && !slot->left_due);
    ck_assert_str_eq(names_take_guest(supervisor->names, 1), "guest1");
    names_release(supervisor->names, 1);
}
END_TEST

START_TEST(a_leave_without_a_reason)
{
    struct reservation reservation = reserve(NAME_LINE_MAX);

    record_left(slot, &reservation, " (too slow)", NULL, 0);
    expect_newest(RECORD_LEFT, "* guest1 left (too slow)\n");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut)
{
    static char text[2 * RECORD_LINE_MAX];
    struct record_line line;

    memset(text, 'x', sizeof text);
    record_line_begin(&line, RECORD_EVENT_PREFIX);
    record_line_add(&line, text, sizeof text);
    record_line_add(&line, "more", 4);
    record_line_end(&line);
    ck_assert_uint_eq(line.length, RECORD_LINE_MAX);
    ck_assert_int_eq(line.bytes[RECORD_LINE_MAX - 1], '\n');
    ck_assert_int_eq(line.bytes[RECORD_LINE_MAX - 2], 'x');
}
END_TEST

/* A handler that composes a longer line than it has asked for. */
START_TEST(a_line_beyond_its_reservation_aborts)
{
    struct record_line line = make_line(RECORD_EVENT_PREFIX, "0123456789");
    struct reservation reservation = reserve(line.length - 1);

    if (_i == 0)
        record_room_event(slot, &reservation, RECORD_JOINED, &line);
    else if (_i == 1)
        record_private(slot, &reservation, RECORD_REPLY, &line);
    else
        record_message(slot, &reservation, ROOM_LOBBY, "0123456789", 10);
}
END_TEST

static Suite *record_suite(void)
{
    Suite *suite = suite_create("record");
    TCase *record = tcase_create("record");

    tcase_set_timeout(record, 60);
    tcase_add_checked_fixture(record, set_up, tear_down);
    tcase_add_test(record, a_message_has_name_and_text);
    tcase_add_test(record, a_wrong_text_is_not_recorded);
    tcase_add_test(record, an_event_is_for_the_room);
    tcase_add_test(record, a_notice_is_about_nobody);
    tcase_add_test(record, a_private_record_is_pending_for_its_client_alone);
    tcase_add_test(record, a_leave_frees_the_name);
    tcase_add_test(record, a_leave_without_a_reason);
    tcase_add_test(record, a_line_that_is_too_long_is_cut);
    tcase_add_loop_test_raise_signal(record, a_line_beyond_its_reservation_aborts, SIGABRT, 0, 3);
    suite_add_tcase(suite, record);
    return suite;
}

CHECK_MAIN(record_suite)
