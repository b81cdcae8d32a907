/* SPDX-License-Identifier: ISC */
/*
 * ring.h - the supervisor's end of the ring and its index: where records are put, in one order.
 *
 * A record is made in three steps: ring_fits() asks, ring_open() gives the contiguous bytes to
 * fill, ring_commit() gives the next sequence number and lets everyone see it. Between open and
 * commit nothing is visible, so a record whose text turns out to be wrong is just not committed.
 */
#ifndef CHATROOMD_REGION_RING_H
#define CHATROOMD_REGION_RING_H

#include "region/region.h"

/* The writer's state; the supervisor has the only one. */
struct ring {
    struct region *region;
    uint64_t head;          /* byte offset, in the endless stream, of the next record */
    uint64_t next_sequence; /* of the next record */
    uint64_t oldest_sequence;
};

/* What stands in a record's index entry besides place, number and time. */
struct record_label {
    enum record_kind kind;
    uint16_t room;
    uint32_t sender, sender_generation;
    uint32_t recipient, recipient_generation;
};

void ring_init(struct ring *ring, struct region *region);

/*
 * Whether `count` records of `length` bytes in all (each contiguous, none longer than `longest`)
 * fit without touching the record `held` or any after it, and leave `spare` bytes and
 * `spare_entries` index entries over. `held` == ring->next_sequence: nobody holds anything.
 */
bool ring_fits(const struct ring *ring, uint64_t held, size_t length, size_t longest,
    unsigned count, size_t spare, unsigned spare_entries);

/* The place for the next record of `length` bytes. The caller has asked ring_fits(). */
char *ring_open(struct ring *ring, size_t length);

/* Makes the opened record, of `length` bytes (at most what was opened), the next one. Returns its
 * sequence number. */
uint64_t ring_commit(struct ring *ring, const struct record_label *label, size_t length);

/* Bytes of the ring from record `sequence` (still whole, or next_sequence) to the newest. */
uint64_t ring_bytes_since(const struct ring *ring, uint64_t sequence);

#endif
