/* SPDX-License-Identifier: ISC */
/*
 * prefault.h - populates the page table for memory that a process is about to read.
 *
 * A page fault maps at most sixteen pages and takes microseconds (tens of them on some virtual
 * machines); a process that reads a ring for the first time would take a fault for every few
 * hundred messages. madvise(2) with MADV_POPULATE_READ maps 2 MiB at once. Only what is about to be
 * read is mapped, so a quiet process has no more page tables than it needs. Linux before 5.14 does
 * not have this advice; there, page faults map the memory.
 */
#ifndef CHATROOMD_DELIVERY_PREFAULT_H
#define CHATROOMD_DELIVERY_PREFAULT_H

#include "region/region.h"

#include <stdint.h>

/* A circular area that is read from some offset on, lap after lap. */
struct prefault {
    const char *base;
    uint64_t size;
    uint64_t reached; /* offset in the endless stream: memory before it is populated or unused */
    uint64_t lap_end; /* offset at which the first lap is complete; 0: not begun */
};

void prefault_init(struct prefault *prefault, const void *base, uint64_t size);

/* Populates up to offset `end` of the endless stream; the first call begins at offset `begin`. */
void prefault_until(struct prefault *prefault, uint64_t begin, uint64_t end);

/* Populates the index entries and the bytes of the records `from` to `to`. */
void prefault_records(struct prefault *index_pages, struct prefault *ring_pages,
    const struct region_view *view, uint64_t from, uint64_t to);

#endif
