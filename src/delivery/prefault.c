/* SPDX-License-Identifier: ISC */
/*
 * prefault.c - populates page tables; see prefault.h.
 *
 * Offsets count bytes of the endless stream and are taken modulo the size of the area. A chunk
 * never crosses the end of the area. After one lap all pages are present.
 */
#include "config.h"

#include "delivery/prefault.h"

#include <sys/mman.h>

/* What one page of page table entries covers if pages have 4 KiB. */
#define CHUNK ((uint64_t)2 * 1024 * 1024)

void prefault_init(struct prefault *prefault, const void *base, uint64_t size)
{
    *prefault = (struct prefault){.base = base, .size = size};
}

void prefault_until(struct prefault *prefault, uint64_t begin, uint64_t end)
{
    if (prefault->lap_end == 0) {
        prefault->reached = begin - begin % prefault->size % CHUNK;
        prefault->lap_end = prefault->reached + prefault->size;
    }
    while (prefault->reached < end && prefault->reached < prefault->lap_end) {
        uint64_t within = prefault->reached % prefault->size;
        uint64_t length = CHUNK - within % CHUNK;

        if (length > prefault->size - within)
            length = prefault->size - within;
        /* If the kernel does not know the advice, page faults do the work. */
        madvise((void *)(uintptr_t)(prefault->base + within), (size_t)length, MADV_POPULATE_READ);
        prefault->reached += length;
    }
}

void prefault_records(struct prefault *index_pages, struct prefault *ring_pages,
    const struct region_view *view, uint64_t from, uint64_t to)
{
    const struct record_entry *first = region_entry(view, from), *last = region_entry(view, to);

    prefault_until(index_pages, from * sizeof *first, (to + 1) * sizeof *first);
    prefault_until(ring_pages, first->offset, last->offset + last->length);
}
