/*
 * The space of the ring: who holds it, what waits, who is asked to wake the supervisor, and who is
 * ended for letting the others wait.
 */
#include "config.h"

#include "supervisor/ring/space.h"

#include "supervisor/client/slot.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE 2000
#define SHORT   100
#define LONG    4000

/* What most tests begin with: one who speaks and one who reads, and both have all that there is. */
static struct {
    struct stage *stage;
    struct slot *reader, *speaker;
} pair;

static void open_pair(void)
{
    pair.stage = stage_open();
    pair.reader = stage_join(pair.stage);
    pair.speaker = stage_join(pair.stage);
    stage_catch_up(pair.reader);
    stage_catch_up(pair.speaker);
}

static void close_pair(void)
{
    stage_close(pair.stage);
}

static uint64_t wanted_of(const struct slot *slot)
{
    return atomic_load(&slot->supervisor->view.slots[slot->number].wanted);
}

/* Lets `speaker` talk until what it says has to wait. */
static void fill(struct stage *stage, struct slot *speaker)
{
    for (int i = 0; i < 1000 && speaker->queue_count == 0; i++) {
        stage_say(speaker, MESSAGE);
        stage_turn(stage);
    }
    ck_assert_uint_eq(speaker->queue_count, 1);
    ck_assert(stage->supervisor.blocked);
}

/* The records that may be read must be whole: numbered, and neither below what is held. */
static void expect_nothing_lost(struct stage *stage, uint64_t held)
{
    ck_assert_uint_le(stage->supervisor.ring.oldest_sequence, held);
    ck_assert_uint_eq(region_entry(&stage->supervisor.view, held)->sequence, held);
}

START_TEST(a_reader_that_stands_still_stops_the_others)
{
    uint64_t held = pair.stage->supervisor.ring.next_sequence;
    fill(pair.stage, pair.speaker);
    ck_assert_ptr_eq(pair.stage->supervisor.holder, &pair.reader->reader);
    ck_assert_uint_eq(pair.stage->supervisor.held, held);
    ck_assert_uint_eq(pair.stage->supervisor.counters.waits, 1);
    expect_nothing_lost(pair.stage, held);
    for (int i = 0; i < 3; i++)
        stage_turn(pair.stage);
    ck_assert_uint_eq(pair.speaker->queue_count, 1);

    stage_deliver_to(pair.reader, held + 10);
    stage_turn(pair.stage);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
    ck_assert(!pair.stage->supervisor.blocked);
    expect_nothing_lost(pair.stage, held + 10);
}
END_TEST

START_TEST(readers_that_keep_up_stop_nobody)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);

    stage_catch_up(speaker);
    for (int i = 0; i < 1000; i++) {
        stage_say(speaker, MESSAGE);
        stage_turn(stage);
        stage_catch_up(reader);
    }
    ck_assert_uint_eq(speaker->queue_count, 0);
    ck_assert_uint_eq(stage->supervisor.counters.waits, 0);
    ck_assert_uint_eq(stage->supervisor.counters.messages, 1000);
    stage_close(stage);
}
END_TEST

/* A slow reader that has been told twice, by a second speaker, before it looks once. */
START_TEST(a_late_reader_is_told_twice)
{
    struct stage *stage = stage_open();
    struct slot *speaker = stage_join(stage), *other = stage_join(stage);

    stage_catch_up(speaker);
    for (int lap = 0; lap < 3; lap++) {
        for (int i = 0; i < 200; i++) {
            stage_say(speaker, MESSAGE);
            stage_turn(stage);
            stage_catch_up(other);
        }
        uint64_t news = stage->supervisor.ring.next_sequence;
        for (int i = 0; i < 2; i++) {
            stage_say(other, MESSAGE);
            stage_turn(stage);
            stage_catch_up(other);
        }
        fill(stage, speaker);
        expect_nothing_lost(stage, news);
        stage_catch_up(speaker);
        stage_catch_up(other);
        stage_turn(stage);
        stage_catch_up(speaker);
        stage_catch_up(other);
    }
    stage_close(stage);
}
END_TEST

