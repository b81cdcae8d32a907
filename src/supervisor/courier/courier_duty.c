/* SPDX-License-Identifier: ISC */
/*
 * courier_duty.c - whether a courier answers, and does what it is there for.
 *
 * Model:
 * 1. Answering: while there is something that it should do (deliver, or let go of a client), a
 *    courier is asked with ALIVE, each tick that the last one was answered; one that does not
 *    answer for HANG_MS is at fault. What counts is time in which the supervisor ran: where all
 *    stood still, nobody was late. A client's stalling counts only while its courier answers, or a
 *    courier's fault would be its clients'.
 *    One that guesses what it will be asked, and does not read it, is at fault too: what it does
 *    not read would wait here without end.
 * 2. Delivering: a courier reads frames, then passes all that it was told of to its clients, then
 *    says what it still needs. So one that has answered the ALIVE after the next has passed all
 *    that it was told of before the first: `due`. What it needs of that, it needs for a client
 *    whose socket is full, who says so, and stands there.
 * 3. While publishes wait, time adds up for a courier that needs what is due and has no such
 *    client. IDLE_MS of it are a fault: a taken-over courier could answer and hold the ring for
 *    ever. The time is forgiven only when nothing is due, or when the courier has got to where it
 *    was told to go when the time began; not when it moves a little, nor when a client explains it
 *    for a while.
 * 4. A client that explains its courier's place is judged for its own, and ended at stall-grace
 *    (space.c). One that was ended explains nothing any more. So what a courier can do with lies
 *    about its clients, it does at the cost of stall-grace and one client each time.
 *
 * A slow machine or a slow courier is not at fault: only time after answers counts, no more than
 * JUDGED_MAX_MS for each, and what is due was told two answers ago.
 */
#include "config.h"

#include "supervisor/courier/courier_state.h"

#include "supervisor/courier/couriers.h"

/* How long a courier may take to answer; a busy machine takes its time. */
#define HANG_MS 3000u

/* How long it may answer and need what is due, for no client. */
#define IDLE_MS 3000u

/* More time than that between two judgements was ours or the courier's. */
#define JUDGED_MAX_MS 400u

bool courier_has_work(struct courier *courier)
{
    return courier->supervisor->space.waited || courier->ending > 0 ||
           cursor_position(&courier->cursor) < courier->cursor.notified_to;
}

/* Whether the client keeps its courier at `position`. */
static bool explains(struct slot *slot, uint64_t position)
{
    uint64_t stalled_at;

    if (slot->handover_due && slot->courier->handover_fails)
        return true;
    if (slot->evicted || (slot->courier_is_ending && slot->courier_end_how != FRAME_CLOSE_DRAIN))
        return false;
    stalled_at = courier_stalled_at(slot);
    return stalled_at != 0 && stalled_at <= position;
}

static bool is_explained(struct courier *courier, uint64_t position)
{
    struct slot *slot;

    TAILQ_FOREACH (slot, &courier->served, served_link)
        if (explains(slot, position))
            return true;
    return false;
}

/* Model, 3. */
static void judge_place(struct courier *courier)
{
    uint64_t position = cursor_position(&courier->cursor);

    if (position >= courier->due || (courier->idle_ms > 0 && position >= courier->idle_until))
        courier->idle_ms = 0;
    if (!courier->supervisor->space.waited || position >= courier->due ||
        is_explained(courier, position))
        return;
    if (courier->idle_ms == 0)
        courier->idle_until = courier->cursor.notified_to;
    courier->idle_ms += courier->judged_ms;
    if (courier->idle_ms <= IDLE_MS)
        return;
    courier_fault(courier, "it answers and does not deliver");
    courier->idle_ms = 0;
}

void courier_judge(struct courier *courier, uint64_t elapsed)
{
    courier->judged_ms = 0;
    if (courier->state != COURIER_RUNS)
        return;
    courier->unjudged_ms += elapsed;
    if (courier_last_answer(courier) != courier->asked) {
        courier->silent_ms += elapsed;
        if (courier->silent_ms > HANG_MS)
            courier_fault(courier, "it does not answer");
        return;
    }
    if (courier->ask_waits) {
        courier_fault(courier, "it answers what it was not asked yet");
        return;
    }
    courier->judged_ms =
        courier->unjudged_ms < JUDGED_MAX_MS ? courier->unjudged_ms : JUDGED_MAX_MS;
    courier->unjudged_ms = 0;
    judge_place(courier);
    if (courier_has_work(courier))
        courier_ask(courier);
}
