/*
 * region.h - making the shared region, and attaching a worker to its part of it.
 *
 * The supervisor makes the one region at start and has all of it mapped read-write; workers attach
 * from two descriptors that cross the fork. No name of it exists but during region_create(): even
 * after kill -9 nothing is left in /dev/shm.
 */
#ifndef CHATROOMD_REGION_REGION_H
#define CHATROOMD_REGION_REGION_H

#include "region/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the layout follows from; ring_size and outbox_size in bytes, rounded up to pages. */
struct region_geometry {
    uint32_t slot_count;
    size_t ring_size;
    size_t outbox_size;
};

/* What every process may read: header..ring. */
struct region_view {
    const struct region_header *header;
    const struct region_slot *slots;
    const struct record_entry *index;
    const char *ring;
    uint64_t index_count; /* copies of the header's constants, once checked */
    uint64_t ring_size;
    uint32_t slot_count;
};

/* One slot's outbox. */
struct outbox {
    struct outbox_state *state;
    char *bytes;
    size_t size;
};

/* The supervisor's hold on all of it. */
struct region {
    struct region_header *header;
    struct region_slot *slots;
    struct record_entry *index;
    char *ring;
    char *outboxes;
    int read_only_fd; /* for workers: opened O_RDONLY, so that the mapping can never be made
                         writable */
    int read_write_fd;
};

/* Fills `header` with sizes and offsets for `geometry`. Returns the total size in bytes, or 0 where
 * it does not fit in 63 bits. */
uint64_t region_layout(const struct region_geometry *geometry, struct region_header *header);

/*
 * Makes the region: every page is reserved now (posix_fallocate(3)), since a tmpfs that runs full
 * later kills with SIGBUS. On failure returns false with a sentence in `error` that names the size
 * needed and the size there is. The mapping does not cross fork (MADV_DONTFORK).
 */
bool region_create(
    struct region *region, const struct region_geometry *geometry, char *error, size_t error_size);

/* Unmaps and closes. */
void region_destroy(struct region *region);

/* The outbox of `slot` in the supervisor's mapping. */
struct outbox region_outbox(const struct region *region, uint32_t slot);

/* The supervisor's region as a reader sees it. */
struct region_view region_view_of(const struct region *region);

/*
 * A worker's attachment: maps header..ring read-only from `read_only_fd` and, unless `outbox` is
 * NULL, the outbox of `slot` read-write at its exact size from `read_write_fd`. Closes neither.
 * Returns false, with errno set, where a mapping is refused or the header is not a whole region of
 * this version (EPROTO).
 */
bool region_attach(struct region_view *view, struct outbox *outbox, int read_only_fd,
    int read_write_fd, uint32_t slot);

/* The index entry of a sequence number. */
static inline const struct record_entry *region_entry(
    const struct region_view *view, uint64_t sequence)
{
    return &view->index[sequence % view->index_count];
}

#endif
