/* SPDX-License-Identifier: ISC */
/*
 * A slot's life, and what becomes of a worker that lies about its position.
 */
#include "config.h"

#include "supervisor/client/slot.h"
#include "supervisor/client/stall.h"

#include "supervisor/order/order.h"
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
static void fill_to_the_brim(struct slot *cursor, struct slot *speaker, uint64_t step)
{
    struct supervisor *supervisor = cursor->supervisor;
    struct fixture *fixture = fixture_of(cursor);

    for (int i = 0; i < FIXTURE_CLIENTS; i++)
        if (supervisor->slots[i].state == SLOT_PRESENT)
            fixture_catch_up(&supervisor->slots[i]);
    while (speaker->queue_count == 0) {
        fixture_say(speaker, 90);
        fixture_turn(fixture);
        for (int i = 0; i < FIXTURE_CLIENTS; i++)
            if (supervisor->slots[i].state == SLOT_PRESENT && &supervisor->slots[i] != cursor)
                fixture_catch_up(&supervisor->slots[i]);
    }
    stall_arm(supervisor);
    fixture_deliver_to(cursor, atomic_load(&supervisor->view.slots[cursor->number].wanted));
    fixture_turn(fixture);
    ck_assert_uint_eq(speaker->queue_count, 0);
    ck_assert(!supervisor->space.blocked);
    fixture_deliver_to(cursor, slot_position(cursor) + step);
}

/* --- taking and freeing */

START_TEST(generations_grow_at_each_taking)
{
    struct fixture *fixture = fixture_open();

    for (uint32_t life = 1; life <= 5; life++) {
        struct slot *slot = fixture_take(fixture);
        const struct region_slot *shown = &fixture->supervisor.view.slots[slot->number];

        ck_assert_uint_eq(slot->number, 0);
        ck_assert_uint_eq(slot->generation, life);
        ck_assert_uint_eq(atomic_load(&shown->generation), life);
        ck_assert_uint_eq(fixture->supervisor.used, 1);
        fixture_end_relay(fixture, slot);
        fixture_turn(fixture);
        ck_assert_int_eq(slot->state, SLOT_FREE);
        ck_assert_uint_eq(fixture->supervisor.used, 0);
    }
    fixture_close(fixture);
}
END_TEST

START_TEST(no_more_slots_than_there_are)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = NULL;

    for (int i = 0; i < FIXTURE_CLIENTS; i++) {
        slot = fixture_take(fixture);
        ck_assert_ptr_nonnull(slot);
        ck_assert_uint_eq(slot->generation, 1);
    }
    ck_assert_ptr_null(fixture_take(fixture));
    fixture_end_relay(fixture, slot);
    fixture_turn(fixture);
    ck_assert_ptr_eq(fixture_take(fixture), slot);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_new_life_begins_with_nothing_of_the_old_one)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);
    struct outbox outbox = region_outbox(&fixture->supervisor.region, slot->number);

    fixture_say(slot, 100);
    fixture_say(other, 100);
    fixture_turn(fixture);
    fixture_catch_up(slot);
    CHECK_QUICKLY(slot_position(slot) != 0);
    atomic_store(&fixture->supervisor.region.slots[slot->number].wanted, 7);
    fixture_end_relay(fixture, slot);
    fixture_turn(fixture);
    fixture_turn(fixture);
    CHECK_QUICKLY(slot->state == SLOT_FREE);
    for (size_t i = 0; i < outbox.size; i++)
        CHECK_QUICKLY(outbox.bytes[i] == 0);
    CHECK_QUICKLY(atomic_load(&region_mark(&outbox.state->delivery)->position) == 0);
    CHECK_QUICKLY(atomic_load(&outbox.state->delivery.generation) == 0);

    CHECK_QUICKLY(fixture_take(fixture) == slot);
    CHECK_QUICKLY(slot->cursor.position == 0);
    CHECK_QUICKLY(slot->cursor.notified_to == 0);
    CHECK_QUICKLY(slot->cursor.pending_to == 0);
    CHECK_QUICKLY(slot->queue_count == 0);
    CHECK_QUICKLY(slot->end == DISCONNECT_NONE);
    CHECK_QUICKLY(slot_needs(slot) == 0);
    CHECK_QUICKLY(atomic_load(&fixture->supervisor.view.slots[slot->number].wanted) == 0);
    fixture_close(fixture);
}
END_TEST

/* --- free only when relay, process and `left` are all done with, in any order */