START_TEST(the_reserve_is_for_leaves)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *leaver = stage_join(stage);

    stage_catch_up(reader);
    stage_catch_up(speaker);
    fill(stage, speaker);
    ck_assert(!space_fits(&stage->supervisor, MESSAGE + 100, MESSAGE + 100, 1, SPACE_COMMON));
    ck_assert(space_fits(&stage->supervisor, MESSAGE + 100, MESSAGE + 100, 1, SPACE_ALL));
    uint64_t before = stage->supervisor.ring.next_sequence;
    slot_end(leaver, END_CONNECTION_LOST, FRAME_END_DRAIN);
    stage_turn(stage);
    ck_assert_uint_eq(stage->supervisor.ring.next_sequence, before + 1);
    ck_assert_int_eq(region_entry(&stage->supervisor.view, before)->kind, RECORD_LEFT);
    stage_close(stage);
}
END_TEST

START_TEST(order_in_a_slot_is_kept_while_it_waits)
{
    fill(pair.stage, pair.speaker);
    uint64_t first = pair.stage->supervisor.ring.next_sequence;
    for (size_t i = 0; i < 5; i++)
        stage_say(pair.speaker, 10 + i); /* would fit, but must not overtake */
    ck_assert_uint_eq(pair.speaker->queue_count, 6);
    stage_catch_up(pair.reader);
    stage_turn(pair.stage);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
    for (uint32_t i = 1; i < 5; i++)
        ck_assert_uint_eq(region_entry(&pair.stage->supervisor.view, first + 1 + i)->length,
            region_entry(&pair.stage->supervisor.view, first + 1)->length + i);
}
END_TEST

/* Each time that there is just space for the long one, a short one would fit too. The ring begins
 * its lap far from there, or the short one could use what the long one leaves at a lap's end. */
START_TEST(short_ones_do_not_overtake_a_long_one_for_ever)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *quick = stage_join(stage);
    struct slot *slow = stage_join(stage);

    stage_catch_up(reader);
    stage_catch_up(quick);
    stage_catch_up(slow);
    for (int i = 0; i < 4000 && quick->queue_count < 20; i++) {
        stage_say(quick, SHORT);
        stage_turn(stage);
        stage_catch_up(slow);
        if (i < 500)
            stage_catch_up(reader);
    }
    stage_say(slow, LONG);
    ck_assert_uint_eq(slow->queue_count, 1);
    for (int i = 0; i < 5 && stage->supervisor.blocked_length < LONG; i++) {
        space_arm(&stage->supervisor);
        stage_deliver_to(reader, wanted_of(reader));
        stage_turn(stage);
    }
    ck_assert_uint_eq(slow->queue_count, 1); /* it is what waits now ... */
    ck_assert_uint_gt(stage->supervisor.blocked_length, LONG);
    ck_assert_uint_gt(quick->queue_count, 10);
    space_arm(&stage->supervisor);
    stage_deliver_to(reader, wanted_of(reader));
    stage_turn(stage);
    ck_assert_uint_eq(slow->queue_count, 0); /* ... and what goes first */
    stage_close(stage);
}
END_TEST

/* --- waking */

START_TEST(only_the_holder_is_asked_to_wake)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *other = stage_join(stage);

    stage_catch_up(reader);
    stage_catch_up(speaker);
    uint64_t held = stage->supervisor.ring.next_sequence;
    stage_catch_up(other);
    for (int i = 0; i < 1000 && speaker->queue_count == 0; i++) {
        stage_say(speaker, MESSAGE);
        stage_turn(stage);
        stage_catch_up(other);
    }
    ck_assert(!space_arm(&stage->supervisor));
    ck_assert_uint_eq(wanted_of(other), 0);
    ck_assert_uint_eq(wanted_of(speaker), 0);
    uint64_t wanted = wanted_of(reader);
    ck_assert_uint_gt(wanted, held);
    ck_assert_uint_le(wanted, reader->reader.told_to);

    stage_deliver_to(reader, wanted - 1);
    ck_assert(!space_arm(&stage->supervisor));
    stage_deliver_to(reader, wanted_of(reader));
    ck_assert(space_arm(&stage->supervisor)); /* no need to wait */
    stage_turn(stage);
    ck_assert_uint_eq(speaker->queue_count, 0);
    stage_close(stage);
}
END_TEST

