/* SPDX-License-Identifier: ISC */
/*
 * prefault.h - making the pages that a process is about to read present in its page table, many at
 * a time.
 *
 * A fault brings in sixteen pages at most, and costs microseconds (tens of them on some virtual
 * machines); a process that reads a ring for the first time would take one for every few hundred
 * messages. madvise(2) with MADV_POPULATE_READ brings in a whole page table of 2 MiB at once. Only
 * what is about to be read is brought in, so that a quiet process has no more page tables than it
 * needs. Where the kernel knows no such advice (Linux before 5.14) faults do as they always did.
 */
#ifndef CHATROOMD_DELIVERY_PREFAULT_H
#define CHATROOMD_DELIVERY_PREFAULT_H

#include "region/region.h"

#include <stdint.h>

/* One circular area that is read from some place on, round and round. */
struct prefault {
    const char *base;
    uint64_t size;
    uint64_t
        reached;    /* all before this offset, in the endless stream, is present or was left out */
    uint64_t whole; /* at this offset the first lap is over, and all is present; 0: not begun */
};

void prefault_init(struct prefault *prefault, const void *base, uint64_t size);

/* The bytes up to offset `end` of the endless stream are about to be read; those of the first call
 * from `begin` on. */
void prefault_until(struct prefault *prefault, uint64_t begin, uint64_t end);

/* The same for the index entries and the bytes of the records `from` to `to`. */
void prefault_records(struct prefault *index_pages, struct prefault *ring_pages,
    const struct region_view *view, uint64_t from, uint64_t to);

#endif
