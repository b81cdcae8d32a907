/* SPDX-License-Identifier: ISC */
/*
 * courier_client.c - one client and its courier: how it is assigned one, its position, and how it is
 * detached.
 *
 * Model:
 * 1. A client is assigned a courier with its first pending record: the first courier that has fewer
 *    clients than clients-per-courier, so that a small room wakes one process, or else the courier
 *    with the fewest. It keeps that courier, whichever process is behind its number, until it is
 *    detached.
 * 2. The position of a client is only read when it is disconnected, when it may have to be evicted,
 *    and when its courier has died. It is checked here.
 * 3. A courier reports with DETACHED that it has closed its descriptor. Then the supervisor, which
 *    has kept one, shuts the connection down: for writing if the client drains, and then its worker
 *    waits until the client has read everything; otherwise completely, since other copies of the
 *    descriptor would keep the connection open.
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

/* Assigns the client a courier, which begins with record `from`. */
static void attach(struct slot *slot, uint64_t from)
{
    struct courier *courier = choose(slot->supervisor);

    slot->link.courier = courier;
    slot->link.was_attached = true;
    slot->link.from = slot->cursor.position = from;
    slot->link.partial = 0;
    if (!resume_written(slot->client_fd, &slot->link.wire_base))
        slot->link.wire_base = 0;
    slot->link.attach_due = true;
    courier->clients++;
    TAILQ_INSERT_TAIL(&courier->served, slot, link.served_link);
    courier_hand_over(slot);
    courier_mark(slot);
}

static void courier_begin(struct slot *slot)
{
    (void)slot; /* the courier is chosen when there is something pending */
}

static void courier_assigned(struct slot *slot)
{
    (void)slot; /* the descriptor is kept to the end: for the courier, and for the next one */
}

static void courier_add_pending(struct slot *slot, uint64_t first, uint64_t last)
{
    if (slot->link.courier == NULL && !slot->link.was_attached)
        attach(slot, first);
    if (slot->link.courier != NULL && cursor_extend(&slot->link.courier->cursor, first, last))
        slot->link.courier->is_dirty = true;
}

static void courier_add_turn(struct supervisor *supervisor)
{
    const struct turn *turn = &supervisor->turn;

    for (unsigned i = 0; i < supervisor->courier_count; i++) {
        struct courier *courier = &supervisor->couriers[i];
        if (courier->members > 0 && cursor_extend(&courier->cursor, turn->first, turn->last))
            courier->is_dirty = true;
    }
}

/* A courier is notified at once: it is one process however many members there are, and while it is
 * busy, what is recorded meanwhile is announced together anyway. */
static unsigned courier_pace(const struct supervisor *supervisor)
{
    (void)supervisor;
    return 0;
}

static void courier_joined(struct slot *slot)
{
    slot->link.courier->members++;
    slot->link.membership_due = true;
    courier_mark(slot);
}

static void courier_left(struct slot *slot)
{
    if (slot->link.courier != NULL)
        slot->link.courier->members--;
}

static void courier_close(struct slot *slot, enum frame_close how)
{
    struct courier_link *link = &slot->link;

    if (link->courier == NULL) {
        slot->close_due = slot->close_due || how == FRAME_CLOSE_DRAIN;
        return;
    }
    if (link->is_closing && how <= link->close_how)
        return;
    if (!link->is_closing)
        link->courier->ending++;
    link->is_closing = true;
    link->close_due = true;
    link->close_how = how;
    link->close_to = link->courier->cursor.pending_to - 1;
    slot->cursor.pending_to = link->courier->cursor.pending_to;
    if (how == FRAME_CLOSE_DROP)
        shutdown(slot->client_fd, SHUT_RDWR);
    courier_mark(slot);
}

static void courier_worker_exited(struct slot *slot)
{
    (void)slot; /* it has mapped nothing of the ring */
}