START_TEST(the_position_asked_for_is_the_first_that_helps)
{
    fill(pair.stage, pair.speaker);
    ck_assert(!space_arm(&pair.stage->supervisor));
    uint64_t wanted = wanted_of(pair.reader);
    ck_assert(
        !ring_fits(&pair.stage->supervisor.ring, wanted - 1, pair.stage->supervisor.blocked_length,
            pair.stage->supervisor.blocked_length, 1, RESERVE_BYTES, RESERVE_ENTRIES));
    ck_assert(ring_fits(&pair.stage->supervisor.ring, wanted, pair.stage->supervisor.blocked_length,
        pair.stage->supervisor.blocked_length, 1, RESERVE_BYTES, RESERVE_ENTRIES));
}
END_TEST

START_TEST(private_records_wait_for_their_own_client_only)
{
    struct stage *stage = stage_open();
    struct slot *asker = stage_join(stage), *speaker = stage_join(stage);

    stage_catch_up(asker);
    stage_catch_up(speaker);
    asker->private_bytes = PRIVATE_OWED_MAX - 10;
    stage_say(speaker, 10);
    asker->private_last = stage->supervisor.ring.next_sequence - 1;
    stage_turn(stage);
    stage_frame(asker, FRAME_WHO);
    stage_turn(stage);
    ck_assert_uint_eq(asker->queue_count, 1);
    ck_assert(asker->waits_for_private);
    ck_assert(!stage->supervisor.blocked);
    ck_assert(!space_arm(&stage->supervisor));
    ck_assert_uint_eq(wanted_of(asker), asker->private_last + 1);

    uint64_t before = stage->supervisor.counters.messages;
    stage_say(speaker, 10);
    ck_assert_uint_eq(stage->supervisor.counters.messages, before + 1);
    stage_deliver_to(asker, asker->private_last + 1);
    stage_turn(stage);
    ck_assert_uint_eq(asker->queue_count, 0);
    stage_close(stage);
}
END_TEST

/* It moves after the last look and before it is asked: it will send no SPACE. */
START_TEST(who_catches_up_before_it_is_asked_is_noticed)
{
    pair.reader->private_bytes = PRIVATE_OWED_MAX - 10;
    stage_say(pair.speaker, 10);
    pair.reader->private_last = pair.stage->supervisor.ring.next_sequence - 1;
    stage_turn(pair.stage);
    stage_frame(pair.reader, FRAME_WHO);
    stage_turn(pair.stage);
    ck_assert(pair.reader->waits_for_private);
    stage_catch_up(pair.reader);
    ck_assert(space_arm(&pair.stage->supervisor));
    stage_turn(pair.stage);
    ck_assert_uint_eq(pair.reader->queue_count, 0);
}
END_TEST

/* There would be room for its answer now, but for the ring: another turn would change nothing. */
START_TEST(who_waits_for_both_does_not_make_the_loop_spin)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *asker = stage_join(stage);

    stage_catch_up(reader);
    stage_catch_up(speaker);
    stage_catch_up(asker);
    asker->private_bytes = PRIVATE_OWED_MAX - 10;
    stage_say(speaker, 10);
    asker->private_last = stage->supervisor.ring.next_sequence - 1;
    stage_turn(stage);
    stage_frame(asker, FRAME_WHO);
    stage_turn(stage);
    ck_assert(asker->waits_for_private);
    fill(stage, speaker);
    stage_catch_up(asker);
    for (int i = 0; i < 3; i++) {
        ck_assert(!space_arm(&stage->supervisor));
        stage_turn(stage);
        ck_assert_uint_eq(asker->queue_count, 1);
    }
    stage_catch_up(reader);
    ck_assert(space_arm(&stage->supervisor));
    stage_turn(stage);
    ck_assert_uint_eq(asker->queue_count, 0);
    ck_assert_uint_eq(speaker->queue_count, 0);
    stage_close(stage);
}
END_TEST

START_TEST(who_moves_far_enough_before_it_is_asked_is_noticed)
{
    pair.reader->private_bytes = PRIVATE_OWED_MAX - 10;
    for (int i = 0; i < 5; i++)
        stage_say(pair.speaker, 10);
    pair.reader->private_last = pair.stage->supervisor.ring.next_sequence - 3;
    stage_turn(pair.stage);
    stage_frame(pair.reader, FRAME_WHO);
    stage_turn(pair.stage);
    stage_deliver_to(pair.reader, pair.reader->private_last + 1);
    ck_assert(space_arm(&pair.stage->supervisor));
    ck_assert_uint_lt(slot_position(pair.reader), pair.reader->reader.told_to);
}
END_TEST

