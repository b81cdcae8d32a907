/* SPDX-License-Identifier: ISC */
/*
 * stall.c - clients that block others.
 *
 * Model: while requests wait for ring space, time adds up for two groups of clients:
 * 1. Those whose first needed record is in the oldest quarter of the ring. Such a client's time is
 *    reset once it has passed what was the middle of the ring when it was first seen there. The
 *    target is that record, and not today's middle: among clients that read equally fast one is
 *    always last, and in the oldest quarter as long as the ring is full.
 * 2. Those that need records and have not moved since the last tick. They will block the ring next;
 *    without this rule, slow clients spread over the ring would cost one grace per quarter. Such a
 *    client's time is reset once it moves.
 * The time of a client that has received everything is reset too. When the first client reaches
 * stall-grace, all clients that have at least half of it are evicted together: so a group of slow
 * clients costs the others about one grace, and a client that was slow for a moment stays.
 *
 * A client of a courier needs a record only while its socket is full. Its time counts only when its
 * courier has answered since the last tick. That its socket is not full is the word of its courier,
 * which may be compromised: then its time is reset only if its position has reached the target too.
 * Otherwise a courier could let a client block the ring for ever by claiming now and then that the
 * client's socket has space.
 */
#include "config.h"

#include "supervisor/client/stall.h"

#include "base/log.h"
#include "supervisor/client/slot.h"

#include <inttypes.h>

bool stall_arm(struct supervisor *supervisor)
{
    struct slot *slot;
    bool again = false;

    if (supervisor->space.blocked)
        return space_arm(&supervisor->space);
    /* While the ring is full no private record could be written; order_resume() tries these again
     * when it is not. */
    TAILQ_FOREACH (slot, &supervisor->waiting, waiting_link)
        if (slot->wait == WAIT_PRIVATE)
            again = supervisor->delivery->ask(slot, slot->private_last + 1) || again;
    return again;
}

/* Returns the oldest record that is in the newer half of the ring, by bytes and by entries. */
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

static bool is_in_oldest_quarter(const struct supervisor *supervisor, uint64_t needs)
{
    return ring_bytes_since(&supervisor->ring, needs) >= supervisor->view.ring_size / 4 * 3 ||
           supervisor->ring.next_sequence - needs >= supervisor->view.index_count / 4 * 3;
}

/* Adds to one client's time, or resets it. */
static void check_client(struct slot *slot, uint64_t middle, uint64_t elapsed)
{
    const struct delivery_ops *delivery = slot->supervisor->delivery;
    uint64_t needs;
    bool moved;

    elapsed = delivery->counted_ms(slot, elapsed);
    if (elapsed == 0)
        return;
    needs = slot_needs(slot);
    if (needs == 0 && delivery->is_claimed && slot->stall.ms > 0 &&
        slot_position(slot) < slot->stall.target)
        return; /* only its courier claims that it does not wait */
    moved = needs != slot->stall.position;

    slot->stall.position = needs;
    if (needs == 0 || (slot->stall.ms > 0 && needs >= slot->stall.target)) {
        slot->stall.ms = 0;
        slot->stall.holds = false;
        return;
    }
    if (is_in_oldest_quarter(slot->supervisor, needs)) {
        if (!slot->stall.holds)
            slot->stall.target = middle;
        slot->stall.holds = true;
    } else if (!moved) {
        if (slot->stall.ms == 0)
            slot->stall.target = needs + 1;
    } else if (slot->stall.ms == 0) {
        return;
    }
    slot->stall.ms += elapsed;
}

/* Disconnects a client that blocks others, unless that was done before or it has just received
 * everything. */
static void evict(struct slot *slot)
{
    struct supervisor *supervisor = slot->supervisor;
    uint64_t needs = slot_needs(slot);
    char name[80];

    if (needs == 0 || slot->stall.evicted)
        return;
    slot->stall.evicted = true;
    log_event(LOG_LEVEL_NOTICE, "evict",
        "slot=%" PRIu32 " generation=%" PRIu32 " name=%s address=%s reason=%s behind_bytes=%" PRIu64
        " behind_records=%" PRIu64 " stalled_ms=%" PRIu64,
        slot->number, slot->generation, log_quote(name, sizeof name, slot->name), slot->address,
        disconnect_word(DISCONNECT_STALLED), ring_bytes_since(&supervisor->ring, needs),
        supervisor->ring.next_sequence - needs, slot->stall.ms);
    slot_end(slot, DISCONNECT_STALLED, FRAME_CLOSE_EVICT);
    child_kill_after(&slot->child, EVICT_GRACE_MS);
}

void stall_tick(struct supervisor *supervisor, uint64_t elapsed)
{
    uint64_t grace = supervisor->options->stall_grace_ms;
    uint64_t middle, longest = 0;

    if (!supervisor->space.waited)
        return;
    supervisor->space.waited = supervisor->space.blocked;
    middle = middle_of(supervisor);
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->state == SLOT_FREE)
            continue;
        check_client(slot, middle, elapsed);
        if (slot->stall.ms > longest)
            longest = slot->stall.ms;
    }
    if (longest < grace)
        return;
    for (unsigned i = 0; i < supervisor->slot_count; i++) {
        struct slot *slot = &supervisor->slots[i];
        if (slot->state != SLOT_FREE && slot->stall.ms > 0 && slot->stall.ms >= (grace + 1) / 2)
            evict(slot);
    }
}
