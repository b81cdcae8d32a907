/* SPDX-License-Identifier: ISC */
/*
 * ring.c - writes records into the ring, one after the other.
 *
 * Model: `head` counts bytes and only grows. A record begins at `head` or, if it would cross the
 * end of the ring, at the first byte of the next lap. Records are packed without padding, so that
 * neighbours are one run of bytes for the process that delivers them.
 *
 * Invariants:
 * 1. The supervisor is the only writer.
 * 2. The records in [oldest_sequence, next_sequence) are whole, and there are at most index_count
 *    of them.
 * 3. Nothing is written without a reservation, and nothing beyond it.
 *
 * Overflow: ring_reserve() returns false, and the caller waits; nothing is dropped here.
 */
#include "config.h"

#include "region/ring.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>

void ring_init(struct ring *ring, struct region *region)
{
    ring->region = region;
    ring->head = 0;
    ring->next_sequence = 1;
    ring->oldest_sequence = 1;
}

static struct record_entry *entry_of(const struct ring *ring, uint64_t sequence)
{
    return &ring->region->index[sequence % ring->region->header->index_count];
}

/* Returns where a contiguous record of `length` bytes begins if the next free byte is `head`. */
static uint64_t start_of(const struct ring *ring, uint64_t head, size_t length)
{
    uint64_t size = ring->region->header->ring_size;
    uint64_t within = head % size;

    return within + length <= size ? head : head + (size - within);
}

static uint64_t offset_of(const struct ring *ring, uint64_t sequence)
{
    return sequence == ring->next_sequence ? ring->head : entry_of(ring, sequence)->offset;
}

bool ring_fits(const struct ring *ring, uint64_t needed_from, const struct ring_need *need)
{
    const struct region_header *header = ring->region->header;
    uint64_t used = ring->head - offset_of(ring, needed_from);
    uint64_t skipped = start_of(ring, ring->head, need->length) - ring->head;
    /* Any one of several records may be the first that does not fit before the end of the lap. */
    uint64_t waste = skipped == 0 || need->count == 1 ? skipped : need->longest;

    assert(needed_from >= ring->oldest_sequence && needed_from <= ring->next_sequence);
    if (ring->next_sequence - needed_from + need->count + need->spare_entries > header->index_count)
        return false;
    return used + waste + need->length + need->spare <= header->ring_size;
}

bool ring_reserve(const struct ring *ring, uint64_t needed_from, const struct ring_need *need,
    struct reservation *reservation)
{
    if (!ring_fits(ring, needed_from, need))
        return false;
    *reservation = (struct reservation){
        .head = ring->head,
        .length = need->length,
        .longest = need->longest,
        .count = need->count,
    };
    return true;
}

/* Aborts if a rule for writing does not hold. */
static void require(bool holds, const char *what)
{
    if (holds)
        return;
    log_event(LOG_LEVEL_ERROR, "failed", "what=\"%s\"", what);
    log_close();
    abort();
}

/* Discards old records until the bytes before `end` and one index entry are free. */
static void discard_before(struct ring *ring, uint64_t end)
{
    const struct region_header *header = ring->region->header;
    uint64_t oldest = ring->oldest_sequence;

    while (
        oldest < ring->next_sequence && (entry_of(ring, oldest)->offset + header->ring_size < end ||
                                            ring->next_sequence - oldest >= header->index_count))
        oldest++;
    ring->oldest_sequence = oldest;
}

char *ring_open(struct ring *ring, struct reservation *reservation, size_t length)
{
    require(reservation->head == ring->head, "a reservation of the ring is stale");
    require(reservation->count > 0 && length > 0 && length <= reservation->longest &&
                length <= reservation->length,
        "a record is longer than its reservation");
    ring->head = start_of(ring, ring->head, length);
    reservation->head = ring->head;
    reservation->opened = length;
    discard_before(ring, ring->head + length);
    return ring->region->ring + ring->head % ring->region->header->ring_size;
}

uint64_t ring_commit(struct ring *ring, struct reservation *reservation,
    const struct record_label *label, size_t length)
{
    uint64_t sequence = ring->next_sequence;
    struct record_entry *entry = entry_of(ring, sequence);

    require(reservation->head == ring->head && length > 0 && length <= reservation->opened,
        "a record is longer than what was opened for it");
    reservation->head += length;
    reservation->length -= length;
    reservation->count--;
    reservation->opened = 0;
    *entry = (struct record_entry){
        .sequence = sequence,
        .offset = ring->head,
        .length = (uint32_t)length,
        .kind = (uint16_t)label->kind,
        .room = label->room,
        .sender = label->sender,
        .sender_generation = label->sender_generation,
        .recipient = label->recipient,
        .recipient_generation = label->recipient_generation,
    };
    ring->head += length;
    ring->next_sequence = sequence + 1;
    atomic_store_explicit(&ring->region->header->next_sequence, sequence + 1, memory_order_release);
    return sequence;
}

uint64_t ring_bytes_since(const struct ring *ring, uint64_t sequence)
{
    return ring->head - offset_of(ring, sequence);
}
