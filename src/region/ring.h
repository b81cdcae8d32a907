/* SPDX-License-Identifier: ISC */
/*
 * ring.h - the supervisor's end of the ring and its index: writes records, in one order.
 *
 * A record is written in three steps: ring_reserve() reserves space for it, ring_open() returns the
 * contiguous bytes to fill, ring_commit() assigns the next sequence number and makes the record
 * visible to all. Between open and commit nothing is visible, so a record whose text turns out to
 * be wrong is simply not committed.
 */
#ifndef CHATROOMD_REGION_RING_H
#define CHATROOMD_REGION_RING_H

#include "region/region.h"

/* The state of the writer; only the supervisor has one. */
struct ring {
    struct region *region;
    uint64_t head;          /* offset of the next record in the unbounded byte stream */
    uint64_t next_sequence; /* of the next record */
    uint64_t oldest_sequence;
};

/* What somebody wants to write, and what must stay free beyond that. */
struct ring_need {
    size_t length;          /* bytes of all records together */
    size_t longest;         /* bytes of the longest one; each record is contiguous */
    unsigned count;         /* records */
    size_t spare;           /* bytes that must stay free ... */
    unsigned spare_entries; /* ... and index entries */
};

/* Reserved space: what may still be written. It ends when something is written without it. */
struct reservation {
    uint64_t head;  /* the ring's, as long as nothing else was written */
    size_t length;  /* bytes left */
    size_t longest; /* of one record */
    unsigned count; /* records left */
    size_t opened;  /* bytes of the record being written; 0: none */
};

/* What a record's index entry holds besides its place and number. */
struct record_label {
    enum record_kind kind;
    uint16_t room;
    uint32_t sender, sender_generation;
    uint32_t recipient, recipient_generation;
};

void ring_init(struct ring *ring, struct region *region);

/* The need of one record of `length` bytes. */
static inline struct ring_need ring_need_of(size_t length)
{
    return (struct ring_need){.length = length, .longest = length, .count = 1};
}

/* Whether the records of `need` fit without overwriting the record `needed_from` or any after it.
 * `needed_from` == ring->next_sequence: all records may be overwritten. */
bool ring_fits(const struct ring *ring, uint64_t needed_from, const struct ring_need *need);

/* The same; fills in `reservation` if they fit. */
bool ring_reserve(const struct ring *ring, uint64_t needed_from, const struct ring_need *need,
    struct reservation *reservation);

/*
 * Returns the place for the next record of `length` bytes (at least 1).
 *
 * Aborts the process, with a message in the log and in release builds too, if the reservation does
 * not cover the record or something else was written since it was made: then the caller is wrong,
 * and to go on would overwrite records that clients have not received.
 */
char *ring_open(struct ring *ring, struct reservation *reservation, size_t length);

/* Makes the opened record, of `length` bytes, the next one, and returns its sequence number. Aborts
 * like ring_open() if `length` is more than was opened. */
uint64_t ring_commit(struct ring *ring, struct reservation *reservation,
    const struct record_label *label, size_t length);

/* Bytes of the ring from record `sequence` (still whole, or next_sequence) to the newest. */
uint64_t ring_bytes_since(const struct ring *ring, uint64_t sequence);

#endif
