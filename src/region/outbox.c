/* SPDX-License-Identifier: ISC */
/*
 * outbox.c - a circular allocator of contiguous pieces, which are freed in the order of allocation.
 *
 * Model: the used bytes are one arc from `tail` to `head`, which may include an unused end of the
 * outbox. `ends` has the end of each unanswered piece, oldest first. If no piece is unanswered, the
 * arc begins at 0 again, so a quiet worker touches one page.
 *
 * Credit may be announced late. With U unannounced bytes, the arc is at most U + longest - 1 bytes
 * long (one unused end). It cuts the free bytes into two parts at most, so the larger part has at
 * least (size - U - longest + 1) / 2 bytes. That is enough for any piece if
 * U <= size - 3 * longest.
 *
 * Only the worker writes here. The supervisor copies each piece once and checks the copy.
 */
#include "config.h"

#include "region/outbox.h"

#include <string.h>

/* Marks in `ends` the first piece of a new lap. Outboxes are far smaller than this number. */
#define BEGINS_LAP UINT32_C(0x80000000)

void outbox_writer_init(struct outbox_writer *writer, struct outbox outbox)
{
    memset(writer, 0, sizeof *writer);
    writer->outbox = outbox;
}

enum placement { PLACE_NONE, PLACE_HERE, PLACE_NEXT_LAP };

/* Returns where `length` contiguous bytes are free. */
static enum placement find_place(const struct outbox_writer *writer, size_t length)
{
    if (writer->wrapped)
        return length <= writer->tail - writer->head ? PLACE_HERE : PLACE_NONE;
    if (length <= writer->outbox.size - writer->head)
        return PLACE_HERE;
    return length <= writer->tail ? PLACE_NEXT_LAP : PLACE_NONE;
}

int64_t outbox_put(struct outbox_writer *writer, const char *bytes, size_t length)
{
    enum placement place = find_place(writer, length);
    uint32_t mark = 0;
    size_t offset;

    if (writer->pending == OUTBOX_CREDIT_FRAMES || place == PLACE_NONE)
        return -1;
    if (place == PLACE_NEXT_LAP) {
        writer->head = 0;
        writer->wrapped = true;
        mark = BEGINS_LAP;
    }
    offset = writer->head;
    if (length > 0)
        memcpy(writer->outbox.bytes + offset, bytes, length);
    writer->head += length;
    writer->ends[(writer->oldest + writer->pending) % OUTBOX_CREDIT_FRAMES] =
        (uint32_t)writer->head | mark;
    writer->pending++;
    return (int64_t)offset;
}

static void free_oldest(struct outbox_writer *writer)
{
    uint32_t end = writer->ends[writer->oldest];

    if (end & BEGINS_LAP)
        writer->wrapped = false;
    writer->tail = end & ~BEGINS_LAP;
    writer->oldest = (writer->oldest + 1) % OUTBOX_CREDIT_FRAMES;
    writer->pending--;
}

bool outbox_answered(struct outbox_writer *writer, unsigned count)
{
    if (count > writer->pending)
        return false;
    while (count-- > 0)
        free_oldest(writer);
    if (writer->pending == 0) {
        writer->head = writer->tail = 0;
        writer->wrapped = false;
    }
    return true;
}

size_t outbox_lazy_credit(size_t size, size_t longest)
{
    return size > 3 * longest ? size - 3 * longest : 0;
}
