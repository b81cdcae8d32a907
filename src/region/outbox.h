/* SPDX-License-Identifier: ISC */
/*
 * outbox.h - a worker's end of its outbox: allocates space for texts to the supervisor.
 */
#ifndef CHATROOMD_REGION_OUTBOX_H
#define CHATROOMD_REGION_OUTBOX_H

#include "region/region.h"

/* How many unanswered frames a worker may have, including those without text. */
#define OUTBOX_CREDIT_FRAMES 256u

/* The pieces that a worker has sent and that are not answered yet. */
struct outbox_writer {
    struct outbox outbox;
    size_t head;      /* where the next piece goes */
    size_t tail;      /* where the oldest unanswered piece begins */
    bool wrapped;     /* head has started another lap, and tail has not */
    unsigned oldest;  /* index in `ends` */
    unsigned pending; /* unanswered pieces */
    uint32_t ends[OUTBOX_CREDIT_FRAMES];
};

void outbox_writer_init(struct outbox_writer *writer, struct outbox outbox);

/*
 * Copies `length` bytes (0 is allowed) into one contiguous piece. Returns its offset, or -1 if the
 * credit in bytes or frames is used up for now.
 */
int64_t outbox_put(struct outbox_writer *writer, const char *bytes, size_t length);

/* Frees the `count` oldest pieces, which the supervisor has answered. Returns false if there are
 * not so many. */
bool outbox_answered(struct outbox_writer *writer, unsigned count);

/*
 * Returns how many answered bytes a supervisor may leave unannounced, for an outbox of `size` bytes
 * and pieces of at most `longest`, so that no worker waits for credit that it already has. For more
 * bytes, CREDIT must be sent at once. See outbox.c.
 */
size_t outbox_lazy_credit(size_t size, size_t longest);

#endif
