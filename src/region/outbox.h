/* SPDX-License-Identifier: ISC */
/*
 * outbox.h - a worker's end of its outbox: finding space for what it hands to the supervisor.
 */
#ifndef CHATROOMD_REGION_OUTBOX_H
#define CHATROOMD_REGION_OUTBOX_H

#include "region/region.h"

/* Frames that a worker may have unanswered, those without bytes included. */
#define OUTBOX_CREDIT_FRAMES 256u

/* A worker's book of what it has handed over and not got back. */
struct outbox_writer {
    struct outbox outbox;
    size_t head;      /* where the next piece goes */
    size_t tail;      /* where the oldest unanswered piece begins */
    bool wrapped;     /* head has gone round and tail has not */
    unsigned oldest;  /* index in `ends` */
    unsigned pending; /* unanswered pieces */
    uint32_t ends[OUTBOX_CREDIT_FRAMES];
};

void outbox_writer_init(struct outbox_writer *writer, struct outbox outbox);

/*
 * Copies `length` bytes (0 is allowed) into one contiguous piece and returns its offset, or -1
 * where credit in bytes or frames is used up for the moment.
 */
int64_t outbox_put(struct outbox_writer *writer, const char *bytes, size_t length);

/* The supervisor has answered the `count` oldest pieces. Returns false where there are not so many.
 */
bool outbox_answered(struct outbox_writer *writer, unsigned count);

/*
 * How many unanswered bytes a supervisor may leave unannounced without a worker ever waiting for
 * them in vain, for an outbox of `size` bytes and pieces of at most `longest`: beyond that, CREDIT
 * is due at once. See outbox.c for why.
 */
size_t outbox_lazy_credit(size_t size, size_t longest);

#endif
