/* SPDX-License-Identifier: ISC */
/*
 * cursor.c - how far one process has read the ring, and what it needs of it.
 *
 * Model: the pending records lie in [unnotified_from, pending_to), of which the process was not
 * notified, and before notified_to, of which it was. The first record that it still needs is its
 * position or, if it had delivered everything before, the first record that became pending since.
 *
 * A process that has delivered everything jumps to the record at which the next DELIVER begins:
 * from jump_end to jump_from. As long as it has not made that jump, its need begins at jump_from,
 * whatever it is notified of later.
 *
 * Invariant: `position` only grows, is never beyond notified_to, and never within a jump. If a
 * process publishes anything else, that is noted, and its last valid position is used until the
 * process is killed at the end of the turn. So a question about a position has no side effects.
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

/* Returns the position as the process publishes it. */
static uint64_t claimed(const struct cursor *cursor)
{
    if (cursor->oldest_needed != NULL)
        return atomic_load_explicit(cursor->oldest_needed, memory_order_acquire);
    if (atomic_load_explicit(&cursor->delivery->generation, memory_order_acquire) !=
        cursor->generation)
        return cursor->position;
    return atomic_load_explicit(&region_mark(cursor->delivery)->position, memory_order_acquire);
}

/* Returns whether the process can be at `position` now: not further back, not beyond what it was
 * notified of, and not within a jump, where no record is for it and all may be overwritten. */
static bool may_be_at(const struct cursor *cursor, uint64_t position)
{
    if (position < cursor->position || position > cursor->notified_to)
        return false;
    return cursor->position != cursor->jump_end || position == cursor->jump_end ||
           position >= cursor->jump_from;
}

void cursor_set_out_of_range(struct cursor *cursor)
{
    if (cursor->out_of_range)
        return;
    cursor->out_of_range = true;
    if (cursor->noted != NULL)
        *cursor->noted = true;
}

uint64_t cursor_position(struct cursor *cursor)
{
    uint64_t position = claimed(cursor);

    if (!may_be_at(cursor, position))
        cursor_set_out_of_range(cursor);
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

void cursor_want(const struct cursor *cursor, uint64_t wanted)
{
    atomic_store_explicit(cursor->wanted, wanted, memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
}

bool cursor_ask(struct cursor *cursor, uint64_t wanted)
{
    if (wanted > cursor->notified_to)
        wanted = cursor->notified_to;
    /* A process that has delivered all that it was notified of blocks nobody, or needs to be
     * notified of more. */
    if (cursor_position(cursor) >= cursor->notified_to)
        return cursor_needs(cursor) == 0;
    cursor_want(cursor, wanted);
    return cursor_position(cursor) >= wanted;
}