START_TEST(a_slot_whose_relay_is_open_is_not_free)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    slot->child.state = CHILD_REAPED;
    slot_end(slot, DISCONNECT_CLOSED, FRAME_CLOSE_DRAIN);
    fixture_turn(fixture);
    ck_assert(slot->left_recorded);
    slot_try_free(slot);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    fixture_end_relay(fixture, slot);
    slot_try_free(slot);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_slot_whose_worker_may_live_is_not_free)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    slot->child.state = CHILD_ASKED; /* its process ID has not come yet */
    fixture_frame(slot, FRAME_GOODBYE);
    fixture_turn(fixture);
    fixture_end_relay(fixture, slot);
    fixture_turn(fixture);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    ck_assert(!slot->left_due);
    slot->child.state = CHILD_RUNNING;
    fixture_turn(fixture);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_slot_whose_worker_lives_is_not_free)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);
    int gate[2];
    siginfo_t exited;

    ck_assert_int_eq(pipe(gate), 0);
    slot->child.pid = fork();
    ck_assert_int_ge(slot->child.pid, 0);
    if (slot->child.pid == 0) {
        char byte;
        close(gate[1]);
        close(fixture->worker_ends[slot->number]);
        _exit(read(gate[0], &byte, 1) == 0 ? CHILD_EXIT_CONNECTION_LOST : 99);
    }
    fixture_end_relay(fixture, slot);
    fixture_turn(fixture);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    ck_assert_int_eq(slot->child.state, CHILD_RUNNING);

    close(gate[1]);
    ck_assert_int_eq(waitid(P_PID, (id_t)slot->child.pid, &exited, WEXITED | WNOWAIT), 0);
    fixture_turn(fixture);
    ck_assert(child_is_gone(&slot->child));
    ck_assert_int_eq(slot->end, DISCONNECT_CONNECTION_LOST);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    close(gate[0]);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_slot_whose_left_is_not_recorded_is_not_free)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);
    uint64_t before = fixture->supervisor.ring.next_sequence;

    fixture_end_relay(fixture, slot);
    children_reap(&fixture->supervisor);
    ck_assert(child_is_gone(&slot->child));
    ck_assert(slot->left_due);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    ck_assert(!room_has(fixture->supervisor.lobby, slot->number));
    fixture_turn(fixture);
    ck_assert_uint_eq(fixture->supervisor.ring.next_sequence, before + 1);
    ck_assert_int_eq(region_entry(&fixture->supervisor.view, before)->kind, RECORD_LEFT);
    ck_assert_uint_eq(region_entry(&fixture->supervisor.view, before)->sender, slot->number);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    ck_assert_uint_eq(other->cursor.pending_to, before + 1);
    fixture_close(fixture);
}
END_TEST

START_TEST(frames_of_a_dead_worker_are_answered_before_its_left)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);
    const struct region_view *view = &fixture->supervisor.view;
    uint64_t before = fixture->supervisor.ring.next_sequence;

    fixture->supervisor.space.blocked = true; /* so that the frame has to wait */
    fixture_say(slot, 10);
    ck_assert_uint_eq(slot->queue_count, 1);
    fixture_end_relay(fixture, slot);
    children_reap(&fixture->supervisor);
    ck_assert(child_is_gone(&slot->child));
    ck_assert_int_eq(slot->end, DISCONNECT_NONE);
    ck_assert_int_eq(slot->state, SLOT_PRESENT);
    fixture->supervisor.space.blocked = false;
    for (int i = 0; i < 3; i++)
        fixture_turn(fixture);
    ck_assert_uint_eq(fixture->supervisor.ring.next_sequence, before + 2);
    ck_assert_int_eq(region_entry(view, before)->kind, RECORD_MESSAGE);
    ck_assert_int_eq(region_entry(view, before + 1)->kind, RECORD_LEFT);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    fixture_close(fixture);
}
END_TEST

/* Its EOF and its exit status are seen in one turn, in which its last frame still waits. */
START_TEST(a_dead_worker_whose_frames_waited_is_not_forgotten)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    slot->private_bytes = PRIVATE_PENDING_MAX;
    fixture_frame(slot, FRAME_WHO);
    ck_assert(slot->wait == WAIT_PRIVATE);
    fixture_end_relay(fixture, slot);
    fixture_turn(fixture);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    fixture_close(fixture);
}
END_TEST

