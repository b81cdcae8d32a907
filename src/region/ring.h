/* SPDX-License-Identifier: ISC */
/*
 * ring.h - the writer of the ring and its index: appends records in one total order.
 *
 * A record is written in three steps: `ring_fits` checks the space, `ring_open` returns the
 * contiguous bytes to fill, and `ring_commit` assigns the next sequence number and makes the record
 * visible. If the text turns out to be invalid, the record is not committed and nobody sees it.
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

/* The fields of an index entry that the caller provides. */
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
