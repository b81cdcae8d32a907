/* SPDX-License-Identifier: ISC */
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
    uint32_t courier_count;
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

/* One courier's part. */
struct courier_part {
    struct courier_state *state;
    struct delivery_state *deliveries; /* one for each slot */
};

/* The supervisor's hold on all of it. */
struct region {
    struct region_header *header;
    struct region_slot *slots;
    struct record_entry *index;
    char *ring;
    char *outboxes;
    char *couriers;
    int read_only_fd; /* for workers: opened O_RDONLY, so that the mapping can never be made
                         writable */
    int read_write_fd;
};

/* Fills `header` with sizes and offsets for `geometry`. Returns the total size in bytes, or 0 where
 * it does not fit in half the address space. */
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

/* The part of courier `number` in the supervisor's mapping. */
struct courier_part region_courier(const struct region *region, uint32_t number);

/* Zeroes that part, while no courier has it mapped. */
void region_clear_courier(const struct region *region, uint32_t number);

/* The supervisor's region as a reader sees it. */
struct region_view region_view_of(const struct region *region);

/* The same for as long as the region is. */
struct region_places region_places_of(const struct region *region);

/*
 * Attaching from another process: each maps one part at its exact size and does not close the
 * descriptor. They return false, with errno set, where a mapping is refused.
 */

/* header..ring, read-only; also EPROTO: the header is not a whole region of this version. */
bool region_attach_view(struct region_view *view, int read_only_fd);

/* The outbox of `slot`, read-write. */
bool region_attach_outbox(
    struct outbox *outbox, const struct region_places *places, int read_write_fd, uint32_t slot);

/* The part of courier `number`, read-write. */
bool region_attach_courier(struct courier_part *part, const struct region_places *places,
    int read_write_fd, uint32_t number);

/* Where the delivery stands: the mark that counts. */
static inline const struct delivery_mark *region_mark(const struct delivery_state *state)
{
    return &state->marks[atomic_load_explicit(&state->version, memory_order_acquire) % 2];
}

/* The index entry of a sequence number. */
static inline const struct record_entry *region_entry(
    const struct region_view *view, uint64_t sequence)
{
    return &view->index[sequence % view->index_count];
}

#endif
