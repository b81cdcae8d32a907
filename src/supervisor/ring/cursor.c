/*
 * reader.c - see reader.h.
 *
 * Model: what is owed lies in [untold_from, owed_to) as far as the reader has not been told, and
 * before told_to as far as it has. The hold is the first of it that is still needed: the larger of
 * the position and of the first record owed since the reader had caught up.
 *
 * A reader that has caught up jumps to where DELIVER begins. A jump that it has not made yet stays
 * the one that counts: what it will need begins there, whatever it is told after.
 *
 * Invariant: position only grows, is never beyond told_to, and never in what was not held for it.
 */
#include "config.h"

#include "supervisor/ring/cursor.h"

#include <stdatomic.h>

bool reader_owe(struct reader *reader, uint64_t first, uint64_t last)
{
    if (first < reader->told_to)
        first = reader->told_to;
    if (first > last)
        return false;
    if (reader->untold_from == 0 || first < reader->untold_from)
        reader->untold_from = first;
    if (last >= reader->owed_to)
        reader->owed_to = last + 1;
    return true;
}

/* What the reader says, as it says it. */
static uint64_t claimed(const struct reader *reader)
{
    if (reader->oldest_needed != NULL)
        return atomic_load_explicit(reader->oldest_needed, memory_order_acquire);
    if (atomic_load_explicit(&reader->delivery->generation, memory_order_acquire) !=
        reader->generation)
        return reader->position;
    return atomic_load_explicit(&region_mark(reader->delivery)->position, memory_order_acquire);
}

/* Whether an honest reader may be at `position` now: not back, not beyond what it has been told of,
 * and not in a jump, where nothing is its own and what there was may have been written over. */
static bool may_be_at(const struct reader *reader, uint64_t position)
{
    if (position < reader->position || position > reader->told_to)
        return false;
    return reader->position != reader->jump_end || position == reader->jump_end ||
           position >= reader->jump_from;
}

uint64_t reader_position(struct reader *reader)
{
    uint64_t position = claimed(reader);

    if (!may_be_at(reader, position))
        reader->has_lied = true;
    else
        reader->position = position;
    return reader->position;
}

uint64_t reader_next(struct reader *reader)
{
    uint64_t position = reader_position(reader);

    return position == reader->jump_end && reader->jump_from > position ? reader->jump_from
                                                                        : position;
}

uint64_t reader_hold(struct reader *reader)
{
    uint64_t next;

    if (!reader->is_open)
        return 0;
    next = reader_next(reader);
    return next < reader->told_to ? next : reader->untold_from;
}

static void note_jump(struct reader *reader)
{
    uint64_t position = reader_position(reader);

    if (position == reader->jump_end && reader->jump_from > position)
        return;
    reader->jump_end = reader->told_to;
    reader->jump_from = reader->untold_from;
}

bool reader_tell(struct reader *reader, struct frame *frame)
{
    if (reader->untold_from == 0)
        return false;
    *frame = (struct frame){
        .kind = FRAME_DELIVER, .from = reader->untold_from, .to = reader->owed_to - 1};
    note_jump(reader);
    reader->told_to = reader->owed_to;
    reader->untold_from = 0;
    return true;
}