static uint64_t courier_position(struct slot *slot)
{
    const struct delivery_state *state;
    uint64_t position;

    if (slot->link.courier == NULL)
        return slot->cursor.position;
    state = courier_delivery(slot->link.courier, slot);
    if (atomic_load_explicit(&state->generation, memory_order_acquire) != slot->generation)
        return slot->cursor.position;
    position = atomic_load_explicit(&region_mark(state)->position, memory_order_acquire);
    if (position < slot->cursor.position || position > slot->link.courier->cursor.notified_to)
        cursor_set_out_of_range(&slot->link.courier->cursor);
    else
        slot->cursor.position = position;
    return slot->cursor.position;
}

/* The record for which the client's full socket waits. */
static uint64_t courier_needs(struct slot *slot)
{
    const struct delivery_state *state;

    if (slot->link.courier == NULL)
        return 0;
    state = courier_delivery(slot->link.courier, slot);
    if (atomic_load_explicit(&state->generation, memory_order_acquire) != slot->generation ||
        atomic_load_explicit(&state->waits, memory_order_acquire) == 0)
        return 0;
    return courier_position(slot);
}

static bool courier_ask_client(struct slot *slot, uint64_t wanted)
{
    cursor_want(&slot->cursor, wanted);
    return courier_position(slot) >= wanted;
}

/* Time counts only at ticks at which the courier has answered: otherwise it may be the courier that
 * is slow. */
static uint64_t courier_counted_ms(const struct slot *slot, uint64_t elapsed)
{
    return slot->link.courier != NULL ? slot->link.courier->child.counted_ms : elapsed;
}

const struct delivery_ops courier_delivery_ops = {
    .begin = courier_begin,
    .assigned = courier_assigned,
    .joined = courier_joined,
    .left = courier_left,
    .add_pending = courier_add_pending,
    .add_turn = courier_add_turn,
    .pace = courier_pace,
    .close = courier_close,
    .worker_exited = courier_worker_exited,
    .position = courier_position,
    .needs = courier_needs,
    .ask = courier_ask_client,
    .counted_ms = courier_counted_ms,
    .is_claimed = true,
};

/* The client has no courier any more. */
static void release(struct slot *slot)
{
    struct courier *courier = slot->link.courier;

    courier_unmark(slot);
    if (slot->link.handover_due)
        TAILQ_REMOVE(&courier->handovers, slot, link.handover_link);
    TAILQ_REMOVE(&courier->served, slot, link.served_link);
    slot->link.handover_due = slot->link.attach_due = slot->link.close_due = false;
    courier->clients--;
    courier->ending -= slot->link.is_closing;
    slot->link.courier = NULL;
    if (slot->end_how == FRAME_CLOSE_DRAIN) {
        slot->close_due = true;
        slot_mark(slot);
    }
}

void courier_detach(struct slot *slot, uint64_t position, enum disconnect_reason reason, int how)
{
    if (reason != DISCONNECT_NONE)
        slot_end(slot, reason, FRAME_CLOSE_EVICT);
    slot->first_missing = position <= slot->link.close_to ? position : 0;
    slot->cut_by = reason;
    shutdown(slot->client_fd, how);
    release(slot);
    slot_try_free(slot);
}

void courier_read_detached(struct courier *courier, const struct frame *frame)
{
    struct slot *slot = &courier->child.supervisor->slots[frame->slot];
    /* If the client is to be dropped, the supervisor itself has shut its connection down. */
    bool is_lost = frame->detail == FRAME_DETACHED_LOST &&
                   !(slot->link.is_closing && slot->link.close_how == FRAME_CLOSE_DROP);
    bool drained = frame->detail == FRAME_DETACHED_CLOSED && slot->end_how == FRAME_CLOSE_DRAIN;

    if (slot->link.courier != courier || slot->generation != frame->generation ||
        (frame->detail == FRAME_DETACHED_CLOSED && !slot->link.is_closing)) {
        child_fault(&courier->child, "done with a client that is not its own");
        return;
    }
    courier_detach(slot, courier_position(slot),
        is_lost ? DISCONNECT_CONNECTION_LOST : DISCONNECT_NONE, drained ? SHUT_WR : SHUT_RDWR);
}
