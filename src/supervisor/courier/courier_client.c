/* SPDX-License-Identifier: ISC */
/*
 * courier_client.c - one client and its courier: how it gets one, where it stands, and how the two
 * part.
 *
 * Model:
 * 1. A client gets a courier with the first record that it is owed: the first courier that has less
 *    than clients-per-courier, so that a small room wakes one process, or else the one with the
 *    fewest. It keeps that one, whichever process is behind its number, until it is parted with.
 * 2. Where a client stands is only looked at when it ends, when it may have to be evicted, and when
 *    its courier has died. What its courier has written about that is checked here.
 * 3. A courier lets go of a client with DONE. Then the supervisor, which has kept a descriptor,
 *    shuts the connection down: for writing, and the worker waits until that is taken, where the
 *    end is a drain; wholly in any other case, since copies of the descriptor would keep it open.
 *
 * Overflow: a client's relation to its courier has one size, in its slot.
 */
#include "config.h"

#include "supervisor/courier/couriers.h"

#include "supervisor/client/slot.h"
#include "supervisor/courier/courier_state.h"
#include "supervisor/courier/resume.h"

#include <sys/socket.h>

static struct courier *choose(struct supervisor *supervisor)
{
    struct courier *least = &supervisor->couriers[0];

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];
        if (courier->clients < supervisor->options->clients_per_courier)
            return courier;
        if (courier->clients < least->clients)
            least = courier;
    }
    return least;
}

/* The client gets its courier, which is to begin with record `from`. */
static void serve(struct slot *slot, uint64_t from)
{
    struct courier *courier = choose(slot->supervisor);

    slot->courier = courier;
    slot->was_served = true;
    slot->served_from = slot->cursor.position = from;
    slot->served_partial = 0;
    if (!resume_written(slot->client_fd, &slot->wire_base))
        slot->wire_base = 0;
    slot->serve_due = true;
    courier->clients++;
    TAILQ_INSERT_TAIL(&courier->served, slot, served_link);
    courier_hand_over(slot);
    courier_mark(slot);
    if (courier->state == COURIER_DOWN && courier->retry_at == 0)
        courier_start(courier);
}

void courier_add_pending(struct slot *slot, uint64_t first, uint64_t last)
{
    if (slot->courier == NULL && !slot->was_served)
        serve(slot, first);
    if (slot->courier != NULL && cursor_extend(&slot->courier->cursor, first, last))
        slot->courier->is_dirty = true;
}

void courier_joined(struct slot *slot)
{
    slot->courier->members++;
    slot->courier_member_due = true;
    courier_mark(slot);
}

void courier_left(struct slot *slot)
{
    if (slot->courier != NULL)
        slot->courier->members--;
}

void courier_end(struct slot *slot, enum frame_close how)
{
    if (slot->courier == NULL) {
        slot->close_due = slot->close_due || how == FRAME_CLOSE_DRAIN;
        return;
    }
    if (slot->courier_is_ending && how <= slot->courier_end_how)
        return;
    if (!slot->courier_is_ending)
        slot->courier->ending++;
    slot->courier_is_ending = true;
    slot->courier_end_due = true;
    slot->courier_end_how = how;
    slot->courier_end_to = slot->courier->cursor.pending_to - 1;
    slot->cursor.pending_to = slot->courier->cursor.pending_to;
    if (how == FRAME_CLOSE_DROP)
        shutdown(slot->client_fd, SHUT_RDWR);
    courier_mark(slot);
}

const struct delivery_state *courier_delivery(const struct slot *slot)
{
    return &slot->courier->part.deliveries[slot->number];
}

uint64_t courier_position(struct slot *slot)
{
    const struct delivery_state *state = courier_delivery(slot);
    uint64_t position;

    if (atomic_load_explicit(&state->generation, memory_order_acquire) != slot->generation)
        return slot->cursor.position;
    position = atomic_load_explicit(&region_mark(state)->position, memory_order_acquire);
    if (position < slot->cursor.position || position > slot->courier->cursor.notified_to)
        cursor_set_out_of_range(&slot->courier->cursor);
    else
        slot->cursor.position = position;
    return slot->cursor.position;
}

uint64_t courier_stalled_at(struct slot *slot)
{
    const struct delivery_state *state = courier_delivery(slot);

    if (atomic_load_explicit(&state->generation, memory_order_acquire) != slot->generation ||
        atomic_load_explicit(&state->waits, memory_order_acquire) == 0)
        return 0;
    return courier_position(slot);
}

uint64_t courier_judged_ms(const struct slot *slot)
{
    return slot->courier->judged_ms;
}

/* The client is no courier's any more. */
static void release(struct slot *slot)
{
    struct courier *courier = slot->courier;

    courier_unmark(slot);
    if (slot->handover_due)
        TAILQ_REMOVE(&courier->handovers, slot, handover_link);
    TAILQ_REMOVE(&courier->served, slot, served_link);
    slot->handover_due = slot->serve_due = slot->courier_end_due = false;
    courier->clients--;
    courier->ending -= slot->courier_is_ending;
    slot->courier = NULL;
    if (slot->end_how == FRAME_CLOSE_DRAIN) {
        slot->close_due = true;
        slot_mark(slot);
    }
}

void courier_detach(struct slot *slot, uint64_t position, enum disconnect_reason reason, int how)
{
    if (reason != DISCONNECT_NONE)
        slot_end(slot, reason, FRAME_CLOSE_EVICT);
    slot->first_missing = position <= slot->courier_end_to ? position : 0;
    slot->cut_by = reason;
    shutdown(slot->client_fd, how);
    release(slot);
    slot_try_free(slot);
}

void courier_take_done(struct courier *courier, const struct frame *frame)
{
    struct slot *slot = &courier->supervisor->slots[frame->slot];
    /* Where it is to be dropped, it was the supervisor that took the connection away. */
    bool is_lost = frame->detail == FRAME_DETACHED_LOST &&
                   !(slot->courier_is_ending && slot->courier_end_how == FRAME_CLOSE_DROP);
    bool drained = frame->detail == FRAME_DETACHED_CLOSED && slot->end_how == FRAME_CLOSE_DRAIN;

    if (slot->courier != courier || slot->generation != frame->generation ||
        (frame->detail == FRAME_DETACHED_CLOSED && !slot->courier_is_ending)) {
        courier_fault(courier, "done with a client that is not its own");
        return;
    }
    courier_detach(slot, courier_position(slot),
        is_lost ? DISCONNECT_CONNECTION_LOST : DISCONNECT_NONE, drained ? SHUT_WR : SHUT_RDWR);
}
