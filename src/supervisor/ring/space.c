/* SPDX-License-Identifier: ISC */
/*
 * space.c - the space of the ring.
 *
 * Model:
 * 1. Only readers (workers that deliver, or couriers) that are owed something hold the ring, each
 *    from its hold (reader.c). `held` is never beyond the smallest hold: holds only move on, and
 *    new ones begin at newer records. So most records need no look at any cursor. When one does not
 *    fit before `held`, the reader that held it last is looked at, and the others only when that
 *    one has moved.
 * 2. Within a turn, what was recorded but not yet told is held from turn_first on.
 * 3. Waiting must wake. Before sleeping, the supervisor stores in the holder's `wanted` word the
 *    position that frees enough, fences, and reads the position again; the worker stores its
 * position, fences, and reads `wanted` (delivery.c, courier.c). The word is the reader's: only a
 * holder is asked.
 * A holder that has not been told of what it holds cannot move; its relay becoming writable, or its
 * death, wakes instead.
 * 4. Stalling. While something waits, time adds up for every client whose hold is in the oldest
 *    quarter of the ring, and for every one that is owed something and has not moved at all since
 *    the last look (it will be the next to hold the ring: without this, laggards spread over the
 *    ring would cost one grace per quarter). It is forgiven once the client has passed what was the
 *    middle of the ring when it came there, or moved, respectively, or has got all it was owed. Of
 *    all that read alike one is always the last, and in that quarter as long as the ring is full;
 *    so it is not today's middle that counts.
 *    When the first reaches stall-grace, all go that have at least half of it, so that a group of
 *    laggards costs the others about one grace, and a reader that was slow for a moment stays.
 *    A courier's client is judged by its own position, while its socket is full, and only when its
 *    courier has answered since the last time. What it is forgiven for is a position too: a courier
 *    that lies could let one hold the ring and say now and then that its socket is not full.
 *
 * Overflow: this file is where there is none. What does not fit waits in its slot's queue, bounded
 * by credit.
 */
#include "config.h"

#include "supervisor/ring/space.h"

#include "base/log.h"
#include "supervisor/client/slot.h"
#include "supervisor/courier/couriers.h"

#include <inttypes.h>
#include <stdatomic.h>

