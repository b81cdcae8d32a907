/*
 * A slot's life, and what becomes of a worker that lies about its position.
 */
#include "config.h"

#include "supervisor/client/slot.h"

#include "supervisor/order/order.h"
#include "supervisor/ring/space.h"
#include "tests/check_main.h"
#include "tests/supervisor/fixture.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Fills the ring until nothing more fits before what `reader` holds, with nothing waiting; then
 * lets the reader move by `step`, so that the next look is one at all slots. */
static void fill_to_the_brim(struct slot *reader, struct slot *speaker, uint64_t step)
{
    struct supervisor *supervisor = reader->supervisor;
    struct stage *stage = stage_of(reader);

    for (int i = 0; i < STAGE_CLIENTS; i++)
        if (supervisor->slots[i].state == SLOT_PRESENT)
            stage_catch_up(&supervisor->slots[i]);
    while (speaker->queue_count == 0) {
        stage_say(speaker, 90);
        stage_turn(stage);
        for (int i = 0; i < STAGE_CLIENTS; i++)
            if (supervisor->slots[i].state == SLOT_PRESENT && &supervisor->slots[i] != reader)
                stage_catch_up(&supervisor->slots[i]);
    }
    space_arm(supervisor);
    stage_deliver_to(reader, atomic_load(&supervisor->view.slots[reader->number].wanted));
    stage_turn(stage);
    ck_assert_uint_eq(speaker->queue_count, 0);
    ck_assert(!supervisor->blocked);
    stage_deliver_to(reader, slot_position(reader) + step);
}

/* --- taking and freeing */

START_TEST(generations_grow_at_each_taking)
{
    struct stage *stage = stage_open();

    for (uint32_t life = 1; life <= 5; life++) {
        struct slot *slot = stage_take(stage);
        const struct region_slot *shown = &stage->supervisor.view.slots[slot->number];

        ck_assert_uint_eq(slot->number, 0);
        ck_assert_uint_eq(slot->generation, life);
        ck_assert_uint_eq(atomic_load(&shown->generation), life);
        ck_assert_uint_eq(atomic_load(&shown->occupied), 1);
        ck_assert_uint_eq(stage->supervisor.used, 1);
        stage_end_relay(stage, slot);
        stage_turn(stage);
        ck_assert_int_eq(slot->state, SLOT_FREE);
        ck_assert_uint_eq(atomic_load(&shown->occupied), 0);
        ck_assert_uint_eq(stage->supervisor.used, 0);
    }
    stage_close(stage);
}
END_TEST

START_TEST(no_more_slots_than_there_are)
{
    struct stage *stage = stage_open();
    struct slot *slot = NULL;

    for (int i = 0; i < STAGE_CLIENTS; i++) {
        slot = stage_take(stage);
        ck_assert_ptr_nonnull(slot);
        ck_assert_uint_eq(slot->generation, 1);
    }
    ck_assert_ptr_null(stage_take(stage));
    stage_end_relay(stage, slot);
    stage_turn(stage);
    ck_assert_ptr_eq(stage_take(stage), slot);
    stage_close(stage);
}
END_TEST

START_TEST(a_new_life_begins_with_nothing_of_the_old_one)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);
    struct outbox outbox = region_outbox(&stage->supervisor.region, slot->number);

    stage_say(slot, 100);
    stage_say(other, 100);
    stage_turn(stage);
    stage_catch_up(slot);
    CHECK_QUICKLY(slot_position(slot) != 0);
    atomic_store(&stage->supervisor.region.slots[slot->number].wanted, 7);
    stage_end_relay(stage, slot);
    stage_turn(stage);
    stage_turn(stage);
    CHECK_QUICKLY(slot->state == SLOT_FREE);
    for (size_t i = 0; i < outbox.size; i++)
        CHECK_QUICKLY(outbox.bytes[i] == 0);
    CHECK_QUICKLY(atomic_load(&region_mark(&outbox.state->delivery)->position) == 0);
    CHECK_QUICKLY(atomic_load(&outbox.state->delivery.generation) == 0);

    CHECK_QUICKLY(stage_take(stage) == slot);
    CHECK_QUICKLY(slot->reader.position == 0);
    CHECK_QUICKLY(slot->reader.told_to == 0);
    CHECK_QUICKLY(slot->reader.owed_to == 0);
    CHECK_QUICKLY(slot->queue_count == 0);
    CHECK_QUICKLY(slot->end == END_NONE);
    CHECK_QUICKLY(slot_hold(slot) == 0);
    CHECK_QUICKLY(atomic_load(&stage->supervisor.view.slots[slot->number].wanted) == 0);
    stage_close(stage);
}
END_TEST