/* The same while others go on waiting for the ring. */
START_TEST(a_dead_worker_is_not_forgotten_in_a_full_ring)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *slot = fixture_join(fixture);

    fill_to_the_brim(cursor, speaker, 0);
    fixture_catch_up(slot);
    fixture_say(slot, 100);
    fixture_say(speaker, 4000);
    ck_assert(slot->wait != WAIT_NONE && speaker->wait != WAIT_NONE);
    fixture_end_relay(fixture, slot);
    fixture_deliver_to(cursor, slot_position(cursor) + 2);
    fixture_turn(fixture);
    ck_assert(speaker->wait != WAIT_NONE);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    fixture_close(fixture);
}
END_TEST

START_TEST(the_first_reason_stays_and_left_is_recorded_once)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);
    uint64_t before = fixture->supervisor.ring.next_sequence;

    fixture_frame(slot, FRAME_GOODBYE);
    ck_assert_int_eq(slot->end, DISCONNECT_CLOSED);
    slot_end(slot, DISCONNECT_STALLED, FRAME_CLOSE_EVICT);
    ck_assert_int_eq(slot->end, DISCONNECT_CLOSED);
    ck_assert_int_eq(slot->end_how, FRAME_CLOSE_DRAIN);
    ck_assert_uint_eq(fixture->supervisor.counters.ends[DISCONNECT_STALLED], 0);
    fixture_turn(fixture);
    fixture_end_relay(fixture, slot);
    for (int i = 0; i < 3; i++)
        fixture_turn(fixture);
    ck_assert_int_eq(slot->state, SLOT_FREE);
    ck_assert_uint_eq(fixture->supervisor.ring.next_sequence, before + 1);
    fixture_close(fixture);
}
END_TEST

/* Whoever delivers is told why, so that its client can be, and what that is told names the reason.
 */
START_TEST(an_end_comes_with_its_reason)
{
    static const enum disconnect_reason reasons[] = {
        DISCONNECT_STALLED, DISCONNECT_WORKER_FAULT, DISCONNECT_WORKER_CRASH};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        struct fixture *fixture = fixture_open();
        struct slot *slot = fixture_join(fixture);
        struct frame frame;

        fixture_catch_up(slot);
        slot_end(slot, reasons[i], FRAME_CLOSE_EVICT);
        fixture_turn(fixture);
        do
            ck_assert(fixture_told(fixture, slot, &frame));
        while (frame.kind != FRAME_CLOSE);
        ck_assert_uint_eq(frame.length, reasons[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(disconnect_last_line(reasons[i]), disconnect_last_line(reasons[k]));
        fixture_close(fixture);
    }
    for (int reason = DISCONNECT_NONE; reason < DISCONNECT_COUNT; reason++)
        if (disconnect_drains((enum disconnect_reason)reason))
            ck_assert_ptr_null(disconnect_last_line((enum disconnect_reason)reason));
}
END_TEST

/* --- positions that lie */

static void expect_fault(struct slot *slot, uint64_t before)
{
    struct space *space = &slot->supervisor->space;

    ck_assert_uint_eq(slot_position(slot), before);
    ck_assert_int_eq(slot->end, DISCONNECT_NONE); /* a question has no side effects */
    ck_assert(space_check_cursors(space));
    ck_assert(!space_check_cursors(space));
    ck_assert_uint_eq(slot_position(slot), before);
    ck_assert(!space_check_cursors(space)); /* once is enough: the loop must not spin */
    ck_assert_int_eq(slot->end, DISCONNECT_WORKER_FAULT);
    ck_assert_int_eq(slot->end_how, FRAME_CLOSE_EVICT);
    ck_assert_int_eq(slot->state, SLOT_GONE);
    ck_assert(slot->child.kill_pending);
    ck_assert_uint_le(slot->child.kill_at, slot->supervisor->now_ms);
}

START_TEST(a_position_beyond_what_was_told_is_a_fault)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    fixture_catch_up(slot);
    ck_assert_uint_eq(slot_position(slot), slot->cursor.notified_to);
    ck_assert_int_eq(slot->end, DISCONNECT_NONE);
    fixture_deliver_to(slot, slot->cursor.notified_to + 1);
    expect_fault(slot, slot->cursor.notified_to);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_position_that_goes_back_is_a_fault)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    fixture_catch_up(slot);
    uint64_t position = slot_position(slot);
    fixture_deliver_to(slot, position - 1);
    expect_fault(slot, position);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_position_at_the_ends_of_64_bits_is_a_fault)
{
    static const uint64_t lies[] = {UINT64_MAX, UINT64_MAX - 1, (uint64_t)1 << 63, 0};
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);

    fixture_catch_up(slot);
    uint64_t position = slot_position(slot);
    fixture_deliver_to(slot, lies[_i]);
    expect_fault(slot, position);
    fixture_close(fixture);
}
END_TEST

