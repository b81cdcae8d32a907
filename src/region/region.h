/* SPDX-License-Identifier: ISC */
/*
 * region.h - creates the shared region, and attaches a child process to its part.
 *
 * The supervisor creates the region at start and maps all of it read-write. Children attach their
 * parts from two descriptors that they inherit. The region has a name only during `region_create`,
 * so that nothing is left in /dev/shm, even after kill -9.
 */
#ifndef CHATROOMD_REGION_REGION_H
#define CHATROOMD_REGION_REGION_H

#include "region/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Determines the layout. `ring_size` and `outbox_size` are in bytes and are rounded up to pages. */
struct region_geometry {
    uint32_t slot_count;
    uint32_t courier_count;
    size_t ring_size;
    size_t outbox_size;
};

/* The part that every process may read: header to ring. */
struct region_view {
    const struct region_header *header;
    const struct region_slot *slots;
    const struct record_entry *index;
    const char *ring;
    uint64_t index_count; /* copies of constants in the header */
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

/* The supervisor's mapping of the whole region. */
struct region {
    struct region_header *header;
    struct region_slot *slots;
    struct record_entry *index;
    char *ring;
    char *outboxes;
    char *couriers;
    int read_only_fd; /* for children; opened O_RDONLY, so a mapping can never become writable */
    int read_write_fd;
};

/* Computes the sizes and offsets in `header`. Returns the total size in bytes, or 0 if it does not fit
 * in half the address space. */
uint64_t region_layout(const struct region_geometry *geometry, struct region_header *header);

/*
 * Creates the region and reserves all of its pages by posix_fallocate(3), because a process gets
 * SIGBUS if a tmpfs is full later. The mapping is not inherited by children (MADV_DONTFORK).
 * Returns false with a message in `error` on failure.
 */
bool region_create(
    struct region *region, const struct region_geometry *geometry, char *error, size_t error_size);

/* Unmaps the region and closes its descriptors. */
void region_destroy(struct region *region);

/* Returns the outbox of `slot` in the supervisor's mapping. */
struct outbox region_outbox(const struct region *region, uint32_t slot);

/* Returns the part of courier `number` in the supervisor's mapping. */
struct courier_part region_courier(const struct region *region, uint32_t number);

/* Zeroes the part of courier `number`, which no process may have mapped. */
void region_clear_courier(const struct region *region, uint32_t number);

/* Returns the readable part of the supervisor's mapping. */
struct region_view region_view_of(const struct region *region);

/* Returns the positions of the parts that children map; they never change. */
struct region_places region_places_of(const struct region *region);

/*
 * The following functions attach another process. Each maps one part at its exact size and does not
 * close the descriptor. They return false and set errno on failure.
 */

/* Maps header to ring, read-only. Fails with EPROTO if this is not a region of this version. */
bool region_attach_view(struct region_view *view, int read_only_fd);

/* Maps the outbox of `slot`, read-write. */
bool region_attach_outbox(
    struct outbox *outbox, const struct region_places *places, int read_write_fd, uint32_t slot);

/* Maps the part of courier `number`, read-write. */
bool region_attach_courier(struct courier_part *part, const struct region_places *places,
    int read_write_fd, uint32_t number);

/* Returns the valid mark of a delivery. */
static inline const struct delivery_mark *region_mark(const struct delivery_state *state)
{
    return &state->marks[atomic_load_explicit(&state->version, memory_order_acquire) % 2];
}

/* Returns the index entry of a sequence number. */
static inline const struct record_entry *region_entry(
    const struct region_view *view, uint64_t sequence)
{
    return &view->index[sequence % view->index_count];
}

#endif
