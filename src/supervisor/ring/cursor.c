/* SPDX-License-Identifier: ISC */
/*
 * cursor.c - see reader.h.
 *
 * Model: what is owed lies in [unnotified_from, pending_to) as far as the reader has not been told, and
 * before notified_to as far as it has. The hold is the first of it that is still needed: the larger of
 * the position and of the first record owed since the reader had caught up.
 *
 * A reader that has caught up jumps to where DELIVER begins. A jump that it has not made yet stays
 * the one that counts: what it will need begins there, whatever it is told after.
 *
 * Invariant: position only grows, is never beyond notified_to, and never in what was not held for it.
 */
#include "config.h"

#include "supervisor/ring/cursor.h"

#include <stdatomic.h>

bool cursor_extend(struct cursor *cursor, uint64_t first, uint64_t last)
{
    if (first < cursor->notified_to)
        first = cursor->notified_to;
    if (first > last)
        return false;
    if (cursor->unnotified_from == 0 || first < cursor->unnotified_from)
        cursor->unnotified_from = first;
    if (last >= cursor->pending_to)
        cursor->pending_to = last + 1;
    return true;
}

/* What the reader says, as it says it. */
static uint64_t claimed(const struct cursor *cursor)
{
    if (cursor->oldest_needed != NULL)
        return atomic_load_explicit(cursor->oldest_needed, memory_order_acquire);
    if (atomic_load_explicit(&cursor->delivery->generation, memory_order_acquire) !=
        cursor->generation)
        return cursor->position;
    return atomic_load_explicit(&region_mark(cursor->delivery)->position, memory_order_acquire);
}

/* Whether an honest reader may be at `position` now: not back, not beyond what it has been told of,
 * and not in a jump, where nothing is its own and what there was may have been written over. */
static bool may_be_at(const struct cursor *cursor, uint64_t position)
{
    if (position < cursor->position || position > cursor->notified_to)
        return false;
    return cursor->position != cursor->jump_end || position == cursor->jump_end ||
           position >= cursor->jump_from;
}

uint64_t cursor_position(struct cursor *cursor)
{
    uint64_t position = claimed(cursor);

    if (!may_be_at(cursor, position))
        cursor->out_of_range = true;
    else
        cursor->position = position;
    return cursor->position;
}

uint64_t cursor_next(struct cursor *cursor)
{
    uint64_t position = cursor_position(cursor);

    return position == cursor->jump_end && cursor->jump_from > position ? cursor->jump_from
                                                                        : position;
}

uint64_t cursor_needs(struct cursor *cursor)
{
    uint64_t next;

    if (!cursor->is_open)
        return 0;
    next = cursor_next(cursor);
    return next < cursor->notified_to ? next : cursor->unnotified_from;
}

static void note_jump(struct cursor *cursor)
{
    uint64_t position = cursor_position(cursor);

    if (position == cursor->jump_end && cursor->jump_from > position)
        return;
    cursor->jump_end = cursor->notified_to;
    cursor->jump_from = cursor->unnotified_from;
}

bool cursor_notify(struct cursor *cursor, struct frame *frame)
{
    if (cursor->unnotified_from == 0)
        return false;
    *frame = (struct frame){
        .kind = FRAME_DELIVER, .from = cursor->unnotified_from, .to = cursor->pending_to - 1};
    note_jump(cursor);
    cursor->notified_to = cursor->pending_to;
    cursor->unnotified_from = 0;
    return true;
}