START_TEST(the_holder_that_catches_up_before_it_is_asked_is_noticed)
{
    fill(pair.stage, pair.speaker);
    stage_catch_up(pair.reader);
    ck_assert(space_arm(&pair.stage->supervisor));
    stage_turn(pair.stage);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
}
END_TEST

/* --- stalling */

START_TEST(a_stalled_reader_goes_after_the_grace)
{
    fill(pair.stage, pair.speaker);
    for (unsigned time = SPACE_TICK_MS; time < STAGE_GRACE_MS; time += SPACE_TICK_MS) {
        space_tick(&pair.stage->supervisor, SPACE_TICK_MS);
        ck_assert_int_eq(pair.reader->end, END_NONE);
    }
    space_tick(&pair.stage->supervisor, SPACE_TICK_MS);
    ck_assert_int_eq(pair.reader->end, END_STALLED);
    ck_assert_int_eq(pair.reader->end_how, FRAME_END_EVICT);
    ck_assert(pair.reader->is_doomed);
    ck_assert_uint_eq(pair.reader->kill_at, pair.stage->supervisor.now_ms + EVICT_GRACE_MS);
    ck_assert_int_eq(pair.speaker->end, END_NONE);

    stage_end_relay(pair.stage, pair.reader);
    stage_turn(pair.stage);
    stage_turn(pair.stage);
    ck_assert_int_eq(pair.reader->state, SLOT_FREE);
    ck_assert_uint_eq(pair.speaker->queue_count, 0);
}
END_TEST

START_TEST(no_time_adds_up_while_nobody_waits)
{
    stage_say(pair.speaker, MESSAGE);
    stage_turn(pair.stage);
    for (int i = 0; i < 100; i++)
        space_tick(&pair.stage->supervisor, SPACE_TICK_MS);
    ck_assert_int_eq(pair.reader->end, END_NONE);
    ck_assert_uint_eq(pair.reader->stalled_ms, 0);
}
END_TEST

START_TEST(who_passes_the_middle_is_forgiven)
{
    fill(pair.stage, pair.speaker);
    space_tick(&pair.stage->supervisor, STAGE_GRACE_MS - 1);
    ck_assert_uint_eq(pair.reader->stalled_ms, STAGE_GRACE_MS - 1);
    stage_deliver_to(pair.reader, pair.reader->stall_target);
    space_tick(&pair.stage->supervisor, STAGE_GRACE_MS);
    ck_assert_uint_eq(pair.reader->stalled_ms, 0);
    ck_assert_int_eq(pair.reader->end, END_NONE);
}
END_TEST

START_TEST(who_moves_but_stays_behind_the_middle_is_not_forgiven)
{
    fill(pair.stage, pair.speaker);
    space_tick(&pair.stage->supervisor, STAGE_GRACE_MS - 1);
    stage_deliver_to(pair.reader, pair.reader->stall_target - 1);
    space_tick(&pair.stage->supervisor, 1);
    ck_assert_int_eq(pair.reader->end, END_STALLED);
}
END_TEST

/* The ring goes on under one who reads, so that it stays in the oldest quarter: it is the middle of
 * when its time began that it has to pass, not the one of today. */
START_TEST(who_reads_on_in_the_oldest_quarter_is_forgiven)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    uint64_t target;

    stage_catch_up(reader);
    stage_catch_up(speaker);
    fill(stage, speaker);
    space_tick(&stage->supervisor, 1);
    target = reader->stall_target;
    ck_assert_uint_gt(target, slot_position(reader) + 1);
    while (slot_position(reader) < target) {
        stage_deliver_to(reader, slot_position(reader) + 1);
        stage_catch_up(speaker);
        stage_turn(stage);
        fill(stage, speaker);
        space_tick(&stage->supervisor, 1);
    }
    ck_assert_uint_eq(reader->stalled_ms, 0);

    space_tick(&stage->supervisor, STAGE_GRACE_MS - 1);
    ck_assert_uint_eq(reader->stalled_ms, STAGE_GRACE_MS - 1);
    ck_assert_int_eq(reader->end, END_NONE);
    space_tick(&stage->supervisor, 1);
    ck_assert_int_eq(reader->end, END_STALLED);
    stage_close(stage);
}
END_TEST