/* Who has caught up jumps to where its next records begin. What lies between is not its own, is not
 * kept for it, and may be written over by now. */
START_TEST(a_position_in_a_jump_is_a_fault)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture), *other = fixture_join(fixture);
    const struct ring *ring = &fixture->supervisor.ring;
    uint64_t before, news;

    fixture_catch_up(slot);
    fixture_catch_up(other);
    before = slot_position(slot);
    while (ring->oldest_sequence <= before + 1) {
        fixture_say(slot, 1000);
        fixture_turn(fixture);
        fixture_catch_up(other);
    }
    news = ring->next_sequence;
    fixture_say(other, 10);
    fixture_turn(fixture);
    ck_assert_uint_eq(slot_needs(slot), news);
    ck_assert_uint_eq(cursor_next(&slot->cursor), news);
    fixture_deliver_to(slot, _i == 0 ? before + 1 : news - 1);
    expect_fault(slot, before);
    ck_assert_uint_ge(slot_needs(slot), ring->oldest_sequence);
    fixture_close(fixture);
}
END_TEST

/* The same of one that has just come. */
START_TEST(a_position_before_the_joining_is_a_fault)
{
    struct fixture *fixture = fixture_open();
    struct slot *other = fixture_join(fixture), *slot;

    fixture_catch_up(other);
    while (fixture->supervisor.ring.oldest_sequence == 1) {
        fixture_say(other, 1000);
        fixture_turn(fixture);
    }
    slot = fixture_join(fixture);
    fixture_deliver_to(slot, 1);
    expect_fault(slot, 0);
    struct reservation unused;
    ck_assert(space_reserve(&fixture->supervisor.space, ring_need_of(1000), SPACE_COMMON, &unused));
    fixture_close(fixture);
}
END_TEST

/* What a worker's exit says of the drain is laid beside its position. */
START_TEST(a_worker_that_says_done_is_not_just_believed)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);
    FILE *log = tmpfile();
    char line[1024];
    siginfo_t exited;

    ck_assert_ptr_nonnull(log);
    if (_i == 0)
        fixture_catch_up(slot);
    fixture_frame(slot, FRAME_GOODBYE);
    fixture_turn(fixture);
    if (_i == 0)
        fixture_catch_up(slot);
    slot->child.pid = fork();
    ck_assert_int_ge(slot->child.pid, 0);
    if (slot->child.pid == 0)
        _exit(CHILD_EXIT_DONE);
    ck_assert_int_eq(waitid(P_PID, (id_t)slot->child.pid, &exited, WEXITED | WNOWAIT), 0);
    ck_assert_int_ge(dup2(fileno(log), STDERR_FILENO), 0);
    fixture_end_relay(fixture, slot);
    fixture_turn(fixture);
    rewind(log);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, log));
    ck_assert_msg(
        strstr(line, _i == 0 ? "drain=done " : "drain=worker-fault ") != NULL, "%s", line);
    fclose(log);
    fixture_close(fixture);
}
END_TEST

/* --- positions out of range that are noticed while a frame of the same worker is answered */

/* At the end of the turn the worker is at fault, nothing of it waits, and the room sees its client
 * leave once. `end` is the reason: that of its last frame, if that disconnected it. */
static void expect_found_out(struct fixture *fixture, struct slot *liar, enum disconnect_reason end)
{
    uint64_t next = fixture->supervisor.ring.next_sequence;
    unsigned lefts = liar->end == DISCONNECT_NONE;

    ck_assert(!liar->child.faulted);
    ck_assert(space_check_cursors(&fixture->supervisor.space));
    ck_assert(liar->child.faulted && liar->child.kill_pending);
    ck_assert_int_eq(liar->end, end);
    ck_assert_int_eq(liar->state, SLOT_GONE);
    ck_assert(!room_has(fixture->supervisor.lobby, liar->number));
    ck_assert_uint_eq(liar->queue_count, 0);
    ck_assert(liar->wait == WAIT_NONE);
    ck_assert(TAILQ_EMPTY(&fixture->supervisor.waiting));
    fixture_end_relay(fixture, liar);
    fixture_turn(fixture);
    ck_assert_int_eq(liar->state, SLOT_FREE);
    ck_assert_uint_eq(fixture->supervisor.ring.next_sequence, next + lefts);
    if (lefts > 0)
        ck_assert_int_eq(region_entry(&fixture->supervisor.view, next)->kind, RECORD_LEFT);
}