/* --- free only when relay, process and `left` are all done with, in any order */

START_TEST(a_slot_whose_relay_is_open_is_not_free)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    slot->reaped = true;
    slot_end(slot, END_CLOSED, FRAME_END_DRAIN);
    stage_turn(stage);
    ck_assert(slot->left_recorded);
    slot_try_free(slot);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    stage_end_relay(stage, slot);
    slot_try_free(slot);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    stage_close(stage);
}
END_TEST

START_TEST(a_slot_whose_worker_may_live_is_not_free)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    slot->pid = 0; /* has not come yet */
    stage_frame(slot, FRAME_FINISH);
    stage_turn(stage);
    stage_end_relay(stage, slot);
    stage_turn(stage);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    ck_assert(!slot->left_due);
    slot->pid = STAGE_NO_PROCESS;
    stage_turn(stage);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    stage_close(stage);
}
END_TEST

START_TEST(a_slot_whose_worker_lives_is_not_free)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);
    int gate[2];
    siginfo_t exited;

    ck_assert_int_eq(pipe(gate), 0);
    slot->pid = fork();
    ck_assert_int_ge(slot->pid, 0);
    if (slot->pid == 0) {
        char byte;
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? WORKER_EXIT_CONNECTION_LOST : 99);
    }
    stage_end_relay(stage, slot);
    stage_turn(stage);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    ck_assert(!slot->reaped);

    close(gate[1]);
    ck_assert_int_eq(waitid(P_PID, (id_t)slot->pid, &exited, WEXITED | WNOWAIT), 0);
    stage_turn(stage);
    ck_assert(slot->reaped);
    ck_assert_int_eq(slot->end, END_CONNECTION_LOST);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    close(gate[0]);
    stage_close(stage);
}
END_TEST

START_TEST(a_slot_whose_left_is_not_recorded_is_not_free)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);
    uint64_t before = stage->supervisor.ring.next_sequence;

    stage_end_relay(stage, slot);
    slots_reap(&stage->supervisor);
    ck_assert(slot->reaped);
    ck_assert(slot->left_due);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    ck_assert(!room_has(stage->supervisor.lobby, slot->number));
    stage_turn(stage);
    ck_assert_uint_eq(stage->supervisor.ring.next_sequence, before + 1);
    ck_assert_int_eq(region_entry(&stage->supervisor.view, before)->kind, RECORD_LEFT);
    ck_assert_uint_eq(region_entry(&stage->supervisor.view, before)->sender, slot->number);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    ck_assert_uint_eq(other->reader.owed_to, before + 1);
    stage_close(stage);
}
END_TEST

START_TEST(frames_of_a_dead_worker_are_answered_before_its_left)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);
    const struct region_view *view = &stage->supervisor.view;
    uint64_t before = stage->supervisor.ring.next_sequence;

    stage->supervisor.blocked = true; /* so that the frame has to wait */
    stage_say(slot, 10);
    ck_assert_uint_eq(slot->queue_count, 1);
    stage_end_relay(stage, slot);
    slots_reap(&stage->supervisor);
    ck_assert(slot->reaped);
    ck_assert_int_eq(slot->end, END_NONE);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    stage->supervisor.blocked = false;
    for (int i = 0; i < 3; i++)
        stage_turn(stage);
    ck_assert_uint_eq(stage->supervisor.ring.next_sequence, before + 2);
    ck_assert_int_eq(region_entry(view, before)->kind, RECORD_MESSAGE);
    ck_assert_int_eq(region_entry(view, before + 1)->kind, RECORD_LEFT);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    stage_close(stage);
}
END_TEST

/* Its EOF and its exit status are seen in one turn, in which its last frame still waits. */
START_TEST(a_dead_worker_whose_frames_waited_is_not_forgotten)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    slot->private_bytes = PRIVATE_OWED_MAX;
    stage_frame(slot, FRAME_WHO);
    ck_assert(slot->waits_for_private);
    stage_end_relay(stage, slot);
    stage_turn(stage);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    stage_close(stage);
}
END_TEST

/* The same while others go on waiting for the ring. */
START_TEST(a_dead_worker_is_not_forgotten_in_a_full_ring)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *slot = stage_join(stage);

    fill_to_the_brim(reader, speaker, 0);
    stage_catch_up(slot);
    stage_say(slot, 100);
    stage_say(speaker, 4000);
    ck_assert(slot->is_waiting && speaker->is_waiting);
    stage_end_relay(stage, slot);
    stage_deliver_to(reader, slot_position(reader) + 2);
    stage_turn(stage);
    ck_assert(speaker->is_waiting);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    stage_close(stage);
}
END_TEST