/* One is a good way on, and does not move: it would hold the ring next. */
START_TEST(a_group_of_laggards_goes_together)
{
    struct stage *stage = stage_open();
    struct slot *first = stage_join(stage), *second = stage_join(stage);
    struct slot *third = stage_join(stage), *speaker = stage_join(stage);

    stage_catch_up(first);
    stage_catch_up(second);
    stage_catch_up(third);
    stage_catch_up(speaker);
    fill(stage, speaker);
    stage_deliver_to(second, first->reader.told_to - 10);
    stage_deliver_to(third, third->reader.told_to - 3);
    for (unsigned time = 0; time < STAGE_GRACE_MS; time += SPACE_TICK_MS) {
        space_tick(&stage->supervisor, SPACE_TICK_MS);
        stage_deliver_to(third, third->reader.told_to); /* goes on reading */
    }
    ck_assert_int_eq(first->end, END_STALLED);
    ck_assert_int_eq(second->end, END_STALLED);
    ck_assert_int_eq(third->end, END_NONE);
    ck_assert_int_eq(speaker->end, END_NONE);
    stage_close(stage);
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
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    FILE *log = tmpfile();

    ck_assert_ptr_nonnull(log);
    stage_catch_up(reader);
    stage_catch_up(speaker);
    fill(stage, speaker);
    ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
    for (int i = 0; i < 10; i++)
        space_tick(&stage->supervisor, STAGE_GRACE_MS);
    ck_assert_int_eq(reader->end, END_STALLED);
    ck_assert_uint_eq(count_lines(log, "event=evict"), 1);
    fclose(log);
    stage_close(stage);
}
END_TEST

static Suite *space_suite(void)
{
    Suite *suite = suite_create("space");
    TCase *pairs = tcase_create("pairs");
    TCase *holding = tcase_create("holding");
    TCase *waking = tcase_create("waking");
    TCase *stalling = tcase_create("stalling");

    tcase_set_timeout(pairs, 60);
    tcase_add_checked_fixture(pairs, open_pair, close_pair);
    tcase_add_test(pairs, a_reader_that_stands_still_stops_the_others);
    tcase_add_test(pairs, order_in_a_slot_is_kept_while_it_waits);
    tcase_add_test(pairs, the_position_asked_for_is_the_first_that_helps);
    tcase_add_test(pairs, who_catches_up_before_it_is_asked_is_noticed);
    tcase_add_test(pairs, who_moves_far_enough_before_it_is_asked_is_noticed);
    tcase_add_test(pairs, the_holder_that_catches_up_before_it_is_asked_is_noticed);
    tcase_add_test(pairs, a_stalled_reader_goes_after_the_grace);
    tcase_add_test(pairs, no_time_adds_up_while_nobody_waits);
    tcase_add_test(pairs, who_passes_the_middle_is_forgiven);
    tcase_add_test(pairs, who_moves_but_stays_behind_the_middle_is_not_forgiven);
    suite_add_tcase(suite, pairs);
    tcase_set_timeout(holding, 60);
    tcase_add_test(holding, readers_that_keep_up_stop_nobody);
    tcase_add_test(holding, a_late_reader_is_told_twice);
    tcase_add_test(holding, the_reserve_is_for_leaves);
    tcase_add_test(holding, short_ones_do_not_overtake_a_long_one_for_ever);
    suite_add_tcase(suite, holding);
    tcase_set_timeout(waking, 60);
    tcase_add_test(waking, only_the_holder_is_asked_to_wake);
    tcase_add_test(waking, private_records_wait_for_their_own_client_only);
    tcase_add_test(waking, who_waits_for_both_does_not_make_the_loop_spin);
    suite_add_tcase(suite, waking);
    tcase_set_timeout(stalling, 60);
    tcase_add_test(stalling, who_reads_on_in_the_oldest_quarter_is_forgiven);
    tcase_add_test(stalling, a_group_of_laggards_goes_together);
    tcase_add_test(stalling, an_eviction_is_logged_once);
    suite_add_tcase(suite, stalling);
    return suite;
}

CHECK_MAIN(space_suite)
