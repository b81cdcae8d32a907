/* SPDX-License-Identifier: ISC */
/*
 * ring.c - appends records to the ring.
 *
 * Model: `head` is an unbounded count of bytes. A record begins at `head`, or at the start of the
 * next lap if it would cross the end of the ring. Records are not padded, so that consecutive
 * records can be sent as one run of bytes.
 *
 * Invariants: the supervisor is the only writer. The records in [oldest_sequence, next_sequence)
 * are complete, and there are at most index_count of them. oldest_sequence is increased before the
 * bytes of the records below it are overwritten.
 *
 * Overflow: `ring_fits` returns false and the caller waits; no record is dropped here.
 */
#include "config.h"

#include "region/ring.h"

#include <assert.h>

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

/* Returns the start of a contiguous record of `length` bytes that is appended at `head`. */
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

bool ring_fits(const struct ring *ring, uint64_t held, size_t length, size_t longest,
    unsigned count, size_t spare, unsigned spare_entries)
{
    const struct region_header *header = ring->region->header;
    uint64_t used = ring->head - offset_of(ring, held);
    uint64_t skipped = start_of(ring, ring->head, length) - ring->head;
    /* Of several records, any one may be the first that does not fit before the end of the lap. */
    uint64_t waste = skipped == 0 || count == 1 ? skipped : longest;

    assert(held >= ring->oldest_sequence && held <= ring->next_sequence);
    if (ring->next_sequence - held + count + spare_entries > header->index_count)
        return false;
    return used + waste + length + spare <= header->ring_size;
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

char *ring_open(struct ring *ring, size_t length)
{
    uint64_t size = ring->region->header->ring_size;

    assert(length > 0 && length <= size);
    ring->head = start_of(ring, ring->head, length);
    discard_before(ring, ring->head + length);
    return ring->region->ring + ring->head % size;
}

uint64_t ring_commit(struct ring *ring, const struct record_label *label, size_t length)
{
    uint64_t sequence = ring->next_sequence;
    struct record_entry *entry = entry_of(ring, sequence);

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
