/* SPDX-License-Identifier: ISC */
/*
 * batch.c - collects records once for all members of a room.
 *
 * Model: nearly all members of a room receive the same bytes, so a courier collects these once and
 * writes them to each. Some clients receive something else: the sender of a message, who does not
 * receive it, the recipient of a private record, and a client that joined within the batch. While
 * the batch is collected, `exceptions` notes for each slot the last record that makes a difference
 * for it. A client with such a record in the batch collects its own runs (delivery.c). So the
 * courier reads each index entry once, however many clients it has, and writes once per client.
 *
 * Invariant: `exceptions` is only compared with the beginning of the batch, and sequence numbers
 * are never used twice. So it need not be cleared: what an older batch left there is smaller.
 *
 * Overflow: a batch ends when its runs are used up; the remaining records are the next batch.
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
    batch->exceptions = alloc_zeroed(view->slot_count, sizeof *batch->exceptions);
}

void batch_free(struct batch *batch)
{
    free(batch->exceptions);
}

static void note_exception(struct batch *batch, uint32_t slot, uint64_t sequence)
{
    if (slot < batch->view->slot_count)
        batch->exceptions[slot] = sequence;
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
            note_exception(batch, entry->recipient, sequence);
            continue;
        }
        if (entry->room != batch->room)
            continue;
        if (!delivery_add_run(batch->runs, &batch->count, bytes, entry->length))
            break;
        if (!delivery_includes_sender(entry->kind))
            note_exception(batch, entry->sender, sequence);
    }
    batch->end = sequence;
}

bool batch_matches(const struct batch *batch, const struct delivery *delivery)
{
    return delivery->position == batch->from && delivery->partial == 0 &&
           batch->exceptions[delivery->slot] < batch->from &&
           delivery_is_only_in(delivery, batch->room, batch->from);
}

enum delivery_outcome batch_write(const struct batch *batch, struct delivery *delivery, int fd)
{
    if (batch->count > 0 && batch_matches(batch, delivery))
        return delivery_send(delivery, fd, batch->runs, batch->count, batch->end);
    return delivery_write(delivery, fd);
}
