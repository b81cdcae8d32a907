/* SPDX-License-Identifier: ISC */
/*
 * notify.c - sends DELIVER, CREDIT, MEMBERSHIP and CLOSE.
 *
 * Model: what a worker has to be notified of is state in its slot, not a queue of frames: a range
 * of records, a number of answers, a membership, a disconnect. So a worker that does not read its
 * relay costs one batch of frames, and after that only the state changes. All frames that a turn
 * has for a worker are sent by one send(2).
 *
 * Pace: a room that was notified just now may have to wait a little (delivery_ops.h), so that several
 * records are announced together; but nothing waits while the ring is full, and private records never
 * do.
 *
 * A worker is not woken if all new records are its own client's messages. CREDIT alone is sent only
 * when it is worth a wake-up, as long as the worker cannot run out of credit (outbox_lazy_credit()).
 */
#include "config.h"

#include "supervisor/order/notify.h"

#include "supervisor/client/slot.h"
#include "supervisor/clock.h"
#include "supervisor/courier/couriers.h"

/* Frames for one worker in one turn, at most. */
#define FRAMES_MAX 8

/* Unannounced answers that are worth a wake-up of their own. */
#define CREDIT_WORTH (OUTBOX_CREDIT_FRAMES / 4)

static bool credit_is_worth_sending(const struct slot *slot)
{
    const struct supervisor *supervisor = slot->supervisor;

    return slot->credit_due >= CREDIT_WORTH ||
           slot->credit_bytes >=
               outbox_lazy_credit(supervisor->limits.outbox_size, supervisor->limits.max_message);
}

/* Fills in the frames about membership and records. Returns their number. */
static size_t add_records(struct slot *slot, struct frame *frames)
{
    size_t count = 0;

    if (slot->member_due)
        frames[count++] = (struct frame){
            .kind = FRAME_MEMBERSHIP, .detail = 1, .room = ROOM_LOBBY, .from = slot->joined};
    if (cursor_notify(&slot->cursor, &frames[count]))
        count++;
    slot->member_due = false;
    return count;
}

static void notify_worker(struct slot *slot)
{
    struct frame frames[FRAMES_MAX];
    size_t count;

    if (relay_blocked(slot->child.relay))
        return; /* when it is writable again, the slot is marked again */
    if (slot->cursor.unnotified_from != 0 && slot->state == SLOT_PRESENT)
        slot_add_turn(slot); /* DELIVER covers the records before it too */
    count = add_records(slot, frames);
    if (slot->credit_due > 0 && (count > 0 || credit_is_worth_sending(slot))) {
        frames[count++] = (struct frame){.kind = FRAME_CREDIT, .length = slot->credit_due};
        slot->credit_due = 0;
        slot->credit_bytes = 0;
    }
    if (slot->end_due) {
        frames[count++] = (struct frame){.kind = FRAME_CLOSE,
            .detail = (uint8_t)slot->end_how,
            .length = (uint32_t)slot->end,
            .to = slot->cursor.notified_to};
        slot->end_due = false;
    }
    if (slot->close_due)
        frames[count++] = (struct frame){.kind = FRAME_CLOSE, .detail = FRAME_CLOSE_WHEN_READ};
    slot->close_due = false;
    if (count > 0)
        relay_send(slot->child.relay, frames, count);
}

/* The turn's records become pending for the members of the room, and the turn ends. */
static void notify_room(struct supervisor *supervisor)
{
    supervisor->delivery->add_turn(supervisor);
    turn_end(&supervisor->turn, clock_ms(supervisor));
}

unsigned notify_turn(struct supervisor *supervisor)
{
    unsigned due = turn_due_in(
        &supervisor->turn, clock_ms(supervisor), supervisor->delivery->pace(supervisor));
    struct slot *slot;

    if (supervisor->turn.first != 0 && (due == 0 || supervisor->space.blocked))
        notify_room(supervisor);
    couriers_notify(supervisor);
    while ((slot = TAILQ_FIRST(&supervisor->dirty)) != NULL) {
        TAILQ_REMOVE(&supervisor->dirty, slot, dirty_link);
        slot->is_dirty = false;
        notify_worker(slot);
    }
    return supervisor->turn.first != 0 ? due : 0;
}