START_TEST(the_first_reason_stays_and_left_is_recorded_once)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);
    uint64_t before = stage->supervisor.ring.next_sequence;

    stage_frame(slot, FRAME_FINISH);
    ck_assert_int_eq(slot->end, END_CLOSED);
    slot_end(slot, END_STALLED, FRAME_END_EVICT);
    ck_assert_int_eq(slot->end, END_CLOSED);
    ck_assert_int_eq(slot->end_how, FRAME_END_DRAIN);
    ck_assert_uint_eq(stage->supervisor.counters.ends[END_STALLED], 0);
    stage_turn(stage);
    stage_end_relay(stage, slot);
    for (int i = 0; i < 3; i++)
        stage_turn(stage);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    ck_assert_uint_eq(stage->supervisor.ring.next_sequence, before + 1);
    stage_close(stage);
}
END_TEST

/* Whoever delivers is told why, so that its client can be, and what that is told names the reason.
 */
START_TEST(an_end_comes_with_its_reason)
{
    static const enum end_reason reasons[] = {END_STALLED, END_WORKER_FAULT, END_WORKER_CRASH};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        struct stage *stage = stage_open();
        struct slot *slot = stage_join(stage);
        struct frame frame;

        stage_catch_up(slot);
        slot_end(slot, reasons[i], FRAME_END_EVICT);
        stage_turn(stage);
        do
            ck_assert(stage_told(stage, slot, &frame));
        while (frame.kind != FRAME_END);
        ck_assert_uint_eq(frame.length, reasons[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(end_line(reasons[i]), end_line(reasons[k]));
        stage_close(stage);
    }
    for (int reason = END_NONE; reason < END_COUNT; reason++)
        if (end_drains((enum end_reason)reason))
            ck_assert_ptr_null(end_line((enum end_reason)reason));
}
END_TEST

/* --- positions that lie */

static void expect_fault(struct slot *slot, uint64_t before)
{
    ck_assert_uint_eq(slot_position(slot), before);
    ck_assert_int_eq(slot->end, END_WORKER_FAULT);
    ck_assert_int_eq(slot->end_how, FRAME_END_EVICT);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    ck_assert(slot->is_doomed);
    ck_assert_uint_le(slot->kill_at, slot->supervisor->now_ms);
}

START_TEST(a_position_beyond_what_was_told_is_a_fault)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    stage_catch_up(slot);
    ck_assert_uint_eq(slot_position(slot), slot->reader.told_to);
    ck_assert_int_eq(slot->end, END_NONE);
    stage_deliver_to(slot, slot->reader.told_to + 1);
    expect_fault(slot, slot->reader.told_to);
    stage_close(stage);
}
END_TEST

START_TEST(a_position_that_goes_back_is_a_fault)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    stage_catch_up(slot);
    uint64_t position = slot_position(slot);
    stage_deliver_to(slot, position - 1);
    expect_fault(slot, position);
    stage_close(stage);
}
END_TEST

START_TEST(a_position_at_the_ends_of_64_bits_is_a_fault)
{
    static const uint64_t lies[] = {UINT64_MAX, UINT64_MAX - 1, (uint64_t)1 << 63, 0};
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);

    stage_catch_up(slot);
    uint64_t position = slot_position(slot);
    stage_deliver_to(slot, lies[_i]);
    expect_fault(slot, position);
    stage_close(stage);
}
END_TEST

/* Who has caught up jumps to where its next records begin. What lies between is not its own, is not
 * kept for it, and may be written over by now. */
START_TEST(a_position_in_a_jump_is_a_fault)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage), *other = stage_join(stage);
    const struct ring *ring = &stage->supervisor.ring;
    uint64_t before, news;

    stage_catch_up(slot);
    stage_catch_up(other);
    before = slot_position(slot);
    while (ring->oldest_sequence <= before + 1) {
        stage_say(slot, 1000);
        stage_turn(stage);
        stage_catch_up(other);
    }
    news = ring->next_sequence;
    stage_say(other, 10);
    stage_turn(stage);
    ck_assert_uint_eq(slot_hold(slot), news);
    ck_assert_uint_eq(reader_next(&slot->reader), news);
    stage_deliver_to(slot, _i == 0 ? before + 1 : news - 1);
    expect_fault(slot, before);
    ck_assert_uint_ge(slot_hold(slot), ring->oldest_sequence);
    stage_close(stage);
}
END_TEST