static uint64_t smaller(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* Notes a reader where its hold is before what was found until now. */
static void compare(
    struct supervisor *supervisor, struct cursor *cursor, uint64_t hold, uint64_t *held)
{
    if (hold == 0 || hold >= *held)
        return;
    *held = hold;
    supervisor->slowest = cursor;
}

/* The smallest hold of all readers, and whose it is. */
static uint64_t find_slowest(struct supervisor *supervisor)
{
    uint64_t held = supervisor->ring.next_sequence;

    supervisor->slowest = NULL;
    for (unsigned i = 0; i < supervisor->courier_count; i++)
        compare(supervisor, courier_cursor(supervisor, i),
            cursor_needs(courier_cursor(supervisor, i)), &held);
    for (unsigned i = 0; i < supervisor->slot_count && supervisor->couriers == NULL; i++) {
        struct slot *slot = &supervisor->slots[i];
        compare(supervisor, &slot->cursor, slot_needs(slot), &held);
    }
    return held;
}

/* Moves `held` on as far as it really is; true where that is any further. */
static bool refresh(struct supervisor *supervisor)
{
    uint64_t held;

    if (supervisor->slowest != NULL && cursor_needs(supervisor->slowest) == supervisor->needed_from)
        return false;
    held = find_slowest(supervisor);
    if (supervisor->turn.first != 0)
        held = smaller(held, supervisor->turn.first);
    if (held == supervisor->needed_from)
        return false;
    supervisor->needed_from = held;
    return true;
}

/* Reserves from what is known to be free or, if that is not enough, is found to be free now. */
static bool reserve(
    struct supervisor *supervisor, const struct ring_need *need, struct reservation *reservation)
{
    const struct ring *ring = &supervisor->ring;

    return ring_reserve(ring, supervisor->needed_from, need, reservation) ||
           (refresh(supervisor) && ring_reserve(ring, supervisor->needed_from, need, reservation));
}

bool space_reserve(struct supervisor *supervisor, struct ring_need need, enum space_share share,
    struct reservation *reservation)
{
    if (share == SPACE_COMMON) {
        need.spare = RESERVE_BYTES;
        need.spare_entries = RESERVE_ENTRIES;
    }
    if (reserve(supervisor, &need, reservation))
        return true;
    if (!supervisor->blocked)
        supervisor->counters.waits++;
    supervisor->blocked = true;
    supervisor->waited = true;
    supervisor->blocked_need = need;
    return false;
}

bool space_resume(struct supervisor *supervisor)
{
    struct reservation unused;

    if (supervisor->blocked && reserve(supervisor, &supervisor->blocked_need, &unused))
        supervisor->blocked = false;
    return !supervisor->blocked;
}

/* The position of the holder from which on what waits would fit. */
static uint64_t position_that_frees(const struct supervisor *supervisor)
{
    uint64_t sequence = supervisor->needed_from + 1;

    while (sequence < supervisor->ring.next_sequence &&
           !ring_fits(&supervisor->ring, sequence, &supervisor->blocked_need))
        sequence++;
    return sequence;
}

/* Stores what is waited for where a delivery looks, before its position is read once more. */
static void store_wanted(_Atomic uint64_t *word, uint64_t wanted)
{
    atomic_store_explicit(word, wanted, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
}

/* Asks one reader to wake the supervisor at `wanted`; true where it has passed that already. */
static bool ask(struct cursor *cursor, uint64_t wanted)
{
    if (wanted > cursor->notified_to)
        wanted = cursor->notified_to;
    /* One that has got all that it knows of stands in nobody's way any more, or telling it of the
     * rest is what helps. */
    if (cursor_position(cursor) >= cursor->notified_to)
        return cursor_needs(cursor) == 0;
    store_wanted(cursor->wanted, wanted);
    return cursor_position(cursor) >= wanted;
}

/* The same for one client's private records, whoever delivers them. */
static bool ask_private(struct slot *slot)
{
    uint64_t wanted = slot->private_last + 1;

    if (slot->supervisor->couriers == NULL)
        return ask(&slot->cursor, wanted);
    store_wanted(slot->cursor.wanted, wanted);
    return slot_position(slot) >= wanted;
}

bool space_arm(struct supervisor *supervisor)
{
    struct slot *slot;
    bool again = false;

    if (supervisor->blocked) {
        if (space_resume(supervisor))
            return true;
        return supervisor->slowest != NULL &&
               ask(supervisor->slowest, position_that_frees(supervisor));
    }
    /* While the ring is full no private record could be made; order_resume() tries these again. */
    TAILQ_FOREACH (slot, &supervisor->waiting, waiting_link)
        if (slot->waits_for_private)
            again = ask_private(slot) || again;
    return again;
}

/* The oldest record that is in the newer half of the ring, by bytes and by entries. */
static uint64_t middle_of(const struct supervisor *supervisor)
{
    const struct ring *ring = &supervisor->ring;
    uint64_t low = ring->oldest_sequence, high = ring->next_sequence;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (ring_bytes_since(ring, middle) > supervisor->view.ring_size / 2 ||
            ring->next_sequence - middle > supervisor->view.index_count / 2)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_in_oldest_quarter(const struct supervisor *supervisor, uint64_t hold)
{
    return ring_bytes_since(&supervisor->ring, hold) >= supervisor->view.ring_size / 4 * 3 ||
           supervisor->ring.next_sequence - hold >= supervisor->view.index_count / 4 * 3;
}

/* Adds up or forgives one slot's time. */
static void judge(struct slot *slot, uint64_t middle, uint64_t elapsed)
{
    uint64_t hold;
    bool moved;

    if (slot->courier != NULL)
        elapsed = courier_judged_ms(slot);
    if (elapsed == 0)
        return;
    hold = slot_needs(slot);
    if (hold == 0 && slot->courier != NULL && slot->stalled_ms > 0 &&
        courier_position(slot) < slot->stall_target)
        return; /* that it does not wait is its courier's word; its place must bear that out */
    moved = hold != slot->stall_position;

    slot->stall_position = hold;
    if (hold == 0 || (slot->stalled_ms > 0 && hold >= slot->stall_target)) {
        slot->stalled_ms = 0;
        slot->stall_holds = false;
        return;
    }
    if (is_in_oldest_quarter(slot->supervisor, hold)) {
        if (!slot->stall_holds)
            slot->stall_target = middle;
        slot->stall_holds = true;
    } else if (!moved) {
        if (slot->stalled_ms == 0)
            slot->stall_target = hold + 1;
    } else if (slot->stalled_ms == 0) {
        return;
    }
    slot->stalled_ms += elapsed;
}

/* Ends a client that holds others up, unless it is being ended already or has just caught up. */
static void evict(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    uint64_t hold = slot_needs(slot);
    char name[80];

    if (hold == 0 || slot->evicted)
        return;
    slot->evicted = true;
    log_event(LOG_LEVEL_NOTICE, "evict",
        "slot=%" PRIu32 " generation=%" PRIu32 " name=%s address=%s reason=%s behind_bytes=%" PRIu64
        " behind_records=%" PRIu64 " stalled_ms=%" PRIu64,
        slot->number, slot->generation, log_quote(name, sizeof name, slot->name), slot->address,
        disconnect_word(DISCONNECT_STALLED), ring_bytes_since(&supervisor->ring, hold),
        supervisor->ring.next_sequence - hold, slot->stalled_ms);
    slot_end(slot, DISCONNECT_STALLED, FRAME_CLOSE_EVICT);
    slot_kill_after(slot, EVICT_GRACE_MS);
}

void space_tick(struct supervisor *supervisor, uint64_t elapsed)
{
    uint64_t grace = supervisor->options->stall_grace_ms;
    uint64_t middle, longest = 0;

    if (!supervisor->waited)
        return;
    supervisor->waited = supervisor->blocked;
    middle = middle_of(supervisor);
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->state == SLOT_FREE)
            continue;
        judge(slot, middle, elapsed);
        if (slot->stalled_ms > longest)
            longest = slot->stalled_ms;
    }
    if (longest < grace)
        return;
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->state != SLOT_FREE && slot->stalled_ms > 0 && slot->stalled_ms >= (grace + 1) / 2)
            evict(slot);
    }
}
