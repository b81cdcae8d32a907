/* SPDX-License-Identifier: ISC */
/*
 * batch.h - the records that all members of a room receive, collected once.
 */
#ifndef CHATROOMD_DELIVERY_BATCH_H
#define CHATROOMD_DELIVERY_BATCH_H

#include "delivery/delivery.h"

/* The records of [from, end) that all members of a room receive, as runs of the ring's bytes. */
struct batch {
    const struct region_view *view;
    uint64_t *exceptions; /* per slot: the last record that it receives and others do not, or the
                             other way round */
    uint16_t room;
    uint64_t from;
    uint64_t end;
    struct iovec runs[DELIVERY_RUNS_MAX];
    int count;
};

/* Initialises a batch for the members of `room`; batch_free() releases what it allocates. */
void batch_init(struct batch *batch, const struct region_view *view, uint16_t room);
void batch_free(struct batch *batch);

/* Collects the records from `from` on, up to `end` or until the runs are used up; batch->end says
 * where it stopped. If there is a record, the batch has at least one. */
void batch_gather(struct batch *batch, uint64_t from, uint64_t end);

/* Returns whether the client, which is not behind, receives exactly the runs of the batch. */
bool batch_matches(const struct batch *batch, const struct delivery *delivery);

/* Writes the batch to `fd`: its runs if they match, otherwise those that the delivery collects. */
enum delivery_outcome batch_write(const struct batch *batch, struct delivery *delivery, int fd);

#endif