/* The same of one that has just come. */
START_TEST(a_position_before_the_joining_is_a_fault)
{
    struct stage *stage = stage_open();
    struct slot *other = stage_join(stage), *slot;

    stage_catch_up(other);
    while (stage->supervisor.ring.oldest_sequence == 1) {
        stage_say(other, 1000);
        stage_turn(stage);
    }
    slot = stage_join(stage);
    stage_deliver_to(slot, 1);
    expect_fault(slot, 0);
    ck_assert(space_fits(&stage->supervisor, 1000, 1000, 1, SPACE_COMMON));
    stage_close(stage);
}
END_TEST

/* What a worker's exit says of the drain is laid beside its position. */
START_TEST(a_worker_that_says_done_is_not_just_believed)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);
    FILE *log = tmpfile();
    char line[1024];
    siginfo_t exited;

    ck_assert_ptr_nonnull(log);
    if (_i == 0)
        stage_catch_up(slot);
    stage_frame(slot, FRAME_FINISH);
    stage_turn(stage);
    if (_i == 0)
        stage_catch_up(slot);
    slot->pid = fork();
    ck_assert_int_ge(slot->pid, 0);
    if (slot->pid == 0)
        _exit(WORKER_EXIT_DONE);
    ck_assert_int_eq(waitid(P_PID, (id_t)slot->pid, &exited, WEXITED | WNOWAIT), 0);
    ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
    stage_end_relay(stage, slot);
    stage_turn(stage);
    rewind(log);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, log));
    ck_assert_msg(
        strstr(line, _i == 0 ? "drain=done " : "drain=worker-fault ") != NULL, "%s", line);
    fclose(log);
    stage_close(stage);
}
END_TEST

/* --- lies that are found while a frame of the liar is answered */

/* The liar is ended, nothing of it waits, and the room sees it leave once if it was in. */
static void expect_found_out(struct stage *stage, struct slot *liar, unsigned lefts)
{
    uint64_t next = stage->supervisor.ring.next_sequence;

    ck_assert_int_eq(liar->end, END_WORKER_FAULT);
    ck_assert_int_eq(liar->state, SLOT_GONE);
    ck_assert(!room_has(stage->supervisor.lobby, liar->number));
    ck_assert_uint_eq(liar->queue_count, 0);
    ck_assert(!liar->is_waiting);
    ck_assert(TAILQ_EMPTY(&stage->supervisor.waiting));
    stage_end_relay(stage, liar);
    stage_turn(stage);
    ck_assert_int_eq(liar->state, SLOT_FREE);
    ck_assert_uint_eq(stage->supervisor.ring.next_sequence, next + lefts);
    if (lefts > 0)
        ck_assert_int_eq(region_entry(&stage->supervisor.view, next)->kind, RECORD_LEFT);
}

START_TEST(a_liar_does_not_wait_for_its_private_records)
{
    struct stage *stage = stage_open();
    struct slot *liar = stage_join(stage);

    stage_catch_up(liar);
    liar->private_bytes = PRIVATE_OWED_MAX;
    stage_deliver_to(liar, liar->reader.told_to + 1);
    stage_frame(liar, FRAME_WHO);
    expect_found_out(stage, liar, 1);
    stage_close(stage);
}
END_TEST

START_TEST(a_liar_does_not_wait_for_the_ring)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *liar = stage_join(stage);

    fill_to_the_brim(reader, speaker, 1);
    stage_catch_up(liar);
    stage_deliver_to(liar, liar->reader.told_to + 1);
    stage_say(liar, 4000);
    expect_found_out(stage, liar, 1);
    stage_close(stage);
}
END_TEST

/* It waits already, and is found out when it is its turn, which comes to nothing. */
START_TEST(a_liar_does_not_go_on_waiting)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *liar = stage_join(stage);

    fill_to_the_brim(reader, speaker, 0);
    stage_catch_up(liar);
    stage_say(liar, 1000);
    ck_assert(liar->is_waiting);
    ck_assert(!space_arm(&stage->supervisor));
    stage_deliver_to(reader, slot_position(reader) + 11);
    ck_assert(space_arm(&stage->supervisor));
    ck_assert(!stage->supervisor.blocked);
    stage_say(speaker, 1000); /* is quicker */
    ck_assert_uint_eq(speaker->queue_count, 0);
    stage_deliver_to(liar, liar->reader.told_to + 1);
    stage_deliver_to(reader, slot_position(reader) + 1);
    order_resume(&stage->supervisor);
    expect_found_out(stage, liar, 1);
    stage_close(stage);
}
END_TEST

