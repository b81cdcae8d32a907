/* SPDX-License-Identifier: ISC */
/*
 * batch.h - records gathered once for all who are given the same.
 */
#ifndef CHATROOMD_DELIVERY_BATCH_H
#define CHATROOMD_DELIVERY_BATCH_H

#include "delivery/delivery.h"

/* The records of [from, end) that all members of a room are given, as runs of the ring's bytes. */
struct batch {
    const struct region_view *view;
    uint64_t *special; /* per slot: the last record that concerns it otherwise than the others */
    uint16_t room;
    uint64_t from;
    uint64_t end;
    struct iovec runs[DELIVERY_RUNS_MAX];
    int count;
};

/* For the members of `room`. */
void batch_init(struct batch *batch, const struct region_view *view, uint16_t room);
void batch_free(struct batch *batch);

/* Gathers from record `from` on, up to `end` or until the runs are used up: batch->end says how far
 * that was. Always goes on by one record at least where there is one. */
void batch_gather(struct batch *batch, uint64_t from, uint64_t end);

/* Whether the delivery, which is not behind, is given exactly the batch's runs. */
bool batch_suits(const struct batch *batch, const struct delivery *delivery);

/* Writes the batch to `fd`: its runs where they suit, or else what the delivery itself gathers. */
enum delivery_outcome batch_write(const struct batch *batch, struct delivery *delivery, int fd);

#endif
