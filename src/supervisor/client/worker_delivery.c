/* SPDX-License-Identifier: ISC */
/*
 * worker_delivery.c - delivery_ops of a server without couriers: each worker delivers to its client.
 *
 * Model: the worker is a reader of the ring with a cursor of its own. It is notified over its relay
 * (order/notify.c). Waking a process takes tens of microseconds, whatever there is for it; so a room
 * that was notified just now is not notified again at once, but after a millisecond for every
 * PACE_MEMBERS_PER_MS members, at most PACE_MAX_MS. A message after a pause is announced at once.
 */
#include "config.h"

#include "supervisor/client/delivery_ops.h"

#include "supervisor/client/slot.h"

#include <unistd.h>

#define PACE_MEMBERS_PER_MS 64u
#define PACE_MAX_MS         50u

static void position_fault(void *owner)
{
    struct slot *slot = owner;

    child_fault(&slot->child, "position outside of what was delivered");
}

static void worker_begin(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;

    slot->cursor.delivery = &region_outbox(&supervisor->region, slot->number).state->delivery;
    slot->cursor.generation = slot->generation;
    slot->cursor.fault = position_fault;
    slot->cursor.owner = slot;
    space_add_cursor(&supervisor->space, &slot->cursor);
}

static void worker_assigned(struct slot *slot)
{
    close(slot->client_fd);
    slot->client_fd = -1;
}

static void worker_joined(struct slot *slot)
{
    slot->member_due = true;
}

static void worker_left(struct slot *slot)
{
    (void)slot;
}

static void worker_add_pending(struct slot *slot, uint64_t first, uint64_t last)
{
    if (cursor_extend(&slot->cursor, first, last))
        slot_mark(slot);
}

static void worker_add_turn(struct supervisor *supervisor)
{
    for (unsigned i = 0; i < room_count(supervisor->lobby); i++)
        slot_add_turn(&supervisor->slots[room_member(supervisor->lobby, i)]);
}

static unsigned worker_pace(const struct supervisor *supervisor)
{
    unsigned pace = room_count(supervisor->lobby) / PACE_MEMBERS_PER_MS;

    return pace < PACE_MAX_MS ? pace : PACE_MAX_MS;
}

static void worker_close(struct slot *slot, enum frame_close how)
{
    (void)slot, (void)how; /* the worker's own CLOSE says it */
}

/* A worker that has exited needs nothing any more; what its client did not get is for the log. */
static void worker_exited(struct slot *slot)
{
    if (!slot->cursor.is_open)
        return;
    slot->first_missing = cursor_needs(&slot->cursor);
    if (slot->cursor.out_of_range)
        position_fault(slot);
    space_remove_cursor(&slot->supervisor->space, &slot->cursor);
}

static uint64_t worker_position(struct slot *slot)
{
    return cursor_position(&slot->cursor);
}

static uint64_t worker_needs(struct slot *slot)
{
    return cursor_needs(&slot->cursor);
}

static bool worker_ask(struct slot *slot, uint64_t wanted)
{
    return cursor_ask(&slot->cursor, wanted);
}

static uint64_t worker_counted_ms(const struct slot *slot, uint64_t elapsed)
{
    (void)slot;
    return elapsed;
}

const struct delivery_ops worker_delivery_ops = {
    .begin = worker_begin,
    .assigned = worker_assigned,
    .joined = worker_joined,
    .left = worker_left,
    .add_pending = worker_add_pending,
    .add_turn = worker_add_turn,
    .pace = worker_pace,
    .close = worker_close,
    .worker_exited = worker_exited,
    .position = worker_position,
    .needs = worker_needs,
    .ask = worker_ask,
    .counted_ms = worker_counted_ms,
};