START_TEST(a_liar_does_not_wait_for_its_private_records)
{
    struct fixture *fixture = fixture_open();
    struct slot *liar = fixture_join(fixture);

    fixture_catch_up(liar);
    liar->private_bytes = PRIVATE_PENDING_MAX;
    fixture_deliver_to(liar, liar->cursor.notified_to + 1);
    fixture_frame(liar, FRAME_WHO);
    ck_assert(liar->wait != WAIT_NONE);
    expect_found_out(fixture, liar, DISCONNECT_WORKER_FAULT);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_liar_does_not_wait_for_the_ring)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *liar = fixture_join(fixture);

    fill_to_the_brim(cursor, speaker, 1);
    fixture_catch_up(liar);
    fixture_deliver_to(liar, liar->cursor.notified_to + 1);
    fixture_say(liar, 4000);
    ck_assert(liar->wait != WAIT_NONE);
    expect_found_out(fixture, liar, DISCONNECT_WORKER_FAULT);
    fixture_close(fixture);
}
END_TEST

/* It waits already, and its position is looked at when it is its turn. */
START_TEST(a_liar_does_not_go_on_waiting)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *liar = fixture_join(fixture);

    fill_to_the_brim(cursor, speaker, 0);
    fixture_catch_up(liar);
    fixture_say(liar, 1000);
    ck_assert(liar->wait != WAIT_NONE);
    ck_assert(!stall_arm(&fixture->supervisor));
    fixture_deliver_to(cursor, slot_position(cursor) + 11);
    ck_assert(stall_arm(&fixture->supervisor));
    ck_assert(!fixture->supervisor.space.blocked);
    fixture_say(speaker, 1000); /* is quicker */
    ck_assert_uint_eq(speaker->queue_count, 0);
    fixture_deliver_to(liar, liar->cursor.notified_to + 1);
    fixture_deliver_to(cursor, slot_position(cursor) + 1);
    order_resume(&fixture->supervisor);
    expect_found_out(fixture, liar, DISCONNECT_WORKER_FAULT);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_liar_does_not_stay)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *liar = fixture_take(fixture);

    fill_to_the_brim(cursor, speaker, 10);
    fixture_deliver_to(liar, 1);
    fixture_frame(liar, FRAME_HELLO);
    expect_found_out(fixture, liar, DISCONNECT_WORKER_FAULT);
    fixture_close(fixture);
}
END_TEST

START_TEST(a_liar_leaves_once)
{
    struct fixture *fixture = fixture_open();
    struct slot *cursor = fixture_join(fixture), *speaker = fixture_join(fixture);
    struct slot *liar = fixture_join(fixture);

    fill_to_the_brim(cursor, speaker, 10);
    fixture_catch_up(liar);
    fixture_deliver_to(liar, liar->cursor.notified_to + 1);
    fixture_frame(liar, FRAME_GOODBYE);
    expect_found_out(fixture, liar, DISCONNECT_CLOSED);
    fixture_close(fixture);
}
END_TEST

/* --- killing */

START_TEST(children_are_killed_when_their_time_has_come)
{
    struct fixture *fixture = fixture_open();
    struct slot *slot = fixture_join(fixture);
    struct supervisor *supervisor = &fixture->supervisor;

    supervisor->now_ms = 1000;
    slot->child.state = CHILD_ASKED; /* its process ID has not come yet */
    child_kill_after(&slot->child, 100);
    child_kill_after(&slot->child, 50);
    child_kill_after(&slot->child, 200); /* the earliest time stays */
    supervisor->now_ms = 1049;
    ck_assert(children_kill_due(supervisor));
    supervisor->now_ms = 1050;
    ck_assert(children_kill_due(supervisor));
    ck_assert(!slot->child.killed);
    slot->child.state = CHILD_RUNNING;
    supervisor->now_ms = 1049;
    ck_assert(children_kill_due(supervisor));
    ck_assert(!slot->child.killed);
    supervisor->now_ms = 1050;
    ck_assert(!children_kill_due(supervisor));
    ck_assert(slot->child.killed);
    fixture_close(fixture);
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
    tcase_add_test(lies, a_liar_does_not_stay);
    tcase_add_test(lies, a_liar_leaves_once);
    tcase_add_test(lies, children_are_killed_when_their_time_has_come);
    suite_add_tcase(suite, lies);
    return suite;
}

CHECK_MAIN(slot_suite)