START_TEST(a_liar_does_not_get_in)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *liar = stage_take(stage);

    fill_to_the_brim(reader, speaker, 10);
    stage_deliver_to(liar, 1);
    stage_frame(liar, FRAME_ENTER);
    expect_found_out(stage, liar, 0);
    stage_close(stage);
}
END_TEST

START_TEST(a_liar_leaves_once)
{
    struct stage *stage = stage_open();
    struct slot *reader = stage_join(stage), *speaker = stage_join(stage);
    struct slot *liar = stage_join(stage);

    fill_to_the_brim(reader, speaker, 10);
    stage_catch_up(liar);
    stage_deliver_to(liar, liar->reader.told_to + 1);
    stage_frame(liar, FRAME_FINISH);
    expect_found_out(stage, liar, 1);
    stage_close(stage);
}
END_TEST

/* --- killing */

START_TEST(the_doomed_are_killed_when_their_time_has_come)
{
    struct stage *stage = stage_open();
    struct slot *slot = stage_join(stage);
    struct supervisor *supervisor = &stage->supervisor;

    supervisor->now_ms = 1000;
    slot->pid = 0; /* has not come yet */
    slot_doom(slot, 100);
    slot_doom(slot, 50);
    slot_doom(slot, 200); /* the earliest time stays */
    supervisor->now_ms = 1049;
    ck_assert(slots_kill_doomed(supervisor));
    supervisor->now_ms = 1050;
    ck_assert(slots_kill_doomed(supervisor));
    ck_assert(!slot->killed);
    slot->pid = STAGE_NO_PROCESS;
    supervisor->now_ms = 1049;
    ck_assert(slots_kill_doomed(supervisor));
    ck_assert(!slot->killed);
    supervisor->now_ms = 1050;
    ck_assert(!slots_kill_doomed(supervisor));
    ck_assert(slot->killed);
    stage_close(stage);
}
END_TEST

static Suite *slot_suite(void)
{
    Suite *suite = suite_create("slot");
    TCase *life = tcase_create("life");
    TCase *lies = tcase_create("lies");

    tcase_set_timeout(life, 60);
    tcase_add_test(life, generations_grow_at_each_taking);
    tcase_add_test(life, no_more_slots_than_there_are);
    tcase_add_test(life, a_new_life_begins_with_nothing_of_the_old_one);
    tcase_add_test(life, a_slot_whose_relay_is_open_is_not_free);
    tcase_add_test(life, a_slot_whose_worker_may_live_is_not_free);
    tcase_add_test(life, a_slot_whose_worker_lives_is_not_free);
    tcase_add_test(life, a_slot_whose_left_is_not_recorded_is_not_free);
    tcase_add_test(life, frames_of_a_dead_worker_are_answered_before_its_left);
    tcase_add_test(life, a_dead_worker_whose_frames_waited_is_not_forgotten);
    tcase_add_test(life, a_dead_worker_is_not_forgotten_in_a_full_ring);
    tcase_add_test(life, the_first_reason_stays_and_left_is_recorded_once);
    tcase_add_test(life, an_end_comes_with_its_reason);
    suite_add_tcase(suite, life);
    tcase_set_timeout(lies, 60);
    tcase_add_test(lies, a_position_beyond_what_was_told_is_a_fault);
    tcase_add_test(lies, a_position_that_goes_back_is_a_fault);
    tcase_add_loop_test(lies, a_position_at_the_ends_of_64_bits_is_a_fault, 0, 4);
    tcase_add_loop_test(lies, a_position_in_a_jump_is_a_fault, 0, 2);
    tcase_add_test(lies, a_position_before_the_joining_is_a_fault);
    tcase_add_loop_test(lies, a_worker_that_says_done_is_not_just_believed, 0, 2);
    tcase_add_test(lies, a_liar_does_not_wait_for_its_private_records);
    tcase_add_test(lies, a_liar_does_not_wait_for_the_ring);
    tcase_add_test(lies, a_liar_does_not_go_on_waiting);
    tcase_add_test(lies, a_liar_does_not_get_in);
    tcase_add_test(lies, a_liar_leaves_once);
    tcase_add_test(lies, the_doomed_are_killed_when_their_time_has_come);
    suite_add_tcase(suite, lies);
    return suite;
}

CHECK_MAIN(slot_suite)
