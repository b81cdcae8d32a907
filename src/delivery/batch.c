/* SPDX-License-Identifier: ISC */
/*
 * batch.c - one look at the index for a thousand clients.
 *
 * Model: nearly all members of a room are given the same bytes, so a courier gathers them once and
 * writes them to each. Who is given something else - the sender of a message, which it is not
 * given, the one recipient of a private record, one who was not in the room yet - is found out on
 * the way, per slot, by the last record that makes the difference; such a client gathers for itself
 * (delivery.c). So a record costs one look, however many clients there are, and a client one write.
 *
 * Invariant: `special` is only compared with the batch's beginning, and sequence numbers are never
 * used twice, so it needs no clearing: what an older batch has left there is smaller.
 *
 * Overflow: a batch ends where its runs are used up; the rest is the next batch.
 */
#include "config.h"

#include "delivery/batch.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void batch_init(struct batch *batch, const struct region_view *view, uint16_t room)
{
    memset(batch, 0, sizeof *batch);
    batch->view = view;
    batch->room = room;
    batch->special = alloc_zeroed(view->slot_count, sizeof *batch->special);
}

void batch_free(struct batch *batch)
{
    free(batch->special);
}

static void note_special(struct batch *batch, uint32_t slot, uint64_t sequence)
{
    if (slot < batch->view->slot_count)
        batch->special[slot] = sequence;
}

void batch_gather(struct batch *batch, uint64_t from, uint64_t end)
{
    const struct region_view *view = batch->view;
    uint64_t sequence = from;

    batch->from = from;
    batch->count = 0;
    for (; sequence < end; sequence++) {
        const struct record_entry *entry = region_entry(view, sequence);
        const char *bytes = view->ring + entry->offset % view->ring_size;

        if (entry->recipient != REGION_NO_SLOT) {
            note_special(batch, entry->recipient, sequence);
            continue;
        }
        if (entry->room != batch->room)
            continue;
        if (!delivery_add_run(batch->runs, &batch->count, bytes, entry->length))
            break;
        if (!delivery_given_to_sender(entry->kind))
            note_special(batch, entry->sender, sequence);
    }
    batch->end = sequence;
}

bool batch_suits(const struct batch *batch, const struct delivery *delivery)
{
    return delivery->position == batch->from && delivery->partial == 0 &&
           batch->special[delivery->slot] < batch->from &&
           delivery_is_only_in(delivery, batch->room, batch->from);
}

enum delivery_outcome batch_write(const struct batch *batch, struct delivery *delivery, int fd)
{
    if (batch->count > 0 && batch_suits(batch, delivery))
        return delivery_send(delivery, fd, batch->runs, batch->count, batch->end);
    return delivery_write(delivery, fd);
}
